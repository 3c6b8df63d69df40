"""The textbook's difference quotients, without redoing what one moved parameter cannot change.

For the entry t = W_l[i, j] and its step h, the quotient needs the loss with t moved by s h at each node s of
the scheme. The textbook runs a whole forward pass for it. But

1. a_0 .. a_{l-1} do not see t: they are computed once, for all entries.
2. Of z_l only column j moves, by sigma = s h a_{l-1}[n, i] in example n: not at all where the input is zero.
   (The bias b_l[j] is one more row of W_l, whose input is one.)
3. a_l[n, j] moves by d = f(z_l[n, j] + sigma) - f(z_l[n, j]): not at all where a relu stays off.
4. z_{l+1}[n] moves by d W_{l+1}[j], of rank one, and where these are the logits that is all. Deeper, the
   activations move, and go on through W_{l+2} .. W_L: one matrix product for many entries at a time.
5. A network of relus (or identities) is affine up to the next kink. Where |sigma| can reach none, in this
   unit or after it, the logits move by sigma v with v = W_{l+1}[j] diag(z_{l+1} > 0) W_{l+2} .. : of rank one
   through all layers, and v serves every i. Only units that may reach a kink take the way of 4.
6. The loss is a sum over examples, and each term is computed as a change (`changes`): small, and accurate.

That is the same quotient, at the same nodes with the same steps, and no derivative is taken. But its rounding
error is relative to the change of the loss, where the textbook's is relative to the loss.

For N examples and K outputs the textbook's central differences take some 4 N n_parameters^2 operations. Here
a layer takes 20 N n_{l-1} n_l K, less what is zero, or 40 N n_{l-1} n_l n_{l+1} where curved units lie
between it and the logits. Arrays have units before inputs: there are more inputs, so inner loops are long.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from backproof.scratch.architecture import Array
from backproof.scratch.changes import (
    Buffers,
    Logits,
    Move,
    activation_change,
    largest,
    loss_changes,
    shaped,
    softmax,
)
from backproof.scratch.differences import Scheme, working_dtype
from backproof.scratch.errors import expect
from backproof.scratch.losses import LOSSES
from backproof.scratch.network import Network, product

MEMORY = 256 * 2**20  # bytes of temporary arrays
_ARRAYS = 10  # temporaries of a tile's size that live at once, at most
_TILE = 2**16  # elements: a few such arrays stay in a core's own cache

Weights = tuple[complex, ...]  # the scheme's, one for each sign
Node = tuple[complex, tuple[int, ...], Weights]  # s, and the signs with which it is taken


def structured_difference(
    network: Network, x: Array, targets: Array, scheme: Scheme, steps: Array, *, memory: int = MEMORY
) -> Array:
    """The quotient of every parameter, with its own of `steps` (n_parameters,), in the network's dtype.

    x (examples, n_inputs) and targets are trusted, as in `Network.loss`. Temporary arrays take at most
    `memory` bytes, beside a few times the parameters and activations. Raises ValueError if it is too little.
    """
    dtype, architecture = network.dtype, network.architecture
    # The complex step of a float32 network is taken in double precision.
    network = network if dtype == steps.dtype else network.astype(np.promote_types(dtype, steps.dtype))
    working = working_dtype(network.dtype, scheme)
    widest = max(architecture.layer_sizes[1:])
    least = _ARRAYS * widest * working.itemsize
    expect(memory >= least, f"memory: expected at least {least} bytes here, got {memory}")
    tile = max(widest, min(_TILE, memory // (_ARRAYS * working.itemsize)))  # elements of a temporary array
    buffers = [np.empty(tile, working) for _ in range(3)]
    unmoved, nodes = _forward(network, x, targets), _mirrored(scheme)
    scale = network.loss_function.scale(len(x), architecture.n_outputs)
    gradient = np.empty(architecture.n_parameters, dtype)
    for layer, (weight, bias) in enumerate(architecture.layer_slices()):
        rows = slice(weight.start, bias.stop)  # W_l and, as its last row, b_l
        h = np.ascontiguousarray(steps[rows].reshape(-1, bias.stop - bias.start).T)
        changes = _Layer(unmoved, layer, len(unmoved.z) - 1, h, nodes, tile, buffers).changes()
        gradient[rows] = (changes * scale / (scheme.divisor * h)).T.ravel()
    return gradient


def _mirrored(scheme: Scheme) -> list[Node]:
    """The scheme's nodes, s and -s together; a node 0 changes nothing."""
    weights = dict(zip(scheme.nodes, scheme.weights, strict=True))
    moved = [s for s in weights if s and (-s not in weights or s.real > 0)]
    signs = {s: (1, -1) if -s in weights else (1,) for s in moved}
    return [(s, signs[s], tuple(weights[sign * s] for sign in signs[s])) for s in moved]


