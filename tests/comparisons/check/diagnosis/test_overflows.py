"""From which logits on an answer is not finite: measured on the class, and what that size means."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from backproof.comparisons.check.battery.grid import generic_problem
from backproof.comparisons.check.diagnosis.evidence import Observation, observe
from backproof.comparisons.check.diagnosis.overflows import (
    Overflow,
    _about,
    _gap,
    _measured,
    _opposed,
    _what,
    overflow_causes,
    sentence,
)
from backproof.comparisons.check.forms.expected import forward_logits
from backproof.comparisons.check.forms.space import Space
from backproof.scratch.architecture import LOSSES, Architecture, Array, LossName
from backproof.scratch.problem import Problem
from tests.support.in_process import Student, explored_here
from tests.support.observations import Asked, observed


def space(loss: LossName) -> Space:
    return Space((("tanh", loss, 0), ("tanh", loss, 1)))


class Unshifted(Student):
    def logsumexp(self, z: Array) -> Any:
        return np.log(np.exp(z).sum(axis=1))

    def softmax(self, z: Array) -> Any:
        return np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)


class LogOfProbability(Student):
    """log(p) of a p that is rounded to 0."""

    def loss_value(self, z: Array, targets: Array) -> float:
        return float(-np.log(self.softmax(z)[np.arange(len(z)), targets]).mean())


class LogOfComplement(Student):
    def loss_value(self, z: Array, targets: Array) -> float:
        p = self.sigmoid(z)
        return float(-np.mean(targets * np.log(p) + (1 - targets) * np.log(1 - p)))


class SquareInTheGradient(Student):
    def softmax(self, z: Array) -> Any:
        return np.sqrt(np.exp(z) ** 2) / np.exp(z).sum(axis=1, keepdims=True)


def cause(kind: type, loss: LossName = "cross_entropy") -> Any:
    explored = explored_here(kind, space(loss))
    return overflow_causes(explored, observe(explored, 0)).get(loss)


@pytest.mark.parametrize(
    ("kind", "loss", "words", "about"),
    [
        (Unshifted, "cross_entropy", "the loss is not finite from logits of about 71", "softmax"),
        (LogOfComplement, "binary_cross_entropy", "1 - p rounds to 0 there", "loss binary_cross_entropy"),
        (SquareInTheGradient, "cross_entropy", "the gradient is not finite from logits of about 35", "slope"),
        (LogOfProbability, "cross_entropy", "p underflows to 0 there", "loss cross_entropy"),
    ],
)
def test_the_size_from_which_on_it_overflows_is_found(
    kind: type, loss: LossName, words: str, about: str
) -> None:
    found = cause(kind, loss)
    assert words in found.sentence
    assert (found.about, found.certainty) == (about, "fits")


def test_a_right_class_overflows_nowhere() -> None:
    for loss in LOSSES:
        assert cause(Student, loss) is None


def test_what_is_not_finite_for_ordinary_logits_too_is_no_overflow() -> None:
    class Never(Student):
        def loss_value(self, z: Array, targets: Array) -> float:
            return float("inf")

    class InOrdinaryCases(Student):
        def loss_value(self, z: Array, targets: Array) -> float:
            return float("inf") if len(z) == 5 else super().loss_value(z, targets)

    assert cause(Never) is None
    assert cause(InOrdinaryCases) is None


def test_where_no_size_divides_finite_from_not_finite_nothing_is_measured() -> None:
    class Never(Student):
        def loss_value(self, z: Array, targets: Array) -> float:
            return float("inf")

    o = next(o for o in observe(explored_here(Student, space("mse")), 0) if o.family == "saturated")
    for kind in (Student, Never):
        assert _measured(explored_here(kind, space("mse")), o) is None


def test_the_ordinary_logits_are_those_of_ordinary_networks() -> None:
    explored = explored_here(Unshifted, space("cross_entropy"))
    seen = observe(explored, 0)
    largest = max(float(np.abs(o.zs[-1]).max()) for o in seen if o.family == "generic")
    assert f"logits stay below {np.ceil(largest):g}. Stable: log p = z - m" in cause(Unshifted).sentence


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (Overflow("loss", "mse", 30.0, 0.0), "1 - p rounds to 0"),
        (Overflow("loss", "mse", 44.9, 0.0), "1 - p rounds to 0"),
        (Overflow("loss", "mse", 29.9, 0.0), "something overflows"),
        (Overflow("loss", "mse", 45.0, 0.0), "something overflows"),
        (Overflow("loss", "mse", 340.0, 0.0), "the square of exp(z) overflows"),
        (Overflow("loss", "mse", 370.0, 0.0), "something overflows"),
        (Overflow("gradient", "mse", 690.0, 0.0), "(exp(z) overflows"),
        (Overflow("gradient", "mse", 728.0, 750.0), "something overflows"),
        (Overflow("loss", "mse", 500.0, 700.0), "p underflows to 0"),
        (Overflow("loss", "mse", 500.0, 800.0), "something overflows"),
        (Overflow("loss", "mse", 500.0, 699.9), "something overflows"),
    ],
)
def test_a_size_is_read_as_what_overflows_there(found: Overflow, words: str) -> None:
    assert words in sentence(found, 3.2)
    assert "stay below 4." in sentence(found, 3.2)


@pytest.mark.parametrize(
    ("what", "loss", "stable"),
    [
        ("loss", "cross_entropy", "log p = z - m"),
        ("loss", "binary_cross_entropy", "max(z, 0) - t z"),
        ("gradient", "cross_entropy", "s (1 - s)"),
        ("loss", "mse", "s (1 - s)"),
    ],
)
def test_the_stable_formula_is_that_of_what_overflows(what: str, loss: str, stable: str) -> None:
    assert stable in sentence(Overflow(what, loss, 710.0, 710.0), 3.0).partition("Stable: ")[2]


@pytest.mark.parametrize(
    ("found", "about"),
    [
        (Overflow("gradient", "cross_entropy", 710.0, 0.0), "slope"),
        (Overflow("loss", "cross_entropy", 690.0, 0.0), "softmax"),
        (Overflow("loss", "cross_entropy", 728.0, 0.0), "loss cross_entropy"),
        (Overflow("loss", "cross_entropy", 689.0, 0.0), "loss cross_entropy"),
        (Overflow("loss", "binary_cross_entropy", 710.0, 0.0), "loss binary_cross_entropy"),
    ],
)
def test_an_exp_that_overflows_is_in_the_softmax_and_not_in_the_logarithm(
    found: Overflow, about: str
) -> None:
    assert _about(found) == about


SEEN = observed(Asked((3, 2), loss="cross_entropy"))
NAN_GRADIENT = np.full(SEEN.gradient.size, np.nan)


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({}, ""),
        ({"gradient": NAN_GRADIENT}, "gradient"),
        ({"gradient": NAN_GRADIENT, "loss": np.inf}, "loss"),
        ({"loss": np.inf}, "loss"),
        ({"loss": -np.inf}, "loss"),
        ({"loss": np.nan}, ""),
        ({"loss": np.nan, "family": "saturated"}, "loss"),
    ],
)
def test_what_of_an_answer_is_not_finite(changed: dict[str, Any], what: str) -> None:
    o: Observation = replace(SEEN, **changed)
    assert _what(o) == what


# --- logits of one size, and targets against them ----------------------------------------------------------


def problem(loss: LossName, seed: int = 0, sizes: tuple[int, ...] = (3, 4)) -> Problem:
    return generic_problem(Architecture(sizes, "tanh", loss), 6, seed)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("size", [1.0, 700.0])
def test_the_largest_logit_is_of_the_size_and_on_the_side_that_overflows(
    loss: LossName, seed: int, size: float
) -> None:
    z = forward_logits(_opposed(problem(loss, seed), size))
    assert (z.max() if loss.endswith("cross_entropy") else -z.min()) == pytest.approx(size)
    assert np.abs(z).max() == pytest.approx(size)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("size", [1.0, 700.0])
def test_targets_are_on_the_side_that_the_logits_speak_against(seed: int, size: float) -> None:
    cross, binary = (
        _opposed(problem(loss, seed), size) for loss in ("cross_entropy", "binary_cross_entropy")
    )
    z = forward_logits(cross)
    assert (z[np.arange(6), cross.targets] == z.min(axis=1)).all()
    z = forward_logits(binary)
    np.testing.assert_array_equal(binary.targets, np.where(z > 0, 0.0, 1.0))
    squares = problem("mse", seed)
    np.testing.assert_array_equal(_opposed(squares, size).targets, squares.targets)


def test_a_gap_is_that_of_the_largest_logit_and_the_targets_in_one_row() -> None:
    cross = problem("cross_entropy")
    z = forward_logits(cross)
    gaps = [max(row) - row[label] for row, label in zip(z, cross.targets, strict=True)]
    assert _gap(cross) == pytest.approx(max(gaps))
    binary = problem("binary_cross_entropy")
    assert _gap(binary) == pytest.approx(np.abs(forward_logits(binary)).max())
