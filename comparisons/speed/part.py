"""How fast? Contenders train the same steps side by side, and the ratios are told with their uncertainty.

`run` is the part of the main job: scratch (twice), the bare matrix products and the other contenders.
`measure` is the whole protocol, for `backproof speed`. Both return the slot `speed` of results.json.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from backproof.comparisons.contenders.known import SCRATCH
from backproof.comparisons.results.cells import Invalid
from backproof.comparisons.running import temporary
from backproof.comparisons.running.limits import usable_cores
from backproof.comparisons.running.progress import Progress
from backproof.comparisons.speed import kinds, statistics
from backproof.comparisons.speed.cases import FIVE_CASES, CaseStore, SpeedCase
from backproof.comparisons.speed.entrants import CONTROL, FLOOR, PARTS, Entrant, known_entrants, own_entrant
from backproof.comparisons.speed.launch import DATA_FOLDER, ProcessWorker, kernels_of
from backproof.comparisons.speed.protocol import Launch, Log, Session
from backproof.comparisons.speed.result import (
    CaseResult,
    Cell,
    Comparison,
    EntrantFacts,
    Finding,
    MeanRatios,
    Record,
    Settings,
    SpeedResult,
    TimedData,
)
from backproof.scratch.errors import InputError

if TYPE_CHECKING:
    from backproof.comparisons.data.dataset import Dataset
    from backproof.comparisons.experiment import Experiment, Plan

# The finding of the whole part is about torch's eager mode, where it was timed; the others stand beside it.
FIRST_CHOICE = "torch"
OURS = (SCRATCH, CONTROL, FLOOR, PARTS)


def run(experiment: "Experiment", progress: Progress) -> SpeedResult:
    """The speed part of the main job: under 12 s where the plan is quick, else under 40 s, on two cores."""
    plan = experiment.plan
    names = {SCRATCH, CONTROL, FLOOR, *experiment.contenders}
    own = [own_entrant(name) for name in experiment.contenders if ":" in name]
    entries = [*(entry for entry in known_entrants() if entry.name in names), *own]
    settings = Settings(
        threads=(plan.threads,),
        launches=1 if plan.quick else 3,
        rounds=5 if plan.quick else 2,
        round_seconds=0.06 if plan.quick else 0.08,
        examples=10_000,
        seed=plan.seed,
    )
    return measure(settings, _cases(plan), entries, experiment.dataset, progress)


def _cases(plan: "Plan") -> Sequence[SpeedCase]:
    """The network asked for, where one was; else the published ones (two of them in a quick run)."""
    if plan.layer_sizes is not None:
        return [SpeedCase(plan.layer_sizes, plan.batch_size, plan.optimizer.name)]
    return FIVE_CASES[:2] if plan.quick else FIVE_CASES


def measure(
    settings: Settings,
    cases: Sequence[SpeedCase],
    entries: Sequence[Entrant],
    dataset: "Dataset | None",
    progress: Progress,
    launch: Launch = ProcessWorker,
) -> SpeedResult:
    """Run the protocol and summarise. Raises InputError where there are fewer cores than threads."""
    if max(settings.threads) > usable_cores():
        raise InputError(
            f"threads: expected at most {usable_cores()}, the cores of this machine; "
            f"got {max(settings.threads)}"
        )
    begin = time.perf_counter()
    with temporary.folder(DATA_FOLDER) as folder:
        store = CaseStore(folder, dataset, settings.examples)
        log = Session(settings, cases, store.path, entries, launch, progress).run()
        part = summarise(log, Asked(cases, entries, store.data))
    return replace(part, seconds=time.perf_counter() - begin)


@dataclass(frozen=True)
class Asked:
    """What was to be measured."""

    cases: Sequence[SpeedCase]
    entries: Sequence[Entrant]
    data: Callable[[SpeedCase], TimedData]


def summarise(log: Log, asked: Asked) -> SpeedResult:
    """The slot `speed` of results.json from the log of rounds; its seconds are added by who measured."""
    settings, entries = log.settings, asked.entries
    cases = tuple(
        _case_result(log, asked, threads, index)
        for threads in settings.threads
        for index in range(len(asked.cases))
    )
    means = tuple(_mean_ratios(log, asked, threads) for threads in settings.threads)
    against = _subject(cases)
    return SpeedResult(
        finding=_finding(means, against),
        against=against,
        seconds=0.0,
        cases=cases,
        means=means,
        entrants={entry.name: EntrantFacts(entry.division, entry.says) for entry in entries},
        settings=settings,
        unit="launch" if settings.launches > 1 else "round",
        reports=log.reports,
        kernels=kernels_of("own"),
        log=log.records,
        interrupted=log.interrupted,
        kind=kinds.this_one(log.reports),
    )


def _case_result(log: Log, asked: Asked, threads: int, index: int) -> CaseResult:
    case, records = asked.cases[index], _of_case(log, threads, index)
    noise = statistics.noise_floor(records)
    floor = noise.floor if noise else statistics.floor_ratio(None)
    products = statistics.log_ratios(records, SCRATCH, FLOOR)
    return CaseResult(
        layer_sizes=case.layer_sizes,
        batch_size=case.batch_size,
        optimizer=case.optimizer,
        dtype=case.dtype,
        label=case.label,
        threads=threads,
        data=asked.data(case),
        ratios={
            entry.name: _comparison(statistics.log_ratios(records, entry.name), floor)
            or _why_not(log, threads, index, entry.name)
            for entry in asked.entries
            if entry.name not in OURS
        },
        noise=noise,
        gemm_floor=statistics.estimate(list(products.values())),
        images_per_second={entry.name: _rate(records, entry.name) for entry in asked.entries},
        parts=_parts(log, threads, index),
    )


def _of_case(log: Log, threads: int, index: int) -> list[Record]:
    return [r for r in log.records if (r.threads, r.case) == (threads, index)]


def _comparison(logs: Mapping[int, float], floor: float) -> Comparison | None:
    found = statistics.estimate(list(logs.values()))
    return Comparison(found, statistics.finding(found, floor)) if found is not None else None


def _why_not(log: Log, threads: int, index: int, name: str) -> Cell:
    """Why there is no ratio: declined, crashed, hung, not installed, or no valid round."""
    for failure in log.failures:
        if (failure.threads, failure.case, failure.entry) == (threads, index, name):
            return failure.cell
    for record in _of_case(log, threads, index):
        if record.entry == name and record.fault:
            return Invalid(record.fault)
    return Invalid("no round in which scratch counted too")


def _parts(log: Log, threads: int, index: int) -> dict[str, float] | None:
    """Seconds per step of every part: the median over rounds."""
    found = [parts.seconds for parts in log.parts if (parts.threads, parts.case) == (threads, index)]
    return {name: float(np.median([parts[name] for parts in found])) for name in found[0]} if found else None


def _rate(records: Sequence[Record], name: str) -> float | None:
    rates = [r.images / r.seconds for r in records if r.entry == name and r.fault is None]
    return float(np.median(rates)) if rates else None


def _mean_ratios(log: Log, asked: Asked, threads: int) -> MeanRatios:
    """Per entrant the geometric mean of its ratios over all cases, checked against that of scratch itself."""
    cases = [_of_case(log, threads, index) for index in range(len(asked.cases))]
    found = {
        entry.name: statistics.geometric_mean([statistics.log_ratios(case, entry.name) for case in cases])
        for entry in asked.entries
        if entry.name not in (SCRATCH, PARTS)
    }
    floor = statistics.floor_ratio(found.get(CONTROL))
    return MeanRatios(
        threads,
        {
            name: Comparison(mean, statistics.finding(mean, floor)) if mean is not None else None
            for name, mean in found.items()
        },
    )


def _subject(cases: Sequence[CaseResult]) -> str | None:
    """Whom the finding is about: eager torch, or else the first that was timed."""
    timed = [name for case in cases for name, cell in case.ratios.items() if isinstance(cell, Comparison)]
    return FIRST_CHOICE if FIRST_CHOICE in timed else next(iter(timed), None)


def _finding(means: Sequence[MeanRatios], against: str | None) -> Finding | None:
    """Over all cases, is scratch faster than that contender? At every number of threads alike, or SAME.

    Slower at one number of threads is slower.
    """
    if against is None:
        return None
    found = [mean.ratios.get(against) for mean in means]
    words = [mean.finding if mean else Finding.SAME for mean in found]
    if Finding.SLOWER in words:
        return Finding.SLOWER
    return Finding.FASTER if all(word == Finding.FASTER for word in words) else Finding.SAME
