"""How fast? Contenders train the same steps side by side, and the ratios are told with their uncertainty.

`run` is the part of the main job: scratch (twice), the bare matrix products and the plan's other contenders.
`measure` is the whole protocol, for `backproof speed`. Both return the `speed` part of results.json.
"""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from backproof.comparisons.contenders.known import SCRATCH
from backproof.comparisons.running.environment import usable_cores
from backproof.comparisons.running.progress import Progress
from backproof.comparisons.speed import statistics
from backproof.comparisons.speed.cases import FIVE_CASES, Case, CaseStore
from backproof.comparisons.speed.entrants import CONTROL, FLOOR, PARTS, Entrant, known_entrants, own_entrant
from backproof.comparisons.speed.launch import ProcessWorker, overrides
from backproof.comparisons.speed.protocol import Launch, Log, Record, Session, Settings
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.scratch.errors import InputError

if TYPE_CHECKING:
    from backproof.comparisons.data.dataset import Dataset
    from backproof.comparisons.experiment import Plan

Part = dict[str, Any]

# torch's eager mode is the one whose ratio decides; the others are shown beside it.
DECIDING = "torch"
OURS = (SCRATCH, CONTROL, FLOOR, PARTS)


def run(plan: "Plan", progress: Progress) -> Part:
    """The speed part of the main job: under 12 s when `plan.quick`, else under 40 s, on two cores."""
    names = {SCRATCH, CONTROL, FLOOR, *plan.contenders}
    own = [own_entrant(name) for name in plan.contenders if ":" in name]
    entries = [*(entry for entry in known_entrants() if entry.name in names), *own]
    settings = Settings(
        threads=(plan.threads,),
        launches=1 if plan.quick else 3,
        rounds=5 if plan.quick else 2,
        round_seconds=0.06 if plan.quick else 0.08,
        examples=10_000,
        seed=plan.seed,
    )
    part = measure(settings, _cases(plan), entries, plan.dataset(), progress)
    return {**part, "kernels": kernels(own=True)}


def kernels(own: bool) -> Part:
    """Who chose the kernels, and which variables in the environment would have chosen (or did)."""
    return {"chosen_by": "each library" if own else "the environment", "variables": overrides()}


def _cases(plan: "Plan") -> Sequence[Case]:
    """The network asked for, where one was; else the published ones (two of them in a quick run)."""
    if plan.layer_sizes is not None:
        return [Case(plan.layer_sizes, plan.batch_size, plan.optimizer.name)]
    return FIVE_CASES[:2] if plan.quick else FIVE_CASES


def measure(
    settings: Settings,
    cases: Sequence[Case],
    entries: Sequence[Entrant],
    dataset: "Dataset | None",
    progress: Progress,
    launch: Launch = ProcessWorker,
) -> Part:
    """Run the protocol and summarise. Raises InputError where there are fewer cores than threads."""
    if max(settings.threads) > usable_cores():
        raise InputError(
            f"threads: expected at most {usable_cores()}, the cores of this machine; "
            f"got {max(settings.threads)}"
        )
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="backproof-speed-") as folder:
        store = CaseStore(Path(folder), dataset, settings.examples)
        log = Session(settings, cases, store.path, entries, launch, progress).run()
    part = summarise(log, settings, cases, entries)
    return {**part, "seconds": time.perf_counter() - begin, "data": store.sources}


def summarise(log: Log, settings: Settings, cases: Sequence[Case], entries: Sequence[Entrant]) -> Part:
    """The `speed` part of results.json from the log of rounds."""
    summaries = [
        _summarise_case(log, threads, index, case, entries)
        for threads in settings.threads
        for index, case in enumerate(cases)
    ]
    means = [_geometric_means(log, threads, cases, entries) for threads in settings.threads]
    return {
        "verdict": _part_verdict(summaries, means),
        "threads": settings.threads[0] if len(settings.threads) == 1 else list(settings.threads),
        "cases": summaries,
        "geometric_means": means,
        "entries": {entry.name: {"division": entry.division, "says": entry.says} for entry in entries},
        "settings": asdict(settings),
        "unit": "launch" if settings.launches > 1 else "round",
        "reports": log.reports,
        "log": _table(log.records),
    }


