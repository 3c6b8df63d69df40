"""Difference schemes on functions whose derivatives are known."""

from collections.abc import Callable
from math import factorial
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from backproof.scratch.architecture import DTYPES, Array
from backproof.scratch.differences import (
    CENTRAL,
    SCHEMES,
    Function,
    Scheme,
    SchemeName,
    difference,
    quotient,
    ridders,
    step_sizes,
)
from tests.support.quotient_bounds import known_function_bound, known_function_noise
from tests.support.strategies import KNOWN_FUNCTIONS, KnownFunction, known_functions

REAL_SCHEMES = [scheme for scheme in SCHEMES.values() if not scheme.is_complex]
UNKNOWN: Any = "midpoint"
every_scheme = pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
every_real_scheme = pytest.mark.parametrize("scheme", REAL_SCHEMES, ids=lambda scheme: scheme.name)


def moment(scheme: Scheme, power: int) -> float:
    """Re sum_k w_k s_k^power / d: what the quotient makes of the Taylor term of that power."""
    terms = [w * s**power for w, s in zip(scheme.weights, scheme.nodes, strict=True)]
    return float(np.real(sum(terms))) / scheme.divisor


@every_scheme
def test_a_scheme_is_exact_on_polynomials_up_to_its_order(scheme: Scheme) -> None:
    moments = [moment(scheme, power) for power in range(scheme.order + 1)]
    np.testing.assert_array_equal(moments, [1.0 if power == 1 else 0.0 for power in range(scheme.order + 1)])


@every_scheme
def test_the_error_constant_is_that_of_the_first_taylor_term_left(scheme: Scheme) -> None:
    left = abs(moment(scheme, scheme.order + 1)) / factorial(scheme.order + 1)
    np.testing.assert_allclose(left, scheme.error_constant, rtol=1e-15)


@every_real_scheme
def test_halving_the_step_divides_the_truncation_error_by_two_to_the_order(scheme: Scheme) -> None:
    t = np.array([0.3], np.longdouble)  # precise enough to see truncation alone
    errors = [
        float(difference(lambda v: np.exp(v[0]), t, scheme, step)[0] - np.exp(t[0]))
        for step in (2.0**-6, 2.0**-7)
    ]
    # The next Taylor term is smaller by a factor of h at least.
    np.testing.assert_allclose(errors[0] / errors[1], 2.0**scheme.order, rtol=2.0**-6)


@every_scheme
@given(known_functions())
def test_the_error_is_within_truncation_plus_rounding(scheme: Scheme, known: KnownFunction) -> None:
    steps = step_sizes(known.theta, scheme)
    found = difference(known.f, known.theta, scheme)
    excess = np.abs(found - known.gradient) - known_function_bound(known, scheme, steps)
    np.testing.assert_array_less(excess, 0.0)


@every_real_scheme
@given(st.floats(1e-18, 1e-3), st.floats(1e-3, 1e3))
def test_no_step_has_a_smaller_error_bound_than_the_optimal_one(
    scheme: Scheme, noise: float, derivative: float
) -> None:
    optimum = scheme.optimal_step(noise, derivative)
    others = optimum * np.geomspace(0.1, 10, 41)
    least = scheme.error_bound(others, noise, derivative).min()
    np.testing.assert_allclose(scheme.error_bound(optimum, noise, derivative), least, rtol=1e-12)


@every_real_scheme
def test_where_nothing_is_said_of_the_derivative_it_is_taken_for_one(scheme: Scheme) -> None:
    assert scheme.optimal_step(1e-12) == scheme.optimal_step(1e-12, 1.0)


@every_real_scheme
@pytest.mark.parametrize("dtype", DTYPES)
@given(st.data())
def test_one_step_either_way_is_exactly_representable(
    scheme: Scheme, dtype: str, data: st.DataObject
) -> None:
    floats = st.floats(-1e6, 1e6, width=32 if dtype == "float32" else 64)
    theta = data.draw(arrays(dtype, st.integers(1, 5), elements=floats))
    h = step_sizes(theta, scheme)
    large = np.abs(theta) >= h
    np.testing.assert_array_equal(((theta + h) - theta)[large], h[large])
    np.testing.assert_array_equal((theta - (theta - h))[large], h[large])


