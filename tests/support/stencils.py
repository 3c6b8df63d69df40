"""Bounds over the stencil of a difference quotient: on derivatives, on rounding, and whether a kink is in it.

One parameter moves to t + s, |s| <= S = max_k |s_k| h; each example's loss l_n(s) is then a function of one
variable, and everything on the way from t to the loss is bounded over the whole stencil:

    y_m      >= sup_s |z^(m)(s)| / m!, m = 1 .. 5: Taylor majorants. A layer gives y' = b |W|; an activation
             composes, b(s) = sum_k F_k / k! y(s)^k with F_k >= sup |f^(k)| over [z - r, z + r]
    r = S y_1    how far a pre-activation moves (mean value theorem)
    E            rounding error of z anywhere in the stencil: gamma_n (|a| |W| + |b|) + E_a |W|

The last two steps give M_k >= |d^k l_n / ds^k| and e, the rounding error of l_n.

Derivatives used: tanh^(k) <= 2^(k-1) sech^2, sigmoid^(k) <= sigmoid' (k <= 5; both from the polynomials in
tanh that they are). Derivatives of logsumexp are cumulants; with v >= variance / range^2 they are at most
v R^2, v R^3, (v + 3 v^2) R^4, (v + 10 v^2) R^5, and v = min(1/4, 1 - max_c p_c).
"""

from dataclasses import dataclass
from math import factorial

import numpy as np

from backproof.comparisons.verdicts.rounding import ELEMENTARY_ULPS
from backproof.scratch.architecture import Array
from tests.support.strategies import Case
from tests.support.tolerances import gamma, unit_roundoff

ORDERS = 5  # derivatives bounded: five_point needs the fifth


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
class Pass:
    """A forward pass in float64, and how far the case's own dtype may be from it."""

    case: Case
    weights: tuple[tuple[Array, Array], ...]  # |W_l|, |b_l|
    a: tuple[Array, ...]  # x, a_1 .. a_{L-1}
    a_error: tuple[Array, ...]
    z: tuple[Array, ...]
    z_error: tuple[Array, ...]


def forward_pass(case: Case) -> Pass:
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
    return Pass(case, weights, tuple(inputs[:-1]), tuple(errors[:-1]), tuple(outputs), tuple(output_errors))


def _affine_error(case: Case, size: Array, error: Array, W: Array, b: Array) -> Array:
    """Of a W + b, |a| <= size known to within error: gamma_n (|a| |W| + |b|) + error |W|."""
    rounding: Array = gamma(len(W) + 2, case.flat.dtype) * ((size + error) @ W + b)
    return error @ W + rounding


def _activation_error(case: Case, slope: Array, error: Array, size: Array) -> Array:
    return slope * error + 2 * ELEMENTARY_ULPS * unit_roundoff(case.flat.dtype) * size


def unit_moves(state: Pass, layer: int) -> Array:
    """dz_l / dt when unit j's pre-activation moves, as by its bias: (n_l, batch, n_l)."""
    batch, fan_out = state.z[layer].shape
    return np.broadcast_to(np.eye(fan_out)[:, None, :], (fan_out, batch, fan_out))


def _weight_moves(state: Pass, layer: int) -> Array:
    """|dz_l / dt| of every entry of W_l in C order: (entries, batch, n_l)."""
    a = np.abs(state.a[layer]) + state.a_error[layer]
    fan_out = state.z[layer].shape[1]
    moves: Array = np.einsum("ni,jk->ijnk", a, np.eye(fan_out)).reshape(-1, len(a), fan_out)
    return moves


def analyse(state: Pass, layer: int, moves: Array, reach: Array) -> Stencil:
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
    return forward_pass(case).z


def evaluation_noise(case: Case, reach: Array) -> Array:
    """The rounding error of one loss with a parameter anywhere within reach (n_parameters,) of its value."""
    return every_parameter(case, reach).noise[:, 0]


def kinks_within(case: Case, reach: Array) -> Array:
    """Whether a relu may change sign while a parameter moves within reach (n_parameters,) of its value."""
    return every_parameter(case, reach).kink[:, 0]


def every_parameter(case: Case, reach: Array) -> Stencil:
    """Of the loss of the whole batch, parameter by parameter: `moved` is n_parameters, `batch` is 1."""
    state, reach = forward_pass(case), np.asarray(reach, float)[:, None]
    stencils = [
        analyse(state, layer, moves, reach[slots]).over_batch()
        for layer, pair in enumerate(case.architecture.layer_slices())
        for slots, moves in zip(pair, (_weight_moves(state, layer), unit_moves(state, layer)), strict=True)
    ]
    return Stencil(
        np.concatenate([stencil.derivatives for stencil in stencils], axis=1),
        np.concatenate([stencil.noise for stencil in stencils]),
        np.concatenate([stencil.kink for stencil in stencils]),
    )
