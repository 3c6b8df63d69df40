"""Kinks: exact zeros are decided, near zeros are tried both ways, and stencils never cross unnoticed."""

import numpy as np
import pytest
from hypothesis import given

from backproof.comparisons.contenders.scratch_mlp import ScratchMLP
from backproof.comparisons.verdicts import certified_differences
from backproof.comparisons.verdicts.certified_differences import central_differences
from backproof.comparisons.verdicts.forward_bounds import Unit
from backproof.comparisons.verdicts.network_bounds import Reference, backprop_reference
from backproof.comparisons.verdicts.relu_kinks import flat_gradient, judge_gradient
from backproof.comparisons.verdicts.relu_selections import selected
from backproof.comparisons.verdicts.rounding import Bounded
from backproof.comparisons.verdicts.verdict import REQUIRED_RESOLUTION, compare, group_resolution
from backproof.reference.torch_mlp import TorchMLP
from backproof.scratch.architecture import LOSSES, ActivationName, Architecture, Array, LossName
from tests.support.strategies import Case, cases, random_case

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


@given(case=cases(activations=("relu", "identity"), families=("normal", "integer", "sparse", "saturated")))
def test_certified_differences_hold_their_bound(case: Case) -> None:
    found = central_differences(case.architecture, case.weights, case.x, case.targets)
    reference = backprop_reference(case.architecture, case.weights, case.x, case.targets)
    bound = found.gradient.error + reference.gradient.error
    assert compare(found.gradient.value, reference.gradient.value, bound).outcome != "FAIL"
    assert found.certified + found.shrunk + found.frozen == case.architecture.n_parameters


@given(case=cases(activations=("identity",), families=("normal",)))
def test_networks_without_kinks_are_certified_at_the_first_step(case: Case) -> None:
    found = central_differences(case.architecture, case.weights, case.x, case.targets)
    assert found.certified == case.architecture.n_parameters


def test_at_an_exact_kink_the_selected_piece_is_differentiated() -> None:
    weights = [(np.array([[2.0]]), np.array([-6.0])), NEAR_WEIGHTS[1]]
    found = central_differences(NEAR_ZERO, weights, NEAR_X, NEAR_TARGETS)
    assert found.frozen == 2  # W1 and b1 move the unit that stands at zero
    np.testing.assert_array_equal(found.gradient.value[:2], 0.0)


def test_a_kink_beside_the_point_makes_the_step_shrink_below_it() -> None:
    weights = [(np.array([[2.0]]), np.array([-6.0 + 2.0**-16])), NEAR_WEIGHTS[1]]
    found = central_differences(NEAR_ZERO, weights, NEAR_X, NEAR_TARGETS)
    assert (found.shrunk, found.frozen) == (2, 0)


def test_a_wrong_gradient_is_outside_the_certified_bound() -> None:
    case = random_case(Architecture((4, 3, 2), "relu", "cross_entropy"), "normal", 4, 1)
    found = central_differences(case.architecture, case.weights, case.x, case.targets)
    wrong = scratch_gradient(case) * (1 + 1e-6)
    assert compare(wrong, found.gradient.value, found.gradient.error).outcome == "FAIL"


@pytest.mark.parametrize("loss", LOSSES)
def test_some_entries_are_as_good_as_all_of_them(loss: LossName) -> None:
    case = random_case(Architecture((4, 3, 2), "relu", loss), "normal", 4, 1)
    arguments = case.architecture, case.weights, case.x, case.targets
    some = np.array([0, 13, 14, 22])
    whole = central_differences(*arguments)
    part = central_differences(*arguments, some)
    np.testing.assert_allclose(part.gradient.value, whole.gradient.value[some], rtol=0, atol=1e-9)


@given(case=cases(activations=("tanh", "sigmoid")))
def test_differences_of_smooth_networks_hold_their_bound_too(case: Case) -> None:
    arguments = case.architecture, case.weights, case.x, case.targets
    reference = backprop_reference(*arguments).gradient
    found = central_differences(*arguments).gradient
    assert (np.abs(found.value - reference.value) <= found.error + reference.error).all()


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
@pytest.mark.parametrize("loss", LOSSES)
def test_a_truncation_left_out_is_seen(
    activation: ActivationName, loss: LossName, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At steps of 2^-5 nearly all of the error is truncation, and the bound is not far above it."""
    monkeypatch.setattr(certified_differences, "STEP", 2.0**-5)
    case = random_case(Architecture((3, 3, 2), activation, loss), "normal", 3, 0)
    arguments = case.architecture, case.weights, case.x, case.targets
    reference, found = backprop_reference(*arguments).gradient, central_differences(*arguments).gradient
    used = np.abs(found.value - reference.value) / found.error
    assert 1e-3 < used.max() <= 1.0


@pytest.mark.parametrize("size", [1e10, 1e15])
def test_large_inputs_shorten_the_steps(size: float) -> None:
    """Weights as small as the inputs are large: a step of 2^-14 would move the logits by 1e10."""
    architecture = Architecture((1, 2), "identity", "cross_entropy")
    weights = [(np.array([[1.0, -2.0]]) / size, np.zeros(2))]
    arguments = architecture, weights, np.array([[size]]), np.array([0])
    reference, found = backprop_reference(*arguments).gradient, central_differences(*arguments).gradient
    assert (np.abs(found.value - reference.value) <= found.error).all()
    resolution = group_resolution(reference.value[:2], found.error[:2])
    assert resolution is not None
    assert resolution <= 1e-6
