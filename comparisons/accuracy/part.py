"""Same training, same accuracy? Four levels, each of which the one above it could not replace.

    level 0   equal hashes of the data, the initial weights and the batches     (`accuracy_units`)
    level 1   one float64 step: logits, loss and gradient inside the derived bound     (`accuracy_levels`)
    level 2   a float64 trajectory, held against a control that differs in rounding only    (`trajectory`)
    level 3   test accuracies over paired seeds: equivalence within a margin fixed beforehand   (`statistics`)

Level 3 alone decides whether the accuracies are the same; levels 0 to 2 say whether it is the same training.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backproof.comparisons.accuracy import levels
from backproof.comparisons.accuracy import many_seeds as sweep
from backproof.comparisons.accuracy.equivalence import mcnemar, paired_equivalence
from backproof.comparisons.accuracy.journal import Journal
from backproof.comparisons.accuracy.unit import Setting, train_unit, unpacked
from backproof.comparisons.data.dataset import Dataset
from backproof.comparisons.experiment import Plan
from backproof.comparisons.results.files import prepare_folder
from backproof.comparisons.running.progress import Progress
from backproof.comparisons.verdicts.outcome import Outcome, worst

Part = dict[str, Any]
Records = Mapping[tuple[int, str], Part]  # (seed, contender) -> what train_unit returned


def run(plan: Plan, progress: Progress) -> Part:
    """The accuracy part of the main job, in this process, one unit after another; timed as it runs."""
    started = time.perf_counter()
    dataset, setting = plan.dataset(progress), Setting.from_plan(plan)
    records: dict[tuple[int, str], Part] = {}
    total = len(plan.seeds) * len(plan.contenders) * plan.epochs
    with progress.task("accuracy: training", total=total) as advance:
        for seed in plan.seeds:
            for name in plan.contenders:
                records[seed, name] = train_unit(setting, dataset, name, seed, advance)
    part = summarize(setting, dataset, plan.seeds, plan.contenders, records)
    part = with_levels(part, setting, dataset, plan.seeds[0], progress, quick=plan.quick)
    return {**part, "seconds": time.perf_counter() - started}


def summarize(
    setting: Setting,
    dataset: Dataset,
    seeds: Sequence[int],
    names: Sequence[str],
    records: Records,
    timed: bool = True,
) -> Part:
    """Levels 0 and 3 from finished units, in the format of results.json; the same for the same records."""
    others = [name for name in names if name != "scratch"]
    against = {name: _against_scratch(setting, dataset, seeds, name, records) for name in others}
    return {
        "verdict": _verdict(against),
        "seconds": 0.0,
        "dataset": dataset.name,
        "n_train": len(dataset.train_labels),
        "n_test": len(dataset.test_labels),
        "resolution_points": 100.0 / len(dataset.test_labels),
        "margin_points": setting.margin_points,
        "seeds": list(seeds),
        "setting": setting.to_json(),
        "timed": timed,
        "contenders": {name: _contender(seeds, name, records, timed) for name in names},
        "against_scratch": against,
    }


def _contender(seeds: Sequence[int], name: str, records: Records, timed: bool) -> Part:
    found = [records[seed, name] for seed in seeds]
    for record in found:
        if "not_offered" in record:
            return {"not_offered": record["not_offered"]}
    return {
        "test_accuracy": [record["test_accuracy"][-1] for record in found],
        "test_accuracy_epochs": [record["test_accuracy"] for record in found],
        "train_loss": [record["train_loss"] for record in found],
        "seconds": [record["seconds"] if timed else None for record in found],
    }


def _against_scratch(
    setting: Setting, dataset: Dataset, seeds: Sequence[int], name: str, records: Records
) -> Part:
    """Level 3 of one contender with level 0, and McNemar per seed. Differences: contender - scratch."""
    pairs = [(records[seed, "scratch"], records[seed, name]) for seed in seeds]
    missing = [record["not_offered"] for pair in pairs for record in pair if "not_offered" in record]
    if missing:
        return {"not_offered": missing[0], "verdict": Outcome.INCONCLUSIVE}
    differences = [
        100.0 * (theirs["test_accuracy"][-1] - ours["test_accuracy"][-1]) for ours, theirs in pairs
    ]
    found = paired_equivalence(differences, setting.margin_points)
    hashes = levels.equal_hashes(
        [record["hashes"] for pair in pairs for record in pair[:1]],
        [record["hashes"] for pair in pairs for record in pair[1:]],
    )
    return {
        "difference_points": found.difference,
        "differences_points": differences,
        "ci90": list(found.interval) if len(pairs) > 1 else None,
        "margin_points": found.margin,
        "outcome": found.outcome,
        "p_equivalence": found.p_equivalence,
        "mcnemar": [_mcnemar(dataset, *pair) for pair in pairs],
        "hashes": hashes,
        "verdict": worst([found.verdict, hashes["verdict"]]),
    }


def _mcnemar(dataset: Dataset, ours: Part, theirs: Part) -> Part:
    n = len(dataset.test_labels)
    mine, other = unpacked(ours["correct"], n), unpacked(theirs["correct"], n)
    only_scratch, only_other = int(np.sum(mine & ~other)), int(np.sum(other & ~mine))
    return {
        "only_scratch": only_scratch,
        "only_contender": only_other,
        "p_value": mcnemar(only_scratch, only_other),
    }


def with_levels(
    part: Part, setting: Setting, dataset: Dataset, seed: int, progress: Progress, quick: bool = False
) -> Part:
    """`part` with levels 1 and 2 of every contender, run here and now from `seed`."""
    names = [name for name, entry in part["against_scratch"].items() if "not_offered" not in entry]
    found = levels.run(setting, dataset, names, seed, progress, quick)
    against = {name: {**entry, **found.get(name, {})} for name, entry in part["against_scratch"].items()}
    return {**part, "against_scratch": against, "verdict": _verdict(against)}


def _verdict(against: Part) -> str:
    """The worst of all levels of all contenders that can be trained."""
    verdicts = []
    for entry in against.values():
        if "not_offered" not in entry:
            verdicts.append(entry["verdict"])
            verdicts += [entry[key]["verdict"] for key in ("one_step", "trajectory") if key in entry]
    return worst(verdicts)


def run_many(plan: Plan, progress: Progress, workers: sweep.Workers) -> Part:
    """The accuracy part for many seeds: units from the journal in plan.out, the rest done by `workers`.

    The same plan ends with the same part whatever the number of workers and however often it was stopped and
    continued, except for "seconds", the wall clock of this call. Nothing is timed unit by unit.
    """
    started = time.perf_counter()
    dataset, setting = plan.dataset(progress), Setting.from_plan(plan)
    journal = Journal(prepare_folder(plan.out) / sweep.JOURNAL)
    codes = {name: sweep.code_version(name) for name in plan.contenders}
    units = [
        sweep.Unit(setting, dataset.name, plan.data_dir, name, seed, codes[name])
        for seed in plan.seeds
        for name in plan.contenders
    ]
    found = sweep.run(units, journal, workers, progress)
    records = {(unit.seed, unit.name): record for unit, record in found.items()}
    part = summarize(setting, dataset, plan.seeds, plan.contenders, records, timed=False)
    part = with_levels(part, setting, dataset, plan.seeds[0], progress, quick=plan.quick)
    return {**part, "seconds": time.perf_counter() - started}
