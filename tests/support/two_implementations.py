"""Contenders for the comparison of two implementations: one with a mistake, one that shows little."""

from backproof.comparisons.contenders.scratch_mlp import ScratchMLP
from backproof.reference.contender import NotOffered
from backproof.scratch.architecture import Array, Weights


class Halved(ScratchMLP):
    """The gradient of every bias is half of what it should be."""

    def loss_and_gradient(self, x: Array, targets: Array) -> tuple[float, Weights]:
        loss, gradient = super().loss_and_gradient(x, targets)
        return loss, [(dW, db / 2) for dW, db in gradient]


class LogitsOnly(ScratchMLP):
    """It predicts, and has no gradient."""

    def loss_and_gradient(self, x: Array, targets: Array) -> tuple[float, Weights]:
        raise NotOffered("no gradient here")
