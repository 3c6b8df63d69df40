"""What the mathematics says of every network's gradient, without computing any gradient another way."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.polynomial.legendre import leggauss

from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.verdict import compare
from backproof.scratch.architecture import DTYPES, LOSSES, Architecture, Array, LossName
from backproof.scratch.differences import CENTRAL, step_sizes
from backproof.scratch.gradients import gradient
from backproof.scratch.parameters import Parameters
from tests.support.quotient_bounds import path_bound
from tests.support.stencils import evaluation_noise
from tests.support.strategies import Case, cases, layer_sizes, random_case
from tests.support.tolerances import backprop_bound, backward_bound, unit_roundoff

MEANS = ("cross_entropy", "binary_cross_entropy", "mse")


def backprop(case: Case) -> Array:
    return gradient(case.network(), case.x, case.targets)


def assert_within(case: Case, found: Array, expected: Array, bound: Array) -> None:
    verdict = compare(found, expected, bound, case.architecture.parameter_name)
    assert verdict.outcome == Outcome.PASS, verdict


@given(cases(), st.integers(-3, 3), st.integers(-3, 3), st.integers(0, 2**32 - 1))
def test_the_backward_pass_is_linear_in_its_upstream_delta(
    case: Case, alpha: int, beta: int, seed: int
) -> None:
    network = case.network()
    activations = [a.copy() for a in network.forward(case.x)]
    first, second = np.random.default_rng(seed).standard_normal((2, *activations[-1].shape))

    def pulled_back(delta: Array) -> Array:
        result = Parameters(case.architecture)
        network.backward(activations, delta, result)
        return result.flat

    combined = pulled_back(alpha * first + beta * second)
    bound = backward_bound(case, np.abs(alpha * first) + np.abs(beta * second))
    assert_within(case, combined, alpha * pulled_back(first) + beta * pulled_back(second), 2 * bound)


@given(cases(losses=MEANS, dtypes=DTYPES))
def test_a_duplicated_batch_has_the_same_gradient_where_the_loss_is_a_mean(case: Case) -> None:
    twice = case.rows(np.tile(np.arange(len(case.x)), 2))
    bound = backprop_bound(case).bound + backprop_bound(twice).bound
    assert_within(case, backprop(twice), backprop(case), bound)


@given(cases(losses=("sum_of_squares",), dtypes=DTYPES))
def test_a_duplicated_batch_has_twice_the_gradient_where_the_loss_is_a_sum(case: Case) -> None:
    twice = case.rows(np.tile(np.arange(len(case.x)), 2))
    bound = 2 * backprop_bound(case).bound + backprop_bound(twice).bound
    assert_within(case, backprop(twice), 2 * backprop(case), bound)


@given(cases(dtypes=DTYPES), st.integers(0, 2**32 - 1))
def test_the_order_of_the_samples_does_not_matter(case: Case, seed: int) -> None:
    permuted = case.rows(np.random.default_rng(seed).permutation(len(case.x)))
    bound = backprop_bound(case).bound + backprop_bound(permuted).bound
    assert_within(case, backprop(permuted), backprop(case), bound)


@given(cases(losses=MEANS, dtypes=DTYPES))
def test_the_gradient_of_a_batch_is_the_mean_of_its_samples_gradients(case: Case) -> None:
    singles = [case.rows([n]) for n in range(len(case.x))]
    mean = np.mean([backprop(single).astype(float) for single in singles], axis=0)
    bounds = [backprop_bound(single).bound for single in singles]
    rounding = (
        len(singles) * unit_roundoff("float64") * np.mean([np.abs(backprop(s)) for s in singles], axis=0)
    )
    assert_within(case, backprop(case), mean, backprop_bound(case).bound + np.mean(bounds, axis=0) + rounding)


@given(cases(("relu", "identity"), sizes=layer_sizes(hidden=True)))
def test_what_flows_into_a_unit_flows_out_of_it(case: Case) -> None:
    """sum_i W_ij dW_ij + b_j db_j = sum_k W'_jk dW'_jk = sum_n delta_nj z_nj, since f(z) = z f'(z)."""
    layers = Parameters(case.architecture, backprop(case)).layers
    errors = Parameters(case.architecture, backprop_bound(case).bound).layers
    for index in range(len(layers) - 1):
        (W, b), (W_next, _) = case.weights[index], case.weights[index + 1]
        (dW, db), (dW_next, _) = layers[index], layers[index + 1]
        into = (W * dW).sum(axis=0) + b * db
        out = (W_next * dW_next).sum(axis=1)
        # The gradients' own errors, and the rounding of both sums of len(W) + 1 and of W_next.shape[1] terms.
        (eW, eb), (eW_next, _) = errors[index], errors[index + 1]
        carried = (np.abs(W) * eW).sum(axis=0) + np.abs(b) * eb + (np.abs(W_next) * eW_next).sum(axis=1)
        sizes = (np.abs(W * dW)).sum(axis=0) + np.abs(b * db) + np.abs(W_next * dW_next).sum(axis=1)
        terms = len(W) + W_next.shape[1] + 2
        bound = carried + 2 * terms * unit_roundoff("float64") * sizes
        verdict = compare(into, out, bound)
        assert verdict.outcome == Outcome.PASS, verdict


