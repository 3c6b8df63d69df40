"""How far rounding may move a loss L and its delta = dL/dz, given logits z known to within e.

Each loss gives the Jacobian M = d delta / dz, through which the logits' errors pass with their signs, and two
bounds: `rounded`, on what computing delta from exact logits rounds, and `remainder`, on what is left of the
Taylor series, so that |delta' - delta - M e| <= rounded + remainder for all |e_k| within the errors of z.

cross_entropy. With p = softmax(z), log p_c has the derivatives 1[k = c] - p_k. Relative errors x_k of the
exponentials move log p_c by (1 - p_c) x_c - sum_{k != c} p_k x_k, that is by at most

    R_c(x) = (1 - p_c) x_c + sum_{k != c} p_k x_k

With m the largest logit, s = z - m, S = sum_k exp(s_k) and x_k = u |s_k| + E (0 where s_k = 0, whose
exponential is exactly 1), the usual ways to log p_c and p_c round by at most

    rho_c = max of   R_c(x) + u [K - 1 + 2]                                   p = exp(s) / S
                     R_c(x) + u [|s_c| + K - 1 + E_log log S + |log p_c|] + E exp(s - log S)
                     R_c(x) + u [|m| + |m + log S| + K - 1 + E_log log S + 2 |log p_c|] + E exp(z - logsumexp)

(Blanchard, Higham, Higham 2021). The second derivative of p_c along e is
p_c [(e_c - mean)^2 - variance], at most p_c D^2, D the range of e, and p_c grows by at most exp(D) on the
way: the remainder is D^2 exp(D) p_c / 2. The delta is (p - q) / N, q the targets.

binary_cross_entropy. delta = (sigma - t) / NK, M = sigma (1 - sigma) / NK, |sigma''| <= sigma (1 - sigma).
The sigmoid is 1 / (1 + exp(-z)), or exp(z - softplus(z)), the derivative of softplus.

mse, sum_of_squares. The delta is a multiple of z - t: linear, but for its roundings.

Dividing by N (or NK) rounds only where that is no power of two.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, log_softmax

from backproof.comparisons.verdicts.rounding import SAFETY, Arithmetic, Bounded, binade
from backproof.comparisons.verdicts.shadow import smoothed_targets
from backproof.scratch.architecture import Array, Targets

STEEPEST = 1.0 / (6.0 * np.sqrt(3.0))  # of sigma': |sigma''| is never more


@dataclass(frozen=True)
class LossBound:
    """One batch's loss term by term, its delta, and how the delta depends on the logits."""

    per_example: Bounded  # (batch,)
    scale: float  # L = scale * sum of per_example
    n_terms: int  # how many numbers are summed into L
    delta: Bounded  # (batch, outputs), whatever the signs of the logits' errors
    terms: Array  # (batch, outputs), not negative: the sizes of what the delta is the difference of
    jacobian: Array  # (batch, outputs, outputs): M = d delta / dz, symmetric
    rounded: Array  # (batch, outputs)
    remainder: Array  # (batch, outputs)

    def total(self, arithmetic: Arithmetic) -> Bounded:
        """L, 0-d, the terms summed in any order."""
        terms, errors = self.per_example.value, self.per_example.error
        size = (np.abs(terms) + errors).sum()
        error = errors.sum() + arithmetic.gamma(self.n_terms + 2.0) * size + self.n_terms * arithmetic.tiny
        if arithmetic.extended:  # the terms are summed here in double precision
            error += arithmetic.storage * self.n_terms * size
        known = size < arithmetic.largest / 2 and np.isfinite(error)
        total = np.asarray(terms.sum() * self.scale)
        return Bounded(total, np.asarray(error * self.scale * SAFETY if known else np.inf))


LossFunction = Callable[[Bounded, Targets, Arithmetic], LossBound]


