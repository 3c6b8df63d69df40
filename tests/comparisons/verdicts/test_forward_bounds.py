"""The passes forward and backward with their bounds: in blocks as in one piece, and each example its own."""

from itertools import pairwise

import numpy as np
import pytest

from backproof.comparisons.verdicts import backward_bounds, forward_bounds
from backproof.comparisons.verdicts.backward_bounds import backward, deltas, row_blocks
from backproof.comparisons.verdicts.forward_bounds import (
    ForwardPass,
    Regularized,
    _multiplicity,
    forward,
    stored,
)
from backproof.comparisons.verdicts.rounding import Arithmetic
from backproof.scratch.architecture import Architecture

RNG = np.random.default_rng(0)
SIZES, N = (4, 3, 5, 2, 3), 5
WEIGHTS = [(RNG.normal(size=shape), RNG.normal(size=shape[1])) for shape in pairwise(SIZES)]
X, LABELS = RNG.normal(size=(N, 4)), RNG.integers(0, 3, N)
MASKS = (None, *((RNG.random((N, size)) < 0.8) / 0.8 for size in SIZES[1:-1]))


def passed(random: bool, masks: bool, rows: slice = slice(None), activation: str = "tanh") -> ForwardPass:
    arithmetic = Arithmetic.of("float32", random=random)
    kept = tuple(None if mask is None else mask[rows] for mask in MASKS)
    regularized = Regularized(kept) if masks else Regularized()
    architecture = Architecture(SIZES, activation, "cross_entropy", "float32")  # type: ignore[arg-type]  # one of them
    return forward(architecture, WEIGHTS, X[rows], LABELS[rows], arithmetic, regularized)


@pytest.mark.parametrize("masks", [False, True])
@pytest.mark.parametrize("random", [False, True])
def test_in_blocks_of_one_example_every_bound_is_what_it_is_in_one_piece(
    monkeypatch: pytest.MonkeyPatch, random: bool, masks: bool
) -> None:
    whole = passed(random, masks)
    gradient = backward(whole)
    for module in (forward_bounds, backward_bounds):
        monkeypatch.setattr(module, "LARGEST_BLOCK", 1)
    parts = passed(random, masks)
    for ours, right in [
        (parts.logits, whole.logits),
        *zip(parts.pre_activations, whole.pre_activations, strict=True),
        *zip(parts.activations, whole.activations, strict=True),
        *zip(deltas(parts), deltas(whole), strict=True),
        (backward(parts), gradient),
    ]:
        np.testing.assert_allclose(ours.value, right.value, rtol=1e-12)
        np.testing.assert_allclose(ours.error, right.error, rtol=1e-9, atol=1e-37)  # an exact sum's underflow
    assert (gradient.error > 0).mean() > 0.8
    np.testing.assert_allclose(parts.covariance, whole.covariance, rtol=1e-9, atol=1e-30)
    assert whole.covariance.any() == random


@pytest.mark.parametrize("masks", [False, True])
def test_an_example_has_the_same_bounds_alone(masks: bool) -> None:
    whole = passed(False, masks)
    for row in range(N):
        alone = passed(False, masks, slice(row, row + 1))
        for ours, right in [
            (alone.logits, whole.logits),
            *zip(alone.pre_activations, whole.pre_activations, strict=True),
            *zip(alone.activations, whole.activations, strict=True),
        ]:
            np.testing.assert_allclose(ours.value[0], right.value[row], rtol=1e-12)
            np.testing.assert_allclose(ours.error[0], right.error[row], rtol=1e-9, atol=1e-37)


def test_undecided_units_are_named_by_layer_example_and_unit() -> None:
    state = passed(False, False, activation="relu")
    assert state.undecided == ()
    z = state.pre_activations[1]
    z.value[3, 4] = 0.5 * z.error[3, 4]
    assert forward_bounds._undecided(1, z) == [(1, 3, 4)]


@pytest.mark.parametrize(("largest", "sizes"), [(1, [1] * 5), (123, [1] * 5), (124, [2, 2, 1]), (10**6, [5])])
def test_blocks_are_of_examples_whose_jacobians_fit(
    monkeypatch: pytest.MonkeyPatch, largest: int, sizes: list[int]
) -> None:
    """Of one example: 3 x 5, 3 x 2, 3 x 3, 5 x 2, 5 x 3 and 2 x 3 numbers, and one: 62."""
    state = passed(False, False)
    monkeypatch.setattr(backward_bounds, "LARGEST_BLOCK", largest)
    monkeypatch.setattr(forward_bounds, "LARGEST_BLOCK", largest)
    ascending: list[slice] = []
    ascend = forward_bounds._Walk.ascend

    def noted(walk: forward_bounds._Walk, rows: slice) -> None:
        ascending.append(rows)
        ascend(walk, rows)

    monkeypatch.setattr(forward_bounds._Walk, "ascend", noted)
    passed(False, False)
    for found in (list(row_blocks(state)), ascending):
        assert [rows.stop - rows.start for rows in found] == sizes
        assert [rows.start for rows in found] == [sum(sizes[:i]) for i in range(len(sizes))]


def test_numbers_that_are_the_same_but_for_sign_and_powers_of_two_are_counted_together() -> None:
    z = np.array([[1.0, 2.0, -4.0, 3.0], [0.5, 6.0, 5.0, np.nan]])
    np.testing.assert_array_equal(_multiplicity(z), [[4, 4, 4, 2], [4, 2, 1, 1]])
    near = np.array([[1.0, 1.0 + 2.0**-42, 1.0 + 2.0**-38]])
    np.testing.assert_array_equal(_multiplicity(near), [[2, 2, 1]])


def test_what_is_kept_in_double_precision_is_off_by_its_storage() -> None:
    found = stored(np.array([2.0, -8.0]), np.array([1e-9, 0.0]), 2.0**-53)
    np.testing.assert_allclose(found.error, [1e-9 + 2.0**-52, 2.0**-50], rtol=1e-12)
    assert found.value.dtype == np.float64
