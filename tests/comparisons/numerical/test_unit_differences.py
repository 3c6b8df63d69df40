"""Differences of units are the quotients of their weights, at another step."""

import doctest

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backproof.comparisons.numerical import unit_differences
from backproof.comparisons.numerical.unit_differences import UnitDifferences
from backproof.scratch.architecture import ACTIVATIONS, LOSSES, ActivationName, Architecture, LossName
from backproof.scratch.gradients import gradient
from tests.support.numerical_runs import digits_batch
from tests.support.strategies import Case, random_case

STEP = 2.0**-30


def off(case: Case, found: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference, relative to the largest entry."""
    return float(np.abs(found - expected).max() / np.abs(expected).max())


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@given(st.integers(0, 2**32 - 1), st.sampled_from([(5, 4, 3), (4, 6, 5, 3), (3, 2), (4, 3, 3, 3, 2)]))
def test_they_are_the_gradient(
    activation: ActivationName, loss: LossName, seed: int, sizes: tuple[int, ...]
) -> None:
    case = random_case(Architecture(sizes, activation, loss), "normal", 6, seed)
    found = gradient(case.network(), case.x, case.targets, UnitDifferences(STEP))
    expected = gradient(case.network(), case.x, case.targets)
    # Truncation is of order STEP^2 = 1e-18; a kink within STEP of 200 random numbers is a matter of 1e-7.
    # What is left are some hundred roundings, of terms that are larger than their sum.
    assert off(case, found, expected) < 1e-11


def test_where_all_inputs_are_one_or_nothing_they_are_the_weights_own_quotients() -> None:
    network, x, labels, _ = digits_batch(3, 1e-3)
    x = (x > 0.5).astype(float)
    # A step that both take as it is: no pre-activation and no parameter is larger than 1. At 1e-3 truncation
    # is ten thousand times what the two may differ by.
    network.parameters.flat /= 64
    units = gradient(network, x, labels, UnitDifferences(1e-3))
    entries = gradient(network, x, labels, "central_difference", evaluation="structured", step=1e-3)
    backprop = gradient(network, x, labels)
    first = slice(0, network.architecture.layer_slices()[0][1].stop)
    np.testing.assert_allclose(units[first], entries[first], rtol=0, atol=1e-15)
    assert np.abs(entries[first] - backprop[first]).max() > 1e-11


def test_groups_of_units_of_any_size_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    network, x, labels, _ = digits_batch(1, 1e-9)
    whole = gradient(network, x, labels, UnitDifferences(STEP))
    for tile in (1, 700):
        monkeypatch.setattr(unit_differences, "TILE", tile)
        found = gradient(network, x, labels, UnitDifferences(STEP))
        np.testing.assert_allclose(found, whole, rtol=0, atol=1e-15)


def test_the_network_and_the_batch_stay_as_they_were() -> None:
    network, x, labels, _ = digits_batch(1, 1e-9)
    flat, inputs = network.parameters.flat.copy(), x.copy()
    gradient(network, x, labels, UnitDifferences())
    np.testing.assert_array_equal(network.parameters.flat, flat)
    np.testing.assert_array_equal(x, inputs)


def test_a_relu_on_its_kink_gets_half_the_slope() -> None:
    architecture = Architecture((1, 1, 1), "relu", "sum_of_squares")
    case = Case(architecture, "integer", np.array([0.0, 0.0, 1.0, 0.0]), np.ones((1, 1)), np.ones((1, 1)))
    # L(z) = (max(z, 0) - 1)^2 at z = 0: (L(h) - L(-h)) / 2h = h/2 - 1, where the slopes are 0 and -2.
    found = gradient(case.network(), case.x, case.targets, UnitDifferences(0.25))
    np.testing.assert_allclose(found[:2], 0.125 - 1, rtol=1e-15)


def test_the_worked_example_gives_what_it_says() -> None:
    found = doctest.testmod(unit_differences)
    assert (found.failed, found.attempted > 0) == (0, True)
