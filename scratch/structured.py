"""The textbook's difference quotients, without redoing what one moved parameter cannot change.

For the entry t = W_l[i, j] and its step h, the quotient needs the loss with t moved by s h at each node s of
the scheme. The textbook runs a whole forward pass for it. But

1. a_0 .. a_{l-1} do not see t: they are computed once, for all entries (`unmoved`).
2. Of z_l only column j moves, by sigma = s h a_{l-1}[n, i] in example n: not at all where the input is zero.
   (The bias b_l[j] is one more row of W_l, whose input is one.)
3. a_l[n, j] moves by d = f(z_l[n, j] + sigma) - f(z_l[n, j]): not at all where a relu stays off (`changes`).
4. z_{l+1}[n] moves by d W_{l+1}[j], of rank one, and where these are the logits that is all. Deeper, the
   activations move, and go on through W_{l+2} .. W_L: one matrix product for many entries at a time.
5. A network of relus (or identities) is affine up to the next kink. Where |sigma| can reach none, in this
   unit or after it, the logits move by sigma v with v = W_{l+1}[j] diag(z_{l+1} > 0) W_{l+2} .. : of rank one
   through all layers, and v serves every i. Such a unit is *straight*; the others take the way of 4.
6. The loss is a sum over examples, and each term is computed as a change: small, and accurate
   (`loss_changes`).

That is the same quotient, at the same nodes with the same steps, and no derivative is taken. But its rounding
error is relative to the change of the loss, where the textbook's is relative to the loss.

A worked example: one input x = 2, one relu, one output. z_1 = 3 * 2 + 0 = 6, the logit is 1 * 6 + 0 = 6, and
L = (6 - 5)^2 = 1. For t = W_1 and h = 0.5, sigma = 0.5 * 2 = 1 reaches no kink, so the unit is straight with
v = 1, and the logit moves by 1 or by -1: L changes by 3 or by -1, and the quotient is
(3 - (-1)) / (2 * 0.5) = 4, which is dL/dW_1 = 2 (6 - 5) * 1 * 2. The same for b_1, W_2 and b_2:

>>> from backproof.scratch.architecture import Architecture
>>> from backproof.scratch.differences import CENTRAL
>>> from backproof.scratch.parameters import Parameters
>>> architecture = Architecture((1, 1, 1), "relu", "sum_of_squares")
>>> network = Network(architecture, Parameters(architecture, np.array([3.0, 0.0, 1.0, 0.0])))
>>> x, targets = np.array([[2.0]]), np.array([[5.0]])
>>> structured_difference(network, x, targets, CENTRAL, steps=np.full(4, 0.5))
array([ 4.,  2., 12.,  2.])

For N examples and K outputs the textbook's central differences take some 4 N n_parameters^2 operations. Here
a layer takes 20 N n_{l-1} n_l K, less what is zero, or 40 N n_{l-1} n_l n_{l+1} where curved units lie
between it and the logits. Arrays have units before inputs: there are more inputs, so inner loops are long.
"""

from collections.abc import Iterator
from typing import Annotated, NamedTuple

import numpy as np

from .architecture import Array, Flat, Inputs, Targets, Units
from .changes import Buffers, activation_change, largest, multiplied, shaped
from .differences import Scheme, working_dtype
from .errors import expect
from .loss_changes import Move, loss_changes
from .network import Network, product
from .tiling import Indices, Tiling, groups, rectangles
from .unmoved import Unmoved, forward_unmoved

MEMORY = 256 * 2**20  # bytes of temporary arrays
_ARRAYS = 10  # temporaries of a tile's size that live at once, at most
_TILE = 2**16  # elements: a few such arrays stay in a core's own cache

Entries = Annotated[Array, "units entries"]  # W_l and b_l, turned round: (fan_out, fan_in + 1)
Sigma = Annotated[Array, "examples units inputs"]
Directions = Annotated[Array, "examples outputs units"]  # v, of one example where all share it
NodeWeights = tuple[complex, ...]  # one for each sign


class Node(NamedTuple):
    """A node s of the scheme, the signs with which it is taken, and the weight of each."""

    s: complex
    signs: tuple[int, ...]
    weights: NodeWeights


