"""The kill matrix: every class of the zoo against every check, other checkers beside them.

A mutant is killed when a check FAILs on it; it is killed as expected when one of the checks does that were
named beforehand. `cause_named` says whether the first diagnosis contains the words that name the mistake; of
two mistakes at once, whether both are among the first three.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from backproof.comparisons.check.battery.battery import CHECKS
from backproof.comparisons.check.results import CheckedClass
from backproof.comparisons.check.session import try_class
from backproof.comparisons.check.trial import Settings
from backproof.comparisons.contenders.loading import Target
from backproof.comparisons.running import parallel
from backproof.comparisons.running.progress import Progress
from backproof.comparisons.verdicts.outcome import Outcome, worst
from backproof.comparisons.zoo import rivals
from backproof.comparisons.zoo.catalogue import Specimen
from backproof.comparisons.zoo.known_rivals import RIVALS
from backproof.comparisons.zoo.result import Counts, RivalCount, Row, Zoo

NAMED_SHARE, PAIRS_SHARE = 0.9, 0.8  # how many diagnoses must name the true cause, and both of a pair
GROUPS = ("gradient", "state", "optimizer", "data", "field", "pair", "beside a convention", "unseen")
SEEDS = 3  # of the cases that every correct class is tried on
TIME_LIMIT = 300.0  # seconds per class: a busy machine is no reason for "not run"


@dataclass(frozen=True)
class Plan:
    """Where the classes lie, and the seeds: the first for all, `n_seeds` of them for the correct ones."""

    folder: Path
    seed: int = 0
    n_seeds: int = SEEDS


def run(
    entries: Sequence[Specimen],
    plan: Plan,
    *,
    workers: int,
    progress: Progress,
    before: Sequence[Row] = (),
) -> Zoo:
    """One row per class in the catalogue's order, of those finished if interrupted, with those `before`."""
    started = time.monotonic()
    rows = {row.place: row for row in before}
    finished = parallel.collect(
        partial(row_of, plan=plan),
        [entry for entry in entries if entry.place not in rows],
        lambda entry, row: rows.update({entry.place: row}),
        workers,
        progress,
        "zoo",
    )
    ordered = [rows[entry.place] for entry in entries if entry.place in rows]
    return Zoo(
        verdict=verdict(ordered),
        seconds=time.monotonic() - started,
        seed=plan.seed,
        n_seeds=plan.n_seeds,
        interrupted=not finished,
        checks=tuple(check.name for check in CHECKS),
        rows=tuple(ordered),
        summary=summary(ordered),
    )


def kept(part: Zoo | None, entries: Sequence[Specimen], plan: Plan) -> list[Row]:
    """The rows of an earlier run that this plan would find again."""
    if part is None or (part.seed, part.n_seeds) != (plan.seed, plan.n_seeds):
        return []
    places = {entry.place for entry in entries}
    return [row for row in part.rows if row.place in places]


def row_of(entry: Specimen, *, plan: Plan) -> Row:
    """What became of one class."""
    file, _, name = entry.place.partition(":")
    target = Target(str(plan.folder / file), name)
    started = time.monotonic()
    seeds = range(plan.seed, plan.seed + (plan.n_seeds if entry.group == "correct" else 1))
    settings = Settings(quick=True, shrink=False, strict=entry.strict, time_limit=TIME_LIMIT)
    tried = [try_class(target, replace(settings, seed=s)) for s in seeds]
    causes = [cause.sentence for cause in tried[0].causes]
    outcomes = _worst(tried)
    failed = [check for check, outcome in outcomes.items() if outcome == Outcome.FAIL]
    return Row(
        number=entry.number,
        name=name,
        place=entry.place,
        mistake=entry.mistake,
        group=entry.group,
        note=entry.note,
        blind=entry.blind,
        expected=entry.checks,
        verdict=worst(checked.outcome for checked in tried),
        outcomes=outcomes,
        killed_by=tuple(failed),
        as_expected=bool(set(failed) & set(entry.checks)),
        diagnosis=tuple(causes),
        cause="; ".join(entry.causes),
        cause_named=named(causes, entry.causes),
        certainty=tried[0].causes[0].certainty if causes else "",
        rivals=rivals.ask_all(target, plan.seed, train=entry.group != "correct"),
        seconds=time.monotonic() - started,
        line=str(tried[0].causes[0].line or "") if tried[0].causes else "",
    )


