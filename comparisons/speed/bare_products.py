"""The floor under every training step: its matrix products alone.

    forward    z_l = a_{l-1} W_l                       for every layer l
    backward   dW_l = a_{l-1}^T delta_l                 for every layer l
               delta_{l-1} = delta_l W_l^T              for l > 1

by the same library and into buffers made beforehand, as the network does it. What a step takes beyond this is
the cost of everything that is not a product: gather, bias, activation, loss, update, and Python itself.
"""

from collections.abc import Sequence

import numpy as np

from backproof.reference.contender import Checkpoints, NotOffered, between
from backproof.scratch.architecture import (
    Architecture,
    Array,
    Inputs,
    Logits,
    OptimizerSpec,
    Rows,
    Targets,
    Weights,
)

Product = tuple[Array, Array, Array]  # left, right, out


class BareProducts:
    """`train` runs the products of one step per batch; it computes no loss and changes no weights."""

    def load(self, architecture: Architecture, weights: Weights) -> None:
        self.architecture = architecture
        self._weights = [weight.copy() for weight, _ in architecture.checked_weights(weights)]

    def logits(self, x: Inputs) -> Logits:
        raise NotOffered("matrix products alone make no logits")

    def loss_and_gradient(self, x: Inputs, targets: Targets) -> tuple[float, Weights]:
        raise NotOffered("matrix products alone make no gradient")

    def train(
        self,
        x: Inputs,
        targets: Targets,
        batches: Sequence[Rows],
        optimizer: OptimizerSpec,
        checkpoints: Checkpoints | None = None,
    ) -> Sequence[float]:
        products = {}
        for size in {len(batch) for batch in batches}:
            forward, backward = products_of_a_step(self.architecture, self._weights, x[:size])
            products[size] = forward + backward
        for batch in between(batches, checkpoints):
            for a, b, out in products[len(batch)]:
                np.dot(a, b, out=out)  # matmul leaves BLAS for a batch of one
        return []

    def weights(self) -> Weights:
        raise NotOffered("matrix products alone train nothing")


def products_of_a_step(
    architecture: Architecture, weights: Sequence[Array], x: Array
) -> tuple[list[Product], list[Product]]:
    """Those of the forward and of the backward pass, in the order of a step, with buffers to write into."""
    dtype, sizes = architecture.dtype, architecture.layer_sizes
    values = [x.astype(dtype)] + [np.full((len(x), size), 0.01, dtype) for size in sizes[1:]]
    outputs = [np.empty((len(x), size), dtype) for size in sizes]
    deltas = [np.full((len(x), size), 0.01, dtype) for size in sizes]
    forward = [(values[k], W, outputs[k + 1]) for k, W in enumerate(weights)]
    backward = []
    for k in reversed(range(len(weights))):
        backward.append((values[k].T, deltas[k + 1], np.empty_like(weights[k])))
        if k > 0:
            backward.append((deltas[k + 1], weights[k].T, outputs[k]))
    return forward, backward
