"""Changes of activations and losses are relatively exact, however small the move."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backproof.scratch.activations import ACTIVATIONS
from backproof.scratch.architecture import Array
from backproof.scratch.changes import Move, activation_change, loss_changes, softmax
from backproof.scratch.losses import LOSSES
from tests.support.tolerances import ELEMENTARY_ULPS, gamma

places = st.floats(-15, 15)
small_moves = st.floats(1e-12, 1e-2).flatmap(lambda size: st.sampled_from([size, -size]))
seeds = st.integers(0, 2**32 - 1)


def buffers(size: int, dtype: type = np.float64) -> list[Array]:
    return [np.empty(size, dtype) for _ in range(3)]


def change(activation: str, z: float, s: float) -> float:
    moved = activation_change(ACTIVATIONS[activation], np.array([[z]]), np.array([[s]]), buffers(1))
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


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_large_move_is_a_difference_of_two_values(activation: str) -> None:
    z, s = np.array([[-1.5, 0.25]]), np.array([[3.0, -7.0]])
    moved, base = z + s, z.copy()
    ACTIVATIONS[activation].apply(moved)
    ACTIVATIONS[activation].apply(base)
    found = activation_change(ACTIVATIONS[activation], z, s, buffers(2))
    np.testing.assert_allclose(found, moved - base, rtol=gamma(4, "float64"), atol=0)


def logits_case(seed: int, loss: str, size: float) -> tuple[tuple[Array, Array, Array], Array]:
    """Logits of 3 examples, from even to saturated, and 5 moves of each."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((3, 4)) * np.array([[1.0], [5.0], [20.0]])
    targets = rng.integers(0, 4, 3) if loss == "cross_entropy" else rng.random((3, 4)).round()
    D = rng.uniform(-size, size, (3, 4, 5))
    if loss == "cross_entropy":
        D = D - D[np.arange(3), targets][:, None]
    return (z, targets, softmax(z)), D


def exact_terms(loss: str, logits: tuple[Array, Array, Array], D: Array) -> tuple[Array, Array]:
    """The change in longdouble, and the sizes of what is summed."""
    z, targets, D = logits[0].astype(np.longdouble)[:, :, None], logits[1], D.astype(np.longdouble)
    if loss == "cross_entropy":
        p = np.exp(z - z.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        return np.log1p((p * np.expm1(D)).sum(axis=1)), (p * np.abs(D)).sum(axis=1)
    t = targets[:, :, None]
    if loss == "binary_cross_entropy":
        p = 1 / (1 + np.exp(-z))
        return (np.log1p(p * np.expm1(D)) - t * D).sum(axis=1), ((p + t) * np.abs(D)).sum(axis=1)
    return (D * (2 * (z - t) + D)).sum(axis=1), (np.abs(D) * (2 * np.abs(z - t) + np.abs(D))).sum(axis=1)


@pytest.mark.parametrize("loss", LOSSES)
@given(seeds, st.sampled_from([1e-20, 1e-9, 1e-6, 1e-3, 0.02]))
def test_a_loss_s_change_is_exact_relative_to_its_terms(loss: str, seed: int, size: float) -> None:
    logits, D = logits_case(seed, loss, size)
    found = loss_changes(LOSSES[loss], logits, Move(D, (1, -1), float(np.abs(D).max())), buffers(D.size))
    # exp(z - max) is off by |z - max| u relatively, at most 100 u here; the rest are counted roundings.
    tolerance = gamma(100 + 40 + 2 * ELEMENTARY_ULPS, "float64")
    for term, sign in zip(found, (1, -1), strict=True):
        expected, sizes = exact_terms(loss, logits, sign * D)
        np.testing.assert_array_less(np.abs(term - expected), tolerance * sizes + 1e-300)


@pytest.mark.parametrize("loss", LOSSES)
@given(seeds)
def test_a_loss_s_change_by_a_large_move_is_right_to_the_rounding_of_the_loss(loss: str, seed: int) -> None:
    logits, D = logits_case(seed, loss, 30.0)
    found = loss_changes(LOSSES[loss], logits, Move(D, (1,), float(np.abs(D).max())), buffers(D.size))[0]
    (z, targets, _), value = logits, LOSSES[loss].per_example
    wide = z.astype(np.longdouble)
    expected = [value(wide + D[:, :, k], targets) - value(wide, targets) for k in range(D.shape[2])]
    # Values of at most 4 z (squared for the squares), each off by some tens of roundings.
    reach = np.abs(z).max() + 60
    size = 4 * (reach + 1) ** 2 if loss in ("mse", "sum_of_squares") else 4 * reach
    np.testing.assert_array_less(np.abs(found - np.transpose(expected)), gamma(100, "float64") * size)
