"""How far a difference quotient may lie from the gradient, and how far rounding may move it.

With M_k and e over the stencil (`stencils`), C and A of the scheme, and a step h:

    |D_h - g| <= C h^p M_{p+1} + A e / h                   where no relu can change sign in the stencil, else
    |D_h - g| <= (1 + sum_k |w_k s_k| / d) M_1 + A e / h   since M_1 is L's Lipschitz constant in any case
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from backproof.comparisons.verdicts.forward_mode_bounds import complex_step_bound
from backproof.comparisons.verdicts.rounding import ELEMENTARY_ULPS
from backproof.scratch.architecture import Array
from backproof.scratch.differences import Scheme
from tests.support.stencils import (
    Stencil,
    analyse,
    every_parameter,
    forward_pass,
    kinks_within,
    pre_activations,
    unit_moves,
)
from tests.support.strategies import Case, KnownFunction
from tests.support.tolerances import (
    backprop_bound,
    backward_bound,
    gamma,
    unit_roundoff,
)

# What scipy.differentiate shrinks its steps for, by default; its own estimate leaves rounding out.
SCIPY_ADAPTIVE_RTOL = float(np.sqrt(np.finfo(float).eps))
SERIES = 0.006  # changes below this are computed by series, in float64


def difference_bound(case: Case, scheme: Scheme, steps: Array) -> Array:
    """|D_h - g| per parameter, (n_parameters,), for whole passes with `steps` (n_parameters,)."""
    h = steps.astype(float)
    reach = _reach(scheme, h)
    t = np.abs(case.flat.astype(float)) + reach
    return _quotient_bound(case, scheme, h[:, None], every_parameter(case, reach), t[:, None])[:, 0]


def unrounded_step_bound(case: Case, scheme: Scheme, steps: Array) -> Array:
    """As `difference_bound`, for steps not made representable, where the quotient divides by what was moved.

    t + h and t - h are then off by r = eps |t| at most: the step is between h - r and h + r, and the stencil
    is lopsided by r, which adds r M_2.
    """
    r = np.finfo(case.flat.dtype).eps * np.abs(case.flat.astype(float))
    if (r >= steps / 2).any():
        return np.full(steps.shape, np.inf)
    longer = steps + r
    M_2 = every_parameter(case, _reach(scheme, longer)).derivatives[1, :, 0]
    bound: Array = difference_bound(case, scheme, longer) * (longer / (steps - r)) + r * M_2
    return bound


def unitwise_bound(case: Case, scheme: Scheme, steps: Sequence[Array]) -> Array:
    """As `difference_bound`, for differences on pre-activations with steps[l] (batch, n_l)."""
    bounds, state = [], forward_pass(case)
    rounding = gamma(len(case.x) + 2, case.flat.dtype)
    for layer, h in enumerate(steps):
        h = h.T.astype(float)
        stencil = analyse(state, layer, unit_moves(state, layer), _reach(scheme, h))
        z = np.abs(state.z[layer].T) + _reach(scheme, h)
        error = _quotient_bound(case, scheme, h, stencil, z).T  # (batch, n_l), of delta
        delta = stencil.derivatives[0].T
        a, a_error = np.abs(state.a[layer]), state.a_error[layer]
        error = error + rounding * (delta + error)
        bounds += [((a + a_error).T @ error + a_error.T @ delta).ravel(), error.sum(axis=0)]
    return np.concatenate(bounds)


def _reach(scheme: Scheme, h: Array) -> Array:
    """S: the farthest node, with the rounding of t + S."""
    return max(abs(node) for node in scheme.nodes) * h * (1 + 2.0**-20)


def _quotient_bound(case: Case, scheme: Scheme, h: Array, stencil: Stencil, t: Array) -> Array:
    """Of D_h against the derivative at one point; t bounds the moved quantity."""
    M_1, u = stencil.derivatives[0], unit_roundoff(case.flat.dtype)
    movement = _movement(scheme)
    smooth = scheme.error_constant * h**scheme.order * stencil.derivatives[scheme.order]
    truncation = np.where(stencil.kink, (1 + movement) * M_1, smooth)
    # t + h and t - h are exact (to u h where |t| < h); t + 2h may be rounded, which moves L by M_1 u t.
    moved = u * (t if max(abs(node) for node in scheme.nodes) > 1 else 2 * h) * M_1
    noise = scheme.amplification * (stencil.noise + moved) / h
    bound: Array = truncation + noise + 8 * u * (movement * M_1 + noise)
    return bound


def path_bound(case: Case, entry: int, h: float) -> float:
    """|L(t + h) - L(t) - Q|, with Q = h/2 (g_1 + g_2) the two-point Gauss rule over backpropagated slopes.

    Its error is h^5 / 4320 |d^5 L / dt^5|; where a relu may change sign, both sides are at most h M_1.
    """
    reach = np.zeros(case.architecture.n_parameters)
    reach[entry] = h * (1 + 2.0**-20)
    stencil = every_parameter(case, reach)
    M = stencil.derivatives[:, entry, 0]
    quadrature = 2 * h * M[0] if stencil.kink[entry, 0] else h**5 / 4320 * M[4]
    ends = case.flat.copy(), case.flat.copy()
    ends[1][entry] += h
    slopes = max(backprop_bound(replace(case, flat=flat)).bound[entry] for flat in ends)
    # The nodes are rounded, which moves the slope there by M_2 u t; and so are products and sums.
    u, t = unit_roundoff(case.flat.dtype), abs(float(case.flat[entry])) + h
    return float(quadrature + 2 * stencil.noise[entry, 0] + h * (2 * slopes + M[1] * u * t + 8 * u * M[0]))


def known_function_noise(known: KnownFunction, reach: float) -> float:
    """The rounding error of one value within `reach`: one per product and sum, one elementary function."""
    return gamma(len(known.theta) + 2 * ELEMENTARY_ULPS + 4, known.theta.dtype) * known.size(reach)


def known_function_bound(known: KnownFunction, scheme: Scheme, steps: Array) -> Array:
    """|D_h - gradient| of a known function: truncation, rounding, and the rounding of the result."""
    reach = float(_reach(scheme, steps.max()))
    noise = known_function_noise(known, reach)
    error = scheme.error_bound(steps.astype(float), noise, known.derivative_bound(scheme.order + 1, reach))
    bound: Array = error + 8 * unit_roundoff(known.theta.dtype) * (
        np.abs(known.gradient) + error + known.size(reach)
    )
    return bound


def textbook_rounding(case: Case, scheme: Scheme, steps: Array) -> Array:
    """How far rounding may move a textbook quotient, (n_parameters,): by the loss, the move, the quotient."""
    h, u = steps.astype(float), unit_roundoff(case.flat.dtype)
    reach = _reach(scheme, h)
    stencil, t = every_parameter(case, reach), np.abs(case.flat.astype(float)) + reach
    M_1, movement = stencil.derivatives[0, :, 0], _movement(scheme)
    moved = u * (t if max(abs(node) for node in scheme.nodes) > 1 else 2 * h) * M_1
    noise = scheme.amplification * (stencil.noise[:, 0] + moved) / h
    bound: Array = noise + 8 * u * (movement * M_1 + noise)
    return bound


def structured_rounding(case: Case, scheme: Scheme, steps: Array) -> Array:
    """How far rounding may move a structured quotient in float64, (n_parameters,).

    Where every change on the way is small (SERIES) and meets no kink, each is a product, whose error is
    relative: what `complex_step_bound` says of slopes summed in any order, and for the series 16 roundings
    per layer and 60 in the loss more, along paths of absolute values. Slopes change by less than 1/16 over
    the stencil. Elsewhere values are subtracted, as the textbook does.
    """
    reach = _reach(scheme, steps.astype(float))
    rounding = gamma(16 * len(case.weights) + 60, "float64") * _paths(case)
    slopes = complex_step_bound(case.architecture, case.weights, case.x, case.targets)
    relative = (1 + 1 / 16) * _movement(scheme) * (slopes + rounding)
    return relative + np.where(_subtracts(case, reach), textbook_rounding(case, scheme, steps), 0.0)


def _movement(scheme: Scheme) -> float:
    """sum_k |w_k s_k| / d: the nodes' moves in the quotient, without cancellation."""
    products = (abs(w * s) for w, s in zip(scheme.weights, scheme.nodes, strict=True))
    return sum(products, start=0.0) / scheme.divisor


