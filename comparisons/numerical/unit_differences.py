"""Central differences of every pre-activation, example by example: the weights follow by a product.

A layer's weights move nothing but its pre-activations z_l = a_{l-1} W_l + b_l. For one example n, with x_i in
the place of a_{l-1}[n, i],

    (l_n(W[i, j] + h) - l_n(W[i, j] - h)) / 2h  =  x_i (l_n(z[j] + h x_i) - l_n(z[j] - h x_i)) / 2 (h x_i)

exactly: the quotient of a weight is its input times the quotient of its unit, at the step h x_i. So one pair
of losses for each unit and example serves the unit's bias and all its weights. With L = s sum_n l_n:

    delta_l[n, j] = s (l_n(z_l[n, j] + h) - l_n(z_l[n, j] - h)) / 2h
    dW_l = a_{l-1}^T delta_l;   db_l = 1^T delta_l

What is left between the two is the step, h instead of h x_i, and so the truncation, a multiple of h^2: at
h = 2^-30 far below the rounding of one number.

As in `scratch.structured`, every change on the way is computed as a change: d of the activation, D = d W of
the logits, and the example's loss. No two large numbers are subtracted, so the step can be so small that
hardly ever a kink lies within it.

A worked example: one input x = 2, one relu, one output. z = 3 * 2 = 6, the logit is z, and L = (z - 5)^2.
With h = 0.5, z goes to 6.5 or to 5.5 and L to 2.25 or 0.25, so delta = (2.25 - 0.25) / (2 * 0.5) = 2, and dW
= 2 * 2, db = 2. The logit's own delta is the same 2, and its weight's input is a = 6.

>>> from backproof.scratch.architecture import Architecture
>>> from backproof.scratch.parameters import Parameters
>>> architecture = Architecture((1, 1, 1), "relu", "sum_of_squares")
>>> network = Network(architecture, Parameters(architecture, np.array([3.0, 0.0, 1.0, 0.0])))
>>> x, targets = np.array([[2.0]]), np.array([[5.0]])
>>> UnitDifferences(step=1 / 12)(network, x, targets)  # relative to |z| = 6: h = 0.5
array([ 4.,  2., 12.,  2.])
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from backproof.scratch.architecture import Array, Flat, Inputs, Targets, Units
from backproof.scratch.changes import Buffers, activation_change, largest, multiplied
from backproof.scratch.differences import CENTRAL, step_sizes
from backproof.scratch.loss_changes import Move, loss_changes
from backproof.scratch.network import Network, product
from backproof.scratch.parameters import Parameters
from backproof.scratch.unmoved import Unmoved, forward_unmoved

TILE = 2**16  # numbers of a temporary array: a few of them stay in a core's cache

LogitChanges = Annotated[Array, "examples outputs units"]
# The last layer's weights turned round, as the loss takes what moves the logits; of one example if all share
# them.
ToLogits = Annotated[Array, "examples outputs units"]
Columns = slice  # of units


@dataclass(frozen=True)
class UnitDifferences:
    """One pair of losses for each unit and example, and a product per layer: a method of `scratch.gradients`.

    Parameters
    ----------
    step
        Of every pre-activation z, relative to max(1, |z|); by default the derived optimum.
    """

    step: float | None = None

    def __call__(self, network: Network, x: Inputs, targets: Targets) -> Flat:
        unmoved = forward_unmoved(network, x, targets)
        scale = network.loss_function.scale(len(x), network.architecture.n_outputs)
        result = Parameters(network.architecture, dtype=network.dtype)
        to_logits = np.ascontiguousarray(unmoved.weights(unmoved.last).transpose(0, 2, 1))
        for number, (dW, db) in enumerate(result.layers):
            layer = unmoved.layers[number]
            h = step_sizes(layer.z, CENTRAL, self.step)
            delta = _changes(unmoved, number, h, to_logits)
            delta *= scale / (CENTRAL.divisor * h)
            # dW_l = a_{l-1}^T delta_l ;  db_l = 1^T delta_l, the inputs' last column being ones
            gradient = product(layer.inputs.T, delta)
            dW[...], db[...] = gradient[:-1], gradient[-1]
        return result.flat


def _changes(unmoved: Unmoved, number: int, h: Units, to_logits: ToLogits) -> Units:
    """l_n(z_l[n, j] + h) - l_n(z_l[n, j] - h) for every unit of one layer in every example."""
    total = np.zeros_like(h)
    *_, n_outputs = sizes = unmoved.network.architecture.layer_sizes
    # A unit moves all units of a layer above it, in every example.
    numbers_per_unit = len(h) * max(sizes[number + 2 :], default=n_outputs)
    width = max(1, TILE // numbers_per_unit)
    buffers = [np.empty(width * numbers_per_unit, h.dtype) for _ in range(3)]
    loss = unmoved.network.loss_function
    for units in _columns(h.shape[1], width):
        for sign, weight in zip(CENTRAL.nodes, CENTRAL.weights, strict=True):
            moved = sign.real * h[:, units]
            D = _logit_changes(unmoved, number, units, moved, to_logits, buffers)
            (change,) = loss_changes(loss, unmoved.logits, Move(D, (1,), largest(D)), buffers)
            total[:, units] += weight.real * change
    return total


def _columns(n: int, width: int) -> Iterator[Columns]:
    for start in range(0, n, width):
        yield slice(start, start + width)


def _logit_changes(
    unmoved: Unmoved, number: int, units: Columns, moved: Units, to_logits: ToLogits, buffers: Buffers
) -> LogitChanges:
    """D where these units of a layer have pre-activations that are `moved` farther, each unit by itself."""
    if number == unmoved.last:
        one_logit_each = unmoved.as_logit_moves(np.eye(unmoved.logits.z.shape[1], dtype=moved.dtype)[units])
        return one_logit_each.transpose(0, 2, 1) * moved[:, None]
    d = _activations_moved(unmoved, unmoved.layers[number].z[:, units], moved, buffers)
    if number + 1 == unmoved.last:
        # D_c = d_j W[j, c]
        return multiplied(d[:, None], to_logits[..., units], buffers[0])
    # z_{l+1} moves by d_j W_{l+1}[j]
    moves = multiplied(d[..., None], unmoved.weights(number + 1)[:, units], buffers[0])
    for layer in range(number + 1, unmoved.last):
        d = _activations_moved(unmoved, unmoved.layers[layer].z[:, None], moves, buffers)
        if layer + 1 < unmoved.last:
            moves = product(d, unmoved.weights(layer + 1))
    return product(to_logits, d.transpose(0, 2, 1))


def _activations_moved(unmoved: Unmoved, z: Array, moved: Array, buffers: Buffers) -> Array:
    """f(z + moved) - f(z)."""
    if unmoved.network.architecture.activation == "identity":
        return moved
    return activation_change(unmoved.network.activation, z, moved, buffers)
