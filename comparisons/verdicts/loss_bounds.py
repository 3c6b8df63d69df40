"""How far rounding may move a loss L and its delta = dL/dz, given logits z known to within e.

cross_entropy. With p = softmax(z), log p_c = z_c - logsumexp(z) has the derivatives 1[k = c] - p_k. Along the
way from z to any z' with |z'_k - z_k| <= e_k no probability exceeds p_k^+ = p_k exp(e_k + max e), so that

    |log p_c' - log p_c| <= R_c = sum_{k != c} p_k^+ (e_k + e_c)      (never more than e_c + max e)

Computing log p_c rounds, in whichever of the usual ways (exp(z - m) / sum, log-softmax, z - logsumexp), by
at most

    rho_c = u [|s_c| + E_c + sum_k p_k (|s_k| + E_k) + 2 |log p_c| + (E + 1) log S + |m + log S| + E + K + 4]

with m the largest logit, s = z - m, S = sum_k exp(s_k), sums in any order, and E the elementary functions'
error in u (E_k = E, but 0 where s_k = 0, whose exponential is exactly 1); this is the analysis of
Blanchard, Higham, Higham 2021, with all three ways added up. So

    |p_c' - p_c| <= p_c expm1(R_c + rho_c)

and never more than the larger of the two. The delta (p - onehot) / N cancels at the label only.

binary_cross_entropy. sigmoid has derivative sigma (1 - sigma), largest where |z| is smallest, and is
computed as a quotient by 1 + exp(-z): relatively to within (E (1 - sigma) + 3) u. The delta is
(sigma - t) / NK.

mse, sum_of_squares. The delta is a multiple of z - t: exact but for e and four roundings.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, log_softmax

from backproof.comparisons.verdicts.rounding import ELEMENTARY, SAFETY, Arithmetic, Bounded
from backproof.scratch.architecture import Array


@dataclass(frozen=True)
class LossBound:
    """One batch's loss term by term, its delta, and in `terms` what the delta is the difference of, in
    size."""

    per_example: Bounded  # (batch,)
    scale: float  # L = scale * sum of per_example
    n_terms: int  # how many numbers are summed into L
    delta: Bounded  # (batch, outputs)
    terms: Array  # (batch, outputs), not negative

    def total(self, arithmetic: Arithmetic) -> Bounded:
        """L, 0-d, the terms summed in any order."""
        terms, errors = self.per_example.value, self.per_example.error
        size = (np.abs(terms) + errors).sum()
        error = errors.sum() + arithmetic.gamma(self.n_terms + 2.0) * size + self.n_terms * arithmetic.tiny
        known = size < arithmetic.largest / 2 and np.isfinite(error)
        total = np.asarray(terms.sum() * self.scale)
        return Bounded(total, np.asarray(error * self.scale * SAFETY if known else np.inf))


def sigmoid(z: Bounded, arithmetic: Arithmetic) -> Bounded:
    """1 / (1 + exp(-z)) entry by entry."""
    value, complement = expit(z.value), expit(-z.value)
    # The derivative sigma (1 - sigma) is largest at the point of [z - e, z + e] nearest to zero.
    nearest = np.maximum(np.abs(z.value) - z.error, 0.0)
    moved = np.minimum(z.error * expit(nearest) * expit(-nearest), 1.0)
    rounded = arithmetic.unit * (ELEMENTARY * np.minimum(complement + moved, 1.0) + 3.0)
    return Bounded(value, (moved + rounded * (value + moved) + arithmetic.tiny) * SAFETY)


def _cross_entropy(z: Bounded, labels: Array, arithmetic: Arithmetic) -> LossBound:
    n, n_outputs = z.value.shape
    u = arithmetic.unit
    log_p = log_softmax(z.value, axis=1)
    p = np.exp(log_p)
    largest_logit = z.value.max(axis=1, keepdims=True)
    shifted = z.value - largest_logit
    log_sum = -log_p.max(axis=1, keepdims=True)  # log S >= 0
    # A largest logit that rounding may dethrone has an exponential that is not exactly 1.
    beaten = (shifted + z.error + z.error.max(axis=1, keepdims=True) >= 0).sum(axis=1, keepdims=True) > 1
    exponential = np.abs(shifted) + np.where((shifted < 0) | beaten, ELEMENTARY, 0.0)
    rho = u * (
        exponential
        + (p * exponential).sum(axis=1, keepdims=True)
        + 2 * np.abs(log_p)
        + (ELEMENTARY + 1) * log_sum
        + np.abs(largest_logit + log_sum)
        + (ELEMENTARY + n_outputs + 4)
    )
    e_largest = z.error.max(axis=1, keepdims=True)
    p_upper = np.exp(np.minimum(log_p + z.error + e_largest, 0.0))
    # sum_{k != c} p_k^+ (e_k + e_c)
    weighted = p_upper * z.error
    others = p_upper @ (1.0 - np.eye(n_outputs))
    moved = weighted @ (1.0 - np.eye(n_outputs)) + z.error * others
    moved = np.minimum(moved, z.error + e_largest)
    total = moved + rho
    p_top = np.exp(np.minimum(log_p + total, 0.0))
    p_error = np.where(total < 1.0, p * np.expm1(np.minimum(total, 1.0)), p_top) + arithmetic.tiny
    onehot = np.zeros_like(p)
    onehot[np.arange(n), labels] = 1.0
    # (p - onehot) / N or p / N - onehot / N: at most three roundings of each part, one of the difference.
    delta = (p - onehot) / n
    delta_error = (p_error + 4 * u * (p + p_error + onehot)) / n + 2 * arithmetic.tiny
    rows = np.arange(n)
    per_example = Bounded(-log_p[rows, labels], total[rows, labels])
    return LossBound(per_example, 1.0 / n, n, Bounded(delta, delta_error * SAFETY), (p + onehot) / n)


def _binary_cross_entropy(z: Bounded, targets: Array, arithmetic: Arithmetic) -> LossBound:
    n_entries = z.value.size
    u = arithmetic.unit
    p = sigmoid(z, arithmetic)
    size = p.magnitude + np.abs(targets)
    delta = (p.value - targets) / n_entries
    delta_error = (p.error + 4 * u * size) / n_entries + 2 * arithmetic.tiny
    # L = softplus(z) - t z: softplus has slope sigma, so L has slope sigma - t.
    slope = np.maximum(np.abs(p.value - targets) + z.error / 4, 0.0)
    softplus = np.logaddexp(0.0, z.value)
    parts = softplus + np.abs(targets * z.value) + np.abs(z.value)
    errors = slope * z.error + u * ((ELEMENTARY + 4) * parts + ELEMENTARY + 2)
    per_example = Bounded((softplus - targets * z.value).sum(axis=1), errors.sum(axis=1))
    # Terms of both signs may be summed over the outputs: their sizes, not the sum's, are what rounds.
    rounded = arithmetic.gamma(z.value.shape[1]) * parts.sum(axis=1)
    per_example = Bounded(per_example.value, per_example.error + rounded)
    return LossBound(
        per_example,
        1.0 / n_entries,
        n_entries,
        Bounded(delta, delta_error * SAFETY),
        size / n_entries,
    )


def _squares(mean: bool) -> Callable[[Bounded, Array, Arithmetic], LossBound]:
    def bound(z: Bounded, targets: Array, arithmetic: Arithmetic) -> LossBound:
        scale = 1.0 / z.value.size if mean else 1.0
        difference = z.value - targets
        size = np.abs(difference) + z.error
        underflow = np.where(size > 0, 2 * arithmetic.tiny, 0.0)
        delta_error = 2 * scale * (z.error + arithmetic.gamma(4) * size) + underflow
        square_error = z.error * (np.abs(difference) + size) + arithmetic.gamma(3) * size**2
        per_example = Bounded((difference**2).sum(axis=1), square_error.sum(axis=1))
        delta = Bounded(2 * scale * difference, delta_error * SAFETY)
        return LossBound(per_example, scale, z.value.size, delta, np.abs(delta.value))

    return bound


LOSS_BOUNDS: dict[str, Callable[[Bounded, Array, Arithmetic], LossBound]] = {
    "cross_entropy": _cross_entropy,
    "binary_cross_entropy": _binary_cross_entropy,
    "mse": _squares(mean=True),
    "sum_of_squares": _squares(mean=False),
}
