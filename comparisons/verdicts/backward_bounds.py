"""Backpropagation in double precision, with a bound on what any correct implementation may return.

    delta_L                            given, with its errors, by the forward pass (`forward_bounds`)
    s_l = delta_{l+1} W_{l+1}^T        source: what the inner product rounds
    delta_l = d_l s_l                  source: |d' - d| (|s| + e_s), d' - d = f''(z) (z' - z) + what
                                       1 - a^2 or a (1 - a) adds; one rounding
    dW_l = a_{l-1}^T delta_l           e_a |delta| + |a| e_delta + e_a e_delta, and the product's rounding
    db_l = 1^T delta_l                 e_delta, and the sum's rounding

The errors of delta_{l+1} .. delta_L arrive at delta_l along the Jacobians of the case, those of the logits
with their covariance. Variances of different examples add up, in dW as well. What is bounded is the delta of
backpropagation, which holds what is left after the terms of one unit have cancelled; forward mode, where
they cancel only at the end, is bounded in `forward_mode_bounds`.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from backproof.comparisons.verdicts.forward_bounds import LARGEST_BLOCK, ForwardPass, stored
from backproof.comparisons.verdicts.jacobian_paths import Paths
from backproof.comparisons.verdicts.rounding import Bounded, Spread, numbers, sum_rounding
from backproof.comparisons.verdicts.shadow import descended
from backproof.scratch.architecture import Array, Units


def deltas(state: ForwardPass, derivatives: Sequence[Bounded] | None = None) -> list[Bounded]:
    """delta_l = dL/dz_l of every layer, (batch, n_l), for `derivatives` in place of the shadow's own.

    Parameters
    ----------
    state
        What the forward pass left.
    derivatives
        f'(z_l) of the hidden layers, each (batch, n_l), before their masks; None for the shadow's.

    Returns
    -------
    list of Bounded
        delta_1 .. delta_L in float64, each (batch, n_l).
    """
    values, spreads = delta_spreads(state, derivatives)
    pairs = zip(values, spreads, strict=True)
    return [stored(value, spread.total, state.arithmetic.storage) for value, spread in pairs]


def delta_spreads(
    state: ForwardPass, derivatives: Sequence[Bounded] | None
) -> tuple[list[Units], list[Spread]]:
    """delta_1 .. delta_L in the shadow's precision, and their errors.

    Parameters
    ----------
    state
        What the forward pass left.
    derivatives
        f'(z_l) of the hidden layers, before their masks; None for the shadow's.

    Returns
    -------
    tuple of two lists
        The deltas, each (batch, n_l), and a `Spread` of that shape for each.
    """
    weights, precise = [W.value for W in state.weights], masked_derivatives(state, derivatives)
    masked = [d.astype(np.float64) for d in precise]
    with np.errstate(all="ignore"):
        found = descended(state.shadow.delta, weights, precise)
        values = [value.astype(np.float64) for value in found]
        spreads = [Spread(np.zeros_like(value), np.zeros_like(value)) for value in values]
        for rows in row_blocks(state):
            paths = Paths([d[rows] for d in masked], weights)
            for layer, spread in enumerate(_descend(state, paths, values, rows, derivatives)):
                spreads[layer].sure[rows], spreads[layer].variance[rows] = spread.sure, spread.variance
    return found, spreads


def masked_derivatives(state: ForwardPass, derivatives: Sequence[Bounded] | None) -> list[Units]:
    """d_l of the hidden layers in the shadow's precision, the masks in them.

    Parameters
    ----------
    state
        What the forward pass left.
    derivatives
        f'(z_l) of the hidden layers, before their masks; None for the shadow's.

    Returns
    -------
    list of arrays
        Each (batch, n_l).
    """
    own = state.shadow.derivatives
    chosen = own if derivatives is None else [d.value for d in derivatives]
    pairs = zip(chosen, state.masks, own, strict=True)
    return [np.asarray(d * (1.0 if mask is None else mask), dtype=like.dtype) for d, mask, like in pairs]


def row_blocks(state: ForwardPass) -> Iterator[slice]:
    """The examples in blocks whose Jacobians have at most LARGEST_BLOCK numbers.

    Parameters
    ----------
    state
        Its batch and layer sizes are looked at.

    Returns
    -------
    iterator of slices
        Of one example at least, in order.
    """
    n, widths = len(state.logits.value), state.architecture.layer_sizes[1:]
    each = sum(a * b for i, a in enumerate(widths) for b in widths[i + 1 :]) + 1
    size = max(1, LARGEST_BLOCK // each)
    return (slice(start, min(n, start + size)) for start in range(0, n, size))


def _descend(
    state: ForwardPass,
    paths: Paths,
    values: Sequence[Array],
    rows: slice,
    derivatives: Sequence[Bounded] | None,
) -> list[Spread]:
    """The errors of delta_1 .. delta_L of these examples."""
    random, last = state.arithmetic.random, paths.last
    found = [Spread(state.delta.sure[rows], state.delta.variance[rows])]
    sources, arrived = [found[0]], Spread(np.zeros_like(found[0].sure), np.zeros_like(found[0].sure))
    hidden: list[Array] = []  # variances of the sources of the hidden layers
    for layer in reversed(range(last)):
        source = _source(state, paths, values, rows, layer, found[0], derivatives)
        sure = paths.down(layer, [s.sure for s in sources], arrived.sure, 1)
        variance = np.zeros_like(sure)
        from_hidden = np.zeros_like(sure)
        if random:
            J = paths.to_logits(layer)
            variance = np.einsum("njk,nkc,njc->nj", J, state.covariance[rows], J, optimize=True)
            if hidden:
                from_hidden = paths.down(layer, hidden, arrived.variance, 2)
        arrived = Spread(numbers(sure), numbers(from_hidden))
        found.insert(
            0, Spread(numbers(sure + source.sure), numbers(variance + from_hidden + source.variance))
        )
        sources.insert(0, source)
        hidden.insert(0, source.variance)
    return found


def _source(
    state: ForwardPass,
    paths: Paths,
    values: Sequence[Array],
    rows: slice,
    layer: int,
    above: Spread,
    derivatives: Sequence[Bounded] | None,
) -> Spread:
    """What delta_l = d_l (delta_{l+1} W_{l+1}^T) adds to its error."""
    arithmetic, W, smooth = state.arithmetic, state.weights[layer + 1], state.smooth[layer]
    delta = Bounded(values[layer + 1][rows], above.total)
    s = delta.value @ W.value.T
    carried = delta.error @ W.magnitude.T
    rounded = sum_rounding(delta, W.T, arithmetic, carried=carried)
    rounded = Spread(rounded.sure + np.abs(delta.value) @ W.error.T, rounded.variance)
    size, d = np.abs(s) + carried + rounded.total, paths.derivatives[layer]
    if derivatives is None:
        z_error = state.pre_activations[layer].error[rows]
        d_error = smooth.curvature[rows] * z_error + smooth.derivative_own[rows]
    else:
        d_error = derivatives[layer].error[rows]
    mask = state.masks[layer]
    roundings = 1.0 if mask is not None else 0.0
    if mask is not None:
        d_error = d_error * mask[rows]
    if state.architecture.activation not in ("relu", "identity"):  # else times 0 or 1: nothing is rounded
        roundings += 1.0
    # What is lost in s stays unknown behind a derivative of zero: zero times infinity is no number.
    lost = np.where(np.isfinite(size), 0.0, np.inf)
    alive = (np.abs(d) + d_error > 0) & (size > 0)
    product_rounding = arithmetic.gamma(roundings) * size * (np.abs(d) + d_error)
    underflow = np.where(alive, roundings * arithmetic.tiny, 0.0)
    sure = np.abs(d) * rounded.sure + np.where(d_error > 0, d_error * size, 0.0) + underflow + lost
    variance = d**2 * rounded.variance
    if arithmetic.random:
        variance = variance + roundings * (arithmetic.random_unit * size * (np.abs(d) + d_error)) ** 2
    else:
        sure = sure + product_rounding
    return Spread(numbers(sure), numbers(variance * state.multiplicities[layer][rows]))


def backward(state: ForwardPass, derivatives: Sequence[Bounded] | None = None) -> Bounded:
    """The flat gradient (n_parameters,) with its bound, for `derivatives` in place of the shadow's own.

    Parameters
    ----------
    state
        What the forward pass left.
    derivatives
        f'(z_l) of the hidden layers, each (batch, n_l), before their masks; None for the shadow's.

    Returns
    -------
    Bounded
        Values and errors (n_parameters,), float64, in the order of the flat vector.
    """
    parts: list[Bounded] = []
    with np.errstate(all="ignore"):
        values, spreads = delta_spreads(state, derivatives)
        for layer, (value, spread) in enumerate(zip(values, spreads, strict=True)):
            parts += _layer_gradient(state, layer, value, spread)
    return Bounded(np.concatenate([p.value for p in parts]), np.concatenate([p.error for p in parts]))


def _layer_gradient(state: ForwardPass, layer: int, precise: Array, spread: Spread) -> list[Bounded]:
    """dW = a^T delta and db = 1^T delta, flat."""
    a, arithmetic, value = state.activations[layer], state.arithmetic, precise.astype(np.float64)
    n, inputs = len(a.value), state.shadow.inputs[layer]
    gradients = inputs.T @ precise, precise.sum(axis=0, keepdims=True)
    nothing = np.zeros((n, 1))
    ones, exactly = Bounded.exact(np.ones((n, 1))), Spread(nothing, nothing)
    parts = []
    for left, own, found in ((a, state.spreads[layer], gradients[0]), (ones, exactly, gradients[1])):
        delta = Bounded(value, spread.total)
        size, error = np.abs(left.value.T), left.error.T
        carried = size @ spread.sure + own.sure.T @ np.abs(value) + error @ delta.error
        variance = np.zeros_like(carried)
        if arithmetic.random:
            roots = np.sqrt(own.variance.T @ value**2) + np.sqrt((size**2) @ spread.variance)
            variance = roots**2
        rounded = sum_rounding(left.T, delta, arithmetic, carried=carried)
        total = Spread(carried + rounded.sure, variance + rounded.variance).total
        parts.append(stored(found.ravel(), total.ravel(), arithmetic.storage))
    return parts
