"""`Contender`: what scratch, every framework and a user's own class offer, so that they can be compared.

Arrays in and out are NumPy arrays. What a contender returns belongs to the caller (a later call does not
change it) and what it is given is never written to. A contender that does not offer something raises
`NotOffered` with the reason; the comparison then shows a cell, not a gap.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from backproof.scratch.architecture import Architecture, Array, OptimizerSpec, Weights
from backproof.scratch.errors import expect, expect_range

Checkpoints = Mapping[int, Callable[[], None]]  # number of finished steps -> what to call there


class NotOffered(Exception):  # noqa: N818 - an answer, not an error
    """This contender has no such thing; the message says why."""


@runtime_checkable
class Contender(Protocol):
    def load(self, architecture: Architecture, weights: Weights) -> None:
        """Take these weights (copied), for this architecture. May be called again."""

    def logits(self, x: Array) -> Array:
        """x (batch, inputs) -> (batch, outputs)."""

    def loss_and_gradient(self, x: Array, targets: Array) -> tuple[float, Weights]:
        """The loss of this batch and its gradient per layer. The weights do not change."""

    def train(
        self,
        x: Array,
        targets: Array,
        batches: Sequence[Array],
        optimizer: OptimizerSpec,
        checkpoints: Checkpoints | None = None,
    ) -> Sequence[float]:
        """One step of a fresh optimiser per index array; each step's loss, taken before its update.

        `checkpoints` maps a number of finished steps (0: before the first) to a function: all work up to
        there is finished, then it is called. Evaluation happens there, and clocks start and stop there.
        """

    def weights(self) -> Weights:
        """Copies of the weights as they are now."""


def checked_batches(batches: Sequence[Array], n_examples: int) -> list[Array]:
    """Every batch as row indices (batch,) in 0 .. n_examples - 1; copies nothing that already fits."""
    checked = [np.asarray(batch) for batch in batches]
    for number, batch in enumerate(checked):
        expected = f"expected row indices (batch >= 1,), got shape {batch.shape}, dtype {batch.dtype}"
        indices = batch.ndim == 1 and len(batch) and batch.dtype.kind in "iu"
        expect(indices, f"batches[{number}]: {expected}")
        expect_range(f"batches[{number}]", "rows", batch, n_examples)
    return [batch.astype(np.intp, copy=False) for batch in checked]