def sigmoid(z: Bounded, arithmetic: Arithmetic, by_softplus: bool = False) -> Bounded:
    """sigma(z) entry by entry, as 1 / (1 + exp(-z)) or also as exp(z - softplus(z)).

    Parameters
    ----------
    z
        Of any shape, with its errors.
    arithmetic
        In which the network under judgement is computed.
    by_softplus
        Whether it may also be computed as exp(z - softplus(z)).

    Returns
    -------
    Bounded
        Of z's shape; an infinite error where z's is.
    """
    # The derivative sigma (1 - sigma) is largest at the point of [z - e, z + e] nearest to zero.
    nearest = np.maximum(np.abs(z.value) - z.error, 0.0)
    moved = np.minimum(z.error * expit(nearest) * expit(-nearest), 1.0)
    rounded = sigmoid_rounding(z, moved, arithmetic, by_softplus)
    return bounded_by(z, Bounded(expit(z.value), (moved + rounded) * SAFETY))


def sigmoid_rounding(z: Bounded, moved: Array, arithmetic: Arithmetic, by_softplus: bool = False) -> Array:
    """What computing sigma rounds, at a point where it is at most `moved` larger or smaller.

    Parameters
    ----------
    z
        Of any shape, with its errors.
    moved
        By how much sigma may be off already, of z's shape.
    arithmetic
        In which the network under judgement is computed.
    by_softplus
        Whether it may also be computed as exp(z - softplus(z)).

    Returns
    -------
    array
        An absolute error, of z's shape.
    """
    value, complement = expit(z.value) + moved, np.minimum(expit(-z.value) + moved, 1.0)
    # 1 + exp(-z), and the division; one more by tanh(z / 2)
    relative = arithmetic.exponential * complement + (3.0 if arithmetic.functions.other_formulas else 2.0)
    if by_softplus and arithmetic.functions.other_formulas:
        # softplus(z) = max(z, 0) + log1p(exp(-|z|)), and log sigma(z) = z - softplus(z).
        tail = np.logaddexp(0.0, -np.maximum(np.abs(z.value) - z.error, 0.0))
        softplus = np.maximum(z.value + z.error, 0.0) + tail
        log_sigma = np.logaddexp(0.0, z.error - z.value)
        other = (arithmetic.exponential + arithmetic.logarithm) * tail + softplus + log_sigma
        other = other + arithmetic.exponential
        relative = np.maximum(relative, other)
    rounded: Array = arithmetic.unit * relative * value + arithmetic.tiny
    return rounded


def bounded_by(z: Bounded, result: Bounded) -> Bounded:
    """A bounded function's result, of which nothing is known where nothing is known of z: it may be NaN.

    Parameters
    ----------
    z
        What the function was given.
    result
        What it gives, of the same shape.

    Returns
    -------
    Bounded
        The result, its error infinite where z's is not finite.
    """
    return Bounded(result.value, np.where(np.isfinite(z.error), result.error, np.inf))


def _division(n: int) -> float:
    """Roundings of a division by n, or of a product with 1 / n."""
    return 0.0 if n & (n - 1) == 0 else 2.0


def _softmax_rounding(z: Bounded, log_p: Array, D: Array, arithmetic: Arithmetic) -> Array:
    """rho (batch, outputs): how far rounding moves log p, or p relatively."""
    p, n_outputs = np.exp(log_p), z.value.shape[1]
    if n_outputs == 1:
        return np.zeros_like(p)  # s = 0 and S = 1 whatever z is
    m = z.value.max(axis=1, keepdims=True)
    s, log_sum = np.abs(z.value - m) + D, -log_p.max(axis=1, keepdims=True) + D
    # A largest logit that rounding may dethrone has an exponential that is not exactly 1.
    beaten = (m - z.value <= D).sum(axis=1, keepdims=True) > 1
    x = binade(s * SAFETY) + np.where((z.value < m) | beaten, arithmetic.exponential, 0.0)
    S = np.exp(np.minimum(log_sum, 700.0)) * SAFETY
    common = _shifted(p, x, D) + (n_outputs - 1) * binade(S) / S * np.exp(np.minimum(D, 1.0))
    log_size = binade((np.abs(log_p) + D) * SAFETY)
    of_log = arithmetic.logarithm * binade(log_sum * SAFETY)
    by_log = binade(s * SAFETY) + of_log + log_size
    if arithmetic.functions.other_formulas:
        by_logsumexp = np.abs(m) + np.abs(m + log_sum) + D + of_log + 2 * log_size
        by_log = np.maximum(by_log, by_logsumexp)
    rho: Array = arithmetic.unit * (common + np.maximum(2.0, by_log + arithmetic.exponential))
    return rho


