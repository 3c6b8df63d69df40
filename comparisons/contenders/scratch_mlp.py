"""`ScratchMLP`: the from-scratch network behind the methods that every contender offers.

It checks what comes in and copies what goes out; all the mathematics is in `network` and `training`.
"""

from collections.abc import Sequence

from backproof.reference.contender import Checkpoints, checked_batches
from backproof.scratch.architecture import Architecture, Array, OptimizerSpec, Weights
from backproof.scratch.network import Network
from backproof.scratch.parameters import Parameters
from backproof.scratch.training import train


class ScratchMLP:
    """The contender called ``scratch``."""

    def load(self, architecture: Architecture, weights: Weights) -> None:
        """Take a copy of `weights`; everything else starts afresh."""
        self.architecture = architecture
        self.network = Network(architecture, Parameters.from_weights(architecture, weights))

    def logits(self, x: Array) -> Array:
        """(batch, outputs), a fresh array."""
        return self.network.forward(self.architecture.checked_inputs(x))[-1].copy()

    def loss_and_gradient(self, x: Array, targets: Array) -> tuple[float, Weights]:
        """The loss of the batch and its gradient per layer; the weights stay."""
        x, targets = self._checked(x, targets)
        gradient = Parameters(self.architecture)
        loss = self.network.loss_and_gradient(x, targets, gradient)
        return loss, gradient.layers

    def train(
        self, x: Array, targets: Array, batches: Sequence[Array], optimizer: OptimizerSpec,
        checkpoints: Checkpoints | None = None,
    ) -> Sequence[float]:  # fmt: skip
        """One step per batch of row indices with a fresh optimiser; each step's loss before its update."""
        x, targets = self._checked(x, targets)
        batches = checked_batches(batches, len(x))
        checkpoints = checkpoints or {}

        def on_step(steps: int, loss: float) -> None:
            if steps in checkpoints:
                checkpoints[steps]()

        on_step(0, float("nan"))
        return train(self.network, x, targets, batches, optimizer, on_step)

    def weights(self) -> Weights:
        """Copies of the weights as they are now."""
        return self.network.parameters.weights()

    def _checked(self, x: Array, targets: Array) -> tuple[Array, Array]:
        x = self.architecture.checked_inputs(x)
        return x, self.architecture.checked_targets(targets, len(x))
