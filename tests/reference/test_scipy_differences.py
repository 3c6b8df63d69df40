"""SciPy's differences of torch's loss: two witnesses that share no line with scratch."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings

from backproof.comparisons.contenders.scratch_mlp import ScratchMLP
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.verdict import compare
from backproof.reference import scipy_differences, textbook
from backproof.reference.torch_mlp import TorchMLP
from backproof.scratch.architecture import LOSSES, ActivationName, Architecture, Array, LossName
from backproof.scratch.differences import CENTRAL, SCHEMES, difference, step_sizes
from backproof.scratch.gradients import gradient
from tests.support.quotient_bounds import (
    SCIPY_ADAPTIVE_RTOL,
    difference_bound,
    known_function_bound,
    unrounded_step_bound,
)
from tests.support.strategies import Case, KnownFunction, cases, known_functions, layer_sizes, random_case
from tests.support.tolerances import backprop_bound

FORWARD = SCHEMES["forward_difference"]


def torch_loss(case: Case) -> scipy_differences.Function:
    return scipy_differences.loss_function(TorchMLP(), case.architecture, case.x, case.targets)


@settings(max_examples=15)  # torch is loaded anew for every evaluation
@given(cases(max_batch=3, sizes=layer_sizes(2, 3)))
def test_backprop_agrees_with_scipys_forward_differences_of_torchs_loss(case: Case) -> None:
    steps = np.full(case.flat.shape, np.sqrt(np.finfo(float).eps))  # approx_fprime's documented step
    backprop = backprop_bound(case)
    bound = unrounded_step_bound(case, FORWARD, steps) + backprop.bound
    found = scipy_differences.two_point(torch_loss(case), case.flat)
    verdict = compare(found, gradient(case.network(), case.x, case.targets), bound + backprop.bound)
    assert verdict.outcome == Outcome.PASS, verdict


@settings(max_examples=15)  # torch is loaded anew for every evaluation
@given(cases(max_batch=3, sizes=layer_sizes(2, 3)))
def test_backprop_agrees_with_scipys_central_differences_of_torchs_loss(case: Case) -> None:
    steps = np.cbrt(np.finfo(float).eps) * np.maximum(1.0, np.abs(case.flat))
    backprop = backprop_bound(case)
    bound = unrounded_step_bound(case, CENTRAL, steps) + backprop.bound
    found = scipy_differences.three_point(torch_loss(case), case.flat)
    verdict = compare(found, gradient(case.network(), case.x, case.targets), bound + backprop.bound)
    assert verdict.outcome == Outcome.PASS, verdict


@settings(max_examples=15)  # torch is loaded anew for every evaluation
@given(cases(max_batch=3, sizes=layer_sizes(2, 3)))
def test_scratchs_central_differences_agree_with_scipys_of_torchs_loss(case: Case) -> None:
    steps = np.cbrt(np.finfo(float).eps) * np.maximum(1.0, np.abs(case.flat))
    bound = unrounded_step_bound(case, CENTRAL, steps)
    own = difference_bound(case, CENTRAL, step_sizes(case.flat, CENTRAL))
    found = gradient(case.network(), case.x, case.targets, "central_difference")
    verdict = compare(found, scipy_differences.three_point(torch_loss(case), case.flat), own + bound)
    assert verdict.outcome == Outcome.PASS, verdict


@pytest.mark.parametrize("activation", ["identity", "sigmoid", "tanh"])
@pytest.mark.parametrize("loss", LOSSES)
def test_the_complex_step_agrees_with_scipys_adaptive_differences_within_their_tolerance(
    activation: ActivationName, loss: LossName
) -> None:
    case = random_case(Architecture((2, 3, 2), activation, loss), "normal", 3, 0)
    expected, estimate = scipy_differences.adaptive(torch_loss(case), case.flat)
    found = gradient(case.network(), case.x, case.targets, "complex_step")
    np.testing.assert_array_less(estimate, SCIPY_ADAPTIVE_RTOL * np.abs(expected).max())
    verdict = compare(found, expected, SCIPY_ADAPTIVE_RTOL * np.abs(expected).max())
    assert verdict.outcome == Outcome.PASS, verdict


@given(known_functions(dtypes=("float64",)))
def test_scipy_and_scratch_differentiate_any_function_alike(known: KnownFunction) -> None:
    theta = known.theta
    steps = np.full(theta.shape, 2 * np.cbrt(np.finfo(float).eps) * 2)  # at least SciPy's, |theta| <= 2
    bound = known_function_bound(known, CENTRAL, step_sizes(theta, CENTRAL))
    bound = bound + 4 * known_function_bound(known, CENTRAL, steps)
    found = difference(known.f, theta)
    verdict = compare(found, scipy_differences.three_point(lambda t: float(known.f(t)), theta), bound)
    assert verdict.outcome == Outcome.PASS, verdict


@pytest.mark.parametrize("witness", [scipy_differences.two_point, scipy_differences.three_point])
def test_a_gradient_wrong_by_a_thousandth_fails_against_scipy(
    witness: Callable[[scipy_differences.Function, Array], Array],
) -> None:
    case = random_case(Architecture((3, 4, 2), "tanh"), "normal", 4, 1)
    found = gradient(case.network(), case.x, case.targets)
    expected = witness(torch_loss(case), case.flat)
    scheme = FORWARD if witness is scipy_differences.two_point else CENTRAL
    steps = np.full(case.flat.shape, np.finfo(float).eps ** (1 / (scheme.order + 1)))
    bound = unrounded_step_bound(case, scheme, steps) + backprop_bound(case).bound
    largest = int(np.argmax(np.abs(found)))
    found[largest] *= 1.001
    verdict = compare(found, expected, bound, case.architecture.parameter_name)
    assert verdict.outcome == Outcome.FAIL
    assert verdict.worst == case.architecture.parameter_name(largest)


@pytest.mark.parametrize("contender", [TorchMLP, ScratchMLP])
def test_the_loss_function_loads_the_vector_it_is_given(contender: type) -> None:
    case = random_case(Architecture((3, 4, 2), "sigmoid", "mse"), "normal", 4, 1)
    f = scipy_differences.loss_function(contender(), case.architecture, case.x, case.targets)
    for flat in (case.flat, 2 * case.flat, case.flat):
        expected = textbook.loss(case.architecture, flat, case.x, case.targets)
        np.testing.assert_allclose(f(flat), float(expected), rtol=1e-14)
