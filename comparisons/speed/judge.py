"""Whether a turn counts: the agreed number of threads, the same start, the same batches, the same maths.

A contender that skipped the work would win. So the runner itself computes what everybody must report: the
hashes of the weights and of the batches, and the loss of the first batch at the first weights, in double
precision with the bound on what rounding may do to it (see `bounds`).
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np

from backproof.comparisons.speed.cases import SpeedCase, batches, digest
from backproof.comparisons.speed.messages import Round
from backproof.comparisons.verdicts.network_bounds import backprop_reference
from backproof.comparisons.verdicts.rounding import Bounded
from backproof.scratch.architecture import Array, Weights
from backproof.scratch.initializers import initialize


def thread_fault(report: Mapping[str, int], expected: int) -> str | None:
    """Why a turn does not count: a library, or the process itself, had another number of threads."""
    wrong = [f"{name}: {found}" for name, found in report.items() if found != expected]
    return f"expected {expected} thread{'s' * (expected != 1)}, found {', '.join(wrong)}" if wrong else None


class Judge:
    """For one case: `fault(round, threads)` says why a turn does not count, None where it does."""

    def __init__(self, case: SpeedCase, data: Path, seed: int, warm_up: int) -> None:
        self._case, self._seed, self._warm_up = case, seed, warm_up
        self._weights = initialize(case.architecture, seed).weights()
        self._weights_hash = digest([array for pair in self._weights for array in pair])
        with np.load(data) as arrays:
            x, labels = arrays["x"], arrays["labels"]
        self._n_examples = len(x)
        first = batches(len(x), case.batch_size, 1, seed)[0]
        # In the case's own precision: what the workers were given.
        self._loss = _first_loss(case, self._weights, x[first].astype(case.dtype), labels[first])
        self._batches_hash = lru_cache(maxsize=4)(self._hash_of_batches)

    def fault(self, found: Round, threads: int, every_loss: bool) -> str | None:
        """`every_loss`: each step's loss is due. (Whoever draws batches of their own has none to compare.)"""
        return (
            thread_fault(found.report.threads, threads)
            or self._start_fault(found)
            or self._count_fault(found, every_loss)
            or self._loss_fault(found)
        )

    def _start_fault(self, found: Round) -> str | None:
        if found.weights != self._weights_hash:
            return "it started from other weights"
        if found.batches != self._batches_hash(self._warm_up + found.steps):
            return "it was given other batches"
        return None

    def _count_fault(self, found: Round, every_loss: bool) -> str | None:
        expected = self._warm_up + found.steps
        if not every_loss or found.losses == expected:
            return None
        return f"it returned {found.losses} of {expected} losses; one per step is due"

    def _loss_fault(self, found: Round) -> str | None:
        if not found.losses:
            return None
        first, expected, error = found.first_loss, float(self._loss.value), float(self._loss.error)
        if abs(first - expected) <= error:  # false for NaN
            return None
        return (
            f"its first loss is {first:.9g}, expected {expected:.9g} within {error:.1e}: not the same maths"
        )

    def _hash_of_batches(self, n_steps: int) -> str:
        return digest(batches(self._n_examples, self._case.batch_size, n_steps, self._seed))


def _first_loss(case: SpeedCase, weights: Weights, x: Array, labels: Array) -> Bounded:
    loss: Bounded = backprop_reference(case.architecture, weights, x, labels).loss
    return loss
