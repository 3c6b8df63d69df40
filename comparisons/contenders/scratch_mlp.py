"""`ScratchMLP`: the from-scratch network behind the methods that every contender offers.

It checks what comes in and copies what goes out; all the mathematics is in `network` and `training`.
"""

from collections.abc import Sequence

from backproof.reference.contender import Checkpoints, between, checked_training
from backproof.scratch.architecture import Architecture, Inputs, Logits, OptimizerSpec, Rows, Targets, Weights
from backproof.scratch.network import Network
from backproof.scratch.parameters import Parameters
from backproof.scratch.training import Recipe, train


class ScratchMLP:
    """The contender called ``scratch``."""

    def load(self, architecture: Architecture, weights: Weights) -> None:
        """Take a copy of `weights`; everything else starts afresh."""
        self.architecture = architecture
        self.network = Network(architecture, Parameters.from_weights(architecture, weights))

    def logits(self, x: Inputs) -> Logits:
        """(batch, outputs), a fresh array."""
        return self.network.forward(self.architecture.checked_inputs(x))[-1].copy()

    def loss_and_gradient(self, x: Inputs, targets: Targets) -> tuple[float, Weights]:
        """The loss of the batch and its gradient per layer; the weights stay."""
        x, targets = self.architecture.checked_batch(x, targets)
        gradient = Parameters(self.architecture)
        loss = self.network.loss_and_gradient(x, targets, gradient)
        return loss, gradient.layers

    def train(
        self, x: Inputs, targets: Targets, batches: Sequence[Rows], optimizer: OptimizerSpec,
        checkpoints: Checkpoints | None = None,
    ) -> Sequence[float]:  # fmt: skip
        """One step per batch of row indices with a fresh optimiser; each step's loss before its update."""
        x, targets, rows = checked_training(self.architecture, x, targets, batches)
        return train(self.network, x, targets, between(rows, checkpoints), Recipe(optimizer))

    def weights(self) -> Weights:
        """Copies of the weights as they are now."""
        return self.network.parameters.weights()
