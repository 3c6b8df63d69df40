"""Every tolerance of the tests, derived from eps, operation counts and bounds on derivatives: none is fitted.

How far a difference quotient may lie from the gradient, `difference_bound`. One parameter moves to t + s,
|s| <= S = max_k |s_k| h; each example's loss l_n(s) is then a function of one variable, and everything on
the way from t to the loss is bounded over the whole stencil:

    y_m      >= sup_s |z^(m)(s)| / m!, m = 1 .. 5: Taylor majorants. A layer gives y' = b |W|; an activation
             composes, b(s) = sum_k F_k / k! y(s)^k with F_k >= sup |f^(k)| over [z - r, z + r]
    r = S y_1    how far a pre-activation moves (mean value theorem)
    E            rounding error of z anywhere in the stencil: gamma_n (|a| |W| + |b|) + E_a |W|

The last two steps give M_k >= |d^k l_n / ds^k| and e, the rounding error of l_n; then

    |D_h - g| <= C h^p M_{p+1} + A e / h                   where no relu can change sign in the stencil, else
    |D_h - g| <= (1 + sum_k |w_k s_k| / d) M_1 + A e / h   since M_1 is L's Lipschitz constant in any case

Derivatives used: tanh^(k) <= 2^(k-1) sech^2, sigmoid^(k) <= sigmoid' (k <= 5; both from the polynomials in
tanh that they are). Derivatives of logsumexp are cumulants; with v >= variance / range^2 they are at most
v R^2, v R^3, (v + 3 v^2) R^4, (v + 10 v^2) R^5, and v = min(1/4, 1 - max_c p_c).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import factorial

import numpy as np

from backproof.comparisons.verdicts.forward_mode_bounds import complex_step_bound
from backproof.comparisons.verdicts.network_bounds import backprop_reference
from backproof.comparisons.verdicts.relu_selections import any_selection
from backproof.comparisons.verdicts.rounding import ELEMENTARY_ULPS
from backproof.scratch.architecture import Array
from backproof.scratch.differences import Scheme
from tests.support.strategies import Case, KnownFunction

ORDERS = 5  # derivatives bounded: five_point needs the fifth
# What scipy.differentiate shrinks its steps for, by default; its own estimate leaves rounding out.
SCIPY_ADAPTIVE_RTOL = float(np.sqrt(np.finfo(float).eps))


def unit_roundoff(dtype: np.dtype | str) -> float:
    """u = eps / 2: the relative error of one rounding."""
    return float(np.finfo(dtype).eps) / 2


def gamma(n: float, dtype: np.dtype | str) -> float:
    """gamma_n = n u / (1 - n u): the relative error of n roundings in sequence (Higham 2002, lemma 3.1)."""
    share = n * unit_roundoff(dtype)
    assert share < 1, f"gamma_{n} says nothing in {dtype}"
    return share / (1 - share)


@dataclass(frozen=True)
class Backprop:
    """What backpropagation should return, and how far a correct one may lie from it."""

    gradient: Array  # (n_parameters,)
    bound: Array
    logits: Array  # (batch, outputs): the bound of the logits


def backprop_bound(case: Case) -> Backprop:
    """In the case's own dtype; where rounding decides a relu's sign, the bound covers both selections."""
    reference = backprop_reference(case.architecture, case.weights, case.x, case.targets)
    bounded = any_selection(reference.state) if reference.undecided else reference.gradient
    return Backprop(bounded.value, bounded.error, reference.logits.error)


@dataclass(frozen=True)
class Stencil:
    """Bounds over a stencil, per moved quantity and example; `derivatives[k - 1]` bounds the k-th."""

    derivatives: Array  # (ORDERS, moved, batch), of the example's part of the loss
    noise: Array  # (moved, batch): rounding error of that part
    kink: Array  # (moved, batch): whether a relu may change sign

    def over_batch(self) -> "Stencil":
        """Of the sum over the examples, as a batch of one."""
        return Stencil(
            self.derivatives.sum(axis=2, keepdims=True),
            self.noise.sum(axis=1, keepdims=True),
            np.asarray(self.kink.any(axis=1, keepdims=True)),
        )


@dataclass(frozen=True)
class _Pass:
    """A forward pass in float64, and how far the case's own dtype may be from it."""

    case: Case
    weights: tuple[tuple[Array, Array], ...]  # |W_l|, |b_l|
    a: tuple[Array, ...]  # x, a_1 .. a_{L-1}
    a_error: tuple[Array, ...]
    z: tuple[Array, ...]
    z_error: tuple[Array, ...]