def structured_difference(
    network: Network, x: Inputs, targets: Targets, scheme: Scheme, steps: Flat, *, memory: int = MEMORY
) -> Flat:
    """The scheme's quotient of every parameter, in the network's dtype.

    Parameters
    ----------
    network, x, targets
        As in `Network.loss`; trusted.
    scheme
        The nodes and weights.
    steps
        The step of every parameter, (n_parameters,).
    memory
        What temporary arrays may take, in bytes, beside a few times the parameters and activations.

    Returns
    -------
    array (n_parameters,)
        Weights and biases layer by layer, as in the flat vector.

    Raises
    ------
    InputError
        If `memory` is too little.
    """
    dtype, architecture = network.dtype, network.architecture
    if dtype != steps.dtype:  # the complex step of a float32 network is taken in double precision
        network = network.astype(np.promote_types(dtype, steps.dtype))
    working = working_dtype(network.dtype, scheme)
    elements = _elements_of_a_tile(architecture.layer_sizes, working.itemsize, memory)
    buffers = [np.empty(elements, working) for _ in range(3)]
    unmoved, nodes = forward_unmoved(network, x, targets), _mirrored(scheme)
    scale = network.loss_function.scale(len(x), architecture.n_outputs)
    gradient = np.empty(architecture.n_parameters, dtype)
    for layer, (weight, bias) in enumerate(architecture.layer_slices()):
        rows = slice(weight.start, bias.stop)  # W_l and, as its last row, b_l
        fan_out = bias.stop - bias.start
        h = np.ascontiguousarray(steps[rows].reshape(-1, fan_out).T)
        changes = _layer_changes(unmoved, layer, h, nodes, buffers)
        quotients = changes * scale / (scheme.divisor * h)
        gradient[rows] = quotients.T.ravel()
    return gradient


def _elements_of_a_tile(layer_sizes: tuple[int, ...], itemsize: int, memory: int) -> int:
    """How many numbers a temporary array may hold; one for every unit of a layer at the least."""
    widest = max(layer_sizes[1:])
    least = _ARRAYS * widest * itemsize
    expect(memory >= least, f"memory: expected at least {least} bytes here, got {memory}")
    allowed = memory // (_ARRAYS * itemsize)
    return max(widest, min(_TILE, allowed))


def _mirrored(scheme: Scheme) -> list[Node]:
    """The scheme's nodes, s and -s together; a node 0 changes nothing."""
    weights = dict(zip(scheme.nodes, scheme.weights, strict=True))
    nodes = []
    for s in weights:
        mirrored = -s in weights
        if s == 0 or (mirrored and s.real < 0):
            continue
        signs = (1, -1) if mirrored else (1,)
        nodes.append(Node(s, signs, tuple(weights[sign * s] for sign in signs)))
    return nodes


def _layer_changes(unmoved: Unmoved, number: int, h: Entries, nodes: list[Node], buffers: Buffers) -> Entries:
    """sum_n sum_s w_s [l_n(t + s h) - l_n(t)] for every entry t of one layer, whose steps are h."""
    total = np.zeros_like(h)
    layer = unmoved.layers[number]
    # |sigma| <= reach for this unit in this example, at any node and for any input.
    farthest_node = max(abs(node.s) for node in nodes)
    reach = np.abs(layer.inputs).max(axis=1)[:, None] * (h.max(axis=1) * farthest_node)
    # Only from an input that is not zero, in a unit that does not stay off, does anything move.
    nonzero = layer.inputs != 0
    awake = layer.to_kink > -reach
    sizes_above = unmoved.network.architecture.layer_sizes[number + 2 :]
    tiling = Tiling.of_layer(len(buffers[0]), h.size, max(sizes_above, default=len(h)))
    for examples in tiling.example_blocks(len(reach)):
        here = unmoved.rows(examples)
        block = _Block(here, number, h, reach[examples], nodes, tiling, buffers)
        units = _in_any_example(awake[examples])
        inputs = _in_any_example(nonzero[examples])
        block.add_to(total, units, inputs)
    return total


