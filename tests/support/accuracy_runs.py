"""Small accuracy comparisons on the digits, made once per session, and results that stand on them."""

from dataclasses import replace
from functools import cache
from typing import Any

from backproof.comparisons.accuracy import part as accuracy
from backproof.comparisons.accuracy.result import (
    AccuracyResult,
    AgainstScratch,
    ComparedTrajectories,
    OneStep,
)
from backproof.comparisons.experiment import Plan, resolve
from backproof.comparisons.running.progress import Silent
from backproof.scratch.architecture import OptimizerSpec

MODULE = "tests.support.accuracy_contenders"
FAITHFUL = f"{MODULE}:Faithful"
PLAN = Plan(
    contenders=("scratch", FAITHFUL),
    data="digits",
    layer_sizes=(64, 16, 10),
    n_seeds=3,
    epochs=2,
    optimizer=OptimizerSpec("sgd", 0.1),
)
EXPERIMENT = resolve(PLAN)


def run(*names: str, **changes: Any) -> AccuracyResult:
    """The comparison of these contenders of `accuracy_contenders` with scratch."""
    plan = replace(PLAN, contenders=tuple(f"{MODULE}:{name}" for name in names), **changes)
    return accuracy.run(resolve(plan), Silent())


@cache
def faithful() -> AccuracyResult:
    return run("Faithful")


@cache
def with_torch() -> AccuracyResult:
    return accuracy.run(resolve(replace(PLAN, contenders=("torch",))), Silent())


@cache
def faithful_and_untrained() -> AccuracyResult:
    """Two seeds of one epoch; one contender that trains and one that does not."""
    return run("Faithful", "NoTraining", n_seeds=2, epochs=1, layer_sizes=(64, 8, 10))


def only(found: AccuracyResult) -> AgainstScratch:
    (cell,) = found.compared.values()
    return cell


def step_of(found: AccuracyResult) -> OneStep:
    step = only(found).one_step
    assert step is not None
    return step


def course_of(found: AccuracyResult) -> ComparedTrajectories:
    course = only(found).trajectory
    assert isinstance(course, ComparedTrajectories)
    return course
