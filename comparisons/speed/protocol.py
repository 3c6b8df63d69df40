"""The protocol: who runs when, for how long, and what is written down.

For every thread count and launch, one process per entry is started. For every case they all calibrate, then
run rounds: each entry trains the same steps from the same weights once per round, in an order that is
counterbalanced over rounds, so that drift of the machine and what ran before fall on everybody alike. While
one runs the others wait on an empty pipe. Nothing is averaged here: the log keeps every round.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path

from backproof.comparisons.results.cells import Absent, Failed
from backproof.comparisons.running.progress import Progress
from backproof.comparisons.speed.cases import SpeedCase
from backproof.comparisons.speed.entrants import FLOOR, PARTS, Entrant
from backproof.comparisons.speed.judge import Judge
from backproof.comparisons.speed.launch import Worker, WorkerFailedError
from backproof.comparisons.speed.messages import Prepare, Prepared, Request, Round, TimeRound
from backproof.comparisons.speed.result import Record, Settings, ThreadReport

Launch = Callable[[Entrant, int], Worker]
CALIBRATION_STEPS = 20


@dataclass(frozen=True)
class Failure:
    """Why an entrant has no figure in a case: its cell."""

    threads: int
    case: int
    entry: str
    cell: Absent | Failed


@dataclass(frozen=True)
class StepParts:
    """Seconds per step of every part of a step of scratch, in one turn."""

    threads: int
    case: int
    seconds: Mapping[str, float]


@dataclass(frozen=True)
class Log:
    """Everything that was written down; nothing is averaged."""

    records: tuple[Record, ...]
    failures: tuple[Failure, ...]
    reports: Mapping[str, ThreadReport]  # "entrant, n threads" -> its threads and kernels, as it saw them
    parts: tuple[StepParts, ...]
    settings: Settings  # what was measured: where it was interrupted, less than was asked for
    interrupted: bool


def counterbalanced(n: int) -> list[list[int]]:
    """Orders of 0 .. n-1, n of them for even n and 2n for odd n: a Williams design (Williams 1949).

    Over all of them each entry stands in each place, and directly after each other entry, equally often.
    """
    zigzag = [0] + [(k + 1) // 2 if k % 2 else n - k // 2 for k in range(1, n)]
    rows = [[(start + k) % n for k in zigzag] for start in range(n)]
    return rows + [row[::-1] for row in rows] if n % 2 else rows


class Session:
    """Runs the protocol over `cases` and `entries`, with workers made by `launch`."""

    def __init__(
        self,
        settings: Settings,
        cases: Sequence[SpeedCase],
        data: Callable[[SpeedCase], Path],
        entries: Sequence[Entrant],
        launch: Launch,
        progress: Progress,
    ) -> None:
        self.settings, self.cases, self.data = settings, cases, data
        self.launch, self.progress = launch, progress
        self.entries = [entry for entry in entries if entry.absence is None]
        self.records: list[Record] = []
        self.reports: dict[str, ThreadReport] = {}
        self._judges: dict[int, Judge] = {}
        self.parts: list[StepParts] = []
        self._whole: Counter[int] = Counter()  # launches that were finished, by their number of threads
        self.failures = [
            Failure(threads, case, entry.name, cell)
            for threads in settings.threads
            for case in range(len(cases))
            for entry in entries
            if (cell := entry.absence) is not None
        ]

    def run(self) -> Log:
        """Every launch; after Ctrl-C those that were finished, where two or more can have an interval."""
        settings, interrupted = self.settings, False
        total = len(settings.threads) * settings.launches * len(self.cases) * settings.rounds
        with self.progress.task("speed: rounds", total=total) as advance:
            try:
                for threads in settings.threads:
                    for number in range(settings.launches):
                        self._launch(threads, number, advance)
                        self._whole[threads] += 1
            except KeyboardInterrupt:
                if max(self._whole.values(), default=0) < 2:
                    raise
                interrupted = True
        return self._log(interrupted)

    def _log(self, interrupted: bool) -> Log:
        """What was written down in launches that were finished."""
        least = min(2, self.settings.launches)
        kept = tuple(threads for threads in self.settings.threads if self._whole[threads] >= least)
        return Log(
            tuple(r for r in self.records if r.threads in kept and r.launch < self._whole[r.threads]),
            tuple(failure for failure in self.failures if failure.threads in kept),
            self.reports,
            tuple(parts for parts in self.parts if parts.threads in kept),
            replace(self.settings, threads=kept, launches=min(self._whole[threads] for threads in kept)),
            interrupted,
        )

    def judge(self, index: int) -> Judge:
        """That of a case; the same for every launch."""
        if index not in self._judges:
            case, settings = self.cases[index], self.settings
            self._judges[index] = Judge(case, self.data(case), settings.seed, settings.warm_up)
        return self._judges[index]

    def _launch(self, threads: int, number: int, advance: Callable[..., None]) -> None:
        """One process per entry, all cases."""
        workers: dict[str, Worker] = {}
        try:
            for index, case in enumerate(self.cases):
                for entry in self.entries:  # also those that crashed in the case before
                    if entry.name not in workers:
                        workers[entry.name] = self.launch(entry, threads)
                _CaseRun(self, threads, number, index, case, workers).run(advance)
        finally:
            for worker in workers.values():
                worker.close()


class _CaseRun:
    """One case in one launch."""

    def __init__(
        self,
        session: Session,
        threads: int,
        launch: int,
        index: int,
        case: SpeedCase,
        workers: dict[str, Worker],
    ) -> None:
        self.session, self.threads, self.launch = session, threads, launch
        self.index, self.case, self.workers = index, case, workers
        self.settings = session.settings

    def run(self, advance: Callable[..., None]) -> None:
        data, settings = self.session.data(self.case), self.settings
        self.judge = self.session.judge(self.index)
        request = Request(Prepare(self.case, str(data), settings.seed))
        ready = [entry for entry in self.session.entries if self._ask(entry, request) is not None]
        steps, ready = self._calibrate(ready)
        orders = counterbalanced(len(ready)) if ready else []
        for number in range(self.settings.rounds if ready else 0):
            order = orders[(self.launch * self.settings.rounds + number) % len(orders)]
            for position, place in enumerate(order):
                entry = ready[place]
                if entry.name in self.workers:
                    self._turn(entry, steps, number, position)
            advance()

    def _calibrate(self, entries: Iterable[Entrant]) -> tuple[int, list[Entrant]]:
        """Steps for which the fastest trainer takes `round_seconds`; and the entries that ran."""
        per_step, ran = [], []
        for entry in entries:
            found = self._round(entry, CALIBRATION_STEPS)
            if found is not None:
                ran.append(entry)
                if entry.name not in (FLOOR, PARTS):
                    per_step.append(found.seconds / found.steps)
        fastest = min(per_step, default=1.0)
        return max(1, ceil(self.settings.round_seconds / fastest)), ran

    def _turn(self, entry: Entrant, steps: int, number: int, position: int) -> None:
        if self.threads > 1:
            time.sleep(self.settings.pause_seconds)
        found = self._round(entry, steps)
        if found is None:
            return
        name = f"{entry.name}, {self.threads}"
        before = self.session.reports.setdefault(name, found.report)
        self.session.records.append(
            Record(
                threads=self.threads,
                launch=self.launch,
                case=self.index,
                round=number,
                position=position,
                entry=entry.name,
                steps=found.steps,
                images=found.images,
                seconds=found.seconds,
                cpu_seconds=found.cpu_seconds,
                first_loss=found.first_loss,
                last_loss=found.last_loss,
                fault=self.judge.fault(found, self.threads, every_loss=entry.division == "matched")
                or _other_kernels(before, found.report),
            )
        )
        if found.parts is not None:
            self.session.parts.append(StepParts(self.threads, self.index, found.parts))

    def _round(self, entry: Entrant, steps: int) -> Round | None:
        found = self._ask(entry, Request(TimeRound(steps, self.settings.warm_up)))
        return found if isinstance(found, Round) else None

    def _ask(self, entry: Entrant, request: Request) -> Prepared | Round | None:
        """The answer, or None after noting the failure: the others go on."""
        try:
            found = self.workers[entry.name].ask(request, self.settings.timeout_seconds).content
        except WorkerFailedError as error:
            self.workers.pop(entry.name).close()
            self._fail(entry, Failed(str(error)))
            return None
        if isinstance(found, Absent):
            self._fail(entry, found)
            return None
        return found

    def _fail(self, entry: Entrant, cell: Absent | Failed) -> None:
        self.session.failures.append(Failure(self.threads, self.index, entry.name, cell))


def _other_kernels(before: ThreadReport, now: ThreadReport) -> str | None:
    """What differs from the kernels of its first turn: a figure of two kinds is a figure of neither."""
    changed = [
        f"{name} {now.kernels.get(name)} in place of {word}"
        for name, word in before.kernels.items()
        if now.kernels.get(name) != word
    ]
    return f"its kernels are others than in the first round: {', '.join(changed)}" if changed else None
