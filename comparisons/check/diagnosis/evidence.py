"""What a class answers on a set of telling cases: the evidence that a diagnosis may rest on.

The set varies one thing at a time: activation, loss, batch size, outputs, equal and unequal widths, exact
kinks, inputs that are always zero, saturated logits.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from backproof.comparisons.check.battery.cases import Case
from backproof.comparisons.check.battery.findings import reference_of
from backproof.comparisons.check.battery.grid import generic_case
from backproof.comparisons.check.subject.subject import Misbehaviour, Subject
from backproof.comparisons.verdicts.network_bounds import Reference
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.relu_kinks import flat_gradient, judge_gradient, tensors
from backproof.scratch.architecture import ACTIVATIONS, LOSSES, Architecture, Array


@dataclass(frozen=True)
class Observation:
    """One evaluation: what came (`loss`, flat `gradient`), and the reference for it."""

    case: Case
    reference: Reference
    loss: float
    gradient: Array

    @cached_property
    def gradient_wrong(self) -> bool:
        return judge_gradient(self.reference, self.gradient).outcome == Outcome.FAIL

    @cached_property
    def loss_wrong(self) -> bool:
        expected = self.reference.loss
        return not abs(self.loss - float(expected.value)) <= float(expected.error)

    @cached_property
    def wrong_entries(self) -> Array:
        expected = self.reference.gradient
        outside: Array = ~(np.abs(self.gradient - expected.value) <= expected.error)
        return outside

    @cached_property
    def wrong_tensors(self) -> frozenset[int]:
        """Indices into W1, b1, W2, b2, ..."""
        parts = enumerate(tensors(self.case.architecture))
        return frozenset(index for index, part in parts if self.wrong_entries[part].any())

    def matches(self, predicted: Array) -> bool:
        """Is the found gradient `predicted`, up to rounding?"""
        size = np.abs(predicted).max(initial=0.0) + np.abs(self.reference.gradient.value).max(initial=0.0)
        slack = 4 * self.reference.gradient.error + 1e-11 * size
        return bool((np.abs(self.gradient - predicted) <= slack).all())


def telling_cases(seed: int) -> list[Case]:
    """See above; float64 throughout."""
    cases = []
    shapes = (((3, 4, 2), 5), ((3, 3, 3), 4), ((2, 3, 3, 2), 3), ((4, 3, 1), 1), ((3, 2), 4))
    for i, activation in enumerate(ACTIVATIONS):
        for j, loss in enumerate(LOSSES):
            for k in range(3):
                sizes, batch_size = shapes[(i + j + 2 * k) % len(shapes)]
                architecture = Architecture(sizes, activation, loss)
                cases.append(generic_case(architecture, batch_size, seed + 100 * i + 10 * j + k))
        architecture = Architecture((3, 3, 3, 2), activation, LOSSES[i])
        cases += [
            _at_kinks(architecture, seed + i),
            _with_idle_input(generic_case(architecture, 4, seed + 50 + i)),
        ]
    for j, loss in enumerate(LOSSES[:2]):
        for factor in (30.0, 300.0):
            cases.append(_saturated(generic_case(Architecture((3, 4, 3), "tanh", loss), 4, seed + j), factor))
    return cases


def observe(subject: Subject, seed: int = 0) -> list[Observation]:
    """The class's answers, each asked of a fresh instance; cases on which it misbehaves are left out."""
    seen = []
    for case in telling_cases(seed):
        try:
            subject.renew()
            subject.load(case.architecture, case.weights)
            loss, gradient = subject.loss_and_gradient(case.x, case.targets)
        except Misbehaviour as finding:
            if finding.fatal:
                break
            continue
        flat = flat_gradient(gradient)
        if np.isfinite(flat).all():
            seen.append(Observation(case, reference_of(case), loss, flat))
    return seen


def _at_kinks(architecture: Architecture, seed: int) -> Case:
    """Small integers everywhere: pre-activations are often exactly zero."""
    rng = np.random.default_rng(seed)
    case = generic_case(architecture, 5, seed)
    weights = [
        (rng.integers(-1, 2, W.shape).astype(float), rng.integers(-1, 2, b.shape).astype(float))
        for W, b in case.weights
    ]
    return Case(architecture, weights, rng.integers(-1, 2, case.x.shape).astype(float), case.targets, "kinks")


def _with_idle_input(case: Case) -> Case:
    x = case.x.copy()
    x[:, 1] = 0.0
    return Case(case.architecture, case.weights, x, case.targets, "idle input")


def _saturated(case: Case, factor: float) -> Case:
    weights = [*case.weights[:-1], (factor * case.weights[-1][0], factor * case.weights[-1][1])]
    return Case(case.architecture, weights, case.x, case.targets, "saturated")


Condition = Callable[[Observation], bool]


def _loss_is(loss: str) -> Condition:
    return lambda o: o.case.architecture.loss == loss


def _activation_is(activation: str) -> Condition:
    return lambda o: o.case.architecture.activation == activation and len(o.case.weights) > 1


def _has_equal_widths(o: Observation) -> bool:
    sizes = o.case.architecture.layer_sizes
    return len(sizes) > 2 and len(set(sizes[:3])) < 3


CONDITIONS: dict[str, Condition] = {
    **{f"with loss={loss!r}": _loss_is(loss) for loss in LOSSES},
    **{f"with activation={name!r}": _activation_is(name) for name in ACTIVATIONS},
    "with a hidden layer": lambda o: len(o.case.weights) > 1,
    "with two hidden layers": lambda o: len(o.case.weights) > 2,
    "in batches of more than one": lambda o: o.case.batch_size > 1,
    "with more than one output": lambda o: o.case.architecture.n_outputs > 1,
    "where logits are saturated": lambda o: o.case.family == "saturated",
    "where a pre-activation is exactly zero": lambda o: o.case.family == "kinks",
    "where an input is always zero": lambda o: o.case.family in ("idle input", "kinks"),
    "with equal widths": _has_equal_widths,
}


def only_where(wrong: Sequence[Observation], right: Sequence[Observation]) -> str:
    """The simplest condition that every wrong observation meets and no right one does; empty if none is.

    One that all the wrong ones and some of the right ones meet is still told, if it leaves out half of the
    right ones.
    """
    best, kept = "", len(right) / 2
    for text, holds in CONDITIONS.items():
        if all(holds(o) for o in wrong):
            remaining = sum(holds(o) for o in right)
            if remaining < kept:
                best, kept = text, remaining
    return f"only {best}" if best else ""
