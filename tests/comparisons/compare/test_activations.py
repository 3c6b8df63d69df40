"""Activations with room for rounding, and for numbers that a processor flushes to zero on the way back."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from backproof.comparisons.check.forms.activations import ACTIVATION_FUNCTIONS
from backproof.comparisons.compare.activations import WORDS, active
from backproof.comparisons.verdicts.rounding import Arithmetic, Bounded, product

TINY = np.finfo(np.float32).tiny
C = np.float32(np.sqrt(2 / np.pi))


def arithmetic() -> Arithmetic:
    return Arithmetic.of("float32")


def flushed(value: np.float32) -> np.float32:
    return np.float32(0.0) if abs(value) < TINY else np.float32(value)


def gelu_backwards(z: np.float32, dy: np.float32) -> np.float32:
    """gelu by tanh, differentiated in reverse mode: one factor after another, each product flushed."""
    cube = np.float32(0.044715)
    t = np.tanh(C * (z + cube * z**3), dtype=np.float32)
    outer = flushed(flushed(dy * np.float32(0.5)) * (1 + t))
    inner = flushed(flushed(flushed(flushed(dy * np.float32(0.5)) * z) * (1 - t * t)) * C)
    return flushed(flushed(outer + inner) + flushed(flushed(inner * cube) * flushed(3 * z * z)))


@given(
    st.floats(-4, 4, width=32).map(np.float32),
    st.floats(2.0**-124, 2.0**-100, width=32).map(np.float32),
    st.sampled_from([-1, 1]),
)
@example(np.float32(-2.0148358), np.float32(1.9250845e-36), -1)
def test_a_gradient_near_the_smallest_numbers_may_lose_factors_on_its_way(
    z: np.float32, size: np.float32, sign: int
) -> None:
    dy = np.float32(sign * size)
    point = Bounded.exact(np.array([float(z)]))
    summed = Bounded.exact(np.array([float(dy)]))
    found = active("gelu_tanh", point, arithmetic()).passed_back(summed, arithmetic())
    assert abs(float(gelu_backwards(z, dy)) - found.value[0]) <= found.error[0]


def test_without_the_room_for_underflow_such_a_gradient_would_be_called_wrong() -> None:
    z, dy = np.float32(-2.0148358), np.float32(-1.9250845e-36)
    point, summed = Bounded.exact(np.array([float(z)])), Bounded.exact(np.array([float(dy)]))
    f = active("gelu_tanh", point, arithmetic())
    bare = product(summed, f.slope, arithmetic())
    assert abs(float(gelu_backwards(z, dy)) - bare.value[0]) > bare.error[0]


@pytest.mark.parametrize("kind", sorted(set(WORDS)))
def test_nothing_is_lost_of_a_gradient_of_ordinary_size(kind: str) -> None:
    z = Bounded.exact(np.linspace(-3.0, 3.0, 7))
    f = active(kind, z, arithmetic())
    passed = f.passed_back(Bounded.exact(np.ones(7)), arithmetic())
    slopes = f.slope.value
    assert (passed.error <= 1e-3 * np.maximum(np.abs(slopes), 1.0)).all() or kind in ("relu", "leaky_relu")
    if kind in ACTIVATION_FUNCTIONS:
        np.testing.assert_allclose(passed.value, ACTIVATION_FUNCTIONS[kind].slope(z.value), rtol=1e-12)


@pytest.mark.parametrize("kind", ["silu", "gelu_tanh"])
def test_where_nothing_comes_back_nothing_can_be_lost(kind: str) -> None:
    f = active(kind, Bounded.exact(np.array([1.0])), arithmetic())
    assert f.passed_back(Bounded.exact(np.zeros(1)), arithmetic()).error[0] == 0.0