def _forward(case: Case) -> _Pass:
    wide = case.astype("float64")
    network, activation = wide.network(), case.architecture.activation
    weights = tuple((np.abs(W), np.abs(b)) for W, b in network.parameters.layers)
    inputs, errors, outputs, output_errors = [wide.x], [np.zeros_like(wide.x)], [], []
    for (W, b), (size_W, size_b) in zip(network.parameters.layers, weights, strict=True):
        z = inputs[-1] @ W + b
        z_error = _affine_error(case, np.abs(inputs[-1]), errors[-1], size_W, size_b)
        outputs.append(z)
        output_errors.append(z_error)
        a = z.copy()
        network.activation.apply(a)
        inputs.append(a)
        errors.append(
            _activation_error(case, activation_slopes(activation, z, z_error)[0], z_error, np.abs(a))
        )
    return _Pass(case, weights, tuple(inputs[:-1]), tuple(errors[:-1]), tuple(outputs), tuple(output_errors))


def _affine_error(case: Case, size: Array, error: Array, W: Array, b: Array) -> Array:
    """Of a W + b, |a| <= size known to within error: gamma_n (|a| |W| + |b|) + error |W|."""
    rounding: Array = gamma(len(W) + 2, case.flat.dtype) * ((size + error) @ W + b)
    return error @ W + rounding


def _activation_error(case: Case, slope: Array, error: Array, size: Array) -> Array:
    return slope * error + 2 * ELEMENTARY_ULPS * unit_roundoff(case.flat.dtype) * size


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
    bounds, state = [], _forward(case)
    rounding = gamma(len(case.x) + 2, case.flat.dtype)
    for layer, h in enumerate(steps):
        h = h.T.astype(float)
        stencil = analyse(state, layer, _unit_moves(state, layer), _reach(scheme, h))
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


def _unit_moves(state: _Pass, layer: int) -> Array:
    """dz_l / dt when unit j's pre-activation moves, as by its bias: (n_l, batch, n_l)."""
    batch, fan_out = state.z[layer].shape
    return np.broadcast_to(np.eye(fan_out)[:, None, :], (fan_out, batch, fan_out))


def _weight_moves(state: _Pass, layer: int) -> Array:
    """|dz_l / dt| of every entry of W_l in C order: (entries, batch, n_l)."""
    a = np.abs(state.a[layer]) + state.a_error[layer]
    fan_out = state.z[layer].shape[1]
    moves: Array = np.einsum("ni,jk->ijnk", a, np.eye(fan_out)).reshape(-1, len(a), fan_out)
    return moves


def analyse(state: _Pass, layer: int, moves: Array, reach: Array) -> Stencil:
    """Push `moves` (moved, batch, n_l) of z_l, over |s| <= reach (moved, batch or 1), up to the loss."""
    case, activation = state.case, state.case.architecture.activation
    y = np.zeros((ORDERS, *moves.shape))
    y[0] = moves
    reach = reach[:, :, None]
    kink = np.zeros(moves.shape[:2], bool)
    # The moved parameter itself is larger by s, and so is what its product rounds.
    extra = gamma(state.a[layer].shape[1] + 3, case.flat.dtype)
    error = state.z_error[layer] + extra * reach * y[0]
    for upper in range(layer, len(state.z)):
        z, moved = state.z[upper], reach * y[0]
        if upper + 1 == len(state.z):
            break
        kink = kink | _may_cross(activation, z, moved, error).any(axis=2)
        slopes = activation_slopes(activation, z, moved + error)
        y = _compose(slopes, y)
        W, b = state.weights[upper + 1]
        size = np.abs(state.a[upper + 1]) + reach * y[0]
        error = _affine_error(case, size, _activation_error(case, slopes[0], error, size), W, b)
        y = y @ W
    derivatives = _loss_derivatives(case, z, moved + error, y)
    return Stencil(derivatives, _loss_noise(case, z, moved, error), kink)