@given(cases(losses=("cross_entropy",), dtypes=DTYPES))
def test_the_last_biases_of_a_cross_entropy_network_have_gradients_that_sum_to_zero(case: Case) -> None:
    bias = case.architecture.layer_slices()[-1][1]
    total = backprop(case)[bias].astype(float).sum()
    bound = backprop_bound(case).bound[bias].sum() + unit_roundoff("float64") * case.architecture.n_outputs
    assert abs(total) <= bound


@given(cases(losses=("cross_entropy",)), st.integers(-8, 8))
def test_a_shift_of_all_logits_changes_no_gradient(case: Case, shift: int) -> None:
    """softmax(z + c) = softmax(z): the constant goes into the last bias, where it is rounded."""
    flat = case.flat.copy()
    bias = case.architecture.layer_slices()[-1][1]
    flat[bias] += shift
    # Only where the shifted biases are what they should be, to the last bit.
    assume(np.array_equal(flat[bias] - shift, case.flat[bias]))
    shifted = replace(case, flat=flat)
    bound = backprop_bound(case).bound + backprop_bound(shifted).bound
    assert_within(case, backprop(shifted), backprop(case), bound)


@given(cases(dtypes=("float64",)))
def test_features_that_are_zero_in_every_example_have_zero_gradients(case: Case) -> None:
    dW = Parameters(case.architecture, backprop(case)).layers[0][0]
    zero = ~case.x.any(axis=0)
    np.testing.assert_array_equal(dW[zero], 0.0)


def integral_and_rise(case: Case, entry: int) -> tuple[float, float, float]:
    """(integral of dL/dt over [t, t + h] by two Gauss nodes, L(t + h) - L(t), h) for one parameter t."""
    h = step_sizes(case.flat, CENTRAL, 2.0**-7)[entry]
    nodes, weights = leggauss(2)

    def moved(distance: float) -> Case:
        flat = case.flat.copy()
        flat[entry] += distance
        return replace(case, flat=flat)

    slopes = [backprop(moved(h * (node + 1) / 2))[entry] for node in nodes]
    rise = moved(h).network().loss(case.x, case.targets) - case.network().loss(case.x, case.targets)
    return float(h * (weights / 2) @ slopes), float(rise), float(h)


@given(cases(), st.data())
def test_the_line_integral_of_an_entry_of_the_gradient_is_the_difference_of_the_loss(
    case: Case, data: st.DataObject
) -> None:
    entry = data.draw(st.integers(0, case.architecture.n_parameters - 1))
    integral, rise, h = integral_and_rise(case, entry)
    assert abs(rise - integral) <= path_bound(case, entry, h)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_line_integral_would_show_a_gradient_wrong_by_a_thousandth(loss: LossName) -> None:
    seen = []
    for seed in range(20):
        case = random_case(Architecture((3, 4, 2), "tanh", loss), "normal", 3, seed)
        entry = int(np.argmax(np.abs(backprop(case))))
        integral, rise, h = integral_and_rise(case, entry)
        seen.append(abs(rise - 1.001 * integral) > path_bound(case, entry, h))
    assert np.mean(seen) > 0.9


@given(
    cases(
        ("identity",),
        ("sum_of_squares", "mse"),
        families=("normal", "integer", "sparse"),
        sizes=layer_sizes(3),
    ),
    st.integers(0, 2**32 - 1),
)
def test_along_any_line_the_integral_is_exact_where_the_loss_is_a_polynomial(case: Case, seed: int) -> None:
    """In a linear network of D <= 3 layers dL/ds is of degree 2D - 1 <= 5, where Boole's rule is exact."""
    # On a grid, so that no point of the line is rounded.
    start = replace(case, flat=np.round(case.flat * 2.0**20) / 2.0**20)
    direction = np.random.default_rng(seed).integers(-4, 5, case.flat.shape) / 4.0
    points = [replace(start, flat=start.flat + s * direction) for s in (0, 0.25, 0.5, 0.75, 1)]
    weights = np.array([7, 32, 12, 32, 7]) / 90
    slopes = np.array([backprop(point) * direction for point in points])
    integral = weights @ slopes.sum(axis=1)
    rise = float(points[-1].network().loss(case.x, case.targets) - start.network().loss(case.x, case.targets))
    carried = weights @ [backprop_bound(point).bound @ np.abs(direction) for point in points]
    still = np.zeros(case.architecture.n_parameters)
    noise = sum(evaluation_noise(end, still).max() for end in (points[0], points[-1]))
    summed = (len(still) + 8) * unit_roundoff("float64") * (weights @ np.abs(slopes).sum(axis=1))
    assert abs(rise - integral) <= carried + noise + summed
