"""The families of problems that are drawn: each has what it is named for, and Hypothesis finds it."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from backproof.comparisons.check.battery.battery import CHECKS
from backproof.comparisons.check.battery.cases import (
    CALLS,
    FAMILIES,
    NothingToTryError,
    Story,
    TrainingProblem,
    optimizers,
    problems,
    stories,
    training_problems,
)
from backproof.comparisons.check.drawn import drawn
from backproof.comparisons.check.forms.space import Space
from backproof.scratch.architecture import Array, OptimizerSpec
from backproof.scratch.problem import Problem

FULL = Space.full()
SOON = settings(
    max_examples=400,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def numbers(problem: Problem) -> Array:
    return np.asarray(np.abs(np.concatenate([problem.x.ravel(), problem.flat()])))


def has_a_repeated_row(problem: Problem) -> bool:
    return len({row.tobytes() for row in problem.x + 0.0}) < problem.batch_size > 1


@pytest.mark.parametrize(
    ("family", "has"),
    [
        ("integer", lambda p: (p.x == 0).any() and (numbers(p) == 3).any()),
        ("eighths", lambda p: (numbers(p) == 0.125).any()),
        ("normal", lambda p: ((numbers(p) > 0) & (numbers(p) < 1)).any() and (numbers(p) > 1).any()),
        ("wide", lambda p: ((numbers(p) > 0) & (numbers(p) < 1e-3)).any() and (numbers(p) > 30).any()),
        ("saturated", lambda p: np.abs(p.weights[-1][0]).max() > 64),
    ],
)
def test_a_family_has_the_numbers_it_is_named_for(family: str, has: Callable[[Problem], bool]) -> None:
    find(problems(FULL, families=(family,)), has, settings=SOON)


@pytest.mark.parametrize(
    ("family", "has"),
    [
        ("integer", lambda p: (numbers(p) != np.rint(numbers(p))).any() or numbers(p).max() > 3),
        ("eighths", lambda p: (8 * numbers(p) != np.rint(8 * numbers(p))).any() or numbers(p).max() > 2),
        ("normal", lambda p: numbers(p).max() > 3),
        ("wide", lambda p: numbers(p).max() > 300),
    ],
)
def test_a_family_has_no_other_numbers(family: str, has: Callable[[Problem], bool]) -> None:
    with pytest.raises(NoSuchExample):
        find(problems(FULL, families=(family,)), has, settings=settings(SOON, max_examples=60))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    "has",
    [lambda x: (x < 0).any() and (x > 0).any(), lambda x: (np.log10(np.abs(x[x != 0])) % 1 > 0).any()],
    ids=["both signs", "more than powers of ten"],
)
def test_every_family_has_numbers_of_both_signs_and_of_many_digits(
    family: str, has: Callable[[Array], bool]
) -> None:
    find(problems(FULL, families=(family,)), lambda p: bool(has(p.x)), settings=SOON)


@pytest.mark.parametrize(
    "has",
    [
        lambda p: p.batch_size == 1,
        lambda p: p.batch_size == 4,
        lambda p: p.architecture.n_outputs == 1,
        lambda p: len(set(p.architecture.layer_sizes)) == 1 < p.architecture.n_inputs,
        lambda p: p.batch_size > 1 and (p.x == 0).all(axis=0).any() and p.x.any(),
        has_a_repeated_row,
        lambda p: (
            p.architecture.loss == "cross_entropy" and p.targets.max() == p.architecture.n_outputs - 1 > 0
        ),
        lambda p: p.architecture.loss == "binary_cross_entropy" and {0.0, 1.0} < set(p.targets.ravel()),
    ],
)
def test_the_corners_that_break_people_are_drawn(has: Callable[[Problem], bool]) -> None:
    find(problems(FULL), has, settings=SOON)


@pytest.mark.parametrize(
    "has",
    [
        lambda o: o.name == "adam" and o.eps == 1e-2 and o.weight_decay == 0.1,
        lambda o: o.name == "adam" and o.eps == 1e-8 and not o.weight_decay,
        lambda o: o.name == "sgd" and o.nesterov and o.weight_decay > 0,
        lambda o: o.name == "sgd" and o.momentum > 0 and not o.nesterov,
        lambda o: o == OptimizerSpec(learning_rate=0.05),
    ],
)
def test_every_setting_of_a_rule_is_on_and_off(has: Callable[[OptimizerSpec], bool]) -> None:
    find(optimizers(), has, settings=SOON)


@pytest.mark.parametrize(
    "has",
    [
        lambda t: len({len(batch) for batch in t.batches}) > 1,
        lambda t: len(t.batches) == 5,
        lambda t: any((np.diff(batch) < 0).any() for batch in t.batches),
        lambda t: t.optimizer.name == "adam",
    ],
)
def test_trainings_have_batches_of_several_sizes_in_any_order(has: Callable[[TrainingProblem], bool]) -> None:
    find(training_problems(FULL), has, settings=SOON)


def test_plain_descent_is_all_that_a_class_without_other_rules_is_asked_for() -> None:
    plain = Space(FULL.kinds, plain_descent=True)

    def is_other(training: TrainingProblem) -> bool:
        return training.optimizer not in (
            OptimizerSpec(learning_rate=0.05),
            OptimizerSpec(learning_rate=0.01),
        )

    with pytest.raises(NoSuchExample):
        find(training_problems(plain), is_other, settings=settings(SOON, max_examples=30))


@pytest.mark.parametrize("call", CALLS)
def test_stories_have_every_call_after_another(call: str) -> None:
    def has(story: Story) -> bool:
        return call in story.calls[1:] and not np.array_equal(story.problem.x, story.other.x)

    find(stories(FULL), has, settings=SOON)


@pytest.mark.parametrize("made", [problems, training_problems])
def test_what_a_class_has_not_is_not_drawn(made: Callable[..., st.SearchStrategy[object]]) -> None:
    single = Space(FULL.kinds, dtypes=("float32",))
    with pytest.raises(NothingToTryError, match="float32 only"):
        made(single, "float64")
    with pytest.raises(NothingToTryError, match="its losses: mse"):
        problems(FULL.where(losses=("mse",)), losses=("cross_entropy",))


def test_without_biases_none_is_drawn() -> None:
    with pytest.raises(NoSuchExample):
        find(
            problems(Space(FULL.kinds, biases=False)),
            lambda p: any(b.any() for _, b in p.weights),
            settings=settings(SOON, max_examples=60),
        )


def test_the_batches_of_a_training_are_rows_of_its_problem_each_once() -> None:
    def is_odd(training: TrainingProblem) -> bool:
        n = training.problem.batch_size
        return any(
            len(batch) == 0 or len(set(batch)) < len(batch) or batch.min() < 0 or batch.max() >= n
            for batch in training.batches
        )

    with pytest.raises(NoSuchExample):
        find(training_problems(FULL), is_odd, settings=SOON)
    find(training_problems(FULL), lambda t: any(0 in batch for batch in t.batches), settings=SOON)
    find(
        training_problems(FULL),
        lambda t: t.problem.batch_size == 5 and any(4 in batch for batch in t.batches),
        settings=SOON,
    )


@pytest.mark.parametrize("call", CALLS)
def test_a_story_has_two_to_five_calls_on_two_batches_of_one_network(call: str) -> None:
    def is_odd(story: Story) -> bool:
        same = all(a is b for p, q in zip(story.problem.weights, story.other.weights, strict=True)
                   for a, b in zip(p, q, strict=True))  # fmt: skip
        reversed_targets = np.array_equal(story.other.targets, story.problem.targets[::-1])
        return not 2 <= len(story.calls) <= 5 or not same or not reversed_targets

    with pytest.raises(NoSuchExample):
        find(stories(FULL), is_odd, settings=settings(SOON, max_examples=30))
    find(stories(FULL), lambda story: story.calls[0] == call, settings=SOON)


# What a check draws: the largest number there may be (None: any), the largest batch.
DRAWN: dict[str, tuple[float | None, int]] = {
    **dict.fromkeys(("weights", "logits", "loss", "gradient"), (None, 4)),
    **dict.fromkeys(("independence", "duplication", "float32"), (None, 4)),
    **dict.fromkeys(("extremes", "large outputs", "layouts", "integers", "long sums"), (3.0, 4)),
    **dict.fromkeys(("repeatable", "arguments", "results", "given weights"), (3.0, 4)),
    "differences": (None, 3),
    "epoch loss": (3.0, 7),
}  # fmt: skip


@pytest.mark.parametrize("name", DRAWN)
def test_a_check_draws_from_the_families_and_the_batches_that_it_is_meant_for(name: str) -> None:
    (check,) = (one for one in CHECKS if one.name == name)
    largest, batch = DRAWN[name]
    found = [one for one in drawn(check, FULL, 0, 60) for one in one if isinstance(one, Problem)]
    sizes = [float(numbers(problem).max()) for problem in found]
    assert (max(sizes) > 3.0) == (largest is None)
    batches = [problem.batch_size for problem in found]
    assert (min(batches), max(batches)) == (1, batch)
    whole = all((numbers(problem) == np.rint(numbers(problem))).all() for problem in found)
    assert whole == (name == "integers")
    losses = {problem.architecture.loss for problem in found}
    assert ("binary_cross_entropy" in losses) == (name != "large outputs")
    dtypes = {problem.architecture.dtype for problem in found}
    assert dtypes == {"float32" if name in ("float32", "long sums") else "float64"}
