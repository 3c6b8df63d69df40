"""Checks of what a class remembers and of what it changes: calls in any order, arrays given and returned.

Every one holds the class against its own earlier answers: a wrong gradient is not its matter.
"""

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from backproof.comparisons.check.battery.cases import CALM, Story, problems, stories
from backproof.comparisons.check.battery.check import check
from backproof.comparisons.check.battery.findings import Mismatch, require_same_bits
from backproof.comparisons.check.battery.grid import generic_problems, pairs, some, story_grid
from backproof.comparisons.check.battery.own_answers import Answers, ask, ask_afresh, require_same_answers
from backproof.comparisons.check.forms.candidate import Candidate
from backproof.comparisons.check.forms.space import Space
from backproof.scratch.architecture import Array, OptimizerSpec, Weights
from backproof.scratch.problem import Problem

BASIC = "load logits loss_and_gradient weights"
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")
RULE = OptimizerSpec(learning_rate=0.05, momentum=0.5)


def _calm(space: Space) -> st.SearchStrategy[Problem]:
    return problems(space, families=CALM)


def _tiny(space: Space) -> st.SearchStrategy[Problem]:
    return problems(space, families=CALM[1:])


def _two(space: Space) -> st.SearchStrategy[tuple[Problem, Problem, bool]]:
    return st.tuples(_calm(space), _calm(space), st.booleans())


@check("Does an answer depend on what was called before?", BASIC, stories, story_grid)
def call_order(candidate: Candidate, story: Story) -> None:
    """Every call answers for its own arguments, as a fresh instance does, whatever was called before."""
    weights = story.problem.weights
    candidate.load(story.problem.architecture, weights)
    answers: list[tuple[str, Answers]] = []
    for position, call in enumerate(story.calls):
        asked = replace(story.other if "another" in call else story.problem, weights=weights)
        what = f"of {call} as the {ORDINALS[position]} call"
        if call == "train":
            loss, weights = _train(candidate, asked, weights)
            answers.append((what, Answers(asked, loss=loss)))
        elif call == "load again":
            weights = story.problem.weights
            candidate.load(story.problem.architecture, weights)
        else:
            answers.append((what, ask(candidate, asked, [call.partition(" ")[0]])))
        require_same_bits(
            f"weights after {call} as the {ORDINALS[position]} call", candidate.weights(), weights
        )
    calls = candidate.calls
    for what, found in answers:
        asked_for = ["logits"] if found.logits is not None else ["gradient"]
        own = ask_afresh(candidate, found.problem, asked_for)
        require_same_answers(candidate, found, own, what, calls)


def _train(candidate: Candidate, problem: Problem, weights: Weights) -> tuple[float | None, Weights]:
    """One step: its loss, and the weights after it."""
    if not candidate.offers("train"):
        return None, weights
    rows = np.arange(problem.batch_size)
    loss = candidate.train(problem.x, problem.targets, [rows], RULE)[0]
    return loss, candidate.weights()


@check("Does load replace the network before?", BASIC, _two, pairs, 0.3)
def reload(candidate: Candidate, first: Problem, second: Problem, trained: bool) -> None:
    """load replaces everything: nothing of the network that was loaded before is left in the next one."""
    own = ask_afresh(candidate, second)
    candidate.renew()
    candidate.load(first.architecture, first.weights)
    candidate.loss_and_gradient(first.x, first.targets)
    if trained:
        _train_if_offered(candidate, first)
    candidate.load(second.architecture, second.weights)
    a = first.architecture
    what = f"after load of another network (before it {a.layer_sizes}, {a.activation}, {a.loss}, {a.dtype})"
    require_same_bits(f"weights {what}", candidate.weights(), second.weights)
    calls = candidate.calls
    require_same_answers(candidate, ask(candidate, second), own, what, calls)


@check("Does the same question get the same answer?", "load logits", _calm, some, 0.3)
def repeatable(candidate: Candidate, problem: Problem) -> None:
    """Prediction draws no lots: the same question twice, the same answer twice."""
    candidate.load(problem.architecture, problem.weights)
    first, second = candidate.logits(problem.x), candidate.logits(problem.x)
    if not np.array_equal(first, second, equal_nan=True):
        raise Mismatch("logits: the same input gave two different answers")


@check("Is what it was given left alone?", "load logits loss_and_gradient", _tiny, generic_problems, 0.3)
def arguments(candidate: Candidate, problem: Problem) -> None:
    """What a contender is given is never written to."""
    candidate.load(problem.architecture, problem.weights)
    _require_untouched(candidate, "load")
    candidate.logits(problem.x)
    _require_untouched(candidate, "logits")
    if not candidate.form.step:
        candidate.loss_and_gradient(problem.x, problem.targets)
        _require_untouched(candidate, "loss_and_gradient")
    if candidate.offers("train"):
        _train_if_offered(candidate, problem)
        _require_untouched(candidate, "train")


def _require_untouched(candidate: Candidate, method: str) -> None:
    if candidate.last.mutated:
        raise Mismatch(f"{method} wrote to its argument {' and '.join(candidate.last.mutated)}")


@check("Is what it returned left alone?", BASIC, _tiny, generic_problems, 0.3)
def results(candidate: Candidate, problem: Problem) -> None:
    """What is returned belongs to the caller: later calls leave it, and writing to it harms nobody."""
    own = ask_afresh(candidate, problem)
    candidate.renew()
    candidate.load(problem.architecture, problem.weights)
    candidate.scribble("weights")
    what = "weights after overwriting what weights() returned"
    require_same_bits(what, candidate.weights(), problem.weights)
    if not candidate.form.step:
        candidate.scribble("loss_and_gradient", x=problem.x, targets=problem.targets)
    candidate.scribble("logits", x=problem.x)
    calls = candidate.calls
    require_same_answers(candidate, ask(candidate, problem), own, "after overwriting earlier results", calls)
    _require_kept(candidate, problem)


def _require_kept(candidate: Candidate, problem: Problem) -> None:
    """Nothing that was returned changes in a later call."""
    other = problem.rows(np.arange(problem.batch_size)[::-1])
    for call in (
        lambda: candidate.logits(-other.x),
        lambda: candidate.loss_and_gradient(-other.x, other.targets),
        lambda: _train_if_offered(candidate, problem),
        candidate.weights,
    ):
        call()
        if candidate.last.changed:
            changed = candidate.last.changed[0]
            raise Mismatch(f"what {changed} had returned changed in a later call: it was no copy")


@check("Does load take a copy?", "load weights", _tiny, some, 0.2)
def given_weights(candidate: Candidate, problem: Problem) -> None:
    """load takes a copy: what the caller does with the arrays afterwards is the caller's affair."""
    candidate.scribble("load", architecture=problem.architecture, weights=problem.weights)
    what = "weights after overwriting the arrays that load was given"
    require_same_bits(what, candidate.weights(), problem.weights)


def _train_if_offered(candidate: Candidate, problem: Problem) -> None:
    if candidate.offers("train"):
        rule = OptimizerSpec(learning_rate=0.05)
        candidate.train(problem.x, problem.targets, _two_batches(problem), rule)


def _two_batches(problem: Problem) -> list[Array]:
    rows = np.arange(problem.batch_size)
    return [rows, rows[:1]]
