"""Same training, same accuracy? Four levels, each of which the one above it could not replace.

    level 0   equal hashes of the data, the initial weights and the batches     (`unit`)
    level 1   one float64 step: logits, loss and gradient inside the derived bound     (`levels`)
    level 2   a float64 trajectory, checked against a control that differs in rounding only    (`trajectory`)
    level 3   test accuracies over paired seeds: equivalence within a margin fixed beforehand  (`equivalence`)

Level 3 alone decides whether the accuracies are the same; levels 0 to 2 say whether it is the same training.
Two networks that are both no better than guessing have learned nothing, and of nothing no level 3 is decided.
"""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from backproof.comparisons.accuracy import levels, many_seeds
from backproof.comparisons.accuracy.code_version import code_version
from backproof.comparisons.accuracy.equivalence import Equivalence, mcnemar, paired_equivalence
from backproof.comparisons.accuracy.journal import Journal, Record
from backproof.comparisons.accuracy.result import (
    AccuracyResult,
    AgainstScratch,
    ContenderRuns,
    Discordant,
    Setup,
    TrainedRun,
)
from backproof.comparisons.accuracy.unit import setup_of, train_unit, unpacked
from backproof.comparisons.data.dataset import Dataset
from backproof.comparisons.experiment import Experiment
from backproof.comparisons.results.cells import Absent, Failed
from backproof.comparisons.results.files import prepare_folder
from backproof.comparisons.running import file_lock
from backproof.comparisons.running.progress import Progress
from backproof.comparisons.verdicts.outcome import Outcome, worst

Records = Mapping[tuple[int, str], Record]  # by (seed, contender)
GUESSING_ERRORS = 4.0  # standard errors above the share of the commonest class: learned something


@dataclass(frozen=True)
class Study:
    """What was trained: each of `names`, scratch among them, from each of `seeds`."""

    setup: Setup
    dataset: Dataset
    seeds: Sequence[int]
    names: Sequence[str]


def run(experiment: Experiment, progress: Progress) -> AccuracyResult:
    """The accuracy part of the main job, in this process, one unit after another; timed as it runs."""
    started = time.perf_counter()
    study = _study(experiment)
    records: dict[tuple[int, str], Record] = {}
    total = len(study.seeds) * len(study.names) * experiment.epochs
    with progress.task("accuracy: training", total=total) as advance:
        for seed in study.seeds:
            for name in study.names:
                records[seed, name] = train_unit(study.setup, study.dataset, name, seed, advance)
    found = with_levels(summarize(study, records), study, progress, quick=experiment.plan.quick)
    return replace(found, seconds=time.perf_counter() - started)


def run_many(experiment: Experiment, progress: Progress, workers: many_seeds.Workers) -> AccuracyResult:
    """The same for many seeds: units from the journal in the plan's folder, the rest done by `workers`.

    The same plan ends with the same result whatever the number of workers and however often it was stopped
    and continued, except for `seconds`, the wall clock of this call. Nothing is timed unit by unit.
    """
    started = time.perf_counter()
    plan, study = experiment.plan, _study(experiment)
    folder = prepare_folder(plan.out)
    codes = {name: code_version(name) for name in study.names}
    units = [
        many_seeds.Unit(study.setup, study.dataset.name, plan.data_dir, name, seed, codes[name])
        for seed in study.seeds
        for name in study.names
    ]
    with file_lock.held(folder / f".{many_seeds.JOURNAL}.lock", plan.command, progress.say):
        done = many_seeds.run(units, Journal(folder / many_seeds.JOURNAL), workers, progress)
    records = {(unit.seed, unit.name): record for unit, record in done.items()}
    found = with_levels(summarize(study, records, timed=False), study, progress, quick=plan.quick)
    return replace(found, seconds=time.perf_counter() - started)


def _study(experiment: Experiment) -> Study:
    return Study(setup_of(experiment), experiment.dataset, experiment.seeds, experiment.contenders)


def summarize(study: Study, records: Records, timed: bool = True) -> AccuracyResult:
    """Levels 0 and 3 from finished units; the same for the same records."""
    against = {name: _against_scratch(study, name, records) for name in study.names if name != "scratch"}
    return AccuracyResult(
        verdict=_verdict(against),
        seconds=0.0,
        dataset=study.dataset.name,
        n_train=len(study.dataset.train_labels),
        n_test=len(study.dataset.test_labels),
        resolution_points=100.0 / len(study.dataset.test_labels),
        margin_points=study.setup.margin_points,
        seeds=tuple(study.seeds),
        setting=study.setup,
        timed=timed,
        contenders={name: _contender(study.seeds, name, records, timed) for name in study.names},
        against_scratch=against,
    )


