"""The tolerances themselves: they hold where they must, and they are small enough to see a mistake."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.polynomial import Polynomial

from backproof.reference import textbook
from backproof.scratch.architecture import (
    ACTIVATIONS,
    DTYPES,
    LOSSES,
    ActivationName,
    Architecture,
    Array,
    LossName,
)
from backproof.scratch.differences import CENTRAL, SCHEMES, Scheme, step_sizes
from backproof.scratch.gradients import gradient
from tests.support import quotient_bounds, stencils, tolerances
from tests.support.strategies import Case, cases, layer_sizes, random_case

REAL_SCHEMES = [scheme for scheme in SCHEMES.values() if not scheme.is_complex]


def exact_derivatives(case: Case, entry: int, offset: float) -> tuple[Array, Array]:
    """(|d^k L / dt^k| at t + offset, its own rounding error), k = 1 .. 5, by Cauchy's formula on a circle."""
    radius, n_points = np.longdouble(2) ** -6, 16
    pi = 4 * np.arctan(np.longdouble(1))  # np.pi is a float64
    circle = np.exp(2j * pi * np.arange(n_points) / np.longdouble(n_points))
    values = np.empty(n_points, np.clongdouble)
    for j, point in enumerate(circle):
        theta = case.flat.astype(np.clongdouble)
        theta[entry] += offset + radius * point
        values[j] = textbook.loss(case.architecture, theta, case.x, case.targets)
    orders = np.arange(1, 6)
    factors = np.array([1, 2, 6, 24, 120]) / radius**orders
    coefficients = np.array([np.mean(values * circle ** (-k)) for k in orders])
    # The loss's noise in the oracle's arithmetic, where one complex product makes four roundings.
    noise = stencils.evaluation_noise(case, np.full(case.flat.shape, 0.1))[entry] * 2.0**53 * textbook.EPS
    return (np.abs(coefficients) * factors).astype(float), (8 * noise * factors).astype(float)


def test_gamma_is_the_textbooks() -> None:
    u = 2.0**-53
    assert tolerances.gamma(3, "float64") == 3 * u / (1 - 3 * u)
    with pytest.raises(AssertionError, match="says nothing"):
        tolerances.gamma(2**24, "float32")


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
@given(st.floats(-8, 8), st.floats(0, 3))
def test_activation_slopes_bound_every_derivative_over_their_interval(
    activation: ActivationName, z: float, radius: float
) -> None:
    # d/dz of a polynomial in a = f(z) is P'(a) f'(z), and f' is itself one: exact derivatives of any order.
    slope = Polynomial([1, 0, -1]) if activation == "tanh" else Polynomial([0, 1, -1])
    a = textbook.ACTIVATIONS[activation](np.linspace(z - radius, z + radius, 101).astype(np.longdouble))
    bounds = stencils.activation_slopes(activation, np.array([z]), np.array([radius]))[:, 0]
    derivative = slope
    for bound in bounds:
        assert np.abs(derivative(a)).max() <= bound * (1 + 1e-12)
        derivative = derivative.deriv() * slope


@given(cases(("identity", "sigmoid", "tanh"), families=("normal", "sparse"), sizes=layer_sizes(3)), st.data())
def test_derivative_bounds_hold_over_the_stencil(case: Case, data: st.DataObject) -> None:
    entry = data.draw(st.integers(0, case.architecture.n_parameters - 1))
    reach = np.full(case.architecture.n_parameters, 0.05)
    bounds = stencils.every_parameter(case, reach).derivatives[:, entry, 0]
    for offset in (-0.05, 0.0, 0.05):
        found, error = exact_derivatives(case, entry, offset)
        assert (found <= bounds * (1 + 1e-9) + error).all()


@pytest.mark.parametrize("loss", LOSSES)
def test_derivative_bounds_are_no_more_than_a_few_hundred_times_too_large(loss: LossName) -> None:
    ratios = []
    for seed in range(10):
        case = random_case(Architecture((3, 4, 2), "tanh", loss), "normal", 3, seed)
        bounds = stencils.every_parameter(case, np.full(case.flat.shape, 1e-5)).derivatives[2, :, 0]
        found = [exact_derivatives(case, i, 0.0)[0][2] for i in range(len(case.flat))]
        ratios += list(bounds / np.maximum(found, 1e-12 * bounds))
    assert np.median(ratios) < 300


