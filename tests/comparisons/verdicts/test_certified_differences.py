"""Certified central differences: no stencil crosses a kink unnoticed, and every bound holds."""

import numpy as np
import pytest
from hypothesis import given

from backproof.comparisons.verdicts import certified_differences
from backproof.comparisons.verdicts.certified_differences import central_differences
from backproof.comparisons.verdicts.network_bounds import backprop_reference
from backproof.comparisons.verdicts.verdict import compare, group_resolution
from backproof.scratch.architecture import LOSSES, ActivationName, Architecture, LossName
from tests.comparisons.verdicts.test_relu_kinks import (
    NEAR_TARGETS,
    NEAR_WEIGHTS,
    NEAR_X,
    NEAR_ZERO,
    scratch_gradient,
)
from tests.support.strategies import Case, cases, random_case


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
