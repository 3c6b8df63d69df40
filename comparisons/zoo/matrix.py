"""The kill matrix: every class of the zoo against every check, other checkers beside them.

A mutant is killed when a check FAILs on it; it is killed as expected when one of the checks does that were
named beforehand. `cause_named` says whether the first diagnosis contains the words that name the mistake.
"""

import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from backproof.comparisons.check.battery.battery import CHECKS
from backproof.comparisons.check.session import try_class
from backproof.comparisons.check.trial import Trial
from backproof.comparisons.contenders.loading import Target, load_class
from backproof.comparisons.running import parallel
from backproof.comparisons.running.progress import Progress
from backproof.comparisons.verdicts.outcome import Outcome, worst
from backproof.comparisons.zoo.catalogue import Entry

NAMED_SHARE = 0.8  # of the gradient mutants: how many diagnoses must name the true cause
CORRECT_SEEDS = 3
TIME_LIMIT = 300.0  # seconds per class: a busy machine is no reason for "not run"

Row = dict[str, Any]


def run(
    entries: Sequence[Entry], folder: Path, *, seed: int, workers: int, progress: Progress
) -> dict[str, Any]:
    """The part of results.json: one row per class in the catalogue's order, those finished if interrupted."""
    started = time.monotonic()
    rows: dict[str, Row] = {}
    finished = parallel.collect(
        partial(row_of, folder=folder, seed=seed),
        entries,
        lambda entry, row: rows.update({entry.place: row}),
        workers,
        progress,
        "zoo",
    )
    ordered = [rows[entry.place] for entry in entries if entry.place in rows]
    return {
        "verdict": verdict(ordered),
        "seconds": time.monotonic() - started,
        "seed": seed,
        "interrupted": not finished,
        "checks": [check.name for check in CHECKS],
        "rows": ordered,
        "summary": summary(ordered),
    }


def row_of(entry: Entry, *, folder: Path, seed: int) -> Row:
    """What became of one class."""
    file, _, name = entry.place.partition(":")
    target = Target(str(folder / file), name)
    started = time.monotonic()
    seeds = range(seed, seed + (CORRECT_SEEDS if entry.group == "correct" else 1))
    tried = [try_class(target, seed=s, quick=True, shrink=False, time_limit=TIME_LIMIT) for s in seeds]
    causes = [cause.sentence for cause in tried[0][1]]
    outcomes = _worst([trial for trial, _ in tried])
    failed = [check for check, outcome in outcomes.items() if outcome == Outcome.FAIL]
    return {
        "number": entry.number,
        "name": name,
        "place": entry.place,
        "mistake": entry.mistake,
        "group": entry.group,
        "note": entry.note,
        "blind": entry.blind,
        "expected": list(entry.checks),
        "verdict": worst([trial.verdict for trial, _ in tried]),
        "outcomes": outcomes,
        "killed_by": failed,
        "as_expected": bool(set(failed) & set(entry.checks)),
        "diagnosis": causes,
        "cause": entry.cause,
        "cause_named": bool(causes) and entry.cause in causes[0] if entry.cause else None,
        **_rivals(load_class(target), entry, seed),
        "seconds": time.monotonic() - started,
    }


def _worst(trials: Sequence[Trial]) -> dict[str, str]:
    found: dict[str, str] = {}
    for trial in trials:
        for outcome in trial.outcomes:
            before = found.get(outcome.check.name)
            found[outcome.check.name] = (
                before if before in (Outcome.FAIL, Outcome.INCONCLUSIVE) else outcome.verdict
            )
    return found


def _rivals(kind: type, entry: Entry, seed: int) -> Row:
    from backproof.comparisons.zoo import rivals

    # Loops and forward mode are too slow to train on the digits; a threshold says nothing about the rest.
    accuracy = None if entry.group == "correct" else rivals.accuracy_on_digits(kind, seed)
    return {
        "gradcheck_accepts": rivals.gradcheck_accepts(kind, seed),
        "check_grad_accepts": rivals.check_grad_accepts(kind, seed),
        "test_accuracy": accuracy,
        "threshold_accepts": None if accuracy is None else accuracy > rivals.THRESHOLD,
    }


def mutants(rows: Sequence[Row], *, held_out: bool = False) -> list[Row]:
    """The rows of the list of known mistakes, or of those that were held out."""
    groups = ("held out",) if held_out else ("gradient", "state", "optimizer", "data")
    return [row for row in rows if row["group"] in groups]


def summary(rows: Sequence[Row]) -> dict[str, Any]:
    """Counts: mutants killed, by whom; correct classes that pass; diagnoses that name the cause."""
    known, correct = mutants(rows), [row for row in rows if row["group"] == "correct"]
    gradient = [row for row in rows if row["group"] == "gradient" and row["cause_named"] is not None]
    held_out = mutants(rows, held_out=True)
    return {
        "mutants": len(known),
        "killed": sum(bool(row["killed_by"]) for row in known),
        "killed_as_expected": sum(row["as_expected"] for row in known),
        "correct": len(correct),
        "correct_passed": sum(row["verdict"] == Outcome.PASS for row in correct),
        "gradient_mutants": len(gradient),
        "causes_named": sum(row["cause_named"] for row in gradient),
        "held_out": len(held_out),
        "held_out_killed_blind": sum(row["blind"] == "killed" for row in held_out),
        "held_out_killed": sum(bool(row["killed_by"]) for row in held_out),
        **{
            f"{rival}_killed": sum(row[f"{rival}_accepts"] is False for row in known)
            for rival in ("gradcheck", "check_grad", "threshold")
        },
    }


def verdict(rows: Sequence[Row]) -> str:
    """FAIL for a survivor, for a correct class that fails, or for too few causes named."""
    if not rows:
        return Outcome.INCONCLUSIVE
    counts = summary(rows)
    survivors = counts["killed_as_expected"] < counts["mutants"]
    alarms = any(row["verdict"] == Outcome.FAIL for row in rows if row["group"] == "correct")
    misnamed = counts["causes_named"] < NAMED_SHARE * counts["gradient_mutants"]
    if survivors or alarms or misnamed:
        return Outcome.FAIL
    return Outcome.PASS if counts["correct_passed"] == counts["correct"] else Outcome.INCONCLUSIVE
