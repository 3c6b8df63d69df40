"""Ways to cut a batch into micro-batches: unequal, at random, and as a loader cuts it, the last one short."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backproof.comparisons.batches.examples import Examples
from backproof.scratch.architecture import Array

PARTITIONS = 6
MOST_PARTS = 5


@dataclass(frozen=True, eq=False)
class Partition:
    """Micro-batches k = 1 .. K of one batch, and what each of them counts."""

    indices: tuple[Array, ...]
    tokens: Array  # (K,): what counts
    alive: Array  # (K,): examples of which something counts
    positions: Array  # (K,): everything, padding included

    @property
    def K(self) -> int:
        return len(self.indices)


def partition(examples: Examples, indices: Sequence[Array]) -> Partition:
    counts = [examples.tokens[one] for one in indices]
    return Partition(
        tuple(indices),
        np.array([count.sum() for count in counts], dtype=np.float64),
        np.array([np.count_nonzero(count) for count in counts], dtype=np.float64),
        np.array([len(count) * examples.positions for count in counts], dtype=np.float64),
    )


def drawn(examples: Examples, seed: int) -> list[Partition]:
    """PARTITIONS of them; in each micro-batch something counts.

    The first is a loader's: micro-batches of one size in the order of the batch, the last one shorter where
    the number of examples allows.
    """
    found = [partition(examples, cut) for cut in _loader(examples)]
    rng = np.random.default_rng(seed)
    most = min(MOST_PARTS, int(np.count_nonzero(examples.tokens)))
    while len(found) < PARTITIONS:
        order = rng.permutation(examples.n)
        # 2, 3, 2, 4, ... micro-batches: a divisor that never changes is told from one that does.
        K = min(most, 2 + len(found) % max(1, most - 1))
        ends = np.sort(rng.choice(np.arange(1, examples.n), K - 1, replace=False))
        cut = np.split(order, ends)
        if all(examples.tokens[one].any() for one in cut):
            found.append(partition(examples, cut))
    return found


def _loader(examples: Examples) -> list[list[Array]]:
    for size in range(max(1, examples.n // 3), examples.n):
        cut = np.split(np.arange(examples.n), range(size, examples.n, size))
        if len(cut[-1]) < size and all(examples.tokens[one].any() for one in cut):
            return [cut]
    return []