def _may_cross(activation: str, z: Array, moved: Array, error: Array) -> Array:
    """Where a relu may change sign within the stencil: it moves, and not surely on one side only."""
    return (moved > 0) & (np.abs(z) <= moved + error) if activation == "relu" else np.zeros(moved.shape, bool)


def activation_slopes(activation: str, z: Array, radius: Array) -> Array:
    """F_k >= sup |f^(k)| over [z - radius, z + radius], k = 1 .. 5."""
    nearest = np.maximum(np.abs(z) - radius, 0.0)
    orders = np.arange(1, ORDERS + 1).reshape(-1, *(1,) * nearest.ndim)
    if activation == "tanh":
        return 2.0 ** (orders - 1) * _sech_squared(nearest)
    if activation == "sigmoid":
        return np.broadcast_to(_sech_squared(nearest / 2) / 4, (ORDERS, *nearest.shape))
    first = (z + radius > 0) if activation == "relu" else np.ones_like(nearest)
    return np.where(orders == 1, first, 0.0)


def _sech_squared(z: Array) -> Array:
    decay = np.exp(-2 * np.abs(z))
    slope: Array = 4 * decay / (1 + decay) ** 2
    return slope


def _compose(slopes: Array, y: Array) -> Array:
    """Majorants of f(z(s)): sum_k F_k / k! y(s)^k, truncated. Index m holds the coefficient of s^(m+1)."""
    result, power = np.zeros(np.broadcast_shapes(slopes.shape, y.shape)), y
    for k in range(1, ORDERS + 1):
        result = result + slopes[k - 1] / factorial(k) * power
        power = _times(power, y)
    return result


def _times(left: Array, right: Array) -> Array:
    product = np.zeros(np.broadcast_shapes(left.shape, right.shape))
    for i in range(ORDERS - 1):
        for j in range(ORDERS - 1 - i):
            product[i + j + 1] += left[i] * right[j]
    return product


def _loss_derivatives(case: Case, z: Array, radius: Array, y: Array) -> Array:
    """sup |d^k l_n / ds^k|, (ORDERS, moved, batch), l_n being the example's share of the loss."""
    name = case.architecture.loss
    if name == "cross_entropy":
        coefficients = _cross_entropy_majorant(z, case.targets, radius, y)
        scale = 1.0 / len(z)
    else:
        coefficients = _compose(_entry_slopes(name, z, case.targets, radius), y).sum(axis=3)
        scale = 1.0 if name == "sum_of_squares" else 1.0 / z.size
    factorials = np.array([factorial(k) for k in range(1, ORDERS + 1)], float)
    return scale * factorials[:, None, None] * coefficients


def _entry_slopes(name: str, z: Array, targets: Array, radius: Array) -> Array:
    slopes = np.zeros((ORDERS, *radius.shape))
    if name == "binary_cross_entropy":
        slopes[0] = np.abs(0.5 * (1 + np.tanh(z / 2)) - targets) + np.minimum(radius / 4, 1.0)
        slopes[1:] = _sech_squared(np.maximum(np.abs(z) - radius, 0.0) / 2) / 4
        return slopes
    slopes[0], slopes[1] = 2 * (np.abs(z - targets) + radius), 2.0
    return slopes


def _cross_entropy_majorant(z: Array, labels: Array, radius: Array, y: Array) -> Array:
    if z.shape[1] == 1:  # logsumexp of one logit minus that logit: constant
        return np.zeros(y.shape[:3])
    exp = np.exp(z - z.max(axis=1, keepdims=True))
    others = exp.sum(axis=1) - 1.0 + np.finfo(float).eps * z.shape[1]
    # Odds against a class grow by at most exp(range of the change).
    growth = np.exp(np.minimum(2 * radius.max(axis=2), 700.0))
    variance = np.minimum(others * growth, 0.25)
    rows = np.arange(len(z))
    own = exp[rows, labels]
    against = (exp.sum(axis=1) - own + np.finfo(float).eps * z.shape[1]) / np.maximum(own, 0.01)
    slope = np.minimum(against * growth, 1.0)
    spread = np.sort(y, axis=3)[..., -2:].sum(axis=3)  # a range is at most the two largest sizes together
    cumulants = np.stack([slope, variance, variance, variance + 3 * variance**2, variance + 10 * variance**2])
    return _compose(cumulants, spread)


