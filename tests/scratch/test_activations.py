"""Activations: accurate to a few units in the last place, finite everywhere, and right off the axis."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from backproof.reference import textbook
from backproof.scratch.activations import ACTIVATION_FUNCTIONS, sigmoid
from backproof.scratch.architecture import ACTIVATIONS as NAMES
from backproof.scratch.architecture import DTYPES, Array
from tests.support.tolerances import ulp_distance

every_activation = pytest.mark.parametrize("name", NAMES)
every_dtype = pytest.mark.parametrize("dtype", DTYPES)

# From deep saturation through the subnormals to zero of both signs.
values = st.one_of(
    st.floats(-40, 40, width=32),
    st.floats(-(2.0**100), 2.0**100, width=32),
    st.sampled_from([0.0, -0.0, 1e-40, -1e-40]),
)
vectors = arrays(np.float64, st.integers(1, 6), elements=values)


def applied(name: str, z: Array) -> Array:
    a = z.copy()
    ACTIVATION_FUNCTIONS[name].apply(a)
    return a


def derivative(name: str, z: Array) -> Array:
    """f'(z) as backpropagation uses it."""
    delta = np.ones_like(z)
    ACTIVATION_FUNCTIONS[name].backpropagate(delta, applied(name, z))
    return delta


def test_every_activation_of_an_architecture_exists() -> None:
    assert tuple(ACTIVATION_FUNCTIONS) == NAMES


@every_activation
@every_dtype
@given(vectors)
def test_an_activation_is_the_textbooks_to_four_units_in_the_last_place(
    name: str, dtype: str, z: Array
) -> None:
    z = z.astype(dtype)
    expected = textbook.ACTIVATIONS[name](z.astype(np.longdouble))
    assert ulp_distance(applied(name, z), expected, dtype) <= 4


@every_activation
@every_dtype
def test_an_activation_keeps_the_dtype_and_works_in_place(name: str, dtype: str) -> None:
    z = np.linspace(-2, 2, 5, dtype=dtype)
    expected = applied(name, z)
    before = z
    ACTIVATION_FUNCTIONS[name].apply(z)
    assert z is before
    assert z.dtype == dtype
    np.testing.assert_array_equal(z, expected)


@every_activation
def test_a_strided_view_is_overwritten_and_its_gaps_are_not(name: str) -> None:
    z = np.linspace(-3, 3, 24).reshape(4, 6)
    expected = z.copy()
    expected[:, ::2] = applied(name, z[:, ::2].copy())
    ACTIVATION_FUNCTIONS[name].apply(z[:, ::2])
    np.testing.assert_array_equal(z, expected)


@every_activation
@every_dtype
def test_the_ends_of_the_range_are_finite_or_the_identity(name: str, dtype: str) -> None:
    largest = np.finfo(dtype).max
    z = np.array([-largest, -1e4, 1e4, largest], dtype)
    limits = {"identity": z, "relu": [0, 0, 1e4, largest], "sigmoid": [0, 0, 1, 1], "tanh": [-1, -1, 1, 1]}
    np.testing.assert_array_equal(applied(name, z), np.asarray(limits[name], dtype))
    assert np.isfinite(derivative(name, z)).all()


@every_dtype
def test_relu_has_derivative_zero_at_zero_and_one_at_the_smallest_positive_number(dtype: str) -> None:
    z = np.array([0.0, -0.0, np.finfo(dtype).smallest_subnormal, -np.finfo(dtype).smallest_subnormal], dtype)
    np.testing.assert_array_equal(applied("relu", z), np.maximum(z, 0))
    np.testing.assert_array_equal(derivative("relu", z), [0, 0, 1, 0])


@every_activation
@given(vectors)
@example(np.array([0.0, -0.0, 800.0, -800.0]))
def test_off_the_axis_the_imaginary_part_carries_the_derivative(name: str, z: Array) -> None:
    h = 1e-20
    moved = applied(name, z + 1j * h)
    # All derivatives are at most 1; backpropagation's 1 - a^2 and a (1 - a) round to a few eps of that.
    np.testing.assert_allclose(moved.imag / h, derivative(name, z), rtol=0, atol=4 * np.finfo(float).eps)


@every_activation
@given(vectors)
def test_off_the_axis_the_real_part_is_the_value_on_it(name: str, z: Array) -> None:
    assert ulp_distance(applied(name, z + 1e-20j).real, applied(name, z), "float64") <= 4


@given(vectors)
def test_sigmoid_writes_to_out_and_leaves_its_argument(z: Array) -> None:
    before, out = z.copy(), np.empty_like(z)
    assert sigmoid(z, out=out) is out
    np.testing.assert_array_equal(z, before)
    np.testing.assert_array_equal(out, sigmoid(z))


@given(vectors)
def test_sigmoid_is_symmetric_about_one_half(z: Array) -> None:
    np.testing.assert_allclose(sigmoid(z) + sigmoid(-z), 1.0, rtol=2 * np.finfo(float).eps)
