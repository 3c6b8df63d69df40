"""The gradient of a network in double precision, with a bound on what any correct implementation may return.

Along the forward and the backward pass, every operation is a source of error, and every error travels on
along the Jacobians of the very case (`jacobian_paths`), d_l = f'(z_l) the derivatives that the shadow found:

    z_l = a_{l-1} W_l + b_l            source: what the inner product rounds (`rounding`), and t_{l-1} |W_l|
    a_l = f(z_l)                       a' - a = d_l (z' - z) + t,  |t| <= the function's own error
                                       + sup |f''| e^2 / 2; relu: e where its sign is undecided, else 0
    delta_L                            M (z' - z), the loss's own rounding and remainder (`loss_bounds`)
    s_l = delta_{l+1} W_{l+1}^T        source: what the inner product rounds
    delta_l = d_l s_l                  source: |d' - d| (|s| + e_s), d' - d = f''(z) (z' - z) + what
                                       1 - a^2 or a (1 - a) adds; one rounding
    dW_l = a_{l-1}^T delta_l           e_a |delta| + |a| e_delta + e_a e_delta, and the product's rounding

All of it holds exactly, not to first order: whatever a derivative at the shadow's point leaves out is a
source of its own. Every error is carried in two parts (`Spread`): what is certain, and the variance of
independent roundings, which is zero in the worst-case tier. Variances of different examples add up, in dW as
well.

*Equal roundings.* Independence fails where the same numbers are added twice: equal examples, equal units.
So a rounding whose exact result occurs k times in its layer (but for sign and powers of two) gets k times its
variance, which is what k fully dependent ones can amount to: (sum |c_i|)^2 <= k sum c_i^2.

relu has no derivative at 0, where the convention relu'(0) = 0 decides. Where |z| <= e_z, and only there, two
correct implementations may find different signs: those units are reported as *undecided*, the gradient is
given for the signs that the shadow found, and `selected` gives it for any other choice. A pre-activation
that is exactly zero in every order of summation is decided: its derivative is 0.

The bound of `order="reverse"` is that of backpropagation, whose delta holds what is left after the terms of
one unit have cancelled. `order="any"` also covers forward mode and the complex step, where they cancel only
at the end (`forward_mode_error`).

Overflow: where a sum may exceed the largest number its bound is infinite, and stays so: no bounded function
makes a number of it, and no mask a zero.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from backproof.comparisons.verdicts.jacobian_paths import Paths
from backproof.comparisons.verdicts.loss_bounds import (
    LOSS_BOUNDS,
    LossBound,
    LossFunction,
    bounded_by,
    sigmoid,
    sigmoid_rounding,
    smoothed_cross_entropy,
)
from backproof.comparisons.verdicts.rounding import (
    ELEMENTARY,
    SAFETY,
    Arithmetic,
    Bounded,
    Spread,
    numbers,
    sum_rounding,
)
from backproof.comparisons.verdicts.verdict import Tier
from backproof.scratch.architecture import Architecture, Array, Weights
from backproof.scratch.errors import InputError

Unit = tuple[int, int, int]  # (hidden layer from 0, example, unit)
BELOW_ONE = 1.0 - 2.0**-53  # tanh is never more, nor are its units in the last place
# a (1 - a) and 1 - a^2 need `a` alone; sech^2 or exp(-z) / (1 + exp(-z))^2 two elementary functions more.
OTHER_FORMULA = 2 * ELEMENTARY + 4
STEEPEST_TANH = 4.0 / (3.0 * np.sqrt(3.0))  # |tanh''| is never more
STEEPEST_SIGMOID = 1.0 / (6.0 * np.sqrt(3.0))
LARGEST_BLOCK = 2**23  # numbers in the Jacobians of the examples that are worked on at once
TANGENT_ROUNDINGS = 12.0  # of a complex product, of f' and its product, beside the sum's own
KEPT_BITS = 40  # of a rounded sum, to tell whether two are the same


@dataclass(frozen=True)
class Activated:
    """a = f(z) and its derivative d, z known to within e."""

    a: Bounded
    derivative: Bounded
    own: Array  # t: |a' - a - d (z' - z)| is at most this
    curvature: Array  # |f''(z)|, through which d follows z
    derivative_own: Array  # |d' - d - f''(z) (z' - z)| is at most this

    def rows(self, rows: slice) -> "Activated":
        """Of some examples."""
        a, d = self.a, self.derivative
        return Activated(
            Bounded(a.value[rows], a.error[rows]),
            Bounded(d.value[rows], d.error[rows]),
            self.own[rows],
            self.curvature[rows],
            self.derivative_own[rows],
        )


def _identity(z: Bounded, arithmetic: Arithmetic) -> Activated:
    nothing = np.zeros_like(z.value)
    return Activated(z, Bounded.exact(np.ones_like(z.value)), nothing, nothing, nothing)


def _relu(z: Bounded, arithmetic: Arithmetic) -> Activated:
    on = z.value > 0
    off = z.value + z.error <= 0
    a = Bounded(np.where(on, z.value, 0.0), np.where(off, 0.0, z.error))
    own = np.where(undecided_signs(z), z.error, 0.0)
    nothing = np.zeros_like(own)
    return Activated(a, Bounded.exact(on), own, nothing, nothing)


def undecided_signs(z: Bounded) -> Array:
    """Where rounding decides whether z > 0."""
    return np.asarray((np.abs(z.value) <= z.error) & (z.error > 0))


def _tanh(z: Bounded, arithmetic: Arithmetic) -> Activated:
    value, d = np.tanh(z.value), _sech_squared(z.value)
    nearest = _sech_squared(np.maximum(np.abs(z.value) - z.error, 0.0))
    moved = np.minimum(z.error * nearest, 2.0)
    remainder = np.minimum(np.minimum(STEEPEST_TANH, 2 * nearest) * z.error**2 / 2, moved + d * z.error)
    own = remainder + arithmetic.tanh_error(np.minimum(np.abs(value) + moved, BELOW_ONE))
    error = np.minimum(d * z.error, moved) + own
    # 1 - a^2: the error of a, the rounding of a^2, the rounding of the difference; or sech(z)^2.
    by_a = (
        2 * np.abs(value) * own
        + error**2
        + arithmetic.unit * (np.minimum(np.abs(value) + error, 1.0) ** 2 + d)
    )
    by_z = 2 * remainder + z.error**2 + arithmetic.gamma(OTHER_FORMULA) * nearest
    return _smooth(
        z, Bounded(value, error), d, own, 2 * np.abs(value) * d, np.maximum(by_a, by_z), arithmetic
    )


def _sech_squared(z: Array) -> Array:
    """1 / cosh(z)^2 without overflow: (2 e / (1 + e^2))^2 with e = exp(-|z|)."""
    decay = np.exp(-np.abs(z))
    result: Array = np.square(2 * decay / (1 + decay**2))
    return result


def _sigmoid(z: Bounded, arithmetic: Arithmetic) -> Activated:
    value = sigmoid(z, arithmetic)
    # a (1 - a) with 1 - a = sigmoid(-z), which does not cancel.
    a, complement = value.value, sigmoid(Bounded(-z.value, z.error), arithmetic).value
    d = a * complement
    distance = np.maximum(np.abs(z.value) - z.error, 0.0)
    steepest = np.minimum(STEEPEST_SIGMOID, np.exp(-distance))
    moved = np.minimum(z.error * np.minimum(0.25, np.exp(-distance)), 1.0)
    remainder = np.minimum(steepest * z.error**2 / 2, moved + d * z.error)
    own = remainder + sigmoid_rounding(z, moved, arithmetic)
    error = np.minimum(d * z.error, moved) + own
    slope = np.abs(complement - a)
    by_a = slope * own + error**2 + arithmetic.gamma(3) * (d + error)
    by_z = remainder + z.error**2 / 4 + arithmetic.gamma(OTHER_FORMULA) * (d + moved)
    return _smooth(z, Bounded(a, error), d, own, slope * d, np.maximum(by_a, by_z), arithmetic)


def _smooth(
    z: Bounded, a: Bounded, d: Array, own: Array, curvature: Array, other: Array, arithmetic: Arithmetic
) -> Activated:
    """The bounds of tanh and the sigmoid, of which nothing is known where nothing is known of z."""
    known = np.isfinite(z.error)
    derivative_own = np.where(known, (other + arithmetic.tiny) * SAFETY, np.inf)
    d_error = curvature * np.where(known, z.error, 0.0) + derivative_own
    return Activated(
        bounded_by(z, Bounded(a.value, a.error * SAFETY)),
        Bounded(d, d_error),
        np.where(known, own * SAFETY, np.inf),
        curvature,
        derivative_own,
    )


ACTIVATION_BOUNDS: dict[str, Callable[[Bounded, Arithmetic], Activated]] = {
    "identity": _identity,
    "sigmoid": _sigmoid,
    "tanh": _tanh,
    "relu": _relu,
}


@dataclass(frozen=True)
class Regularized:
    """What training may add: one dropout mask per layer's inputs (None: none), and label smoothing."""

    masks: Sequence[Array | None] = ()
    smoothing: float = 0.0