def _loss_noise(case: Case, z: Array, moved: Array, error: Array) -> Array:
    """The rounding error of each example's share of the loss anywhere in the stencil, (moved, batch)."""
    name, u, n_outputs = case.architecture.loss, unit_roundoff(case.flat.dtype), z.shape[1]
    elementary, targets = 2 * ELEMENTARY_ULPS, case.targets
    if name == "cross_entropy":
        radius = (moved + error).max(axis=2)
        shift = z.max(axis=1) - z[np.arange(len(z)), targets] + 2 * radius
        # exp(s) rounds by (|s| + E) u, |s| e^s <= 1/e; log S <= log K by E u; subtractions by |s_y| u.
        rounding = n_outputs * (1 / np.e + 1) + elementary * (1 + np.log(n_outputs)) + 3 * shift + 4
        terms, scale = shift + np.log(n_outputs), 1.0 / len(z)
        errors = 2 * error.max(axis=2) + u * rounding
    elif name == "binary_cross_entropy":
        slope = np.minimum(
            np.abs(0.5 * (1 + np.tanh(z / 2)) - targets) + (moved + error) / 4, 1 + np.abs(targets)
        )
        parts = (np.abs(z) + moved + error) * (1 + np.abs(targets)) + 1  # z, t z and log(1 + exp(-|z|))
        terms, scale = parts.sum(axis=2), 1.0 / z.size
        errors = (slope * error + u * (elementary + 4 + n_outputs) * parts).sum(axis=2)
    else:
        distance = np.abs(z - targets) + moved + error
        terms, scale = (distance**2).sum(axis=2), 1.0 if name == "sum_of_squares" else 1.0 / z.size
        errors = (2 * distance * error).sum(axis=2) + gamma(n_outputs + 4, case.flat.dtype) * terms
    # Summing the batch and scaling touch each term N + 2 times, the quotient's own sum twice more.
    bound: Array = scale * (errors + gamma(len(z) + 4, case.flat.dtype) * (terms + errors))
    return bound


def pre_activations(case: Case) -> tuple[Array, ...]:
    """z_1 .. z_L in float64, each (batch, n_l)."""
    return _forward(case).z


def evaluation_noise(case: Case, reach: Array) -> Array:
    """The rounding error of one loss with a parameter anywhere within reach (n_parameters,) of its value."""
    return every_parameter(case, reach).noise[:, 0]


def kinks_within(case: Case, reach: Array) -> Array:
    """Whether a relu may change sign while a parameter moves within reach (n_parameters,) of its value."""
    return every_parameter(case, reach).kink[:, 0]


def every_parameter(case: Case, reach: Array) -> Stencil:
    """Of the loss of the whole batch, parameter by parameter: `moved` is n_parameters, `batch` is 1."""
    state, reach = _forward(case), np.asarray(reach, float)[:, None]
    stencils = [
        analyse(state, layer, moves, reach[slots]).over_batch()
        for layer, pair in enumerate(case.architecture.layer_slices())
        for slots, moves in zip(pair, (_weight_moves(state, layer), _unit_moves(state, layer)), strict=True)
    ]
    return Stencil(
        np.concatenate([stencil.derivatives for stencil in stencils], axis=1),
        np.concatenate([stencil.noise for stencil in stencils]),
        np.concatenate([stencil.kink for stencil in stencils]),
    )


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


def backward_bound(case: Case, delta: Array) -> Array:
    """The rounding error of the backward pass of any delta whose size is `delta` (batch, outputs), (n,).

    The same pass over absolute values, times gamma of the roundings that touch one term.
    """
    network = case.network()
    activations = [a.copy() for a in network.forward(case.x)]
    parts: list[Array] = []
    for layer in reversed(range(len(case.weights))):
        a = np.abs(activations[layer])
        parts = [(a.T @ delta).ravel(), delta.sum(axis=0), *parts]
        if layer > 0:
            slope = np.ones_like(a)
            network.activation.backpropagate(slope, activations[layer])
            delta = (delta @ np.abs(case.weights[layer][0]).T) * np.abs(slope)
    roundings = len(case.x) + sum(size + 2 for size in case.architecture.layer_sizes) + 4
    return gamma(roundings, case.flat.dtype) * np.concatenate(parts)


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


