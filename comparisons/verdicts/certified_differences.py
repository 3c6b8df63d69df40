"""Central differences that no kink can spoil, with their truncation derived.

Perturb one parameter t of layer l by +h and -h. Every pre-activation below the first relu that moves is
affine in t; if that layer's signs are the same at +h and at -h, they are the same in between, so the next
layer's pre-activations are affine too: by induction over the layers, equal signs everywhere prove that no
kink lies between -h and +h. The certificate looks at signs that rounding cannot have changed (`bounds`).

Without it, first the step is shrunk: a pre-activation z moving with slope z' crosses at t* = -z / z', and a
step of half the least |t*| cannot reach it. Where that step would be too short to carry a difference above
the rounding, the selected piece is differentiated instead: signs frozen at those of the unperturbed network,
with relu'(0) = 0.

On one piece the logits are affine, z_n(t) = z_n + w_n t, and the loss is smooth with a known third
derivative:

    cross_entropy          third cumulant of w_n under softmax, at most R_n^3 / (6 sqrt 3)
    binary_cross_entropy   |sigma''| <= 1 / (6 sqrt 3), so at most sum_c |w_nc|^3 / (6 sqrt 3)
    mse, sum_of_squares    quadratic: zero, the central difference is exact

with R_n = max_c w_nc - min_c w_nc, so that |D_h - g| <= h^2 / 6 times the mean of those (a variable on an
interval of length R has a third central moment of at most R^3 / (6 sqrt 3), reached by two points). Rounding
adds (e_+ + e_-) / 2h, with e the running error bound of each loss.

*tanh and sigmoid* have no kinks, but logits that are not affine. Taylor majorants y_k >= sup |z^(k)| / k!
over the stencil, k = 1, 2, 3, go up with the ends. With F_k >= sup |f^(k)| over all that a unit may reach,

    b_1 = F_1 y_1,    b_2 = F_1 y_2 + F_2 y_1^2 / 2,    b_3 = F_1 y_3 + F_2 y_1 y_2 + F_3 y_1^3 / 6

for the unit, b |W| for the next layer, and likewise through the loss, whose derivatives along w are at most
R, R^2 / 4, R^3 / (6 sqrt 3) under cross_entropy, R_k then the sum of the two largest majorants. The
derivatives of tanh are at most 2^(k-1) sech^2, those of the sigmoid at most sech^2(z / 2) / 4, at the point
of the stencil nearest to zero.

*How close.* On a linear piece the truncation is reached. Of the majorants' a fifteenth is: they add up sizes
of terms that have both signs, and take each derivative where it is largest, which is not at one z. Of the
rounding of two losses a third is: three operations round each of them, and are granted all that sizes allow.
"""

from dataclasses import dataclass

import numpy as np

from backproof.comparisons.verdicts.activation_bounds import ACTIVATION_BOUNDS
from backproof.comparisons.verdicts.forward_bounds import ForwardPass, forward
from backproof.comparisons.verdicts.loss_bounds import LOSS_BOUNDS
from backproof.comparisons.verdicts.rounding import SAFETY, Arithmetic, Bounded, inner_products
from backproof.comparisons.verdicts.shapes import Chosen
from backproof.scratch.architecture import Architecture, Array, Inputs, Targets, Weights

THIRD = 1.0 / (6.0 * np.sqrt(3.0))
STEP = 2.0**-14  # relative to max(1, |t|): near the optimum for losses and slopes of order one
SHORTEST = 1e-2  # of the first step: below it rounding swamps the difference
BLOCK = 2**21  # numbers in one block of perturbed pre-activations


@dataclass(frozen=True)
class CertifiedDifferences:
    """Central differences of some entries of the flat vector, each with its bound and how it was secured."""

    entries: Array  # (m,) indices into the flat vector
    gradient: Bounded  # (m,)
    certified: int  # equal signs at the first step
    shrunk: int  # equal signs at a step below the crossing
    frozen: int  # differentiated on the selected piece


@dataclass(frozen=True)
class _Stencils:
    """Some entries' differences, and what the certificate needs."""

    quotient: Bounded  # (m,)
    same_piece: Array  # (m,) bool: no kink between -h and +h, for certain
    crossing: Array  # (m,) the least |t*| over all examples and units


@dataclass(frozen=True)
class _Ends:
    """The network at t + h and at t - h for m entries of one layer."""

    logits: tuple[Bounded, Bounded]  # each (m * batch, outputs)
    majorants: Array  # (3, m * batch, outputs): y_1, y_2, y_3 of the logits
    same_piece: Array
    crossing: Array


