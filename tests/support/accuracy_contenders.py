"""Contenders with one flaw each, for the tests of the accuracy comparison. All of them subclass nothing:
they hold a `ScratchMLP` and change one answer of it.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from backproof.comparisons.contenders.scratch_mlp import ScratchMLP
from backproof.reference.contender import Checkpoints, NotOffered
from backproof.scratch.architecture import Architecture, Array, OptimizerSpec, Weights


class Faithful:
    """Sums every batch in another order: a correct contender, unlike scratch by rounding alone."""

    def __init__(self) -> None:
        self.inner = ScratchMLP()

    def load(self, architecture: Architecture, weights: Weights) -> None:
        self.inner.load(architecture, weights)

    def logits(self, x: Array) -> Array:
        return self.inner.logits(x)

    def loss_and_gradient(self, x: Array, targets: Array) -> tuple[float, Weights]:
        return self.inner.loss_and_gradient(x[::-1], targets[::-1])

    def train(
        self,
        x: Array,
        targets: Array,
        batches: Sequence[Array],
        optimizer: OptimizerSpec,
        checkpoints: Checkpoints | None = None,
    ) -> Sequence[float]:
        turned = [batch[::-1].copy() for batch in batches]
        return self.inner.train(x, targets, turned, optimizer, checkpoints)

    def weights(self) -> Weights:
        return self.inner.weights()


class OtherStart(Faithful):
    """Starts from weights of its own, close to those it was given."""

    def load(self, architecture: Architecture, weights: Weights) -> None:
        (first, bias), *rest = weights
        super().load(architecture, [(first * 1.01, bias), *rest])


class DecayInTraining(Faithful):
    """Decays the weights a little in training, and only there: no gradient check can see it."""

    def train(
        self,
        x: Array,
        targets: Array,
        batches: Sequence[Array],
        optimizer: OptimizerSpec,
        checkpoints: Checkpoints | None = None,
    ) -> Sequence[float]:
        return super().train(x, targets, batches, replace(optimizer, weight_decay=1e-6), checkpoints)


class GradientOff(Faithful):
    """Reports a gradient that is wrong by a part in 10^9."""

    def loss_and_gradient(self, x: Array, targets: Array) -> tuple[float, Weights]:
        loss, gradient = super().loss_and_gradient(x, targets)
        return loss, [(weight * (1 + 1e-9), bias) for weight, bias in gradient]


class WorseAnswers(Faithful):
    """Trains right and answers wrong: every twentieth image gets the next class."""

    def logits(self, x: Array) -> Array:
        logits = super().logits(x)
        logits[::20] = np.roll(logits[::20], 1, axis=1)
        return logits


class NoTraining(Faithful):
    """Offers everything but training."""

    def train(self, *arguments: object, **options: object) -> Sequence[float]:
        raise NotOffered("it only predicts")


class TellsItsThreads(Faithful):
    """Trains nothing, and says with how many threads it would have."""

    def train(self, *arguments: object, **options: object) -> Sequence[float]:
        import threadpoolctl

        found = {pool["num_threads"] for pool in threadpoolctl.threadpool_info()}
        raise NotOffered(f"threads: {sorted(found)}")


class NoGradient(Faithful):
    """Offers no gradient and no weights."""

    def loss_and_gradient(self, x: Array, targets: Array) -> tuple[float, Weights]:
        raise NotOffered("its gradient is not public")
