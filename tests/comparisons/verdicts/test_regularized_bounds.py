"""Bounds under dropout masks and label smoothing, from both sides.

A right implementation never leaves them, over many seeds; a legal one that does its worst comes to half of
them and more; and a mask scaled, or a share smoothed, by 1e-3 too much is outside.
"""

from collections.abc import Callable

import numpy as np
import pytest

from backproof.comparisons.verdicts import backward_bounds, forward_bounds, loss_bounds
from backproof.comparisons.verdicts.forward_bounds import Regularized
from backproof.comparisons.verdicts.loss_bounds import smoothed_cross_entropy
from backproof.comparisons.verdicts.network_bounds import Reference, backprop_reference
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.relu_kinks import judge_gradient
from backproof.comparisons.verdicts.rounding import Arithmetic, Bounded
from backproof.scratch.architecture import ACTIVATIONS, DTYPES, ActivationName, Architecture, Array, DtypeName
from tests.comparisons.verdicts.test_hostile_rounding import F, Term, largest_share
from tests.support.leaving_out import leaving_out

SIZES, BATCH, KEEP = (5, 6, 4), 7, 0.7
SMOOTHING = 0.1


def drawn(
    seed: int, activation: ActivationName, dtype: DtypeName
) -> tuple[Architecture, list[tuple[Array, Array]]]:
    rng = np.random.default_rng(seed)
    architecture = Architecture(SIZES, activation, "cross_entropy", dtype)
    weights = [
        (rng.standard_normal(shape).astype(dtype), rng.standard_normal(shape[1]).astype(dtype))
        for shape in architecture.layer_shapes
    ]
    return architecture, weights


def batch(seed: int, dtype: DtypeName) -> tuple[Array, Array, list[Array]]:
    """Inputs, labels, and a mask of 0 or 1 / keep for the inputs of either layer."""
    rng = np.random.default_rng([seed, 1])
    x, labels = rng.standard_normal((BATCH, SIZES[0])).astype(dtype), rng.integers(0, SIZES[-1], BATCH)
    masks = [((rng.random((BATCH, n)) < KEEP) / KEEP).astype(dtype) for n in SIZES[:-1]]
    return x, labels, masks


def by_hand(
    architecture: Architecture,
    weights: list[tuple[Array, Array]],
    x: Array,
    labels: Array,
    masks: list[Array],
    smoothing: float,
) -> Array:
    """Backpropagation through both masks in the architecture's dtype, written out."""
    dtype = np.dtype(architecture.dtype).type
    (W1, b1), (W2, b2) = weights
    a0 = x * masks[0]
    z = a0 @ W1 + b1
    f: dict[str, Callable[[], tuple[Array, Array]]] = {
        "identity": lambda: (z, np.ones_like(z)),
        "relu": lambda: (np.maximum(z, 0), (z > 0).astype(dtype)),
        "tanh": lambda: (np.tanh(z), 1 - np.tanh(z) ** 2),
        "sigmoid": lambda: (1 / (1 + np.exp(-z)), np.exp(-z) / (1 + np.exp(-z)) ** 2),
    }
    a, d = f[architecture.activation]()
    a1 = a * masks[1]
    logits = a1 @ W2 + b2
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    q = np.full(p.shape, dtype(smoothing / p.shape[1]))
    q[np.arange(len(labels)), labels] += dtype(1 - smoothing)
    delta2 = (p - q) / dtype(len(labels))
    delta1 = (delta2 @ W2.T) * masks[1] * d
    parts = [a0.T @ delta1, delta1.sum(axis=0), a1.T @ delta2, delta2.sum(axis=0)]
    return np.concatenate([part.ravel() for part in parts]).astype(np.float64)


def judged(
    seed: int, activation: ActivationName, dtype: DtypeName, scale: float = 1.0, share: float = SMOOTHING
) -> tuple[Reference, Array]:
    """The bounds, and what a right implementation finds with masks of `scale` and smoothing of `share`."""
    architecture, weights = drawn(seed, activation, dtype)
    x, labels, masks = batch(seed, dtype)
    asked = Regularized([mask.astype(np.float64) for mask in masks], SMOOTHING)
    reference = backprop_reference(architecture, weights, x, labels, regularized=asked)
    scaled = [masks[0], (masks[1] * np.dtype(dtype).type(scale)).astype(dtype)]
    return reference, by_hand(architecture, weights, x, labels, scaled, share)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_right_implementation_never_fails_under_masks_and_smoothing(
    activation: ActivationName, dtype: DtypeName
) -> None:
    for seed in range(60):
        reference, found = judged(seed, activation, dtype)
        assert judge_gradient(reference, found).outcome == Outcome.PASS


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("scale", "share"), [(1 + 1e-3, SMOOTHING), (1.0, SMOOTHING + 1e-3)])
def test_a_mask_scale_or_a_smoothing_off_by_a_thousandth_fails(
    activation: ActivationName, dtype: DtypeName, scale: float, share: float
) -> None:
    for seed in range(10):
        reference, found = judged(seed, activation, dtype, scale, share)
        assert judge_gradient(reference, found).outcome == Outcome.FAIL


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_mask_left_out_of_the_backward_pass_fails(activation: ActivationName) -> None:
    architecture, weights = drawn(3, activation, "float32")
    x, labels, masks = batch(3, "float32")
    asked = Regularized([mask.astype(np.float64) for mask in masks], SMOOTHING)
    reference = backprop_reference(architecture, weights, x, labels, regularized=asked)
    found = by_hand(architecture, weights, x, labels, masks, SMOOTHING)
    forgotten = by_hand(architecture, weights, x, labels, [masks[0], np.ones_like(masks[1])], SMOOTHING)
    n = architecture.layer_slices()[0][1].stop
    assert judge_gradient(reference, np.concatenate([forgotten[:n], found[n:]])).outcome == Outcome.FAIL


