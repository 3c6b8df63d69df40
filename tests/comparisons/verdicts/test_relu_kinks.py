"""Kinks: exact zeros are decided, near zeros are tried both ways, and stencils never cross unnoticed."""

import numpy as np
import pytest
from hypothesis import given

from backproof.comparisons.contenders.scratch_mlp import ScratchMLP
from backproof.comparisons.verdicts.forward_bounds import Unit
from backproof.comparisons.verdicts.network_bounds import Reference, backprop_reference
from backproof.comparisons.verdicts.relu_kinks import (
    _against_every_selection,
    flat_gradient,
    judge_gradient,
)
from backproof.comparisons.verdicts.relu_selections import any_selection, selected
from backproof.comparisons.verdicts.rounding import Bounded
from backproof.comparisons.verdicts.verdict import REQUIRED_RESOLUTION
from backproof.reference.torch_mlp import TorchMLP
from backproof.scratch.architecture import Architecture, Array
from tests.support.strategies import Case, cases

# One hidden unit whose pre-activation x W + b is 0.1 * 3 - 0.3, exactly zero in no arithmetic with roundings:
# 5.6e-17 when the product is rounded first, 1.1e-17 when it is fused with the sum.
NEAR_ZERO = Architecture((1, 1, 1), "relu", "mse", "float64")
NEAR_WEIGHTS = [(np.array([[0.1]]), np.array([-0.3])), (np.array([[1.0]]), np.array([0.5]))]
NEAR_X, NEAR_TARGETS = np.array([[3.0]]), np.array([[1.0]])
# With a second example far from the kink every tensor has a gradient to resolve.
BOTH_X, BOTH_TARGETS = np.array([[3.0], [7.0]]), np.array([[1.0], [-2.0]])


def near_reference() -> Reference:
    return backprop_reference(NEAR_ZERO, NEAR_WEIGHTS, BOTH_X, BOTH_TARGETS)


def scratch_gradient(case: Case) -> Array:
    contender = ScratchMLP()
    contender.load(case.architecture, case.weights)
    return flat_gradient(contender.loss_and_gradient(case.x, case.targets)[1])


def many_near_zeros(n_units: int) -> tuple[Reference, Array]:
    """n hidden units, all of them undecided, and the gradient with every second unit's sign flipped."""
    architecture = Architecture((1, n_units, 1), "relu", "mse", "float64")
    weights = [
        (np.full((1, n_units), 0.1), np.full(n_units, -0.3)),
        (np.arange(1.0, n_units + 1)[:, None], np.array([0.5])),
    ]
    reference = backprop_reference(architecture, weights, BOTH_X, BOTH_TARGETS)
    return reference, selected(reference.state, reference.undecided[::2]).value


def test_a_pre_activation_that_rounding_decides_is_reported_as_undecided() -> None:
    assert near_reference().undecided == ((0, 0, 0),)


@pytest.mark.parametrize("flipped", [(), ((0, 0, 0),)])
def test_the_gradient_of_either_side_of_a_near_zero_passes(flipped: tuple[Unit, ...]) -> None:
    reference = near_reference()
    assert judge_gradient(reference, selected(reference.state, flipped).value).passed


def test_a_mixture_of_both_sides_fails() -> None:
    """dW1 with the unit on, db1 with it off: no selection gives both."""
    reference = near_reference()
    on, off = selected(reference.state, ()).value, selected(reference.state, ((0, 0, 0),)).value
    assert judge_gradient(reference, np.concatenate([on[:1], off[1:2], on[2:]])).outcome == "FAIL"


def test_half_way_between_both_sides_fails() -> None:
    reference = near_reference()
    on, off = selected(reference.state, ()).value, selected(reference.state, ((0, 0, 0),)).value
    assert judge_gradient(reference, (on + off) / 2).outcome == "FAIL"