def ulp_distance(found: Array, expected: Array, dtype: np.dtype | str) -> float:
    """The largest |found - expected| in units in the last place of `dtype` at `expected`.

    Below the smallest normal number the unit is that number's, since results there may be flushed to zero.
    """
    expected = np.asarray(expected, np.longdouble)
    smallest = np.finfo(dtype).smallest_normal
    with np.errstate(over="ignore"):
        near = np.clip(np.abs(expected), smallest, np.finfo(dtype).max).astype(dtype)
    distance = np.abs(np.asarray(found, np.longdouble) - expected) / np.spacing(near).astype(np.longdouble)
    # Flushed to zero: no farther away than the smallest normal number.
    flushed = (np.abs(expected) < smallest) & (np.asarray(found) == 0)
    return float(np.where(flushed, 0, distance).max())


def smoothed_cross_entropy_bounds(z: Array) -> tuple[float, float]:
    """How far two correct smoothed cross entropies, and their deltas, of logits z may lie apart (float64).

    With S the largest |z|: s = z - max rounds by 2 S u, exp(s) by |s| e^s u <= u / e more, a sum over K by
    K u, its logarithm by ELEMENTARY u and log K u. The loss adds terms of at most 2 S + log K, in any order.
    delta is made of terms of at most 1 / N; where s is far below zero, exp(s) is as wrong as it is small.
    """
    n_examples, n_outputs = z.shape
    size = 2 * float(np.abs(z).max()) + np.log(n_outputs) + 1
    roundings = n_examples + 2 * n_outputs + 2 * ELEMENTARY_ULPS + 12
    value = 2 * gamma(roundings, "float64") * 2 * size
    delta = 2 * gamma(roundings + 2 * size, "float64") / n_examples
    return value, delta


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


SERIES = 0.006  # changes below this are computed by series, in float64


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
    state, found = _forward(case), kinks_within(case, reach)
    for layer, pair in enumerate(case.architecture.layer_slices()):
        entries = slice(pair[0].start, pair[1].stop)
        size = reach[entries].max() * max(1.0, float((np.abs(state.a[layer]) + state.a_error[layer]).max()))
        for W, _ in case.weights[layer + 1 :]:
            size = size * max(1.0, float(np.abs(W).sum(axis=1).max()))
        found[entries] |= 2 * size > SERIES
    return found


def descent_bound(case: Case, rate: float, gradient_error: Array) -> Array:
    """|theta - (theta_0 - rate g)|, (n_parameters,), after one step of plain descent; g has an error.

    The error of g times the rate, and three roundings: of the rate, of rate * g, of the difference.
    """
    flat, gradient = np.abs(case.flat.astype(float)), np.abs(gradient_error)
    exact = np.abs(backprop_bound(case).gradient)
    rounding: Array = gamma(3, case.flat.dtype) * (flat + rate * (exact + gradient))
    return rate * gradient + rounding


def adam_bound(rate: float, eps: float, x: Array, theta: Array, moment: float, n_steps: int) -> float:
    """How far theta may lie from exact arithmetic after `n_steps` of Adam on a linear layer's sum_of_squares.

    With e the error of theta, g = 2 x^T (x theta - t) is off by e_g <= 2 |x|^T |x| e + gamma (its terms), the
    corrected first moment by no more, and so is the square root of the second, a weighted 2-norm of the g's.
    The step m / (sqrt(v) + eps) then moves by at most e_g / eps + |m| e_g / eps^2, |m| <= `moment`; its own
    dozen operations add gamma_16. x (batch, inputs + 1) has the column of ones that the bias belongs to.
    """
    lipschitz = 2.0 * float((np.abs(x).T @ np.abs(x)).sum(axis=1).max())
    size, error = float(np.abs(theta).max()) + n_steps * rate * moment / eps, 0.0
    for _ in range(n_steps):
        off = lipschitz * error + gamma(4 * len(x) + 8, "float64") * moment
        error += rate * (off / eps + moment * off / eps**2)
        error += gamma(16, "float64") * (rate * moment / eps + size)
    return error