@given(cases(dtypes=DTYPES), st.data())
def test_the_noise_bounds_the_rounding_of_the_loss_within_reach(case: Case, data: st.DataObject) -> None:
    entry = data.draw(st.integers(0, case.architecture.n_parameters - 1))
    share = data.draw(st.floats(-1, 1))
    reach = 0.01 * np.maximum(1.0, np.abs(case.flat.astype(float)))
    noise = stencils.evaluation_noise(case, reach)[entry]
    network = case.network()
    network.parameters.flat[entry] += case.flat.dtype.type(0.99 * share * reach[entry])
    found = network.loss(case.x, case.targets)
    expected = textbook.loss(case.architecture, network.parameters.flat, case.x, case.targets)
    assert abs(found - expected) <= noise


def test_a_relu_that_changes_sign_within_reach_is_announced() -> None:
    seen = 0
    for seed in range(100):
        case = random_case(Architecture((2, 3, 3, 2)), ("normal", "integer", "sparse")[seed % 3], 3, seed)
        announced = stencils.kinks_within(case, np.full(case.flat.shape, 0.1001))
        for entry in range(len(case.flat)):
            if _changes_sign(case, entry, 0.1):
                seen += 1
                assert announced[entry]
    assert seen > 100


def _changes_sign(case: Case, entry: int, distance: float) -> bool:
    network, signs = case.network(), []
    for offset in (-distance, 0.0, distance):
        network.parameters.flat[...] = case.flat
        network.parameters.flat[entry] += offset
        signs.append(np.concatenate([a.ravel() > 0 for a in network.forward(case.x)[1:-1]]))
    return bool((signs[0] != signs[1]).any() or (signs[2] != signs[1]).any())


def test_kinks_are_not_announced_everywhere() -> None:
    case = random_case(Architecture((3, 4, 3, 2)), "normal", 3, 0)
    assert not stencils.kinks_within(case, np.full(case.flat.shape, 1e-6)).any()


@pytest.mark.parametrize("scheme", REAL_SCHEMES, ids=lambda scheme: scheme.name)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_gradient_entry_wrong_by_a_thousandth_is_outside_the_difference_bound(
    scheme: Scheme, activation: ActivationName
) -> None:
    seen = []
    for seed in range(20):
        case = random_case(Architecture((3, 4, 2), activation), "normal", 4, seed)
        found = gradient(case.network(), case.x, case.targets)
        numeric = gradient(case.network(), case.x, case.targets, scheme.name)
        largest = np.argmax(np.abs(found))
        bound = quotient_bounds.difference_bound(case, scheme, step_sizes(case.flat, scheme))
        bound = bound + tolerances.backprop_bound(case).bound
        seen.append(abs(1.001 * found[largest] - numeric[largest]) > bound[largest])
    assert np.mean(seen) >= 0.9  # a kink within the stencil of five points may widen one


def test_a_missing_factor_of_the_batch_is_outside_the_unitwise_bound() -> None:
    case = random_case(Architecture((3, 4, 2), "tanh"), "normal", 4, 0)
    found = gradient(case.network(), case.x, case.targets, "unitwise_difference")
    steps = [step_sizes(z, CENTRAL) for z in stencils.pre_activations(case)]
    bound = quotient_bounds.unitwise_bound(case, CENTRAL, steps)
    assert (np.abs(4 * found - tolerances.backprop_bound(case).gradient) > bound).mean() > 0.9


def test_ulp_distance_counts_units_in_the_last_place() -> None:
    one = np.array([1.0, -2.0, 0.0])
    assert tolerances.ulp_distance(one, one, "float64") == 0
    assert tolerances.ulp_distance(one * (1 + 5 * 2.0**-52), one, "float64") == 5
    assert tolerances.ulp_distance(np.array([1 + 2.0**-22], np.float32), np.array([1.0]), "float32") == 2
    assert tolerances.ulp_distance(np.array([1e-300]), np.array([0.0]), "float64") > 1e6
    assert tolerances.ulp_distance(np.array([np.nan]), np.array([0.0]), "float64") != 0
