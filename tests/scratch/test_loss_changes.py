"""Changes of losses are relatively exact, however small the move of the logits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backproof.comparisons.verdicts.rounding import ELEMENTARY_ULPS
from backproof.scratch.architecture import Array
from backproof.scratch.loss_changes import Move, UnmovedLogits, loss_changes, softmax
from backproof.scratch.losses import LOSS_FUNCTIONS
from tests.support.tolerances import gamma

seeds = st.integers(0, 2**32 - 1)


def buffers(size: int) -> list[Array]:
    return [np.empty(size) for _ in range(3)]


def logits_case(seed: int, loss: str, size: float) -> tuple[UnmovedLogits, Array]:
    """Logits of 3 examples, from even to saturated, and 5 moves of each."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((3, 4)) * np.array([[1.0], [5.0], [20.0]])
    targets = rng.integers(0, 4, 3) if loss == "cross_entropy" else rng.random((3, 4)).round()
    D = rng.uniform(-size, size, (3, 4, 5))
    if loss == "cross_entropy":
        D = D - D[np.arange(3), targets][:, None]
    return UnmovedLogits(z, targets, softmax(z)), D


def exact_terms(loss: str, logits: UnmovedLogits, D: Array) -> tuple[Array, Array]:
    """The change in longdouble, and the sizes of what is summed."""
    z, targets, D = logits.z.astype(np.longdouble)[:, :, None], logits.targets, D.astype(np.longdouble)
    if loss == "cross_entropy":
        p = np.exp(z - z.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        return np.log1p((p * np.expm1(D)).sum(axis=1)), (p * np.abs(D)).sum(axis=1)
    t = targets[:, :, None]
    if loss == "binary_cross_entropy":
        p = 1 / (1 + np.exp(-z))
        return (np.log1p(p * np.expm1(D)) - t * D).sum(axis=1), ((p + t) * np.abs(D)).sum(axis=1)
    return (D * (2 * (z - t) + D)).sum(axis=1), (np.abs(D) * (2 * np.abs(z - t) + np.abs(D))).sum(axis=1)


@pytest.mark.parametrize("loss", LOSS_FUNCTIONS)
@given(seeds, st.sampled_from([1e-20, 1e-9, 1e-6, 1e-3, 0.02]))
def test_a_loss_s_change_is_exact_relative_to_its_terms(loss: str, seed: int, size: float) -> None:
    logits, D = logits_case(seed, loss, size)
    found = loss_changes(
        LOSS_FUNCTIONS[loss], logits, Move(D, (1, -1), float(np.abs(D).max())), buffers(D.size)
    )
    # exp(z - max) is off by |z - max| u relatively, at most 100 u here; the rest are counted roundings.
    tolerance = gamma(100 + 40 + 2 * ELEMENTARY_ULPS, "float64")
    for term, sign in zip(found, (1, -1), strict=True):
        expected, sizes = exact_terms(loss, logits, sign * D)
        np.testing.assert_array_less(np.abs(term - expected), tolerance * sizes + 1e-300)


@pytest.mark.parametrize("loss", LOSS_FUNCTIONS)
@given(seeds)
def test_a_loss_s_change_by_a_large_move_is_right_to_the_rounding_of_the_loss(loss: str, seed: int) -> None:
    logits, D = logits_case(seed, loss, 30.0)
    found = loss_changes(
        LOSS_FUNCTIONS[loss], logits, Move(D, (1,), float(np.abs(D).max())), buffers(D.size)
    )[0]
    z, targets, value = logits.z, logits.targets, LOSS_FUNCTIONS[loss].per_example
    wide = z.astype(np.longdouble)
    expected = [value(wide + D[:, :, k], targets) - value(wide, targets) for k in range(D.shape[2])]
    # Values of at most 4 z (squared for the squares), each off by some tens of roundings.
    reach = np.abs(z).max() + 60
    size = 4 * (reach + 1) ** 2 if loss in ("mse", "sum_of_squares") else 4 * reach
    np.testing.assert_array_less(np.abs(found - np.transpose(expected)), gamma(100, "float64") * size)