# --- doing the worst that is legal -------------------------------------------------------------------------

MASK, TARGET = 1 + 3 * 2.0**-12, -(1 + 2.0**-12)
CANDIDATES = 1 + np.arange(20_000) * 2.0**-23
DELTA = float(F(2) * (F(2.0**-24) - F(TARGET)))  # the bias of 2^-24 is lost beside the target
TRUE_DELTA = 2 * (2.0**-24 - TARGET)


def _largest_loss() -> tuple[float, float]:
    """The x of which fl(fl(x m) delta) is furthest below x m delta, and by how much."""
    masked = (CANDIDATES.astype(F) * F(MASK)).astype(F)
    lost = CANDIDATES * MASK * TRUE_DELTA - (masked * F(DELTA)).astype(np.float64)
    return float(CANDIDATES[np.argmax(lost)]), float(lost.max())


def masked_input() -> float:
    """x m, its product with delta, and delta itself all round down: dW = (x m) delta."""
    x, lost = _largest_loss()
    architecture = Architecture((1, 1), "identity", "sum_of_squares", "float32")
    weights = [(np.zeros((1, 1), F), np.full(1, 2.0**-24, F))]
    given = weights, np.full((1, 1), x, F), np.full((1, 1), TARGET, F)
    masks = Regularized([np.full((1, 1), MASK)])
    return largest_share(lost, backprop_reference(architecture, *given, regularized=masks).gradient.error[0])


def masked_activation() -> float:
    """The same with an activation in the input's place: dW_2 = (a_1 m) delta_2."""
    x, lost = _largest_loss()
    architecture = Architecture((1, 1, 1), "identity", "sum_of_squares", "float32")
    weights = [(np.full((1, 1), x, F), np.zeros(1, F)), (np.zeros((1, 1), F), np.full(1, 2.0**-24, F))]
    given = weights, np.ones((1, 1), F), np.full((1, 1), TARGET, F)
    masks = Regularized([None, np.full((1, 1), MASK)])
    return largest_share(lost, backprop_reference(architecture, *given, regularized=masks).gradient.error[2])


def masked_delta() -> float:
    """(delta_2 W_2) m rounds down, twelve layers on end."""
    depth, delta, exact = 12, F(1.0), 1.0
    masks: list[Array | None] = []
    candidates = 1 + np.arange(1, 2000) * 2.0**-22
    for _ in range(depth):
        lost = float(delta) * candidates - (candidates.astype(F) * delta).astype(np.float64)
        best = candidates[int(np.argmax(lost))]
        masks.insert(0, np.full((1, 1), best))
        delta, exact = F(delta * F(best)), exact * best
    architecture = Architecture((1, *[1] * depth, 1), "identity", "sum_of_squares", "float32")
    weights = [(np.ones((1, 1), F), np.zeros(1, F))] * (depth + 1)
    given = weights, np.zeros((1, 1), F), np.full((1, 1), -0.5, F)
    reference = backprop_reference(architecture, *given, regularized=Regularized((None, *masks)))
    return largest_share(float(delta) - exact, reference.gradient.error[1])


def rounded_targets() -> float:
    """s / K in float32 where s and the quotient both round one way, beside probabilities of nothing."""
    single = Arithmetic.of("float32", shadow=False)
    shares = np.linspace(0.3, 0.5, 5000)
    lost = np.abs((shares.astype(F) / F(3)).astype(np.float64) - shares / 3) / shares
    smoothing = float(shares[np.argmax(lost)])
    z = Bounded.exact(np.array([[0.0, -60.0, -60.0]]))
    bound = smoothed_cross_entropy(smoothing)(z, np.zeros(1, dtype=int), single)
    return largest_share(lost.max() * smoothing, bound.delta.error[0, 1])


TERMS = {
    "the masked input": Term(
        forward_bounds,
        "error = (inputs.error + arithmetic.unit * np.abs(inputs.value)) * masks[0]",
        "error = inputs.error * masks[0]",
        masked_input,
        0.5,
    ),
    "the masked activation": Term(
        forward_bounds,
        "own = (own + self.arithmetic.unit * a.magnitude + self.arithmetic.tiny) * mask[rows]",
        "own = own * mask[rows]",
        masked_activation,
        0.5,
    ),
    "the masked delta": Term(
        backward_bounds, "roundings = 1.0 if mask is not None else 0.0", "roundings = 0.0", masked_delta, 0.5
    ),
    "smoothed targets": Term(loss_bounds, " + (4.0 * q if smoothing else 0.0)", "", rounded_targets, 0.2),
}


@pytest.mark.parametrize("name", TERMS)
def test_the_worst_that_is_legal_stays_inside_and_comes_close(name: str) -> None:
    term = TERMS[name]
    assert term.close <= term.hostile() <= 1.0


@pytest.mark.parametrize("name", TERMS)
def test_a_term_of_regularization_left_out_is_missed(name: str) -> None:
    term = TERMS[name]
    with leaving_out(term.module, term.text, term.instead):
        assert term.hostile() > 1.0


def test_unless_it_is_asked_for_nothing_is_smoothed_and_no_unit_is_dropped() -> None:
    assert Regularized() == forward_bounds.PLAIN == Regularized(masks=(), smoothing=0.0)