def named(told: Sequence[str], words: Sequence[str]) -> bool | None:
    """Is the cause in the first sentence told; of several causes, each in one of the first three?"""
    if not words:
        return None
    if len(words) == 1:
        return bool(told) and words[0] in told[0]
    return all(any(word in sentence for sentence in told[:3]) for word in words)


def _worst(tried: Sequence[CheckedClass]) -> dict[str, str]:
    found: dict[str, str] = {}
    for checked in tried:
        for row in checked.checks:
            if found.get(row.check) not in (Outcome.FAIL, Outcome.INCONCLUSIVE):
                found[row.check] = row.verdict
    return found


def mutants(rows: Sequence[Row], *, held_out: bool = False) -> list[Row]:
    """The rows of the list of known mistakes, or of those that were held out."""
    groups = ("held out",) if held_out else GROUPS
    return [row for row in rows if row.group in groups]


def summary(rows: Sequence[Row]) -> Counts:
    """Counts: mutants killed, by whom; correct classes that pass; diagnoses that name the cause."""
    known, correct = mutants(rows), [row for row in rows if row.group == "correct"]
    told = [row for row in known if row.cause_named is not None]
    pairs = [row for row in told if row.group == "pair"]
    single = [row for row in told if row.group != "pair"]
    held_out = mutants(rows, held_out=True)
    return Counts(
        mutants=len(known),
        killed=sum(bool(row.killed_by) for row in known),
        killed_as_expected=sum(row.as_expected for row in known),
        correct=len(correct),
        correct_passed=sum(row.verdict == Outcome.PASS for row in correct),
        with_cause=len(single),
        causes_named=sum(bool(row.cause_named) for row in single),
        pairs=len(pairs),
        pairs_named=sum(bool(row.cause_named) for row in pairs),
        misled=sum(row.certainty == "explains" and not row.cause_named for row in told),
        held_out=len(held_out),
        held_out_killed_blind=sum(row.blind == "killed" for row in held_out),
        held_out_killed=sum(bool(row.killed_by) for row in held_out),
        rivals={rival.key: _count(rival.key, known, correct) for rival in RIVALS},
    )


def _count(key: str, known: Sequence[Row], correct: Sequence[Row]) -> RivalCount:
    """How often it was asked, and what it rejects."""
    mutants_, right = [row.rivals[key] for row in known], [row.rivals[key] for row in correct]
    asked, asked_right = (
        [s for s in mutants_ if s.accepts is not None],
        [s for s in right if s.accepts is not None],
    )
    note = next((said.note for said in [*mutants_, *right]), "") if not (asked or asked_right) else ""
    return RivalCount(
        asked=len(asked),
        killed=sum(not said.accepts for said in asked),
        asked_correct=len(asked_right),
        alarms=sum(not said.accepts for said in asked_right),
        note=note,
    )


def verdict(rows: Sequence[Row]) -> Outcome:
    """FAIL for a survivor, for a correct class that fails, or for too few causes named."""
    if not rows:
        return Outcome.INCONCLUSIVE
    counts = summary(rows)
    survivors = counts.killed_as_expected < counts.mutants
    alarms = any(row.verdict == Outcome.FAIL for row in rows if row.group == "correct")
    misnamed = counts.causes_named < NAMED_SHARE * counts.with_cause or counts.misled > 0
    misnamed |= counts.pairs_named < PAIRS_SHARE * counts.pairs
    if survivors or alarms or misnamed:
        return Outcome.FAIL
    return Outcome.PASS if counts.correct_passed == counts.correct else Outcome.INCONCLUSIVE
