"""Calls in a row: each overwrites what was there, or each adds to it; which of them, is seen in three.

    g, g, g        overwrites
    g, 2 g, 3 g    adds
    r + g, ...     adds, and something was there before the first

The same arithmetic on the same numbers gives the same bits, or, where a device adds in an order of its own,
the same but for a few roundings of the largest numbers.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from backproof.comparisons.batches.measured import Gradients
from backproof.comparisons.verdicts.cause import EXPLAINS, Cause
from backproof.comparisons.verdicts.function_noise import EPS
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.verdict import Verdict
from backproof.scratch.architecture import Array

ROUNDINGS = 4.0
SEEN = 0.5  # what one call more would change, by the size of the gradient, and less
FORGOTTEN = "zero_grad is forgotten"
RANDOM = (
    "two calls for the same batch differ: fix the random seed, or turn dropout off (`eval()`), so that "
    "batches can be compared"
)


def in_a_row(gradients: Gradients, batch: Any, first: Array, adding: bool, words: tuple[str, str]) -> Verdict:
    """Two more calls after the first: PASS where they add, or where they do not, as is expected.

    `words` say what is expected, and what is behind it where the other thing happens.
    """
    second, third = gradients.of(batch, again=True), gradients.of(batch, again=True)
    sizes = gradients.largest(np.abs(first) + np.abs(third))
    floor = (
        ROUNDINGS * EPS[gradients.dtype] * np.maximum(sizes, EPS[gradients.dtype] * sizes.max(initial=0.0))
    )
    bound = np.maximum(gradients.spread(floor), np.finfo(np.float64).tiny)
    alive = [where for where in gradients.slices if np.abs(first[where]).max(initial=0.0) > 0]

    def compared(found: Array, expected: Array) -> Verdict:
        return gradients.compared(found, expected, bound, alive, SEEN)

    same = worst_of([compared(second, first), compared(third, first)])
    adds = compared(third - second, second - first)
    if same.outcome != Outcome.FAIL:
        if adding:
            return failed(same, *words)
        return replace(same, reason=words[0]) if same else same
    if adds.outcome == Outcome.FAIL:
        return replace(same, outcome=Outcome.INCONCLUSIVE, reason=RANDOM)
    if not adding:
        return failed(same, *words)
    return replace(adds, reason=words[0]) if adds else adds


def failed(verdict: Verdict, words: str, *causes: str) -> Verdict:
    """A FAIL with what was expected before its reason, and what explains it."""
    return replace(
        verdict,
        outcome=Outcome.FAIL,
        reason=f"it is not so: {words}: {verdict.reason}",
        causes=tuple(Cause(sentence, EXPLAINS) for sentence in causes) or verdict.causes,
    )


def worst_of(verdicts: Sequence[Verdict]) -> Verdict:
    """The one of the worst outcome; among these, the one furthest from its bound."""
    return min(verdicts, key=lambda one: (one.outcome.rank, -one.error / one.bound if one.bound else 0.0))
