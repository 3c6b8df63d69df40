"""One tensor as a link of the chain: judged block by block, so that no copy of a large one is needed.

A tensor of millions of entries is cut into blocks of rows; the expected values of a block, and its bounds,
are computed when it is its turn and forgotten after it. Causes are looked for only where a tensor is off.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from backproof.comparisons.compare.result import Link
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.rounding import Arithmetic, Bounded
from backproof.comparisons.verdicts.verdict import Verdict, compare
from backproof.scratch.architecture import Array

MOST_ENTRIES = 2**18  # of a block

Block = tuple[slice, Bounded]  # rows of the tensor, and what belongs there


def blocks(shape: Sequence[int]) -> list[slice]:
    """Rows of an array of this shape, each with at most MOST_ENTRIES entries; one block of a number."""
    if not shape:
        return [slice(None)]
    rows = max(1, MOST_ENTRIES // max(1, int(np.prod(shape[1:]))))
    return [slice(start, min(start + rows, shape[0])) for start in range(0, shape[0], rows)]


def whole(expected: Iterable[Block]) -> Bounded:
    """All blocks as one."""
    parts = [part for _, part in expected]
    if len(parts) == 1:
        return parts[0]
    return Bounded(np.concatenate([p.value for p in parts]), np.concatenate([p.error for p in parts]))


@dataclass
class Judged:
    """The verdict on one tensor, as far as its blocks have been seen."""

    name: str
    shape: tuple[int, ...]
    verdict: Verdict | None = None
    size: float = 0.0  # of the largest expected entry

    def add(self, found: Array, rows: slice, expected: Bounded) -> None:
        """Judge these rows; the worst block speaks for the tensor."""
        verdict = compare(found, expected.value, expected.error, self._entry(rows))
        self.size = max(self.size, float(np.max(np.abs(expected.value), initial=0.0)))
        if self.verdict is None or _badness(verdict) > _badness(self.verdict):
            self.verdict = verdict

    def _entry(self, rows: slice) -> Callable[[int], str]:
        first = (rows.start or 0) * int(np.prod(self.shape[1:]))

        def name(index: int) -> str:
            if not self.shape:
                return self.name
            return f"{self.name}[{', '.join(map(str, np.unravel_index(first + index, self.shape)))}]"

        return name

    @property
    def failed(self) -> bool:
        return self.verdict is not None and self.verdict.outcome is Outcome.FAIL

    def link(self, arithmetic: Arithmetic, causes: tuple[str, ...]) -> Link:
        verdict = self.verdict
        assert verdict is not None
        roundings = verdict.error / (arithmetic.unit * self.size) if self.size else np.inf
        return Link(
            self.name, verdict.outcome, verdict.error, verdict.bound, verdict.worst, verdict.found,
            verdict.expected, roundings, causes,
        )  # fmt: skip


def _badness(verdict: Verdict) -> tuple[int, float]:
    rank = [Outcome.PASS, Outcome.INCONCLUSIVE, Outcome.FAIL].index(verdict.outcome)
    share = verdict.error / verdict.bound if verdict.bound > 0 else np.inf if verdict.error > 0 else 0.0
    return rank, float("inf") if np.isnan(share) else float(share)


def wrong_shape(name: str, found: tuple[int, ...], shape: tuple[int, ...]) -> Link:
    """There is no entry to name."""
    text = f"shape {found} where {shape} belongs"
    causes = (f"{text}: transposed?",) if found == shape[::-1] else (text,)
    return Link(name, Outcome.FAIL, np.nan, np.nan, name, np.nan, np.nan, np.nan, causes)


def judge(
    name: str,
    recorded: Array,
    shape: tuple[int, ...],
    expected: Callable[[], Iterator[Block]],
    arithmetic: Arithmetic,
    causes: Callable[[Array, Bounded], tuple[str, ...]],
) -> Link:
    """The recorded tensor against what belongs there; `expected` gives it anew, block by block."""
    found = np.asarray(recorded)
    if found.shape != shape:
        return wrong_shape(name, found.shape, shape)
    judged = Judged(name, shape)
    for rows, part in expected():
        judged.add(found[rows] if shape else found, rows, part)
    why = causes(found.astype(np.float64), whole(expected())) if judged.failed else ()
    return judged.link(arithmetic, why)
