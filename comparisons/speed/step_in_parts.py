"""Where a step of scratch goes: gather, forward, loss, backward, update, and the products inside two of them.

The step is that of `scratch.training`, made of the same calls, with the clock read between them. The products
of forward and backward are timed as the floor times them, in the same process, directly after each step.
"""

import time
from collections.abc import Callable, Sequence

import numpy as np

from backproof.comparisons.speed.bare_products import Product, products_of_a_step
from backproof.reference.contender import Checkpoints, NotOffered
from backproof.scratch.architecture import Architecture, Array, OptimizerSpec, Weights
from backproof.scratch.network import Network
from backproof.scratch.optimizers import SGD, Adam, make_optimizer
from backproof.scratch.parameters import Parameters
from backproof.scratch.training import gather

STEP_PARTS = ("gather", "forward", "loss", "backward", "update")
PRODUCTS = ("forward products", "backward products")


class ScratchInParts:
    """After `train`, `parts` holds the median seconds per step of STEP_PARTS and PRODUCTS."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.parts: dict[str, float] = {}
        self._clock = clock

    def load(self, architecture: Architecture, weights: Weights) -> None:
        self.architecture = architecture
        self.network = Network(architecture, Parameters.from_weights(architecture, weights))

    def logits(self, x: Array) -> Array:
        raise NotOffered("it is only there for its clock")

    def loss_and_gradient(self, x: Array, targets: Array) -> tuple[float, Weights]:
        raise NotOffered("it is only there for its clock")

    def weights(self) -> Weights:
        return self.network.parameters.weights()

    def train(
        self,
        x: Array,
        targets: Array,
        batches: Sequence[Array],
        optimizer: OptimizerSpec,
        checkpoints: Checkpoints | None = None,
    ) -> Sequence[float]:
        checkpoints = checkpoints or {}
        rule = make_optimizer(optimizer, self.network.parameters.flat)
        buffers = {size: _Buffers(self.architecture, x[:size]) for size in {len(batch) for batch in batches}}
        losses: list[float] = []
        rows: list[list[float]] = []
        for number, batch in enumerate(batches):
            if number in checkpoints:
                checkpoints[number]()
                rows = []
            loss, marks = self._step(x, targets, batch, rule, buffers[len(batch)])
            losses.append(loss)
            rows.append(marks)
        if len(batches) in checkpoints:
            checkpoints[len(batches)]()
        medians = np.median(np.array(rows), axis=0)
        self.parts = {name: float(m) for name, m in zip(STEP_PARTS + PRODUCTS, medians, strict=True)}
        return losses

    def _step(
        self, x: Array, targets: Array, batch: Array, rule: SGD | Adam, buffers: "_Buffers"
    ) -> tuple[float, list[float]]:
        network, clock, scale = self.network, self._clock, rule.gradient_scale
        marks = [clock()]
        batch_x = gather(x, batch, buffers.x)
        batch_targets = targets[batch]
        marks.append(clock())
        activations = network.forward(batch_x)
        marks.append(clock())
        value_and_delta = network.loss_function.value_and_delta
        loss = float(value_and_delta(activations[-1], batch_targets, buffers.delta, scale))
        marks.append(clock())
        network.backward(activations, buffers.delta, buffers.gradient)
        marks.append(clock())
        rule.step(network.parameters.flat, buffers.gradient.flat, scale)
        marks.append(clock())
        for products in (buffers.forward, buffers.backward):
            for a, b, out in products:
                np.dot(a, b, out=out)  # matmul leaves BLAS for a batch of one
            marks.append(clock())
        return loss, np.diff(marks).tolist()


class _Buffers:
    """What a step of one batch size works in."""

    def __init__(self, architecture: Architecture, x: Array) -> None:
        self.x = np.empty_like(x)
        self.delta = np.empty((architecture.n_outputs, len(x)), architecture.dtype).T  # as the network's own
        self.gradient = Parameters(architecture)
        weights = [np.full(shape, 0.01, architecture.dtype) for shape in architecture.layer_shapes]
        self.forward: list[Product]
        self.backward: list[Product]
        self.forward, self.backward = products_of_a_step(architecture, weights, x)
