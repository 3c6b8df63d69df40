"""Contenders for real worker processes: one that works, and one for each way of going wrong."""

import os
import time
from collections.abc import Sequence
from typing import Any

from backproof.comparisons.contenders.scratch_mlp import ScratchMLP
from backproof.reference.contender import Checkpoints, NotOffered
from backproof.scratch.architecture import Array, OptimizerSpec


class Works(ScratchMLP):
    """Scratch under another name."""


class Crashes(ScratchMLP):
    def train(self, *arguments: object, **keywords: object) -> Sequence[float]:
        raise RuntimeError("lost a shoe")


class Dies(ScratchMLP):
    def train(self, *arguments: object, **keywords: object) -> Sequence[float]:
        os._exit(3)


class Hangs(ScratchMLP):
    def train(self, *arguments: object, **keywords: object) -> Sequence[float]:
        time.sleep(600)
        return []


class Declines(ScratchMLP):
    def train(self, *arguments: object, **keywords: object) -> Sequence[float]:
        raise NotOffered("no such optimiser")


class Talks(ScratchMLP):
    """Prints where the answers go."""

    def train(
        self,
        x: Array,
        targets: Array,
        batches: Sequence[Array],
        optimizer: OptimizerSpec,
        checkpoints: Checkpoints | None = None,
    ) -> Sequence[float]:
        print("epoch 1/1: 100%")
        os.write(1, b"straight to the file descriptor\n")
        return super().train(x, targets, batches, optimizer, checkpoints)


class TakesMoreThreads(ScratchMLP):
    def train(
        self,
        x: Array,
        targets: Array,
        batches: Sequence[Array],
        optimizer: OptimizerSpec,
        checkpoints: Checkpoints | None = None,
    ) -> Sequence[float]:
        import threadpoolctl

        threadpoolctl.threadpool_limits(2)
        return super().train(x, targets, batches, optimizer, checkpoints)


class Skips(ScratchMLP):
    """Trains the first step alone."""

    def train(self, *arguments: Any) -> Sequence[float]:
        x, targets, batches, optimizer, checkpoints = arguments
        for checkpoint in checkpoints.values():
            checkpoint()
        return super().train(x, targets, batches[:1], optimizer)


class OtherMaths(ScratchMLP):
    """Trains on a hundredth more light."""

    def train(
        self,
        x: Array,
        targets: Array,
        batches: Sequence[Array],
        optimizer: OptimizerSpec,
        checkpoints: Checkpoints | None = None,
    ) -> Sequence[float]:
        return super().train(x * x.dtype.type(1.01), targets, batches, optimizer, checkpoints)
