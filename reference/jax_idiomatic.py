"""JAX as its users write a long loop: `jax.lax.scan` over many steps in one compiled call.

Batches of equal size that follow each other, up to the next checkpoint, are one scan over their stacked rows.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from backproof.reference.contender import Checkpoints, checked_batches
from backproof.reference.jax_mlp import JaxMLP, step_function
from backproof.scratch.architecture import Architecture, Array, OptimizerSpec, Weights


class JaxScan:
    """`JaxMLP`, trained by scans."""

    def __init__(self) -> None:
        self._jax = JaxMLP()

    def load(self, architecture: Architecture, weights: Weights) -> None:
        self._jax.load(architecture, weights)

    def logits(self, x: Array) -> Array:
        return self._jax.logits(x)

    def loss_and_gradient(self, x: Array, targets: Array) -> tuple[float, Weights]:
        return self._jax.loss_and_gradient(x, targets)

    def weights(self) -> Weights:
        return self._jax.weights()

    def train(
        self,
        x: Array,
        targets: Array,
        batches: Sequence[Array],
        optimizer: OptimizerSpec,
        checkpoints: Checkpoints | None = None,
    ) -> Sequence[float]:
        architecture, checkpoints = self._jax.architecture, checkpoints or {}
        x = architecture.checked_inputs(x)
        targets = architecture.checked_targets(targets, len(x))
        rows = checked_batches(batches, len(x))
        with self._jax.precision():
            data = jnp.array(x), jnp.array(targets)
            n_moments, step = step_function(architecture, optimizer)
            state = self._jax.fresh_state(n_moments)
            stretches = [(start, jnp.array(stacked)) for start, stacked in _stretches(rows, checkpoints)]
            scan = self._compiled(step, state, data, [stacked for _, stacked in stretches])
            losses: list[Any] = []
            for start, stacked in stretches:
                if start in checkpoints:
                    self._jax.checkpoint(state, checkpoints[start])
                state, found = scan[stacked.shape](state, *data, stacked)
                losses.append(found)
            self._jax.checkpoint(state, checkpoints.get(len(rows), lambda: None))
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


def _stretches(rows: Sequence[Array], checkpoints: Checkpoints) -> Iterator[tuple[int, Array]]:
    """(first step, stacked int32 rows (steps, batch)) of each run of equal batches between checkpoints."""
    marks = sorted({0, len(rows), *(step for step in checkpoints if step < len(rows))})
    for start, stop in pairwise(marks):
        step = start
        for _, run in groupby(rows[start:stop], key=len):
            stacked = np.stack(list(run)).astype(np.int32)
            yield step, stacked
            step += len(stacked)
