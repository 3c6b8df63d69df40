"""Other people's activations: each slope is the derivative of its value, and each curvature a bound."""

import numpy as np
import pytest

from backproof.comparisons.check.forms.activations import ACTIVATION_FUNCTIONS

AWAY_FROM_KINKS = np.concatenate([np.linspace(-6, -0.01, 61), np.linspace(0.01, 6, 61)])
H = 1e-5


@pytest.mark.parametrize("name", ACTIVATION_FUNCTIONS)
def test_a_slope_is_the_derivative_of_its_value(name: str) -> None:
    function, z = ACTIVATION_FUNCTIONS[name], AWAY_FROM_KINKS
    quotient = (function.value(z + H) - function.value(z - H)) / (2 * H)
    np.testing.assert_allclose(function.slope(z), quotient, rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", ACTIVATION_FUNCTIONS)
def test_no_slope_changes_faster_than_its_curvature(name: str) -> None:
    function, z = ACTIVATION_FUNCTIONS[name], AWAY_FROM_KINKS
    quotient = (function.slope(z + H) - function.slope(z - H)) / (2 * H)
    assert np.abs(quotient).max() <= function.curvature + 1e-9


def test_a_curvature_that_is_too_small_would_be_seen() -> None:
    tanh, z = ACTIVATION_FUNCTIONS["tanh"], AWAY_FROM_KINKS
    quotient = (tanh.slope(z + H) - tanh.slope(z - H)) / (2 * H)
    assert np.abs(quotient).max() > 0.9 * tanh.curvature
