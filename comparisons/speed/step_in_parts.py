"""Where a step of scratch goes: gather, forward, loss, backward, update, and the products inside two of them.

The step is `scratch.training.TrainingStep`, which says when each of its parts is finished: the clock is read
there. The products of forward and backward are timed as the floor times them, in the same process, directly
after each step.
"""

import time
from collections.abc import Callable, Sequence

import numpy as np

from backproof.comparisons.speed.bare_products import Product, products_of_a_step
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
from backproof.scratch.network import Network
from backproof.scratch.parameters import Parameters
from backproof.scratch.training import STEP_PARTS, Recipe, TrainingStep

PRODUCTS = ("forward products", "backward products")


class ScratchInParts:
    """After `train`, `parts` holds the median seconds per step of STEP_PARTS and PRODUCTS."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.parts: dict[str, float] = {}
        self._clock = clock

    def load(self, architecture: Architecture, weights: Weights) -> None:
        self.architecture = architecture
        self.network = Network(architecture, Parameters.from_weights(architecture, weights))

    def logits(self, x: Inputs) -> Logits:
        raise NotOffered("it is only there for its clock")

    def loss_and_gradient(self, x: Inputs, targets: Targets) -> tuple[float, Weights]:
        raise NotOffered("it is only there for its clock")

    def weights(self) -> Weights:
        return self.network.parameters.weights()

    def train(
        self,
        x: Inputs,
        targets: Targets,
        batches: Sequence[Rows],
        optimizer: OptimizerSpec,
        checkpoints: Checkpoints | None = None,
    ) -> Sequence[float]:
        step = TrainingStep(self.network, x, targets, Recipe(optimizer))
        products = self._products(x, {len(batch) for batch in batches})
        losses: list[float] = []
        rows: list[list[float]] = []
        for number, batch in enumerate(between(batches, checkpoints)):
            if number in (checkpoints or {}):
                rows = []
            marks = [self._clock()]
            losses.append(step(batch, lambda part: marks.append(self._clock())))  # noqa: B023 - called at once
            for direction in products[len(batch)]:
                for a, b, out in direction:
                    np.dot(a, b, out=out)  # matmul leaves BLAS for a batch of one
                marks.append(self._clock())
            rows.append(np.diff(marks).tolist())
        medians = np.median(np.array(rows), axis=0)
        self.parts = {name: float(m) for name, m in zip(STEP_PARTS + PRODUCTS, medians, strict=True)}
        return losses

    def _products(self, x: Array, sizes: set[int]) -> dict[int, tuple[list[Product], list[Product]]]:
        """The products of the forward and of the backward pass, for every size of a batch."""
        shapes, dtype = self.architecture.layer_shapes, self.architecture.dtype
        weights = [np.full(shape, 0.01, dtype) for shape in shapes]
        return {size: products_of_a_step(self.architecture, weights, x[:size]) for size in sizes}