PLAIN = Regularized()


@dataclass(frozen=True)
class ForwardPass:
    """What the forward pass of one batch leaves for the backward pass."""

    architecture: Architecture
    arithmetic: Arithmetic
    weights: tuple[Bounded, ...]  # W_1 .. W_L, exact but for flushed operands
    pre_activations: tuple[Bounded, ...]  # z_1 .. z_{L-1}, each (batch, n_l)
    activations: tuple[Bounded, ...]  # x, a_1 .. a_{L-1}, after their masks
    derivatives: tuple[Bounded, ...]  # f'(z_1) .. f'(z_{L-1}), before the masks
    undecided: tuple[Unit, ...]  # relu units whose sign is a matter of rounding
    logits: Bounded
    loss: LossBound
    spreads: tuple[Spread, ...]  # the errors of x, a_1 .. a_{L-1}
    smooth: tuple[Activated, ...]  # of the hidden layers
    delta: Spread  # the error of delta_L, (batch, outputs)
    covariance: Array  # of delta_L, (batch, outputs, outputs)
    masks: tuple[Array | None, ...]  # one per hidden layer
    multiplicities: tuple[Array, ...]  # of the hidden layers' roundings
    biases: tuple[Array, ...]  # b_1 .. b_L
    local: tuple[Array, ...]  # variances of what z_1 .. z_L themselves round
    targets: Array
    function: LossFunction