def _contender(
    seeds: Sequence[int], name: str, records: Records, timed: bool
) -> ContenderRuns | Absent | Failed:
    found = []
    for seed in seeds:
        record = records[seed, name]
        if isinstance(record, Absent | Failed):
            return record
        found.append(record)
    return ContenderRuns(
        test_accuracy=tuple(run.test_accuracy[-1] for run in found),
        test_accuracy_epochs=tuple(run.test_accuracy for run in found),
        train_loss=tuple(run.train_loss for run in found),
        seconds=tuple(run.seconds if timed else None for run in found),
    )


def _against_scratch(study: Study, name: str, records: Records) -> AgainstScratch | Absent | Failed:
    """Level 3 of one contender with level 0, and McNemar per seed. Differences: contender - scratch."""
    ours: list[TrainedRun] = []
    theirs: list[TrainedRun] = []
    for seed in study.seeds:
        for side, record in ((ours, records[seed, "scratch"]), (theirs, records[seed, name])):
            if isinstance(record, Absent | Failed):
                return record
            side.append(record)
    differences = [
        100.0 * (b.test_accuracy[-1] - a.test_accuracy[-1]) for a, b in zip(ours, theirs, strict=True)
    ]
    found, reason = _judged(paired_equivalence(differences, study.setup.margin_points), study, ours, theirs)
    hashes = levels.equal_hashes([run.hashes for run in ours], [run.hashes for run in theirs])
    return AgainstScratch(
        difference_points=found.difference,
        differences_points=tuple(differences),
        ci90=found.interval if len(differences) > 1 else None,
        margin_points=found.margin,
        outcome=found.outcome,
        p_equivalence=found.p_equivalence,
        mcnemar=tuple(_mcnemar(study.dataset, a, b) for a, b in zip(ours, theirs, strict=True)),
        hashes=hashes,
        verdict=worst([found.verdict, hashes.verdict]),
        reason=reason,
    )


def _judged(
    found: Equivalence, study: Study, ours: Sequence[TrainedRun], theirs: Sequence[TrainedRun]
) -> tuple[Equivalence, str]:
    """Level 3, and why it is undecided where neither side has learned anything."""
    accuracies = [float(np.mean([run.test_accuracy[-1] for run in side])) for side in (ours, theirs)]
    if any(accuracy > guessing_limit(study.dataset) for accuracy in accuracies):
        return found, ""
    said = " and ".join(f"{100 * accuracy:.1f}%" for accuracy in accuracies)
    reason = f"neither network has learned anything: {said} are no better than guessing"
    return replace(found, outcome="undecided"), reason


def guessing_limit(dataset: Dataset) -> float:
    """The mean accuracy up to which networks are no better than always naming one class.

    g + 4 sqrt(g (1 - g) / n): the share g of the commonest class, and four standard errors of the accuracy
    of a guesser on n test images. Seeds share their test images: more of them make it no sharper.
    """
    n = len(dataset.test_labels)
    g = float(np.bincount(dataset.test_labels).max()) / n
    return g + GUESSING_ERRORS * math.sqrt(g * (1 - g) / n)


def _mcnemar(dataset: Dataset, ours: TrainedRun, theirs: TrainedRun) -> Discordant:
    n = len(dataset.test_labels)
    mine, other = unpacked(ours.correct, n), unpacked(theirs.correct, n)
    only_scratch, only_other = int(np.sum(mine & ~other)), int(np.sum(other & ~mine))
    return Discordant(only_scratch, only_other, mcnemar(only_scratch, only_other))


def with_levels(
    result: AccuracyResult, study: Study, progress: Progress, quick: bool = False
) -> AccuracyResult:
    """`result` with levels 1 and 2 of every contender, run here and now from the first seed."""
    compared = result.compared
    found = levels.run(study.setup, study.dataset, list(compared), study.seeds[0], progress, quick)
    complete = {
        name: replace(cell, one_step=found[name].one_step, trajectory=found[name].trajectory)
        for name, cell in compared.items()
    }
    against = {**result.against_scratch, **complete}  # in the order of the contenders
    return replace(result, against_scratch=against, verdict=_verdict(against))


def _verdict(against: Mapping[str, AgainstScratch | Absent | Failed]) -> Outcome:
    """The worst of all levels of all contenders that can be trained."""
    verdicts: list[Outcome] = []
    for cell in against.values():
        if isinstance(cell, AgainstScratch):
            verdicts += [cell.verdict, *(level.verdict for level in (cell.one_step,) if level)]
            verdicts += _of_trajectory(cell)
        elif isinstance(cell, Failed):
            verdicts.append(Outcome.FAIL)
    return worst(verdicts)


def _of_trajectory(cell: AgainstScratch) -> list[Outcome]:
    """A trajectory that is not offered leaves its level undecided."""
    if cell.trajectory is None:
        return []
    if isinstance(cell.trajectory, Failed):
        return [Outcome.FAIL]
    return [Outcome.INCONCLUSIVE if isinstance(cell.trajectory, Absent | Failed) else cell.trajectory.verdict]
