"""Derivatives as NumPy computes them from a, by 1 - a^2 and a (1 - a): their bounds hold every rounding."""

import numpy as np
import pytest

from backproof.comparisons.verdicts.activation_bounds import _sigmoid, _tanh
from backproof.comparisons.verdicts.rounding import Arithmetic, Bounded
from backproof.scratch.architecture import Array

SINGLE = Arithmetic.of("float32", functions="numpy")
SIZES = [1e-3, 1e-2, 0.1, 1.0, 3.0, 8.0]


def points(size: float) -> Array:
    """Numbers of float32 around this size, of both signs."""
    one_sided = np.linspace(size / 2, size, 2000).astype(np.float32)
    return np.concatenate([one_sided, -one_sided])


@pytest.mark.parametrize("size", SIZES)
def test_one_minus_a_squared_is_within_its_bound_and_uses_a_good_part_of_it(size: float) -> None:
    z = points(size)
    a = np.tanh(z.astype(np.longdouble)).astype(
        np.float32
    )  # rounded once: its own error is below half a unit
    found = (np.float32(1) - a * a).astype(np.longdouble)
    right = 1 - np.tanh(z.astype(np.longdouble)) ** 2
    bound = _tanh(Bounded.exact(z.astype(np.float64)), SINGLE).derivative
    used = np.abs(found - right) / bound.error
    assert used.max() <= 1
    assert used.max() > 0.2
    np.testing.assert_allclose(bound.value, right.astype(float), rtol=1e-12)


@pytest.mark.parametrize("size", SIZES)
def test_a_times_one_minus_a_is_within_its_bound_and_uses_a_good_part_of_it(size: float) -> None:
    z = points(size)
    exact = 1 / (1 + np.exp(-z.astype(np.longdouble)))
    a = exact.astype(np.float32)
    found = (a * (np.float32(1) - a)).astype(np.longdouble)
    bound = _sigmoid(Bounded.exact(z.astype(np.float64)), SINGLE).derivative
    used = np.abs(found - exact * (1 - exact)) / bound.error
    assert used.max() <= 1
    assert used.max() > 0.05
