"""The forward pass in double precision, with a bound on what any correct implementation may compute.

Every operation is a source of error, and every error travels on along the Jacobians of the very case
(`jacobian_paths`), d_l = f'(z_l) the derivatives that the shadow found:

    z_l = a_{l-1} W_l + b_l          source: what the inner product rounds (`rounding`), and t_{l-1} |W_l|
    a_l = m_l f(z_l)                 source: t_l, what the activation adds (`activation_bounds`); m_l a
                                     dropout mask, whose product rounds once
    delta_L = dL/dz_L                M (z' - z), the loss's own rounding and remainder (`loss_bounds`)

All of it holds exactly, not to first order. Every error is carried in two parts (`Spread`): what is certain,
and the variance of independent roundings, which is zero in the worst-case tier. That of delta_L is carried as
a covariance: the logits' errors reach its entries together.

*Equal roundings.* Independence fails where the same numbers are added twice: equal examples, equal units.
So a rounding whose exact result occurs k times in its layer (but for sign and powers of two) gets k times its
variance, which is what k fully dependent ones can amount to: (sum |c_i|)^2 <= k sum c_i^2.

*Signs.* relu has no derivative at 0, where the convention relu'(0) = 0 decides. Where |z| <= e_z, and only
there, two correct implementations may find different signs: those units are reported as *undecided*. A
pre-activation that is exactly zero in every order of summation is decided: its derivative is 0.

*Overflow.* Where a sum may exceed the largest number its bound is infinite, and stays so: no bounded function
makes a number of it, and no mask a zero.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from backproof.comparisons.verdicts.activation_bounds import ACTIVATION_BOUNDS, Activated, undecided_signs
from backproof.comparisons.verdicts.jacobian_paths import Paths
from backproof.comparisons.verdicts.loss_bounds import (
    LOSS_BOUNDS,
    LossBound,
    LossFunction,
    smoothed_cross_entropy,
)
from backproof.comparisons.verdicts.rounding import Arithmetic, Bounded, Spread, numbers, sum_rounding
from backproof.comparisons.verdicts.shadow import Shadow, loss_and_delta, propagated
from backproof.scratch.architecture import Architecture, Array, Inputs, Targets, Weights

Unit = tuple[int, int, int]  # (hidden layer from 0, example, unit)
LARGEST_BLOCK = 2**23  # numbers in the Jacobians of the examples that are worked on at once
KEPT_BITS = 40  # of a rounded sum, to tell whether two are the same


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
    shadow: Shadow


def forward(
    architecture: Architecture,
    weights: Weights,
    x: Inputs,
    targets: Targets,
    arithmetic: Arithmetic,
    regularized: Regularized = PLAIN,
) -> ForwardPass:
    """The forward pass, everything with its bound.

    Parameters
    ----------
    architecture
        Names the activation and the loss, and the sizes that are checked.
    weights
        Per layer W (fan_in, fan_out) and b (fan_out,).
    x
        Inputs (batch, n_inputs).
    targets
        Labels (batch,), or numbers (batch, n_outputs).
    arithmetic
        In which the network under judgement is computed.
    regularized
        Dropout masks and label smoothing, if any.

    Returns
    -------
    ForwardPass
        Values and bounds in float64; its `shadow` has the same values in its own precision.

    Raises
    ------
    InputError
        For what `Architecture` refuses.
    """
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
        matrices = [(W.value, b.value) for W, b in layers]
        self.shadow = propagated(architecture, matrices, inputs.value, self.masks, arithmetic)
        self.values = [z.astype(np.float64) for z in self.shadow[1]]
        self.derivatives = [
            np.asarray(d.astype(np.float64) * (1.0 if mask is None else mask))
            for d, mask in zip(self.shadow[2], self.masks, strict=True)
        ]
        self.multiplicities = [_multiplicity(z) for z in self.values]
        self.z = [Bounded(z, np.zeros_like(z)) for z in self.values]
        self.spreads = [Spread(np.zeros((n, size)), np.zeros((n, size))) for size in sizes[:-1]]
        self.spreads[0] = Spread(inputs.error, np.zeros_like(inputs.error))
        self.local = [np.zeros_like(z) for z in self.values]
        self.logit_jacobians: list[tuple[slice, Paths, list[Spread]]] = []

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
        storage = self.arithmetic.storage
        for z in self.z:
            z.error[...] += storage * np.abs(z.value)
        loss = function(self.z[-1], targets, self.arithmetic)
        shadow = self._completed(targets, regularized.smoothing)
        loss = replace(
            loss,
            per_example=stored(shadow.terms, loss.per_example.error, storage),
            delta=stored(shadow.delta, loss.delta.error, storage),
        )
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
            stored(a, numbers(spread.total), storage)
            for a, spread in zip(shadow.inputs[1:], spreads[1:], strict=True)
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
            tuple(
                Bounded(d.astype(np.float64), found.derivative.error)
                for d, found in zip(shadow.derivatives, smooth, strict=True)
            ),
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
            shadow,
        )

    def _completed(self, targets: Array, smoothing: float) -> Shadow:
        inputs, z, derivatives = self.shadow
        terms, delta = loss_and_delta(self.architecture.loss, z[-1], targets, smoothing)
        return Shadow(tuple(inputs), tuple(z), tuple(derivatives), delta, terms)

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


def stored(value: Array, error: Array, storage: float) -> Bounded:
    """A number of the shadow, kept in double precision.

    Parameters
    ----------
    value
        In the shadow's precision, of any shape.
    error
        Its bound, of that shape.
    storage
        What keeping a number in double precision rounds, relatively; 0 where the shadow is no finer.

    Returns
    -------
    Bounded
        In float64.
    """
    value = np.asarray(value, dtype=np.float64)
    return Bounded(value, error + storage * np.abs(value))


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