@every_real_scheme
@given(st.floats(-1e-3, 1e-3))
def test_below_the_step_the_moved_distance_is_the_step_to_rounding(scheme: Scheme, t: float) -> None:
    h = step_sizes(np.array([t]), scheme, 0.01)[0]
    np.testing.assert_allclose((t + h) - t, h, rtol=np.finfo(float).eps)


@every_scheme
def test_the_number_of_evaluations_is_the_documented_one(scheme: Scheme) -> None:
    calls = []

    def f(theta: Array) -> Array:
        calls.append(theta)
        return theta @ theta

    difference(f, np.arange(5.0), scheme)
    documented = {"forward_difference": 6, "central_difference": 10, "five_point": 20, "complex_step": 5}
    assert len(calls) == documented[scheme.name]


@every_scheme
def test_theta_is_the_same_bit_for_bit_also_when_f_raises(scheme: Scheme) -> None:
    theta = np.array([0.1, -0.0, 1e-300])
    before = theta.tobytes()

    def f(point: Array) -> Array:
        if point[1] != theta[1]:
            raise RuntimeError("no value here")
        return point @ point

    with pytest.raises(RuntimeError, match="no value here"):
        difference(f, theta, scheme)
    assert theta.tobytes() == before


def test_an_f_that_writes_into_its_argument_is_refused() -> None:
    def f(theta: Array) -> float:
        theta += 1.0
        return float(theta.sum())

    with pytest.raises(ValueError, match="read-only"):
        difference(f, np.ones(2))


@every_scheme
def test_entries_move_one_at_a_time(scheme: Scheme) -> None:
    theta = np.array([0.5, -1.25, 3.0])

    def f(point: Array) -> Array:
        assert np.count_nonzero(point != theta) <= 1
        return point @ point

    difference(f, theta, scheme)


def test_strided_and_read_only_vectors_are_welcome() -> None:
    theta = np.arange(6.0)[::-2]
    theta.flags.writeable = False
    np.testing.assert_allclose(difference(lambda t: t @ t, theta), 2 * theta, rtol=1e-9)


def test_integers_are_differentiated_as_float64() -> None:
    gradient = difference(lambda t: t @ t, np.array([1, 2, 3]))
    assert gradient.dtype == np.float64
    np.testing.assert_allclose(gradient, [2.0, 4.0, 6.0], rtol=1e-9)


def test_an_empty_vector_has_an_empty_gradient() -> None:
    assert difference(lambda t: t.sum(), np.zeros(0)).shape == (0,)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_gradient_has_the_dtype_of_theta(scheme: SchemeName, dtype: str) -> None:
    assert difference(lambda t: t @ t, np.ones(3, dtype), scheme).dtype == dtype


