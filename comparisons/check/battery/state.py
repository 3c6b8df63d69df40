"""Checks of what a class remembers and of what it changes: calls in any order, arrays given and returned."""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from backproof.comparisons.check.battery.cases import FAMILIES, Case, cases
from backproof.comparisons.check.battery.findings import (
    Mismatch,
    reference_of,
    require_gradient,
    require_logits,
    require_loss,
    require_same_bits,
)
from backproof.comparisons.check.subject.subject import Subject
from backproof.scratch.architecture import Array, OptimizerSpec, Weights

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")


@dataclass(frozen=True)
class Story:
    """A network, two batches of the same size, and the calls to make, in order."""

    case: Case
    other: Case
    calls: tuple[str, ...]


CALLS = ("gradient", "gradient of another batch", "logits", "logits of another batch", "train", "load again")


@st.composite
def stories(draw: st.DrawFn) -> Story:
    case = draw(cases(families=("eighths", "normal", "wide")))
    numbers = st.integers(-16, 16).map(lambda k: k / 8)
    size = case.x.size
    x = np.array(draw(st.lists(numbers, min_size=size, max_size=size)), float).reshape(case.x.shape)
    other = Case(case.architecture, case.weights, x, case.targets[::-1].copy(), case.family)
    calls = draw(st.lists(st.sampled_from(CALLS), min_size=2, max_size=5))
    return Story(case, other, tuple(calls))


def call_order(subject: Subject, story: Story) -> None:
    """Every call answers for its own arguments, whatever was called before."""
    weights = story.case.weights
    subject.load(story.case.architecture, weights)
    for position, call in enumerate(story.calls):
        case = (story.other if "another" in call else story.case).with_weights(weights)
        what = f"{call} as the {ORDINALS[position]} call"
        if call == "train":
            weights = _train(subject, case, what)
        elif call == "load again":
            weights = story.case.weights
            subject.load(story.case.architecture, weights)
        else:
            _evaluate(subject, case, call, what)
        require_same_bits(f"weights after {what}", subject.weights(), weights)


def _evaluate(subject: Subject, case: Case, call: str, what: str) -> None:
    reference = reference_of(case)
    if call.startswith("logits"):
        require_logits(reference, subject.logits(case.x), what)
        return
    loss, gradient = subject.loss_and_gradient(case.x, case.targets)
    require_loss(reference, loss, what)
    require_gradient(reference, gradient, what)


def _train(subject: Subject, case: Case, what: str) -> Weights:
    if not subject.offers("train"):
        return case.weights
    rows = np.arange(case.batch_size)
    loss = subject.train(case.x, case.targets, [rows], OptimizerSpec(learning_rate=0.05, momentum=0.5))[0]
    require_loss(reference_of(case), loss, f"loss of {what}")
    return subject.weights()


def reload(subject: Subject, first: Case, second: Case, trained: bool) -> None:
    """load replaces everything: nothing of the network that was loaded before is left in the next one."""
    subject.load(first.architecture, first.weights)
    subject.loss_and_gradient(first.x, first.targets)
    if trained:
        _train_if_offered(subject, first)
    subject.load(second.architecture, second.weights)
    what = f"after load of another network (before it {first.architecture.layer_sizes}, "
    what += f"{first.architecture.activation}, {first.architecture.loss}, {first.architecture.dtype})"
    require_same_bits(f"weights {what}", subject.weights(), second.weights)
    reference = reference_of(second)
    require_logits(reference, subject.logits(second.x), f"logits {what}")
    found_loss, found = subject.loss_and_gradient(second.x, second.targets)
    require_loss(reference, found_loss, f"loss {what}")
    require_gradient(reference, found, f"gradient {what}")


def repeatable(subject: Subject, case: Case) -> None:
    """Prediction draws no lots: the same question twice, the same answer twice."""
    subject.load(case.architecture, case.weights)
    first, second = subject.logits(case.x), subject.logits(case.x)
    if not np.array_equal(first, second):
        raise Mismatch("logits: the same input gave two different answers")


def arguments_untouched(subject: Subject, case: Case) -> None:
    """What a contender is given is never written to."""
    subject.load(case.architecture, case.weights)
    _require_untouched(subject, "load")
    subject.logits(case.x)
    _require_untouched(subject, "logits")
    subject.loss_and_gradient(case.x, case.targets)
    _require_untouched(subject, "loss_and_gradient")
    if subject.offers("train"):
        subject.train(case.x, case.targets, _two_batches(case), OptimizerSpec(learning_rate=0.05))
        _require_untouched(subject, "train")


def _require_untouched(subject: Subject, method: str) -> None:
    if subject.last.mutated:
        raise Mismatch(f"{method} wrote to its argument {' and '.join(subject.last.mutated)}")


def results_are_copies(subject: Subject, case: Case) -> None:
    """What is returned belongs to the caller: later calls leave it, and writing to it harms nobody."""
    subject.load(case.architecture, case.weights)
    subject.scribble("weights")
    require_same_bits("weights after overwriting what weights() returned", subject.weights(), case.weights)
    subject.scribble("loss_and_gradient", x=case.x, targets=case.targets)
    subject.scribble("logits", x=case.x)
    reference = reference_of(case)
    require_logits(reference, subject.logits(case.x), "logits after overwriting earlier results")
    require_gradient(reference, subject.loss_and_gradient(case.x, case.targets)[1])
    other = case.rows(np.arange(case.batch_size)[::-1])
    for call in (
        lambda: subject.logits(-other.x),
        lambda: subject.loss_and_gradient(-other.x, other.targets),
        lambda: _train_if_offered(subject, case),
        subject.weights,
    ):
        call()
        if subject.last.changed:
            raise Mismatch(
                f"what {subject.last.changed[0]} had returned changed in a later call: it was no copy"
            )


def given_arrays_are_copied(subject: Subject, case: Case) -> None:
    """load takes a copy: what the caller does with the arrays afterwards is the caller's affair."""
    subject.scribble("load", architecture=case.architecture, weights=case.weights)
    what = "weights after overwriting the arrays that load was given"
    require_same_bits(what, subject.weights(), case.weights)


def _train_if_offered(subject: Subject, case: Case) -> None:
    if subject.offers("train"):
        subject.train(case.x, case.targets, _two_batches(case), OptimizerSpec(learning_rate=0.05))


def _two_batches(case: Case) -> list[Array]:
    rows = np.arange(case.batch_size)
    return [rows, rows[:1]]


STATE_FAMILIES = tuple(family for family in FAMILIES if family not in ("wide", "saturated"))