@dataclass(frozen=True)
class _Unmoved:
    """What the forward pass leaves with every parameter in place, per layer."""

    network: Network
    inputs: list[Array]  # a_{l-1} and a last column of ones, (examples, fan_in + 1)
    z: list[Array]  # (examples, fan_out)
    margin: list[Array]  # positive: slope one up to this distance; negative: slope zero; 0: curved
    logits: Logits

    def weights(self, layer: int, examples: slice) -> Array:
        """W (examples or 1, fan_in, fan_out), in the last layer as `logit_moves` has it."""
        W = self.network.parameters.layers[layer][0]
        return self.logit_moves(W, examples) if layer == len(self.z) - 1 else W[None]

    def logit_moves(self, D: Array, examples: slice) -> Array:
        """D (k, outputs) for each example, relative to its label's column where the loss wants it so."""
        relative = self.network.loss_function is LOSSES["cross_entropy"]
        return D[None] - D.T[self.logits[1][examples]][:, :, None] if relative else D[None]


def _forward(network: Network, x: Array, targets: Array) -> _Unmoved:
    inputs, outputs = [], []
    a = x.astype(network.dtype, copy=False)
    for W, b in network.parameters.layers:
        inputs.append(np.concatenate([a, np.ones((len(a), 1), a.dtype)], axis=1))
        outputs.append(product(a, W) + b)
        a = outputs[-1].copy()
        network.activation.apply(a)
    *hidden, logits = outputs
    margin = [_margin(network.architecture.activation, z) for z in hidden] + [_margin("identity", logits)]
    return _Unmoved(network, inputs, outputs, margin, (logits, targets, softmax(logits)))


def _margin(activation: str, z: Array) -> Array:
    return z if activation == "relu" else np.full_like(z, np.inf if activation == "identity" else 0.0)