class _Block(NamedTuple):
    """Some examples in which the entries of one layer are moved."""

    unmoved: Unmoved  # in these examples
    number: int  # of the layer, from 0
    h: Entries
    reach: Units
    nodes: list[Node]
    tiling: Tiling
    buffers: Buffers

    def add_to(self, total: Entries, units: Indices, inputs: Indices) -> None:
        """Add what the entries of these units for these inputs change; the others move nothing here."""
        tiling = self.tiling
        most_pushed = tiling.entries(tiling.widest)
        for group in groups(units, most_pushed):
            v, is_straight = self._directions(group)
            most_straight = tiling.entries(v.shape[1])
            straight = is_straight.nonzero()[0]
            for some, some_inputs in rectangles(straight, inputs, most_straight):
                self._add(total, group[some], some_inputs, v[:, :, some])
            pushed = group[~is_straight]
            for some, some_inputs in rectangles(pushed, inputs, most_pushed):
                self._add(total, some, some_inputs)

    def _add(self, total: Entries, units: Indices, inputs: Indices, v: Directions | None = None) -> None:
        """Add the changes of these units' entries for these inputs; v where all the units are straight."""
        loss, logits = self.unmoved.network.loss_function, self.unmoved.logits
        entries = units[:, None] * total.shape[1] + inputs  # in the flat `total` and `h`
        layer = self.unmoved.layers[self.number]
        sigma = self.h.take(entries) * layer.inputs[:, None, inputs]
        moves = self._pushed_moves(units, sigma) if v is None else self._straight_moves(v, sigma)
        changes = np.zeros((len(sigma), entries.size), sigma.dtype)
        for move, weights in moves:
            # Not named: what is named lives on, and takes another's place in the cache.
            for weight, change in zip(weights, loss_changes(loss, logits, move, self.buffers), strict=True):
                changes += (weight * change).real
        sums = changes.sum(axis=0)
        total.reshape(-1)[entries] += sums.reshape(entries.shape)

    def _directions(self, units: Indices) -> tuple[Directions, Indices]:
        """v of these units, and for each whether it is straight in every example: D = sigma v."""
        unmoved, last = self.unmoved, self.unmoved.last
        reach = self.reach[:, units]
        to_kink = unmoved.layers[self.number].to_kink[:, units]
        straight = np.abs(to_kink) > reach
        if self.number == last:
            one_logit_each = np.eye(len(self.h), dtype=to_kink.dtype)[units]
            v = unmoved.as_logit_moves(one_logit_each)
        else:
            slopes = to_kink > 0
            v = slopes[:, :, None] * unmoved.weights(self.number + 1)[:, units]
        for layer in range(self.number + 1, last):
            # z of this layer moves by sigma v: does it stay on its side of every kink?
            to_kink = unmoved.layers[layer].to_kink[:, None]
            farthest = np.abs(v) * reach[:, :, None]
            straight &= (farthest <= np.abs(to_kink)).all(axis=2)
            v = product(v * (to_kink > 0), unmoved.weights(layer + 1))
        outputs_first = np.ascontiguousarray(v.transpose(0, 2, 1))
        return outputs_first, np.logical_and.reduce(straight, axis=0)

    def _straight_moves(self, v: Directions, sigma: Sigma) -> Iterator[tuple[Move, NodeWeights]]:
        """D = s sigma v, at s and -s together."""
        size = largest(sigma) * largest(v)
        for s, signs, weights in self.nodes:
            D = multiplied((s * v)[..., None], sigma[:, None], self.buffers[0])
            yield Move(_by_move(D), signs, abs(s) * size), weights

    def _pushed_moves(self, units: Indices, sigma: Sigma) -> Iterator[tuple[Move, NodeWeights]]:
        """D by way of every layer above, at each node by itself."""
        activation = self.unmoved.network.activation
        z = self.unmoved.layers[self.number].z[:, units, None]
        for s, signs, weights in self.nodes:
            for sign, weight in zip(signs, weights, strict=True):
                d = activation_change(activation, z, sign * s * sigma, self.buffers)
                D = self._pushed(units, d)
                yield Move(D, (1,), largest(D)), (weight,)

    def _pushed(self, units: Indices, d: Sigma) -> Array:
        """D (examples, outputs, units inputs) when the activations of these units move by d."""
        unmoved, last, buffer = self.unmoved, self.unmoved.last, self.buffers[0]
        above = self.number + 1
        W = unmoved.weights(above)[:, units, None]
        if above == last:
            # D_c = d W[j, c]
            D = multiplied(d[:, None], W.transpose(0, 3, 1, 2), buffer)
            return _by_move(D)
        # z_{l+1} moves by d W_{l+1}[j]
        moved = multiplied(d[..., None], W, buffer)
        for layer in range(above, last):
            z = unmoved.layers[layer].z[:, None, None]
            moved = activation_change(unmoved.network.activation, z, moved, self.buffers)
            if layer + 1 < last:
                W = unmoved.weights(layer + 1)[0]
                out = shaped(buffer, (*d.shape, W.shape[1]))
                moved = product(moved, W, out=out)
        # The last layer's product, outputs before entries.
        W = unmoved.weights(last)
        by_move = moved.reshape(len(d), -1, W.shape[1])
        return product(W.transpose(0, 2, 1), by_move.transpose(0, 2, 1))


def _in_any_example(moves: Array) -> Indices:
    """The indices of what moves in one example at least, of (examples, things)."""
    return np.flatnonzero(np.logical_or.reduce(moves, axis=0))


def _by_move(D: Annotated[Array, "examples outputs units inputs"]) -> Array:
    """The same as (examples, outputs, units inputs): each entry is a move of its own."""
    return D.reshape(*D.shape[:2], -1)
