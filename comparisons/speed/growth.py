"""Growth: images per second against the batch size and against the width of the hidden layer.

One launch, several rounds, the same protocol as everywhere: a line per contender, a point per case, each the
median over rounds. Small batches show what a step costs besides arithmetic, large ones the arithmetic.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backproof.comparisons.running import temporary
from backproof.comparisons.running.progress import Progress
from backproof.comparisons.speed.cases import CaseStore, SpeedCase
from backproof.comparisons.speed.entrants import Entrant
from backproof.comparisons.speed.launch import DATA_FOLDER, ProcessWorker
from backproof.comparisons.speed.protocol import Launch, Log, Session
from backproof.comparisons.speed.result import Curve, GrowthResult, Settings

if TYPE_CHECKING:
    from backproof.comparisons.data.dataset import Dataset

BATCH_SIZES = tuple(4**k for k in range(7))  # 1 .. 4,096
WIDTHS = tuple(2**k for k in range(4, 12))  # 16 .. 2,048


@dataclass(frozen=True)
class Growth:
    """What is varied: batch sizes of 784-128-10, and widths w of 784-w-10 in batches of 100."""

    batch_sizes: Sequence[int] = BATCH_SIZES
    widths: Sequence[int] = WIDTHS

    def cases(self) -> list[SpeedCase]:
        return [
            *(SpeedCase((784, 128, 10), size) for size in self.batch_sizes),
            *(SpeedCase((784, width, 10), 100) for width in self.widths),
        ]


def measure(
    growth: Growth,
    threads: int,
    entries: Sequence[Entrant],
    dataset: "Dataset | None",
    progress: Progress,
    launch: Launch = ProcessWorker,
    round_seconds: float = 0.1,
) -> GrowthResult:
    """Time every size: per curve its x and each entrant's images per second."""
    begin = time.perf_counter()
    settings = Settings(threads=(threads,), launches=1, rounds=3, round_seconds=round_seconds, warm_up=5)
    cases = growth.cases()
    with temporary.folder(f"{DATA_FOLDER}growth-") as folder:
        store = CaseStore(folder, dataset, settings.examples)
        log = Session(settings, cases, store.path, entries, launch, progress).run()
    n = len(growth.batch_sizes)
    return GrowthResult(
        threads,
        time.perf_counter() - begin,
        batch=_curve(log, entries, growth.batch_sizes, range(n)),
        width=_curve(log, entries, growth.widths, range(n, len(cases))),
    )


def _curve(log: Log, entries: Sequence[Entrant], x: Sequence[int], cases: range) -> Curve:
    rates = {entry.name: tuple(_rate(log, entry.name, case) for case in cases) for entry in entries}
    return Curve(tuple(x), rates)


def _rate(log: Log, name: str, case: int) -> float | None:
    """None where it did not run, or not as agreed."""
    rates = [
        r.images / r.seconds for r in log.records if (r.entry, r.case) == (name, case) and r.fault is None
    ]
    return float(np.median(rates)) if rates else None
