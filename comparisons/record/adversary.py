"""Adversarial training: every example is moved to a neighbour whose loss grows fastest.

    x' = x + r g / |g|_2,    g = dL_n/dx_n at x, for every example n by itself                [1]

g is one pass forward and one backward, of which only what runs down to the inputs is computed:

    delta_L = softmax(z) - onehot;    delta_{l-1} = (delta_l W_l^T) * f'(z_{l-1});    g = delta_1 W_1^T

No pixel knows its neighbours: a fixed shuffling of the pixels would give the same result.

References
----------
[1] Miyato, Maeda, Koyama, Ishii 2019; without the norm, Goodfellow, Shlens, Szegedy 2015.
In full: `backproof.scratch.references`.
"""

from typing import Annotated, final

import numpy as np

from backproof.reference.recipe import SHORTEST_SLOPE
from backproof.scratch.architecture import Array, Batch, Inputs, Labels
from backproof.scratch.network import Network, finite_products

BatchLabels = Annotated[Array, "batch"]


@final
class Adversary:
    """Moves batches of a network that is being trained; the network's own buffers stay as they are."""

    def __init__(self, network: Network, distance: float) -> None:
        self.network = Network(network.architecture, network.parameters, network.loss_function)
        self.distance = network.dtype.type(distance)
        self._buffers: list[Array] = []

    def __call__(self, x: Batch, labels: BatchLabels) -> None:
        """Move every row of x (batch, n_inputs), in place."""
        g = self.input_gradient(x, labels)
        length = np.sqrt(np.einsum("ij,ij->i", g, g))
        g *= (self.distance / np.maximum(length, SHORTEST_SLOPE))[:, None]
        x += g

    @finite_products
    def input_gradient(self, x: Inputs, labels: Labels) -> Inputs:
        """g (batch, n_inputs) at x, row n the slope of example n's own loss; the next call overwrites it."""
        network, n = self.network, len(x)
        activations = network.forward(x)
        *buffers, delta = self._leading_rows(n)
        # The factor n takes back the mean over the batch.
        network.loss_function.value_and_delta(activations[-1], labels, delta, factor=n)
        for layer in reversed(range(len(network.layers))):
            delta = np.matmul(delta, network.layers[layer][0].T, out=buffers[layer])
            if layer > 0:
                network.activation.backpropagate(delta, activations[layer])
        return delta

    def _leading_rows(self, n: int) -> list[Array]:
        """One array (n, units) for the inputs and for each layer's units."""
        if not self._buffers or n > len(self._buffers[0]):
            sizes = self.network.architecture.layer_sizes
            self._buffers = [np.empty((n, size), self.network.dtype) for size in sizes]
        return [buffer[:n] for buffer in self._buffers]
