"""Contenders as a user might bring them: one that is right, one without `train`, and wrong ones."""

from collections.abc import Sequence

from backproof.comparisons.contenders.scratch_mlp import ScratchMLP
from backproof.reference.contender import Checkpoints
from backproof.scratch.architecture import Architecture, Array, OptimizerSpec, Weights


class Right:
    """Forwards to scratch."""

    def __init__(self) -> None:
        self.inner = ScratchMLP()

    def load(self, architecture: Architecture, weights: Weights) -> None:
        self.inner.load(architecture, weights)

    def logits(self, x: Array) -> Array:
        return self.inner.logits(x)

    def loss_and_gradient(self, x: Array, targets: Array) -> tuple[float, Weights]:
        return self.inner.loss_and_gradient(x, targets)

    def train(
        self,
        x: Array,
        targets: Array,
        batches: Sequence[Array],
        optimizer: OptimizerSpec,
        checkpoints: Checkpoints | None = None,
    ) -> Sequence[float]:
        return self.inner.train(x, targets, batches, optimizer, checkpoints)

    def weights(self) -> Weights:
        return self.inner.weights()


class WithoutTraining:
    """Gradients alone."""

    def __init__(self) -> None:
        self.inner = ScratchMLP()
        self.load, self.logits = self.inner.load, self.inner.logits
        self.loss_and_gradient, self.weights = self.inner.loss_and_gradient, self.inner.weights


class KeepsItsOptimiser(Right):
    """Wrong: trains on from the velocity of the call before."""

    def load(self, architecture: Architecture, weights: Weights) -> None:
        super().load(architecture, weights)
        self.loaded = architecture, weights
        self.seen: list[Array] = []

    def train(
        self,
        x: Array,
        targets: Array,
        batches: Sequence[Array],
        optimizer: OptimizerSpec,
        checkpoints: Checkpoints | None = None,
    ) -> Sequence[float]:
        self.seen += [batch.copy() for batch in batches]
        self.inner.load(*self.loaded)
        return self.inner.train(x, targets, self.seen, optimizer, checkpoints)[-len(batches) :]


class LendsItsBuffer(Right):
    """Wrong: the logits it returns are overwritten by the next call."""

    def logits(self, x: Array) -> Array:
        return self.inner.network.forward(x)[-1]


class DropsTheShortBatch(Right):
    """Wrong: a last batch shorter than the first is left out."""

    def train(
        self,
        x: Array,
        targets: Array,
        batches: Sequence[Array],
        optimizer: OptimizerSpec,
        checkpoints: Checkpoints | None = None,
    ) -> Sequence[float]:
        whole = [batch for batch in batches if len(batch) == len(batches[0])]
        return self.inner.train(x, targets, whole, optimizer, checkpoints)


class WritesToItsInput(Right):
    """Wrong: it centres the caller's images."""

    def train(
        self,
        x: Array,
        targets: Array,
        batches: Sequence[Array],
        optimizer: OptimizerSpec,
        checkpoints: Checkpoints | None = None,
    ) -> Sequence[float]:
        losses = self.inner.train(x, targets, batches, optimizer, checkpoints)
        if x.flags.writeable:
            x -= x.mean()
        return losses