def test_an_exact_zero_is_decided_for_derivative_zero() -> None:
    weights = [(np.array([[2.0]]), np.array([-6.0])), NEAR_WEIGHTS[1]]
    reference = backprop_reference(NEAR_ZERO, weights, NEAR_X, NEAR_TARGETS)
    assert reference.undecided == ()
    np.testing.assert_array_equal(reference.gradient.value[:2], 0.0)


def test_derivative_one_at_an_exact_zero_fails() -> None:
    weights = [(np.array([[2.0]]), np.array([-6.0])), NEAR_WEIGHTS[1]]
    reference = backprop_reference(NEAR_ZERO, weights, NEAR_X, NEAR_TARGETS)
    wrong = selected(reference.state, [(0, 0, 0)]).value
    assert judge_gradient(reference, wrong).outcome == "FAIL"


def test_a_few_flipped_units_among_many_are_found() -> None:
    reference, _ = many_near_zeros(30)
    found = selected(reference.state, reference.undecided[7:8]).value
    assert judge_gradient(reference, found).passed


def test_more_flips_than_can_be_tried_are_inconclusive_where_they_touch() -> None:
    reference, found = many_near_zeros(30)
    verdict = judge_gradient(reference, found)
    assert (verdict.outcome, verdict.n_inconclusive) == ("INCONCLUSIVE", 30)


def test_what_rounds_in_an_entry_that_no_unit_touches_is_granted_whatever_they_select() -> None:
    """Of 30 undecided units not all selections can be tried; db of the last layer depends on none of them."""
    reference, found = many_near_zeros(30)
    error = reference.gradient.error[-1]
    assert error > 0
    for share, outcome in ((0.9, "INCONCLUSIVE"), (-0.9, "INCONCLUSIVE"), (1.1, "FAIL")):
        rounded = found.copy()
        rounded[-1] += share * error
        assert _against_every_selection(reference, rounded, reference.gradient, 1e-6).outcome == outcome


def test_a_witness_at_one_selection_and_a_gradient_at_another_lie_within_twice_their_reach() -> None:
    reference, _ = many_near_zeros(30)
    reach = any_selection(reference.state).error - reference.gradient.error
    here = Bounded(reference.gradient.value + reach, reference.gradient.error)
    assert reach.max() > 0.01
    there = reference.gradient.value - 0.999 * reach
    assert _against_every_selection(reference, there, here, 1e-6).outcome == "INCONCLUSIVE"
    beyond = reference.gradient.value - 1.01 * reach
    assert _against_every_selection(reference, beyond, here, 1e-6).outcome == "FAIL"


def test_an_entry_that_no_selection_explains_fails_however_many_are_undecided() -> None:
    reference, found = many_near_zeros(30)
    found[-1] += 1e-6
    verdict = judge_gradient(reference, found)
    assert (verdict.outcome, verdict.worst) == ("FAIL", "b2[0]")


@given(case=cases(activations=("relu",), dtypes=("float32", "float64")))
def test_scratch_and_torch_pass_on_every_relu_case_that_is_resolved(case: Case) -> None:
    reference = backprop_reference(case.architecture, case.weights, case.x, case.targets)
    torch = TorchMLP()
    torch.load(case.architecture, case.weights)
    with np.errstate(all="ignore"):
        both = scratch_gradient(case), flat_gradient(torch.loss_and_gradient(case.x, case.targets)[1])
    for found in both:
        verdict = judge_gradient(reference, found)
        assert verdict.outcome != "FAIL"
        assert verdict.passed == (verdict.resolution <= REQUIRED_RESOLUTION[case.architecture.dtype])


def test_a_witness_takes_the_place_of_the_reference() -> None:
    reference = near_reference()
    elsewhere = Bounded(reference.gradient.value + 1.0, np.zeros(4))
    assert not judge_gradient(reference, reference.gradient.value + 0.5, elsewhere).passed
    assert judge_gradient(reference, reference.gradient.value + 1.0, elsewhere).passed