def test_the_complex_step_has_no_cancellation_where_a_central_difference_drowns() -> None:
    # Squire and Trapp 1998: f varies by 1e-12 of itself, so that subtraction leaves nothing.
    theta = np.array([1.0])

    def f(t: Array) -> np.complex128 | np.float64:
        moving: np.complex128 | np.float64 = 1e6 + 1e-6 * np.sin(t[0])
        return moving

    np.testing.assert_allclose(difference(f, theta, "complex_step"), 1e-6 * np.cos(theta), rtol=1e-15)
    assert abs(difference(f, theta)[0] / (1e-6 * np.cos(1.0)) - 1) > 1e-3


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: difference(np.sum, np.ones((2, 2))), ValueError, r"theta: expected a vector .* theta.ravel"),
        (lambda: difference(np.sum, np.ones(2) * 1j), TypeError, "theta: expected real numbers"),
        (lambda: difference(np.sum, np.array(["a"])), TypeError, "theta: expected real numbers"),
        (lambda: difference(np.sum, np.array([1.0, np.nan])), ValueError, "theta: expected finite numbers"),
        (lambda: difference(np.sum, np.ones(2), UNKNOWN), ValueError, "scheme: .* got 'midpoint'"),
        (lambda: difference(np.sum, np.ones(2), step=0.0), ValueError, "step: expected a finite number"),
        (lambda: difference(np.sum, np.ones(2), step=np.nan), ValueError, "step: expected a finite number"),
        (lambda: difference(np.sum, np.ones(2), step=1e-17), ValueError, "below the resolution of float64"),
        (lambda: difference(np.square, np.ones(2)), TypeError, r"f: expected a scalar, got shape \(2,\)"),
        (lambda: difference(lambda t: t.sum() + 1j, np.ones(2)), TypeError, "f: expected a value of"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_in_a_sentence(
    call: Callable[[], Array], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        call()


def test_an_f_that_drops_the_imaginary_part_is_refused_rather_than_given_a_zero_gradient() -> None:
    with pytest.raises(TypeError, match="complex128 argument"):
        difference(lambda t: t.real @ t.real, np.ones(2), "complex_step")


def test_quotient_works_elementwise_on_arrays() -> None:
    t = np.linspace(0, 1, 5)
    found = quotient(np.exp, t, np.full(5, 2.0**-17), CENTRAL)
    np.testing.assert_allclose(found, np.exp(t), rtol=1e-9)


def richardson(f: Function, theta: Array, noise: float | Array) -> tuple[Array, Array]:
    """The gradient and its error estimate from central differences at ten steps."""
    steps = np.array([step_sizes(theta, CENTRAL, 0.125 / 2**row) for row in range(10)])
    return ridders(np.array([difference(f, theta, CENTRAL, h) for h in steps]), steps, noise)


@pytest.mark.parametrize("make", KNOWN_FUNCTIONS)
@pytest.mark.parametrize("seed", range(25))
def test_richardsons_estimate_covers_its_error_on_smooth_functions(
    make: Callable[..., KnownFunction], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    known = make(rng.uniform(-2, 2, 4), rng.uniform(-1, 1, 4))
    noise = known_function_noise(known, reach=0.25)
    gradient, estimate = richardson(known.f, known.theta, noise)
    np.testing.assert_array_less(np.abs(gradient - known.gradient), estimate)


def test_richardson_is_a_hundred_times_closer_than_a_central_difference() -> None:
    theta = np.linspace(-1, 1, 7)

    def f(t: Array) -> float:
        return float(np.sin(3 * t).sum())

    exact = 3 * np.cos(3 * theta)
    extrapolated_error = np.abs(
        richardson(f, theta, float(np.finfo(float).eps * abs(f(theta))))[0] - exact
    ).max()
    assert extrapolated_error < np.abs(difference(f, theta) - exact).max() / 100


def test_ridders_recovers_what_even_powers_of_the_step_hide() -> None:
    steps = 0.5 * 2.0 ** -np.arange(5)[:, None]
    quotients = 3.0 + 7.0 * steps**2 - 2.0 * steps**4 + steps**6
    value, error = ridders(quotients, steps, noise=0.0)
    np.testing.assert_allclose(value, [3.0], rtol=1e-15)
    assert error[0] < 1e-4


def test_ridders_estimate_is_large_where_the_quotients_do_not_converge() -> None:
    steps = 2.0 ** -np.arange(6)[:, None]
    quotients = np.array([[1.0], [-1.0], [1.0], [-1.0], [1.0], [-1.0]])
    _, error = ridders(quotients, steps, noise=0.0)
    assert error[0] > 0.5


def test_ridders_estimate_is_no_smaller_than_the_evaluations_noise() -> None:
    steps = 2.0 ** -np.arange(6)[:, None]
    _, error = ridders(np.ones((6, 1)), steps, noise=1e-10)  # agree by chance, as with a quadratic f
    assert error[0] >= 2e-10


def test_ridders_passes_over_rows_that_are_not_finite() -> None:
    steps = 2.0 ** -np.arange(6)[:, None]
    quotients = 3.0 + steps**2
    quotients[0] = np.nan  # the largest step left the domain
    value, error = ridders(quotients, steps, noise=0.0)
    np.testing.assert_allclose(value, [3.0], rtol=1e-14)
    assert np.isfinite(error).all()
