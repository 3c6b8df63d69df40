"""Monte Carlo arithmetic: an estimate of the rounding error, where every bound is too wide.

The network is run in double precision SAMPLES times, each time with random errors where the contender's dtype
would round: an inner product is off by a normal deviate whose variance is the one of its roundings, in the
worst order that `rounding` knows; an elementary function by up to the ulps allowed, one half of it the same
for all units of a layer in one run, the other half drawn unit by unit. Forward and backward alike, so that
errors may cancel, or amplify each other, as they do in the dtype itself. The spread of the results is the
spread to be expected of a correct implementation (Parker 1997; Sohier et al. 2021).

With s^2 the mean square of an entry's SAMPLES errors, n s^2 / sigma^2 has n degrees of freedom, so that with
confidence 1 - CONFIDENCE sigma is at most s sqrt(n / chi2(CONFIDENCE; n)), and a normal error is within
Z sigma. This is an estimate: real roundings are neither normal nor drawn.

*How close.* Sixteen roundings to one side reach nine tenths of it. What flushed operands lose comes on top,
with as much again for the products that they are in: a third of it is reached.
"""

from dataclasses import replace
from functools import lru_cache

import numpy as np
from scipy.stats import chi2, norm

from backproof.comparisons.verdicts.backward_bounds import backward, deltas
from backproof.comparisons.verdicts.forward_bounds import ForwardPass, forward
from backproof.comparisons.verdicts.loss_bounds import sigmoid_rounding
from backproof.comparisons.verdicts.network_bounds import Reference
from backproof.comparisons.verdicts.rounding import Bounded, sum_rounding
from backproof.comparisons.verdicts.verdict import Tier
from backproof.scratch.architecture import Array

SAMPLES = 64
FIRST = 4  # after these it is seen whether more can help
CONFIDENCE = 1e-16  # the probability of failure of each entry, twice: of sigma, and of the error
FACTOR = float(norm.isf(CONFIDENCE / 2) * np.sqrt(SAMPLES / chi2.ppf(CONFIDENCE, SAMPLES)))


@lru_cache(maxsize=2)
def estimated_reference(reference: Reference) -> Reference:
    """The same reference with an estimate in place of its gradient's bound, where that is narrower.

    Parameters
    ----------
    reference
        The case, in whatever tier.

    Returns
    -------
    Reference
        Of the tier "estimated"; or the probabilistic one, where some tensor is nothing but rounding.

    References
    ----------
    Parker 1997; Sohier et al. 2021.
    """
    reference = reference.probabilistic
    state, own = reference.state, reference.gradient
    rng = np.random.default_rng(0)
    squares = np.zeros_like(own.value)
    with np.errstate(all="ignore"):
        backward_variances = _backward_variances(state)
        for sample in range(1, SAMPLES + 1):
            squares += np.square(_disturbed(state, backward_variances, rng) - own.value)
            if sample == FIRST and _hopeless(reference, FACTOR * np.sqrt(squares / FIRST)):
                return reference
    # Underflow and flushed operands are no roundings: their bound comes on top, all units being exact.
    weights, x, targets, regularized = reference.given
    exact = replace(reference.state.arithmetic, unit=0.0, random_unit=0.0)
    lost = backward(forward(reference.architecture, weights, x, targets, exact, regularized)).error
    error = FACTOR * np.sqrt(squares / SAMPLES) + lost
    # NaN, which an overflow leaves, estimates nothing.
    narrower = np.where(np.isfinite(error) & np.isfinite(own.error), np.minimum(error, own.error), own.error)
    return replace(reference, gradient=Bounded(own.value, narrower), tier=Tier.ESTIMATE)


def _hopeless(reference: Reference, error: Array) -> bool:
    """Some tensor is nothing but rounding: its largest entry is far below the estimate."""
    size = np.abs(reference.gradient.value)
    parts = [part for pair in reference.architecture.layer_slices() for part in pair]
    return any(bool((size[part] < error[part] / 4).all() and size[part].any()) for part in parts)


def _backward_variances(state: ForwardPass) -> list[tuple[Array, Array, Array]]:
    """Per layer: the variances of what dW, db and delta W^T round, at the shadow's own numbers."""
    found = []
    for a, delta, W in zip(state.activations, deltas(state), state.weights, strict=True):
        a, delta = Bounded.exact(a.value), Bounded.exact(delta.value)
        ones = Bounded.exact(np.ones((1, len(a.value))))
        products = (a.T, delta), (ones, delta), (delta, W.T)
        variances = [sum_rounding(left, right, state.arithmetic).variance for left, right in products]
        found.append((variances[0], variances[1], variances[2]))
    return found


def _disturbed(
    state: ForwardPass, variances: list[tuple[Array, Array, Array]], rng: np.random.Generator
) -> Array:
    """The gradient of one run with random roundings, flat."""
    last = len(state.weights) - 1
    a = state.activations[0].value
    activations, derivatives = [a], []
    for layer, W in enumerate(state.weights):
        z = a @ W.value + state.biases[layer] + _noise(rng, state.local[layer])
        if layer == last:
            break
        a, d = _activated(state, layer, z, rng)
        activations.append(a)
        derivatives.append(d)
    delta = _delta(state, z, rng)
    parts: list[Array] = []
    for layer in reversed(range(last + 1)):
        of_W, of_b, of_a = variances[layer]
        parts.append((delta.sum(axis=0, keepdims=True) + _noise(rng, of_b)).ravel())
        parts.append((activations[layer].T @ delta + _noise(rng, of_W)).ravel())
        if layer:
            delta = (delta @ state.weights[layer].value.T + _noise(rng, of_a)) * derivatives[layer - 1]
            if state.architecture.activation not in ("relu", "identity"):
                delta = delta + state.arithmetic.random_unit * rng.standard_normal(delta.shape) * delta
    return np.concatenate(parts[::-1])


def _noise(rng: np.random.Generator, variance: Array) -> Array:
    noise: Array = rng.standard_normal(variance.shape) * np.sqrt(variance)
    return noise


def _activated(state: ForwardPass, layer: int, z: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """a and f'(z), masks included: f of the disturbed z, and its own error."""
    name, mask = state.architecture.activation, state.masks[layer]
    scale = 1.0 if mask is None else mask
    if name == "identity":
        return z * scale, np.ones_like(z) * scale
    if name == "relu":
        return np.maximum(z, 0.0) * scale, (z > 0) * scale
    exactly = Bounded.exact(z)
    if name == "tanh":
        own = state.arithmetic.tanh_error(np.abs(np.tanh(z)))
    else:
        own = sigmoid_rounding(exactly, np.zeros_like(z), state.arithmetic)
    error = own * (rng.uniform(-1, 1) + rng.uniform(-1, 1, z.shape)) / 2
    if name == "tanh":
        a = np.tanh(z) + error
        return a * scale, (1 - a**2) * scale
    a = 1 / (1 + np.exp(-z)) + error
    return a * scale, a * (1 - a) * scale


def _delta(state: ForwardPass, z: Array, rng: np.random.Generator) -> Array:
    """delta_L at disturbed logits, with its own rounding."""
    delta = state.function(Bounded.exact(z), state.targets, state.arithmetic).delta.value
    error = state.loss.rounded * (rng.uniform(-1, 1) + rng.uniform(-1, 1, delta.shape)) / 2
    result: Array = delta + error
    return result