def _shifted(p: Array, x: Array, D: Array) -> Array:
    """R_c(x) anywhere within D of these logits: no p_k grows by more than exp(D)."""
    top = p * np.exp(np.minimum(D, 1.0))
    others = np.maximum(top.sum(axis=1, keepdims=True) - top, 0.0)
    weighted = others * x + np.maximum((top * x).sum(axis=1, keepdims=True) - top * x, 0.0)
    anywhere = x + x.max(axis=1, keepdims=True)
    result: Array = np.where(D < 1.0, np.minimum(weighted * SAFETY, anywhere), anywhere)
    return result


def _cross_entropy(smoothing: float = 0.0) -> LossFunction:
    def bound(z: Bounded, labels: Array, arithmetic: Arithmetic) -> LossBound:
        n, n_outputs = z.value.shape
        u, tiny = arithmetic.unit, 0.0 if n_outputs == 1 else 2 * arithmetic.tiny
        log_p = log_softmax(z.value, axis=1)
        p, q = np.exp(log_p), smoothed_targets(labels, n_outputs, smoothing)
        D = z.error + z.error.max(axis=1, keepdims=True)
        rho = _softmax_rounding(z, log_p, D, arithmetic)
        moved = np.zeros_like(p) if n_outputs == 1 else _shifted(p, z.error, D)
        remainder = np.where(D < 1.0, p * D**2 * np.exp(np.minimum(D, 1.0)) / 2, np.inf)
        # (p - q) / N or p / N - q / N, with q itself rounded where it is smoothed.
        difference = 0.0 if n_outputs == 1 and not smoothing else 1.0
        sizes = difference * (_division(n) * (p + q) + np.abs(p - q)) + (4.0 * q if smoothing else 0.0)
        own, whole = _grown(p, log_p, rho + 2 * moved * rho), _grown(p, log_p, moved + rho)
        rounded = (own + u * (sizes + 3 * whole)) / n + tiny
        delta_error = (whole + u * (sizes + 3 * whole)) / n + tiny
        terms = -(q * np.where(q > 0, log_p, 0.0)).sum(axis=1)
        errors = (q * (moved + rho + 4 * u * np.abs(log_p))).sum(axis=1)
        return LossBound(
            per_example=bounded_by(_rows(z), Bounded(terms, errors * SAFETY)),
            scale=1.0 / n,
            n_terms=n,
            delta=bounded_by(_all_of(z), Bounded((p - q) / n, delta_error * SAFETY)),
            terms=(p + q) / n,
            jacobian=(_diagonal(p) - p[:, :, None] * p[:, None, :]) / n,
            rounded=rounded * SAFETY,
            remainder=remainder / n * SAFETY,
        )

    return bound


def _grown(p: Array, log_p: Array, relative: Array) -> Array:
    """How far p may move by a relative error exp(x) - 1, |x| <= relative, and never beyond 1."""
    top = np.exp(np.minimum(log_p + relative, 0.0))
    return np.where(relative < 1.0, p * np.expm1(np.minimum(relative, 1.0)), top)


def _all_of(z: Bounded) -> Bounded:
    """One infinite logit spoils its whole row."""
    return Bounded(z.value, np.broadcast_to(z.error.max(axis=1, keepdims=True), z.value.shape))


def _rows(z: Bounded) -> Bounded:
    return Bounded(z.value[:, 0], z.error.max(axis=1))


def _diagonal(entries: Array) -> Array:
    matrix: Array = entries[:, :, None] * np.eye(entries.shape[1])
    return matrix