def _paths(case: Case) -> Array:
    """sum over examples and paths of |input| |f'| |W| .. |dl/dz|, nothing cancelling: (n_parameters,)."""
    z = pre_activations(case)[-1]
    name = case.architecture.loss
    if name == "cross_entropy":
        p = np.exp(z - z.max(axis=1, keepdims=True))
        delta = (p / p.sum(axis=1, keepdims=True) + np.eye(z.shape[1])[case.targets]) / len(z)
    elif name == "binary_cross_entropy":
        delta = (0.5 * (1 + np.tanh(z / 2)) + np.abs(case.targets)) / z.size
    else:
        delta = 2 * np.abs(z - case.targets) * (1.0 if name == "sum_of_squares" else 1.0 / z.size)
    roundings = len(case.x) + sum(size + 2 for size in case.architecture.layer_sizes) + 4
    return backward_bound(case, delta) / gamma(roundings, case.flat.dtype)


def _subtracts(case: Case, reach: Array) -> Array:
    """Whether the entry's layer may see a change beyond SERIES, or the entry a kink: (n_parameters,)."""
    state, found = forward_pass(case), kinks_within(case, reach)
    for layer, pair in enumerate(case.architecture.layer_slices()):
        entries = slice(pair[0].start, pair[1].stop)
        size = reach[entries].max() * max(1.0, float((np.abs(state.a[layer]) + state.a_error[layer]).max()))
        for W, _ in case.weights[layer + 1 :]:
            size = size * max(1.0, float(np.abs(W).sum(axis=1).max()))
        found[entries] |= 2 * size > SERIES
    return found
