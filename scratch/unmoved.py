"""What one forward pass leaves, with every parameter in place: what the structured quotients start from.

A network of relus (or identities) is affine up to the next kink. `to_kink` says how far each pre-activation
may move until then, and on which side of the kink it stands:

    relu       z itself: positive, slope one as far as the kink at 0; negative, slope zero as far as there
    identity   infinity: slope one, however far
    others     0: curved everywhere

A worked example: two relus in one example, z = (3, -0.5). The first may fall by 3 before it stops passing on
what moves it; the second passes on nothing until it has risen by 0.5.

>>> to_kink("relu", np.array([[3.0, -0.5]]))
array([[ 3. , -0.5]])
>>> to_kink("tanh", np.array([[3.0, -0.5]]))
array([[0., 0.]])
"""

from typing import Annotated, NamedTuple

import numpy as np

from .architecture import ActivationName, Array, Inputs, Targets, Units
from .loss_changes import UnmovedLogits, softmax
from .losses import LOSS_FUNCTIONS
from .network import Network, product

WeightsByExample = Annotated[Array, "examples fan_in fan_out"]  # of one example, where all share them


class UnmovedLayer(NamedTuple):
    """One layer's arrays, a row for each example."""

    inputs: Annotated[Array, "examples entries"]  # a_{l-1}, and a last column of ones for the bias
    z: Units
    to_kink: Units


class Unmoved(NamedTuple):
    """The network and all its layers, for some examples."""

    network: Network
    layers: list[UnmovedLayer]
    logits: UnmovedLogits

    @property
    def last(self) -> int:
        """The index of the layer that gives the logits."""
        return len(self.layers) - 1

    def rows(self, examples: slice) -> "Unmoved":
        """The same for these examples."""
        layers = [UnmovedLayer(*(array[examples] for array in layer)) for layer in self.layers]
        logits = UnmovedLogits(*(array[examples] for array in self.logits))
        return Unmoved(self.network, layers, logits)

    def weights(self, layer: int) -> WeightsByExample:
        """W of this layer; of the last one, as the loss takes what moves the logits."""
        W = self.network.layers[layer][0]
        return self.as_logit_moves(W) if layer == self.last else W[None]

    def as_logit_moves(self, D: Annotated[Array, "moves outputs"]) -> WeightsByExample:
        """D for each example: for cross_entropy relative to the column of the example's label."""
        if self.network.loss_function is not LOSS_FUNCTIONS["cross_entropy"]:
            return D[None]
        label_columns = D.T[self.logits.targets]  # (examples, moves)
        return D[None] - label_columns[:, :, None]


def forward_unmoved(network: Network, x: Inputs, targets: Targets) -> Unmoved:
    """The forward pass, once for all entries.

    Parameters
    ----------
    network
        At the parameters from which the entries will move.
    x
        Inputs (examples, n_inputs); trusted.
    targets
        As the loss wants them; trusted.

    Returns
    -------
    Unmoved
        Arrays of its own, which no later forward pass overwrites.
    """
    layers = []
    a = x.astype(network.dtype, copy=False)
    n_layers = len(network.layers)
    for number, (W, b) in enumerate(network.layers, start=1):
        ones = np.ones((len(a), 1), a.dtype)
        z = product(a, W) + b
        activation = "identity" if number == n_layers else network.architecture.activation
        layers.append(UnmovedLayer(np.concatenate([a, ones], axis=1), z, to_kink(activation, z)))
        a = z.copy()
        network.activation.apply(a)
    return Unmoved(network, layers, UnmovedLogits(z, targets, softmax(z)))


def to_kink(activation: ActivationName, z: Units) -> Units:
    """How far each z may move before f bends, negative where the slope is zero; see above.

    Parameters
    ----------
    activation
        The layer's, "identity" for the logits.
    z
        Pre-activations (examples, units).

    Returns
    -------
    array (examples, units)
        For relu z itself, else a new array.
    """
    if activation == "relu":
        return z
    return np.full_like(z, np.inf if activation == "identity" else 0.0)