def _binary_cross_entropy(z: Bounded, targets: Array, arithmetic: Arithmetic) -> LossBound:
    n, u = z.value.size, arithmetic.unit
    p = sigmoid(z, arithmetic, by_softplus=True)
    slope = p.value * expit(-z.value)
    nearest = np.maximum(np.abs(z.value) - z.error, 0.0)
    steepest = np.minimum(STEEPEST, expit(nearest) * expit(-nearest))
    remainder = steepest * z.error**2 / 2
    moved = np.minimum(slope * z.error + remainder, 1.0)
    own = sigmoid_rounding(z, moved, arithmetic, by_softplus=True)
    size = p.magnitude + np.abs(targets)
    combined = u * (_division(n) * size + np.abs(p.value - targets) + p.error) + 2 * n * arithmetic.tiny
    # L = softplus(z) - t z: softplus has slope sigma, so L has slope sigma - t.
    softplus = np.logaddexp(0.0, z.value)
    parts = softplus + np.abs(targets * z.value) + np.abs(z.value) + 2 * z.error
    errors = (np.abs(p.value - targets) + moved) * z.error + u * (
        (arithmetic.logarithm + 4) * parts + arithmetic.logarithm + 2
    )
    # Terms of both signs may be summed over the outputs: their sizes, not the sum's, are what rounds.
    summed = arithmetic.gamma(z.value.shape[1]) * parts.sum(axis=1)
    terms = (softplus - targets * z.value).sum(axis=1)
    return LossBound(
        per_example=bounded_by(_rows(z), Bounded(terms, errors.sum(axis=1) + summed)),
        scale=1.0 / n,
        n_terms=n,
        delta=bounded_by(z, Bounded((p.value - targets) / n, (p.error + combined) / n * SAFETY)),
        terms=size / n,
        jacobian=_diagonal(slope / n),
        rounded=(own + combined) / n * SAFETY,
        remainder=np.where(np.isfinite(z.error), remainder / n * SAFETY, np.inf),
    )


def _squares(mean: bool) -> LossFunction:
    def bound(z: Bounded, targets: Array, arithmetic: Arithmetic) -> LossBound:
        n, n_outputs = z.value.size, z.value.shape[1]
        scale = 1.0 / n if mean else 1.0
        difference, lost = z.value - targets, arithmetic.flushed(targets)
        size = np.abs(difference) + z.error
        # 2 (z - t) rounds the difference alone; 2 / NK is rounded, and so is the product with it.
        roundings = 1.0 + (_division(n) + 1.0 if mean and _division(n) else 0.0)
        underflow = np.where(size > 0, 2 * arithmetic.tiny, 0.0)
        rounded = 2 * scale * (arithmetic.gamma(roundings) * size + lost) + underflow
        squares = z.error * (np.abs(difference) + size) + (lost + arithmetic.gamma(3) * size) * size
        summed = arithmetic.gamma(n_outputs) * (size**2).sum(axis=1) + n_outputs * arithmetic.tiny
        return LossBound(
            per_example=Bounded((difference**2).sum(axis=1), squares.sum(axis=1) + summed),
            scale=scale,
            n_terms=n,
            delta=Bounded(2 * scale * difference, (2 * scale * z.error + rounded) * SAFETY),
            terms=np.abs(2 * scale * difference),
            jacobian=_diagonal(np.full(z.value.shape, 2 * scale)),
            rounded=rounded * SAFETY,
            remainder=np.zeros_like(size),
        )

    return bound


LOSS_BOUNDS: dict[str, LossFunction] = {
    "cross_entropy": _cross_entropy(),
    "binary_cross_entropy": _binary_cross_entropy,
    "mse": _squares(mean=True),
    "sum_of_squares": _squares(mean=False),
}


def smoothed_cross_entropy(smoothing: float) -> LossFunction:
    """cross_entropy with label smoothing: the share `smoothing` of every target spread over all outputs.

    Parameters
    ----------
    smoothing
        In [0, 1).

    Returns
    -------
    LossFunction
        Its bound is that of `scratch`'s loss of that name.
    """
    return _cross_entropy(smoothing)