def central_differences(
    architecture: Architecture, weights: Weights, x: Inputs, targets: Targets, entries: Chosen | None = None
) -> CertifiedDifferences:
    """dL/dt of the given entries by certified central differences in float64.

    Parameters
    ----------
    architecture
        The network, of any dtype.
    weights
        Per layer W (fan_in, fan_out) and b (fan_out,).
    x
        Inputs (batch, n_inputs).
    targets
        Integer labels (batch,) for cross_entropy, else (batch, n_outputs).
    entries
        Indices (m,) into the flat vector, by default all of it.

    Returns
    -------
    CertifiedDifferences
        The quotients (m,), each with a bound that holds for the derivative of the piece it is on.

    Raises
    ------
    InputError
        For arrays that do not fit the architecture.
    InputTypeError
        For arrays of a wrong kind.
    """
    # What follows works in float64 on the architecture's own numbers.
    state = forward(architecture, weights, x, targets, Arithmetic.of("float64", shadow=False))
    network = _Perturbed(state, architecture.checked_weights(weights), np.asarray(targets))
    chosen = np.arange(architecture.n_parameters) if entries is None else np.asarray(entries)
    with np.errstate(all="ignore"):
        return _secured(network, chosen)


def _secured(network: "_Perturbed", entries: Array) -> CertifiedDifferences:
    """The first step where its certificate holds, a shorter one where that does, the frozen piece else."""
    size = np.maximum(1.0, np.abs(network.flat[entries])) / np.maximum(1.0, network.largest_inputs(entries))
    steps = STEP * np.exp2(np.floor(np.log2(size)))
    first = network.differences(entries, steps)
    value, error, secured = first.quotient.value, first.quotient.error, first.same_piece.copy()
    certified = int(secured.sum())
    shorter = np.exp2(np.floor(np.log2(np.maximum(first.crossing, 1e-300) / 2)))
    again = np.flatnonzero(~secured & (shorter >= SHORTEST * steps) & (shorter < steps))
    second = network.differences(entries[again], shorter[again])
    held = again[second.same_piece]
    value[held], error[held] = _picked(second.quotient, second.same_piece)
    secured[held] = True
    rest = np.flatnonzero(~secured)
    third = network.differences(entries[rest], steps[rest], frozen=True)
    value[rest], error[rest] = third.quotient.value, third.quotient.error
    return CertifiedDifferences(entries, Bounded(value, error), certified, held.size, rest.size)


def _picked(quotient: Bounded, where: Array) -> tuple[Array, Array]:
    return quotient.value[where], quotient.error[where]