@dataclass(frozen=True)
class _Layer:
    """How the entries of one layer change the loss; arrays of all its entries have the shape of `h`."""

    unmoved: _Unmoved
    index: int  # of this layer; `last` is the logits'
    last: int
    h: Array  # (fan_out, fan_in + 1)
    nodes: list[Node]
    tile: int
    buffers: Buffers

    def changes(self) -> Array:
        """sum_n sum_s w_s [l_n(t + s h) - l_n(t)] for every entry t."""
        total = np.zeros_like(self.h)
        a, margin = self.unmoved.inputs[self.index], self.unmoved.margin[self.index]
        # |sigma| <= reach for this unit in this example, at any node and for any input.
        reach = np.abs(a).max(axis=1)[:, None] * (self.h.max(axis=1) * max(abs(s) for s, _, _ in self.nodes))
        widest = max(self.unmoved.network.architecture.layer_sizes[self.index + 2 :], default=len(total))
        together = max(1, self.tile // (total.size * widest))  # small layers: several examples at once
        pairs = self.tile // (widest * together)
        on, live = a != 0, margin > -reach
        for start in range(0, len(a), together):
            examples = slice(start, start + together)
            inputs = on[examples].any(axis=0).nonzero()[0]
            for units in _split(live[examples].any(axis=0).nonzero()[0], pairs):
                v, straight = self._directions(examples, units, reach[examples][:, units])
                for u, i in _tiles(straight.nonzero()[0], inputs, self.tile // (v.shape[1] * together)):
                    self._add(total, examples, units[u], i, v[:, :, u])
                for u, i in _tiles(units[~straight], inputs, pairs):
                    self._add(total, examples, u, i, None)
        return total

    def _directions(self, examples: slice, units: Array, reach: Array) -> tuple[Array, Array]:
        """v (examples or 1, outputs, units), and which units move the logits by sigma v in every example."""
        margin = self.unmoved.margin[self.index][examples][:, units]
        straight: Array = np.abs(margin) > reach
        if self.index == self.last:
            v = self.unmoved.logit_moves(np.eye(len(self.h), dtype=margin.dtype)[units], examples)
        else:
            v = (margin > 0)[:, :, None] * self.unmoved.weights(self.index + 1, examples)[:, units]
        for layer in range(self.index + 1, self.last):
            margin = self.unmoved.margin[layer][examples][:, None]
            straight &= (np.abs(v) * reach[:, :, None] <= np.abs(margin)).all(axis=2)
            v = product(v * (margin > 0), self.unmoved.weights(layer + 1, examples))
        return np.ascontiguousarray(v.transpose(0, 2, 1)), np.all(straight, axis=0)

    def _add(self, total: Array, examples: slice, units: Array, inputs: Array, v: Array | None) -> None:
        """Add to `total` what units x inputs change in these examples; v where it holds for all units."""
        entries = units[:, None] * total.shape[1] + inputs
        sigma = self.h.take(entries) * self.unmoved.inputs[self.index][examples][:, None, inputs]
        z, targets, p = self.unmoved.logits
        logits, loss = (z[examples], targets[examples], p[examples]), self.unmoved.network.loss_function
        changes = np.zeros((len(sigma), entries.size), sigma.dtype)
        moves = self._pushed(examples, units, sigma) if v is None else self._straight(sigma, v)
        for move, weights in moves:
            for weight, term in zip(weights, loss_changes(loss, logits, move, self.buffers), strict=True):
                changes += (weight * term).real
        total.ravel()[entries] += changes.sum(axis=0).reshape(entries.shape)

    def _straight(self, sigma: Array, v: Array) -> Iterator[tuple[Move, Weights]]:
        """D = s sigma v, at s and -s together."""
        size, shape = largest(sigma) * largest(v), (len(sigma), v.shape[1], *sigma.shape[1:])
        for s, signs, weights in self.nodes:
            D = np.multiply((s * v)[..., None], sigma[:, None], out=shaped(self.buffers[0], shape))
            yield Move(D.reshape(*shape[:2], -1), signs, abs(s) * size), weights

    def _pushed(self, examples: slice, units: Array, sigma: Array) -> Iterator[tuple[Move, Weights]]:
        """D by way of every layer, at each node by itself."""
        z, activation = self.unmoved.z[self.index][examples][:, units, None], self.unmoved.network.activation
        for s, signs, weights in self.nodes:
            for sign, weight in zip(signs, weights, strict=True):
                d = activation_change(activation, z, sign * s * sigma, self.buffers)
                D = self._logit_changes(examples, units, d)
                yield Move(D, (1,), largest(D)), (weight,)

    def _logit_changes(self, examples: slice, units: Array, d: Array) -> Array:
        """D (examples, outputs, units inputs) when a_l moves by d (examples, units, inputs)."""
        unmoved, moving = self.unmoved, self.buffers[0]
        W = unmoved.weights(self.index + 1, examples)[:, units, None]
        if self.index + 1 == self.last:
            shape = (len(d), W.shape[3], *d.shape[1:])
            D = np.multiply(d[:, None], W.transpose(0, 3, 1, 2), out=shaped(moving, shape))
            return D.reshape(*D.shape[:2], -1)
        moved = np.multiply(d[..., None], W, out=shaped(moving, (*d.shape, W.shape[3])))
        for layer in range(self.index + 1, self.last):
            z = unmoved.z[layer][examples][:, None, None]
            moved = activation_change(unmoved.network.activation, z, moved, self.buffers)
            if layer + 1 < self.last:
                W = unmoved.weights(layer + 1, examples)[0]
                moved = product(moved, W, out=shaped(moving, (*d.shape, W.shape[1])))
        W = unmoved.weights(self.last, examples)
        return product(W.transpose(0, 2, 1), moved.reshape(len(d), -1, W.shape[1]).transpose(0, 2, 1))


def _split(indices: Array, most: int) -> Iterator[Array]:
    for start in range(0, len(indices), max(1, most)):
        yield indices[start : start + max(1, most)]


def _tiles(units: Array, inputs: Array, most: int) -> Iterator[tuple[Array, Array]]:
    """units x inputs in rectangles of at most `most` entries, and at least one."""
    for i in _split(inputs, most):
        for u in _split(units, most // len(i)):
            yield u, i
