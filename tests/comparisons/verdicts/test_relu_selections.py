"""Selections of undecided units: an example is its share of the batch, and a flipped unit changes its own."""

import numpy as np
import pytest

from backproof.comparisons.verdicts.network_bounds import Reference, backprop_reference
from backproof.comparisons.verdicts.relu_selections import (
    any_selection,
    example_selected,
    one_example,
    selected,
)
from backproof.comparisons.verdicts.verdict import compare
from backproof.scratch.architecture import Architecture
from backproof.scratch.gradients import gradient
from backproof.scratch.network import Network
from backproof.scratch.problem import Problem

N_UNITS, N = 3, 4
# z = 0.1 x - 0.3: undecided at x = 3, in every unit of the second and of the fourth example.
X, TARGETS = np.array([[7.0], [3.0], [-5.0], [3.0]]), np.array([[1.0], [-2.0], [0.5], [3.0]])
WEIGHTS = [
    (np.full((1, N_UNITS), 0.1), np.full(N_UNITS, -0.3)),
    (np.arange(1.0, N_UNITS + 1)[:, None], np.array([0.5])),
]
ARCHITECTURE = Architecture((1, N_UNITS, 1), "relu", "mse", "float64")


@pytest.fixture(scope="module")
def reference() -> Reference:
    return backprop_reference(ARCHITECTURE, WEIGHTS, X, TARGETS)


def test_the_undecided_units_are_those_of_the_examples_at_the_kink(reference: Reference) -> None:
    assert reference.undecided == tuple((0, row, unit) for row in (1, 3) for unit in range(N_UNITS))


def test_the_examples_add_up_to_the_batch(reference: Reference) -> None:
    parts = [example_selected(reference.state, row, ()) for row in range(N)]
    np.testing.assert_allclose(sum(part.value for part in parts), reference.gradient.value, rtol=1e-13)
    for row, part in enumerate(parts):
        problem = Problem(ARCHITECTURE, WEIGHTS, X[row : row + 1], TARGETS[row : row + 1])
        alone = gradient(Network.at(problem), problem.x, problem.targets)
        bound = 4 * np.abs(alone) * 2.0**-50 + N * part.error + 1e-15
        assert compare(N * part.value, alone, bound).outcome == "PASS"


def test_of_an_example_everything_is_its_own(reference: Reference) -> None:
    for row in range(N):
        alone = one_example(reference.state, row)
        np.testing.assert_array_equal(alone.activations[0].value, X[row : row + 1])
        np.testing.assert_array_equal(alone.targets, TARGETS[row : row + 1])
        assert alone.undecided == tuple((0, 0, unit) for unit in range(N_UNITS) if row in (1, 3))
        assert alone.masks == (None,) * len(reference.state.masks)
        for part, whole in [
            (alone.logits.value, reference.state.logits.value),
            (alone.loss.rounded, reference.state.loss.rounded),
            (alone.loss.remainder, reference.state.loss.remainder),
            (alone.covariance, reference.state.covariance),
            (alone.local[0], reference.state.local[0]),
            (alone.shadow.terms, reference.state.shadow.terms),
        ]:
            np.testing.assert_array_equal(part, whole[row : row + 1])


def test_a_flipped_unit_changes_its_own_weights_by_its_own_example(reference: Reference) -> None:
    """With f' = 1 for 0, or 0 for 1: delta = 2 (y - t) / 4 times its weight above, and x = 3."""
    state = reference.state
    was_on = state.derivatives[0].value[1, 2]
    moved = selected(state, [(0, 1, 2)]).value - selected(state, []).value
    logit = float(state.logits.value[1, 0])
    delta = 2 * (logit - TARGETS[1, 0]) / N * 3.0 * (1 - 2 * was_on)
    expected = np.zeros_like(moved)
    expected[2], expected[N_UNITS + 2] = 3.0 * delta, delta
    np.testing.assert_allclose(moved, expected, rtol=1e-12, atol=1e-14)
    alone = example_selected(state, 1, [(0, 1, 2)]).value - example_selected(state, 1, ()).value
    np.testing.assert_allclose(alone, moved, rtol=1e-12, atol=1e-14)


def test_the_bound_for_any_selection_reaches_each_and_no_further_than_all(reference: Reference) -> None:
    state = reference.state
    wide = any_selection(state)
    np.testing.assert_array_equal(wide.value, reference.gradient.value)
    every = selected(state, reference.undecided)
    off = np.abs(every.value - reference.gradient.value)
    assert (off <= wide.error).all()
    np.testing.assert_array_equal(wide.error[2 * N_UNITS :], reference.gradient.error[2 * N_UNITS :])
    # Both examples at the kink have deltas of one sign: flipping all is the furthest there is.
    sizes = [
        np.abs(selected(state, [(0, row, unit)]).value - reference.gradient.value)
        for row in (1, 3)
        for unit in range(N_UNITS)
    ]
    furthest = np.sum(sizes, axis=0)[: 2 * N_UNITS]
    np.testing.assert_allclose(wide.error[: 2 * N_UNITS], furthest, rtol=2e-6)