def forward(
    architecture: Architecture,
    weights: Weights,
    x: Array,
    targets: Array,
    arithmetic: Arithmetic,
    regularized: Regularized = PLAIN,
) -> ForwardPass:
    """The forward pass, everything with its bound. Inputs are checked as `Architecture` checks them."""
    x = architecture.checked_inputs(x)
    targets = architecture.checked_targets(targets, len(x))
    layers = [(arithmetic.given(W), arithmetic.given(b)) for W, b in architecture.checked_weights(weights)]
    with np.errstate(all="ignore"):
        walk = _Walk(architecture, layers, x, arithmetic, regularized)
        for rows in walk.blocks():
            walk.ascend(rows)
        return walk.finish(np.asarray(targets), regularized)


class _Walk:
    """The forward pass layer by layer, over some examples at a time: their Jacobians take memory."""

    def __init__(
        self,
        architecture: Architecture,
        layers: Sequence[tuple[Bounded, Bounded]],
        x: Array,
        arithmetic: Arithmetic,
        regularized: Regularized,
    ) -> None:
        self.architecture, self.layers, self.arithmetic = architecture, layers, arithmetic
        n, sizes = len(x), architecture.layer_sizes
        masks = list(regularized.masks) or [None] * len(layers)
        self.masks = tuple(masks[1:])
        inputs = arithmetic.given(x)
        if masks[0] is not None:
            error = (inputs.error + arithmetic.unit * np.abs(inputs.value)) * masks[0]
            inputs = Bounded(inputs.value * masks[0], error)
        self.inputs = inputs
        self.values, self.derivatives = self._shadow()
        self.multiplicities = [_multiplicity(z) for z in self.values]
        self.z = [Bounded(z, np.zeros_like(z)) for z in self.values]
        self.spreads = [Spread(np.zeros((n, size)), np.zeros((n, size))) for size in sizes[:-1]]
        self.spreads[0] = Spread(inputs.error, np.zeros_like(inputs.error))
        self.local = [np.zeros_like(z) for z in self.values]
        self.logit_jacobians: list[tuple[slice, Paths, list[Spread]]] = []

    def _shadow(self) -> tuple[list[Array], list[Array]]:
        """z of every layer and d of the hidden ones, masks included, in double precision."""
        activate = ACTIVATION_BOUNDS[self.architecture.activation]
        a, values, derivatives = self.inputs.value, [], []
        for layer, (W, b) in enumerate(self.layers):
            z = a @ W.value + b.value
            values.append(z)
            if layer < len(self.layers) - 1:
                found, mask = activate(Bounded.exact(z), self.arithmetic), self.masks[layer]
                a, d = found.a.value, found.derivative.value.astype(np.float64)
                a, d = (a, d) if mask is None else (a * mask, d * mask)
                derivatives.append(d)
        return values, derivatives

    def blocks(self) -> Iterator[slice]:
        """Examples whose Jacobians fit into LARGEST_BLOCK numbers."""
        n, widths = len(self.inputs.value), self.architecture.layer_sizes[1:]
        each = sum(a * b for i, a in enumerate(widths) for b in widths[i + 1 :]) + 1
        size = max(1, LARGEST_BLOCK // each)
        for start in range(0, n, size):
            yield slice(start, min(n, start + size))

    def ascend(self, rows: slice) -> None:
        """Find the errors of these examples, layer by layer."""
        paths = Paths([d[rows] for d in self.derivatives], [W.value for W, _ in self.layers])
        sources: list[Spread] = []
        arrived: list[Spread] = []
        activate = ACTIVATION_BOUNDS[self.architecture.activation]
        own = self.inputs.error[rows]
        a = Bounded(self.inputs.value[rows], own)
        for layer, (W, b) in enumerate(self.layers):
            came = self._arrived(paths, sources, arrived)
            given = own @ W.magnitude + np.abs(a.value) @ W.error + b.error
            carried = came.total + given
            exact = bool(not carried.any())
            rounded = sum_rounding(a, W, self.arithmetic, b, carried, recognise_exact=exact or layer == 0)
            variance = rounded.variance * self.multiplicities[layer][rows]
            sources.append(Spread(rounded.sure + given, variance))
            arrived.append(came)
            self.local[layer][rows] = variance
            error = Spread(came.sure + sources[-1].sure, came.variance + variance)
            z = Bounded(self.values[layer][rows], error.total)
            self.z[layer].error[rows] = z.error
            if layer == len(self.layers) - 1:
                break
            found, d = activate(z, self.arithmetic), paths.derivatives[layer]
            own, mask = found.own, self.masks[layer]
            a = found.a
            if mask is not None:
                own = (own + self.arithmetic.unit * a.magnitude + self.arithmetic.tiny) * mask[rows]
                a = Bounded(a.value * mask[rows], a.error * mask[rows] + own)
            sure = np.abs(d) * error.sure + own
            self.spreads[layer + 1].sure[rows] = sure
            self.spreads[layer + 1].variance[rows] = d**2 * error.variance
            crude = np.minimum(numbers(a.error), self.spreads[layer + 1].total[rows])
            a = Bounded(a.value, numbers(crude))
        self.logit_jacobians.append((rows, paths, sources))

    def _arrived(self, paths: Paths, sources: list[Spread], arrived: list[Spread]) -> Spread:
        if not sources:
            n, first = len(paths.derivatives[0]) if paths.derivatives else 0, self.layers[0][0].value.shape[1]
            nothing = np.zeros((n or 1, first))
            return Spread(nothing, nothing)
        sure = paths.up([s.sure for s in sources], [s.sure for s in arrived], 1)
        if not self.arithmetic.random:
            return Spread(numbers(sure), np.zeros_like(sure))
        variance = paths.up([s.variance for s in sources], [s.variance for s in arrived], 2)
        return Spread(numbers(sure), numbers(variance))

    def finish(self, targets: Array, regularized: Regularized) -> ForwardPass:
        """The loss, and the error of its delta."""
        function: LossFunction = LOSS_BOUNDS[self.architecture.loss]
        if regularized.smoothing:
            function = smoothed_cross_entropy(regularized.smoothing)
        loss = function(self.z[-1], targets, self.arithmetic)
        linear, covariance = np.zeros_like(loss.rounded), np.zeros_like(loss.jacobian)
        for rows, paths, sources in self.logit_jacobians:
            linear[rows], covariance[rows] = self._delta_errors(loss.jacobian[rows], paths, sources)
        sure = np.minimum(numbers(linear + loss.rounded + loss.remainder), loss.delta.error)
        if not self.arithmetic.random:
            covariance[...] = 0.0
        activate = ACTIVATION_BOUNDS[self.architecture.activation]
        smooth = tuple(activate(z, self.arithmetic) for z in self.z[:-1])
        spreads = tuple(self.spreads)
        # Whatever is smaller: along the Jacobians, or through the bounded function itself.
        activations = [self.inputs] + [
            Bounded(found.a.value * (1.0 if mask is None else mask), numbers(spread.total))
            for found, mask, spread in zip(smooth, self.masks, spreads[1:], strict=True)
        ]
        undecided: list[Unit] = []
        if self.architecture.activation == "relu":
            for layer, z in enumerate(self.z[:-1]):
                undecided += _undecided(layer, z)
        return ForwardPass(
            self.architecture,
            self.arithmetic,
            tuple(W for W, _ in self.layers),
            tuple(self.z[:-1]),
            tuple(activations),
            tuple(found.derivative for found in smooth),
            tuple(undecided),
            self.z[-1],
            loss,
            spreads,
            smooth,
            Spread(sure, np.einsum("ncc->nc", covariance)),
            covariance,
            self.masks,
            tuple(self.multiplicities[:-1]),
            tuple(b.value for _, b in self.layers),
            tuple(self.local),
            targets,
            function,
        )

    def _delta_errors(self, M: Array, paths: Paths, sources: list[Spread]) -> tuple[Array, Array]:
        """What the logits' errors do to delta_L: at most, and its covariance."""
        linear = (sources[-1].sure[:, None, :] @ np.abs(M))[:, 0, :]
        root = M * np.sqrt(sources[-1].variance)[:, None, :]
        covariance = root @ root.transpose(0, 2, 1)
        for low in range(len(sources) - 1):
            through = paths.to_logits(low) @ M
            linear += (sources[low].sure[:, None, :] @ np.abs(through))[:, 0, :]
            if self.arithmetic.random:
                root = through * np.sqrt(sources[low].variance)[:, :, None]
                covariance += root.transpose(0, 2, 1) @ root
        return linear, covariance


def _multiplicity(z: Array) -> Array:
    """How often each number occurs in its layer, but for its sign and powers of two."""
    significand, _ = np.frexp(np.abs(z))
    kept = np.rint(np.where(np.isfinite(significand), significand, 0.0) * 2.0**KEPT_BITS)
    _, inverse, counts = np.unique(kept, return_inverse=True, return_counts=True)
    result: Array = counts[inverse].reshape(z.shape).astype(np.float64)
    return result


def _undecided(layer: int, z: Bounded) -> list[Unit]:
    rows, units = np.nonzero(undecided_signs(z))
    return [(layer, int(row), int(unit)) for row, unit in zip(rows, units, strict=True)]


def deltas(state: ForwardPass, derivatives: Sequence[Bounded] | None = None) -> list[Bounded]:
    """delta_l = dL/dz_l of every layer, (batch, n_l), for `derivatives` in place of the shadow's own."""
    values, spreads = _delta_spreads(state, derivatives)
    return [Bounded(value, spread.total) for value, spread in zip(values, spreads, strict=True)]


def _delta_spreads(
    state: ForwardPass, derivatives: Sequence[Bounded] | None
) -> tuple[list[Array], list[Spread]]:
    values, masked = [state.loss.delta.value], _masked_derivatives(state, derivatives)
    with np.errstate(all="ignore"):
        for layer in reversed(range(1, len(state.weights))):
            values.insert(0, (values[0] @ state.weights[layer].value.T) * masked[layer - 1])
        spreads = [Spread(np.zeros_like(value), np.zeros_like(value)) for value in values]
        for rows in _row_blocks(state):
            paths = Paths([d[rows] for d in masked], [W.value for W in state.weights])
            for layer, spread in enumerate(_descend(state, paths, values, rows, derivatives)):
                spreads[layer].sure[rows], spreads[layer].variance[rows] = spread.sure, spread.variance
    return values, spreads


def _masked_derivatives(state: ForwardPass, derivatives: Sequence[Bounded] | None) -> list[Array]:
    """d_l of the hidden layers, the masks in them."""
    chosen = state.derivatives if derivatives is None else derivatives
    pairs = zip(chosen, state.masks, strict=True)
    return [np.asarray(d.value * (1.0 if mask is None else mask), dtype=np.float64) for d, mask in pairs]


def _row_blocks(state: ForwardPass) -> Iterator[slice]:
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
    """The flat gradient (n_parameters,) with its bound, for `derivatives` in place of the shadow's own."""
    parts: list[Bounded] = []
    with np.errstate(all="ignore"):
        values, spreads = _delta_spreads(state, derivatives)
        for layer, (value, spread) in enumerate(zip(values, spreads, strict=True)):
            parts += _layer_gradient(state, layer, value, spread)
    return Bounded(np.concatenate([p.value for p in parts]), np.concatenate([p.error for p in parts]))


def forward_mode_error(state: ForwardPass, step: float = 0.0) -> Array:
    """Bound (n_parameters,) for forward mode and the complex step; `step` 0 leaves no truncation.

    The tangent of a parameter of layer l, J_{l,m-1} from z_l on, rounds in every product with W_m, by gamma
    times |J_{l,m-1}| |d_{m-1}| |W_m|; that reaches the loss through delta_m. So what a source
    tau_{m-1} = gamma |d_{m-1}| (|W_m| |delta_m|) of delta_{m-1} would do in reverse mode, it does here. What
    the evaluation of the point itself is off by is the same in both modes.
    """
    with np.errstate(all="ignore"):
        values, spreads = _delta_spreads(state, None)
        d = _masked_derivatives(state, None)
        off = _truncation(state, d, step)
        sources = _tangent_sources(state, d, values, off)
        arrived, last = np.zeros_like(sources[-1]), len(values) - 1
        errors = [sources[-1]]
        for layer in reversed(range(last)):
            arrived = _descended(state, d, layer, sources, arrived)
            errors.insert(0, sources[layer] + arrived)
        summing = float(state.arithmetic.gamma(len(values[0]) + 8.0)) + off
        parts: list[Array] = []
        for a, value, error, spread in zip(state.activations, values, errors, spreads, strict=True):
            delta = Bounded(np.abs(value), error + spread.total)
            for left in (a.absolute(), Bounded.exact(np.ones((len(value), 1)))):
                size = left.magnitude.T @ delta.magnitude
                carried = left.value.T @ delta.error + left.error.T @ delta.magnitude
                underflow = np.where(size > 0, len(value) * state.arithmetic.tiny, 0.0)
                parts.append((carried + summing * size + underflow).ravel())
    return numbers(np.concatenate(parts) * SAFETY)


def _tangent_sources(state: ForwardPass, d: list[Array], values: list[Array], off: float) -> list[Array]:
    """tau_l of every layer, the logits' own last: gamma and the truncation, times sizes."""
    arithmetic, sources = state.arithmetic, []
    for slope, above, W in zip(d, values[1:], state.weights[1:], strict=True):
        size = np.abs(slope) * (np.abs(above) @ W.magnitude.T)
        terms = (W.magnitude > 0).sum(axis=0).max(initial=0)
        underflow = np.where(size > 0, terms * arithmetic.tiny, 0.0)
        sources.append((arithmetic.gamma(terms + TANGENT_ROUNDINGS) + off) * size + underflow)
    at_loss = arithmetic.gamma(2 * ELEMENTARY + values[-1].shape[1] + 8) + off
    return [*sources, at_loss * state.loss.terms]


def _descended(state: ForwardPass, d: list[Array], layer: int, sources: list[Array], arrived: Array) -> Array:
    """What the sources above arrive as at delta of this layer."""
    found = np.zeros((len(arrived), state.weights[layer].value.shape[1]))
    for rows in _row_blocks(state):
        paths = Paths([one[rows] for one in d], [W.value for W in state.weights])
        above = [source[rows] for source in sources[layer + 1 :]]
        found[rows] = paths.down(layer, above, arrived[rows], 1)
    return found


def _truncation(state: ForwardPass, d: list[Array], step: float) -> float:
    """The relative error of the imaginary parts: their cubes' share, where h moves a z by at most 0.1.

    |Im f(z + i y) / y - f'(z)| <= y^2 sup |f^(3)| / 6, at most y^2 times f' for tanh, the sigmoid and a
    softmax near the real axis.
    """
    if step == 0.0:
        return 0.0
    steepest, largest = 0.0, 1.0
    for rows in _row_blocks(state):
        paths = Paths([one[rows] for one in d], [W.value for W in state.weights])
        for low in range(paths.last):
            near = np.abs(d[low][rows]).max(initial=0.0) * np.abs(state.weights[low + 1].value).max(
                initial=0.0
            )
            steepest = max(steepest, float(near))
        steepest = max([steepest, *(float(np.abs(J).max(initial=0.0)) for J in paths.matrices.values())])
    for a in state.activations:
        largest = max(largest, float(a.magnitude.max(initial=0.0)))
    y = step * largest * max(1.0, steepest)
    return len(state.weights) * y**2 if y <= 0.1 else float("inf")


def _layer_gradient(state: ForwardPass, layer: int, value: Array, spread: Spread) -> list[Bounded]:
    """dW = a^T delta and db = 1^T delta, flat."""
    a, arithmetic = state.activations[layer], state.arithmetic
    n = len(a.value)
    nothing = np.zeros((n, 1))
    ones, exactly = Bounded.exact(np.ones((n, 1))), Spread(nothing, nothing)
    parts = []
    for left, own in ((a, state.spreads[layer]), (ones, exactly)):
        delta = Bounded(value, spread.total)
        size, error = np.abs(left.value.T), left.error.T
        carried = size @ spread.sure + own.sure.T @ np.abs(value) + error @ delta.error
        variance = np.zeros_like(carried)
        if arithmetic.random:
            roots = np.sqrt(own.variance.T @ value**2) + np.sqrt((size**2) @ spread.variance)
            variance = roots**2
        rounded = sum_rounding(left.T, delta, arithmetic, carried=carried)
        total = Spread(carried + rounded.sure, variance + rounded.variance).total
        parts.append(Bounded((left.value.T @ value).ravel(), total.ravel()))
    return parts


def flipped_derivatives(state: ForwardPass, flipped: Iterable[Unit]) -> list[Bounded]:
    """The relu derivatives with those of the given units the other way round."""
    derivatives = [derivative.value.copy() for derivative in state.derivatives]
    for layer, row, unit in flipped:
        derivatives[layer][row, unit] = 1.0 - derivatives[layer][row, unit]
    return [Bounded.exact(value) for value in derivatives]


def selected(state: ForwardPass, flipped: Iterable[Unit]) -> Bounded:
    """The gradient and its bound with the relu derivative of the given units the other way round."""
    return backward(state, flipped_derivatives(state, flipped))


def example_selected(state: ForwardPass, row: int, flipped: Iterable[Unit]) -> Bounded:
    """One example's part of the gradient, with the relu derivative of these units of it the other way."""
    alone = one_example(state, row)
    return selected(alone, [(layer, 0, unit) for layer, _, unit in flipped])


def one_example(state: ForwardPass, row: int) -> ForwardPass:
    """The forward pass of one example of the batch; its loss keeps the batch's scale."""
    rows = slice(row, row + 1)

    def cut(part: Bounded) -> Bounded:
        return Bounded(part.value[rows], part.error[rows])

    def cut_spread(part: Spread) -> Spread:
        return Spread(part.sure[rows], part.variance[rows])

    loss = replace(
        state.loss,
        per_example=cut(state.loss.per_example),
        delta=cut(state.loss.delta),
        terms=state.loss.terms[rows],
        jacobian=state.loss.jacobian[rows],
        rounded=state.loss.rounded[rows],
        remainder=state.loss.remainder[rows],
    )
    return replace(
        state,
        pre_activations=tuple(cut(z) for z in state.pre_activations),
        activations=tuple(cut(a) for a in state.activations),
        derivatives=tuple(cut(d) for d in state.derivatives),
        undecided=tuple((layer, 0, unit) for layer, n, unit in state.undecided if n == row),
        logits=cut(state.logits),
        loss=loss,
        spreads=tuple(cut_spread(spread) for spread in state.spreads),
        smooth=tuple(found.rows(rows) for found in state.smooth),
        delta=cut_spread(state.delta),
        covariance=state.covariance[rows],
        masks=tuple(None if mask is None else mask[rows] for mask in state.masks),
        multiplicities=tuple(m[rows] for m in state.multiplicities),
        local=tuple(variance[rows] for variance in state.local),
        targets=state.targets[rows],
    )


def any_selection(state: ForwardPass) -> Bounded:
    """The shadow's gradient with a bound that holds whatever the undecided units select."""
    errors = [derivative.error.copy() for derivative in state.derivatives]
    for layer, row, unit in state.undecided:
        errors[layer][row, unit] = 1.0
    pairs = zip(state.derivatives, errors, strict=True)
    return backward(state, [Bounded(derivative.value, error) for derivative, error in pairs])


@dataclass(frozen=True, eq=False)
class Reference:
    """What a contender should return in the architecture's dtype: float64 values with their bounds."""

    state: ForwardPass
    gradient: Bounded  # flat (n_parameters,), for the signs the shadow found
    given: tuple[Weights, Array, Array, Regularized]  # weights, x, targets
    tier: Tier = Tier.WORST_CASE

    @property
    def architecture(self) -> Architecture:
        return self.state.architecture

    @property
    def logits(self) -> Bounded:
        return self.state.logits

    @property
    def loss(self) -> Bounded:
        return self.state.loss.total(self.state.arithmetic)

    @property
    def undecided(self) -> tuple[Unit, ...]:
        return self.state.undecided

    @cached_property
    def probabilistic(self) -> "Reference":
        """The same with bounds that hold with a probability, where they are narrower."""
        if self.state.arithmetic.random:
            return self
        weights, x, targets, regularized = self.given
        arithmetic = Arithmetic.of(self.architecture.dtype, random=True)
        state = forward(self.architecture, weights, x, targets, arithmetic, regularized)
        error = backward(state).error
        narrower = Bounded(self.gradient.value, np.minimum(error, self.gradient.error))
        return Reference(state, narrower, self.given, Tier.PROBABILISTIC)


def backprop_reference(
    architecture: Architecture,
    weights: Weights,
    x: Array,
    targets: Array,
    order: str = "reverse",
    regularized: Regularized = PLAIN,
) -> Reference:
    """Logits, loss and gradient of one batch, with the bounds for an implementation in `architecture.dtype`.

    x (batch, n_inputs), targets as the loss wants them. `order="any"` widens the gradient's bound to cover
    forward mode too. Raises ValueError or TypeError for inputs that do not fit the architecture.
    """
    if order not in ("reverse", "any"):
        raise InputError(f"order: expected 'reverse' or 'any', got {order!r}")
    state = forward(architecture, weights, x, targets, Arithmetic.of(architecture.dtype), regularized)
    gradient = backward(state)
    if order == "any":
        gradient = Bounded(gradient.value, np.maximum(gradient.error, forward_mode_error(state)))
    return Reference(state, gradient, (weights, x, targets, regularized))


def complex_step_bound(
    architecture: Architecture, weights: Weights, x: Array, targets: Array, step: float = 1e-20
) -> Array:
    """Bound (n_parameters,) on the error of a complex step Im L(theta + i h) / h taken in complex128.

    Weights, x and targets are those of `architecture.dtype`, the arithmetic is float64. Derivatives travel as
    h times themselves, so that what underflows is larger by 1 / h. Infinite where h is no small step: where
    it moves a pre-activation or a logit by more than 0.1.
    """
    arithmetic = Arithmetic.of("float64", shadow=False)
    arithmetic = replace(arithmetic, tiny=arithmetic.tiny / step)
    return forward_mode_error(forward(architecture, weights, x, targets, arithmetic), step)
