"""JAX as its users write a long loop: `jax.lax.scan` over many steps in one compiled call.

Batches of equal size that follow each other, up to the next checkpoint, are one scan over their stacked rows.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from backproof.reference.contender import Checkpoints, between, checked_training, stretches_of
from backproof.reference.jax_mlp import JaxMLP, step_function
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


class JaxScan:
    """`JaxMLP`, trained by scans."""

    def __init__(self) -> None:
        self._jax = JaxMLP()

    def load(self, architecture: Architecture, weights: Weights) -> None:
        self._jax.load(architecture, weights)

    def logits(self, x: Inputs) -> Logits:
        return self._jax.logits(x)

    def loss_and_gradient(self, x: Inputs, targets: Targets) -> tuple[float, Weights]:
        return self._jax.loss_and_gradient(x, targets)

    def weights(self) -> Weights:
        return self._jax.weights()

    def train(
        self,
        x: Inputs,
        targets: Targets,
        batches: Sequence[Rows],
        optimizer: OptimizerSpec,
        checkpoints: Checkpoints | None = None,
    ) -> Sequence[float]:
        architecture = self._jax.architecture
        x, targets, rows = checked_training(architecture, x, targets, batches)
        with self._jax.precision():
            data = jnp.array(x), jnp.array(targets)
            n_moments, step = step_function(architecture, optimizer)
            state = self._jax.fresh_state(n_moments)
            stacks = [jnp.array(stack) for stack in _stacks(rows, checkpoints)]
            scan = self._compiled(step, state, data, stacks)
            losses: list[Any] = []

            def finish() -> None:
                self._jax.take_parameters(state)

            for stack in between(stacks, checkpoints, finish, steps=len):
                state, found = scan[stack.shape](state, *data, stack)
                losses.append(found)
            finish()
            return [float(loss) for found in losses for loss in np.asarray(found)]

    @staticmethod
    def _compiled(step: Any, state: Any, data: Any, stacks: Sequence[Any]) -> dict[Any, Any]:
        """One compiled scan per shape of stacked rows, made before any clock runs."""

        def scan(state: Any, x: Any, targets: Any, stacked: Any) -> Any:
            return jax.lax.scan(lambda carry, rows: step(carry, x, targets, rows), state, stacked)

        shapes = {stacked.shape: stacked for stacked in stacks}
        return {
            shape: jax.jit(scan, donate_argnums=0).lower(state, *data, stacked).compile()
            for shape, stacked in shapes.items()
        }


def _stacks(rows: Sequence[Rows], checkpoints: Checkpoints | None) -> Iterator[Array]:
    """The int32 rows (steps, batch) of each run of equal batches between two checkpoints."""
    for stretch in stretches_of(rows, checkpoints):
        for _, run in groupby(stretch, key=len):
            yield np.stack(list(run)).astype(np.int32)