def _summarise_case(log: Log, threads: int, index: int, case: Case, entries: Sequence[Entrant]) -> Part:
    records = [r for r in log.records if (r.threads, r.case) == (threads, index)]
    noise = statistics.noise_floor(records)
    floor = statistics.floor_ratio(noise)
    products = statistics.estimate(list(statistics.log_ratios(records, SCRATCH, FLOOR).values()))
    ratios = {}
    for entry in entries:
        if entry.name not in OURS:
            found = statistics.estimate(list(statistics.log_ratios(records, entry.name).values()))
            ratios[entry.name] = (
                {**found.to_json(), "division": entry.division, "verdict": statistics.verdict(found, floor)}
                if found is not None
                else _cell(log, threads, index, entry)
            )
    return {
        "layer_sizes": list(case.layer_sizes),
        "batch_size": case.batch_size,
        "optimizer": case.optimizer,
        "dtype": case.dtype,
        "label": case.label,
        "threads": threads,
        "ratios": ratios,
        "noise": {**noise.to_json(), "floor": floor} if noise else None,
        "gemm_floor": products.to_json() if products else None,
        "images_per_second": {entry.name: _rate(records, entry.name) for entry in entries},
        "parts": _parts(log, threads, index),
    }


def _cell(log: Log, threads: int, index: int, entry: Entrant) -> Part:
    """Why there is no ratio: declined, crashed, hung, not installed, or no valid round."""
    for failure in log.failures:
        if (failure.threads, failure.case, failure.entry) == (threads, index, entry.name):
            return {failure.kind: failure.reason, "division": entry.division}
    for record in log.records:
        if (record.threads, record.case, record.entry) == (threads, index, entry.name) and record.fault:
            return {"invalid": record.fault, "division": entry.division}
    return {"invalid": "no round in which scratch counted too", "division": entry.division}


def _parts(log: Log, threads: int, index: int) -> dict[str, float] | None:
    """Seconds per step of every part: the median over rounds."""
    found = [parts for t, case, parts in log.parts if (t, case) == (threads, index)]
    return {name: float(np.median([parts[name] for parts in found])) for name in found[0]} if found else None


def _rate(records: Sequence[Record], name: str) -> float | None:
    rates = [r.images / r.seconds for r in records if r.entry == name and r.fault is None]
    return float(np.median(rates)) if rates else None


def _geometric_means(log: Log, threads: int, cases: Sequence[Case], entries: Sequence[Entrant]) -> Part:
    """Per entry the geometric mean of its ratios over all cases; None where a case is missing."""
    means: Part = {"threads": threads}
    for entry in entries:
        if entry.name in (SCRATCH, PARTS):
            continue
        per_case = [
            statistics.log_ratios(
                [r for r in log.records if (r.threads, r.case) == (threads, index)], entry.name
            )
            for index in range(len(cases))
        ]
        found = statistics.geometric_mean(per_case)
        means[entry.name] = found.to_json() if found is not None else None
    return means


def _part_verdict(summaries: Sequence[Part], means: Sequence[Part]) -> str:
    """Over all cases, is scratch faster than eager torch? Each case has its own words beside its ratio.

    PASS where the geometric mean's interval lies above the noise floor (that of scratch against itself), FAIL
    where it lies below. Where torch did not run there is no such claim: PASS if everything could be timed.
    """
    if not any(DECIDING in case["ratios"] for case in summaries):
        timed = ["median" in entry for case in summaries for entry in case["ratios"].values()]
        return Outcome.PASS if timed and all(timed) else Outcome.INCONCLUSIVE
    words = [_mean_word(mean.get(DECIDING), mean.get(CONTROL)) for mean in means]
    if statistics.SLOWER in words:
        return Outcome.FAIL
    return Outcome.PASS if all(word == statistics.FASTER for word in words) else Outcome.INCONCLUSIVE


def _mean_word(found: Part | None, control: Part | None) -> str:
    if found is None or control is None:
        return statistics.SAME
    return statistics.verdict(_estimate(found), statistics.floor_ratio(_estimate(control)))


def _estimate(written: Part) -> statistics.Estimate:
    low, high = written["ci95"]
    return statistics.Estimate(written["median"], low, high, written["units"])


def _table(records: Sequence[Record]) -> Part:
    """The log of rounds: column names once, then one row per turn."""
    columns = [field.name for field in fields(Record)]
    return {"columns": columns, "rows": [[getattr(r, name) for name in columns] for r in records]}
