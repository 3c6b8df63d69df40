"""Changes of activations are relatively exact, however small the move."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backproof.comparisons.verdicts.rounding import ELEMENTARY_ULPS
from backproof.scratch.activations import ACTIVATION_FUNCTIONS
from backproof.scratch.architecture import Array
from backproof.scratch.changes import activation_change
from tests.support.tolerances import gamma

places = st.floats(-15, 15)
small_moves = st.floats(1e-12, 1e-2).flatmap(lambda size: st.sampled_from([size, -size]))


def buffers(size: int, dtype: type = np.float64) -> list[Array]:
    return [np.empty(size, dtype) for _ in range(3)]


def change(activation: str, z: float, s: float) -> float:
    moved = activation_change(ACTIVATION_FUNCTIONS[activation], np.array([[z]]), np.array([[s]]), buffers(1))
    return float(moved[0, 0])


# Both identities have no difference in them; taken in longdouble they are exact beside float64.
EXACT = {
    "tanh": lambda z, s: np.sinh(s) / (np.cosh(z + s) * np.cosh(z)),
    "sigmoid": lambda z, s: np.sinh(s / 2) / (2 * np.cosh((z + s) / 2) * np.cosh(z / 2)),
}


@pytest.mark.parametrize("activation", EXACT)
@given(places, small_moves)
def test_a_curved_activation_s_change_is_relatively_exact(activation: str, z: float, s: float) -> None:
    expected = EXACT[activation](np.longdouble(z), np.longdouble(s))
    # exp and tanh of z, some thirty roundings, and exp(-2|z|), whose argument is exact.
    tolerance = gamma(30 + 4 * ELEMENTARY_ULPS, "float64")
    np.testing.assert_allclose(change(activation, z, s), float(expected), rtol=tolerance, atol=0)


@given(st.floats(-2, 2), st.floats(-2, 2))
def test_a_relu_s_change_is_the_correctly_rounded_selection(z: float, s: float) -> None:
    exact = np.maximum(np.longdouble(z) + np.longdouble(s), 0) - np.maximum(np.longdouble(z), 0)
    np.testing.assert_allclose(change("relu", z, s), float(exact), rtol=gamma(2, "float64"), atol=1e-19)


@pytest.mark.parametrize("activation", ACTIVATION_FUNCTIONS)
def test_a_large_move_is_a_difference_of_two_values(activation: str) -> None:
    z, s = np.array([[-1.5, 0.25]]), np.array([[3.0, -7.0]])
    moved, base = z + s, z.copy()
    ACTIVATION_FUNCTIONS[activation].apply(moved)
    ACTIVATION_FUNCTIONS[activation].apply(base)
    found = activation_change(ACTIVATION_FUNCTIONS[activation], z, s, buffers(2))
    np.testing.assert_allclose(found, moved - base, rtol=gamma(4, "float64"), atol=0)