class _Perturbed:
    """One network and batch, of which single parameters are moved."""

    def __init__(self, state: ForwardPass, weights: Weights, targets: Array) -> None:
        self.state = state
        self.flat = np.concatenate([part.ravel() for pair in weights for part in pair]).astype(np.float64)
        self.biases = [b.astype(np.float64) for _, b in weights]
        self.targets = targets
        self.batch = len(state.logits.value)

    def largest_inputs(self, entries: Array) -> Array:
        """By how much each entry moves its pre-activation, at most: max |a|, or 1 for a bias."""
        found = np.ones(len(entries))
        for a, (weight, _) in zip(
            self.state.activations, self.state.architecture.layer_slices(), strict=True
        ):
            inside = (entries >= weight.start) & (entries < weight.stop)
            rows = (entries[inside] - weight.start) // ((weight.stop - weight.start) // a.value.shape[1])
            found[inside] = np.abs(a.value).max(axis=0)[rows]
        return np.asarray(np.where(np.isfinite(found), found, 1.0))

    def differences(self, entries: Array, steps: Array, frozen: bool = False) -> _Stencils:
        """The stencils of these entries, layer by layer and block by block."""
        m = len(entries)
        value, error, crossing = np.zeros(m), np.full(m, np.inf), np.full(m, np.inf)
        same_piece = np.zeros(m, dtype=bool)
        widest = max(self.state.architecture.layer_sizes[1:])
        block = max(1, BLOCK // (self.batch * widest))
        for layer, (weight, bias) in enumerate(self.state.architecture.layer_slices()):
            inside = np.flatnonzero((entries >= weight.start) & (entries < bias.stop))
            for start in range(0, len(inside), block):
                part = inside[start : start + block]
                ends = self._ends(layer, entries[part] - weight.start, steps[part], frozen)
                quotient = self._quotient(ends, steps[part])
                value[part], error[part] = quotient.value, quotient.error
                same_piece[part], crossing[part] = ends.same_piece, ends.crossing
        return _Stencils(Bounded(value, error), same_piece, crossing)

    def _ends(self, layer: int, places: Array, h: Array, frozen: bool) -> _Ends:
        """Push both ends of m stencils up from `layer`, watching every sign on the way."""
        m, smooth = len(places), self.state.architecture.activation in SMOOTH
        plus, minus = (self._moved(layer, places, sign * h) for sign in (1.0, -1.0))
        majorants = np.zeros((3, *plus.value.shape))
        majorants[0] = self._speeds(layer, places)
        same_piece, crossing = np.ones(m, dtype=bool), np.full(m, np.inf)
        for above in range(layer, len(self.state.weights) - 1):
            if self.state.architecture.activation == "relu":
                same_piece &= _equal_signs(plus, minus, m)
                here = self.state.pre_activations[above].value
                crossing = np.minimum(crossing, _nearest_crossing(here, plus, minus, h))
            if smooth:
                majorants = self._majorants(above, majorants, np.repeat(h, self.batch)[:, None])
            plus, minus = (self._next(above, z, m, frozen) for z in (plus, minus))
        return _Ends((plus, minus), majorants, same_piece, crossing)

    def _speeds(self, layer: int, places: Array) -> Array:
        """|dz_layer / dt| of m entries, (m * batch, fan_out): the entry's input, in its own column."""
        fan_out = self.state.weights[layer].value.shape[1]
        rows, columns = np.divmod(places, fan_out)
        inputs = np.vstack([self.state.activations[layer].magnitude.T, np.ones(self.batch)])[rows]
        speeds = np.zeros((len(places), self.batch, fan_out))
        speeds[np.arange(len(places)), :, columns] = inputs
        return speeds.reshape(-1, fan_out)

    def _majorants(self, above: int, y: Array, h: Array) -> Array:
        """Those of the next layer's pre-activations."""
        z, m = self.state.pre_activations[above], y.shape[1] // self.batch
        value, error = (np.tile(part, (m, 1)) for part in (z.value, z.error))
        reach = h * y[0] + error
        F = SMOOTH[self.state.architecture.activation](np.maximum(np.abs(value) - reach, 0.0))
        b = np.stack(
            [
                F[0] * y[0],
                F[0] * y[1] + F[1] * y[0] ** 2 / 2,
                F[0] * y[2] + F[1] * y[0] * y[1] + F[2] * y[0] ** 3 / 6,
            ]
        )
        return np.asarray(b @ self.state.weights[above + 1].magnitude)

    def _moved(self, layer: int, places: Array, h: Array) -> Bounded:
        """z_layer with one parameter moved by h, for m parameters: (m * batch, fan_out)."""
        state = self.state
        last = layer == len(state.weights) - 1
        z = state.logits if last else state.pre_activations[layer]
        rows, columns = np.divmod(places, z.value.shape[1])
        inputs = state.activations[layer]
        # The bias is the weight of a constant input of one.
        sources = np.vstack([inputs.value.T, np.ones(self.batch)])[rows]
        errors = np.vstack([inputs.error.T, np.zeros(self.batch)])[rows]
        shift = h[:, None] * sources
        value, error = (np.repeat(part[None], len(places), axis=0) for part in (z.value, z.error))
        k = np.arange(len(places))
        size = np.abs(value[k, :, columns]) + np.abs(shift)
        error[k, :, columns] += np.abs(h[:, None]) * errors + 4 * state.arithmetic.unit * size
        value[k, :, columns] += shift
        n = z.value.shape[1]
        return Bounded(value.reshape(-1, n), error.reshape(-1, n))

    def _next(self, above: int, z: Bounded, m: int, frozen: bool) -> Bounded:
        """From the pre-activations of one layer to those of the next."""
        if self.state.architecture.activation == "relu":
            on = np.tile(self.state.derivatives[above].value > 0, (m, 1)) if frozen else z.value > 0
            kept = on if frozen else z.value + z.error > 0
            z = Bounded(np.where(on, z.value, 0.0), np.where(kept, z.error, 0.0))
        elif self.state.architecture.activation in SMOOTH:
            z = ACTIVATION_BOUNDS[self.state.architecture.activation](z, self.state.arithmetic).a
        W, b = self.state.weights[above + 1], self.biases[above + 1]
        return inner_products(z, W, self.state.arithmetic, bias=b, recognise_exact=True)

    def _quotient(self, ends: _Ends, h: Array) -> Bounded:
        """(L(t + h) - L(t - h)) / 2h of m entries, with truncation and rounding."""
        m, arithmetic, scale = len(h), self.state.arithmetic, self.state.loss.scale
        targets = np.concatenate([self.targets] * m)
        bound = LOSS_BOUNDS[self.state.architecture.loss]
        plus, minus = (bound(z, targets, arithmetic).per_example for z in ends.logits)
        change = (plus.value - minus.value).reshape(m, -1)
        error = (plus.error + minus.error).reshape(m, -1).sum(axis=1)
        summing = arithmetic.gamma(self.batch + 4.0) * np.abs(change).sum(axis=1)
        rounding = scale * (error + summing) / (2 * h)
        truncation = scale * h**2 / 6 * self._third_derivative(ends, h)
        value = change.sum(axis=1) * scale / (2 * h)
        return Bounded(value, (rounding + truncation) * SAFETY)

    def _third_derivative(self, ends: _Ends, h: Array) -> Array:
        """A bound on the sum over examples of the loss term's third derivative along each entry, (m,)."""
        loss, m = self.state.architecture.loss, len(h)
        if self.state.architecture.activation in SMOOTH:
            return self._smooth_third_derivative(ends, h)
        if loss in ("mse", "sum_of_squares"):
            return np.zeros(m)
        plus, minus = ends.logits
        # The logits are affine in t: their slope is the difference quotient, but for its rounding.
        shape = (m, self.batch, -1)
        slope = (plus.value - minus.value).reshape(shape) / (2 * h[:, None, None])
        error = (plus.error + minus.error).reshape(shape) / (2 * h[:, None, None])
        if loss == "binary_cross_entropy":
            return np.asarray(THIRD * ((np.abs(slope) + error) ** 3).sum(axis=(1, 2)))
        spread = (slope + error).max(axis=2) - (slope - error).min(axis=2)
        return np.asarray(THIRD * (spread**3).sum(axis=1))

    def _smooth_third_derivative(self, ends: _Ends, h: Array) -> Array:
        """6 times the third majorant of each example's loss, summed, (m,)."""
        y, loss, m = ends.majorants, self.state.architecture.loss, len(h)
        if loss == "cross_entropy":
            R = np.sort(y, axis=2)[:, :, -2:].sum(axis=2)
            terms = R[2] + R[0] * R[1] / 4 + THIRD * R[0] ** 3 / 6
        else:
            steps = np.repeat(h, self.batch)[:, None]
            reach = steps * y[0]
            z, targets = (np.tile(part, (m, 1)) for part in (self.state.logits.magnitude, self.targets))
            if loss == "binary_cross_entropy":
                slope, second, third = 1.0 + np.abs(targets), 0.25, THIRD
            else:
                slope, second, third = 2 * (z + np.abs(targets) + reach), 2.0, 0.0
            terms = (slope * y[2] + second * y[0] * y[1] + third * y[0] ** 3 / 6).sum(axis=1)
        return np.asarray(6 * terms.reshape(m, self.batch).sum(axis=1))


def _tanh_slopes(nearest: Array) -> Array:
    """The first three derivatives at most, where |z| is at least `nearest`."""
    decay = np.exp(-2 * nearest)
    first = 4 * decay / (1 + decay) ** 2
    return np.stack([first, 2 * first, 4 * first])


def _sigmoid_slopes(nearest: Array) -> Array:
    decay = np.exp(-nearest)
    first = decay / (1 + decay) ** 2
    return np.stack([first, first, first])


SMOOTH = {"tanh": _tanh_slopes, "sigmoid": _sigmoid_slopes}


def _equal_signs(plus: Bounded, minus: Bounded, m: int) -> Array:
    """(m,): every unit certainly on at both ends, or certainly off at both."""
    on = (plus.value > plus.error) & (minus.value > minus.error)
    off = (plus.value + plus.error <= 0) & (minus.value + minus.error <= 0)
    return np.asarray((on | off).reshape(m, -1).all(axis=1))


def _nearest_crossing(z: Array, plus: Bounded, minus: Bounded, h: Array) -> Array:
    """(m,): the least |t*| = |z / z'| over the units that move."""
    shape = (len(h), *z.shape)
    slope = np.abs(plus.value - minus.value).reshape(shape) / (2 * h[:, None, None])
    noise = (plus.error + minus.error).reshape(shape) / (2 * h[:, None, None])
    distance = np.where(slope > noise, np.abs(z) / np.where(slope > 0, slope, 1.0), np.inf)
    nearest: Array = distance.min(axis=(1, 2))
    return nearest
