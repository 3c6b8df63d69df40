"""The best test accuracy that `scratch` reaches on MNIST within a time budget, on two boards kept apart.

The protocol keeps the test set out of every choice. 5,000 of the 60,000 training images, drawn once and for
all, are the validation split, on which recipes are compared (`choose`). A record then learns from all 60,000
by the recipe that was chosen, once per seed. The test images are handed over once per seed, after training,
to the networks as they are then (`_look_at_test`); what is judged is the mean over the seeds.

NumPy and SciPy only: what other libraries are loaded in the process is written into the result.
"""

import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from backproof.comparisons.data.dataset import N_CLASSES, Dataset
from backproof.comparisons.record.recipes import CANDIDATES, GOALS, PUBLISHED, RECIPES, Recipe
from backproof.comparisons.record.result import (
    BoardResult,
    Candidate,
    EpochEnd,
    HardImage,
    RecordResult,
    SeedRun,
    TestSetResult,
)
from backproof.comparisons.record.training import (
    Budget,
    Member,
    Split,
    averaged,
    probabilities,
    train_members,
)
from backproof.comparisons.running.progress import Advance, Progress
from backproof.comparisons.verdicts.outcome import Outcome, worst
from backproof.scratch.architecture import Array
from backproof.scratch.errors import InputError
from backproof.scratch.network import ignore

N_VALIDATION = 5_000
N_HARDEST = 24
FRAMEWORKS = ("torch", "jax", "tensorflow", "keras", "sklearn")


Keep = Callable[[RecordResult], object]  # writes the record as far as it is finished


def run(
    dataset: Dataset,
    boards: Sequence[str],
    budget: Budget,
    seeds: Sequence[int],
    progress: Progress,
    members: int | None = None,
    keep: Keep = ignore,
) -> RecordResult:
    """Train the recipe of each board from every seed, and look at the test set once each time.

    `keep` is given what is finished after every training. Ctrl-C is raised again; what it cuts short is not
    kept. Raises InputError for other data than MNIST.
    """
    if dataset.name != "mnist":
        raise InputError(
            f"dataset: expected mnist, got {dataset.name}; the recipes and the table are MNIST's"
        )
    started, everything = time.perf_counter(), all_images(dataset)
    found: dict[str, BoardResult] = {}
    for seed in seeds:
        for board in boards:
            result = _board(dataset, everything, _recipe(RECIPES[board], members), budget, seed, progress)
            found[board] = joined(found.get(board), result, budget)
            record = RecordResult(
                boards=dict(found),
                seed=seeds[0],
                minutes=None if budget.seconds is None else budget.seconds / 60,
                epochs=budget.epochs,
                frameworks_loaded=tuple(name for name in FRAMEWORKS if name in sys.modules),
                verdict=worst([one.verdict for one in found.values()]),
                seconds=time.perf_counter() - started,
            )
            keep(record)
    return record


def joined(before: BoardResult | None, new: BoardResult, budget: Budget) -> BoardResult:
    """The board with one seed more: its details stay those of the first, its verdict is that of the mean."""
    if before is None:
        return new
    both = replace(before, runs=(*before.runs, *new.runs))
    return replace(both, verdict=judged(both.mean, both.recipe.board, budget))


def choose(
    dataset: Dataset, board: str, budget: Budget, seed: int, progress: Progress, members: int | None = None
) -> list[Candidate]:
    """Validation accuracy of every candidate recipe of a board, best first. The test set stays out of it."""
    split = validation_split(dataset)
    rows = []
    for name, candidate in CANDIDATES[board].items():
        recipe = _recipe(candidate, members)
        trained = _train(name, recipe, split, budget, seed, progress)
        rows.append(Candidate(name, trained[0].history[-1].epoch, *_validation(trained, split)))
        progress.say(f"{name}: {100 * rows[-1].validation_accuracy:.2f}% on the validation split")
    return sorted(rows, key=lambda row: -row.validation_accuracy)


def validation_split(dataset: Dataset) -> Split:
    """The training images without the validation split, and the split; the same one for every run."""
    order = np.random.default_rng(20_240).permutation(len(dataset.train_labels))
    learned, held_out = np.sort(order[N_VALIDATION:]), np.sort(order[:N_VALIDATION])
    return Split(
        images=dataset.train_images[learned],
        labels=dataset.train_labels[learned],
        validation_images=dataset.train_images[held_out],
        validation_labels=dataset.train_labels[held_out],
        image_shape=dataset.image_shape,
    )


def all_images(dataset: Dataset) -> Split:
    """All training images, and none to choose by."""
    nothing = np.empty(0, np.intp)
    return Split(
        images=dataset.train_images,
        labels=dataset.train_labels,
        validation_images=dataset.train_images[nothing],
        validation_labels=dataset.train_labels[nothing],
        image_shape=dataset.image_shape,
    )


def _recipe(recipe: Recipe, members: int | None) -> Recipe:
    return recipe if members is None else replace(recipe, members=members)


def _board(
    dataset: Dataset, split: Split, recipe: Recipe, budget: Budget, seed: int, progress: Progress
) -> BoardResult:
    started = time.perf_counter()
    members = _train(recipe.board, recipe, split, budget, seed, progress)
    seconds = time.perf_counter() - started
    test = _look_at_test(members, dataset)
    progress.say(
        f"{recipe.board}, seed {seed}: {100 * test.accuracy:.2f}% of the test images, "
        f"{seconds:.0f} s of training"
    )
    epochs = members[0].history[-1].epoch if members[0].history else 0.0
    accuracy, n_images = _validation(members, split)
    return BoardResult(
        recipe=recipe,
        layer_sizes=members[0].network.architecture.layer_sizes,
        training_seconds=seconds,
        history=tuple(tuple(member.history) for member in members),
        validation_accuracy=accuracy,
        validation_images=n_images,
        test=test,
        published=tuple(entry for entry in PUBLISHED if entry.board == recipe.board),
        goal=GOALS[recipe.board],
        verdict=judged(test.accuracy, recipe.board, budget),
        runs=(SeedRun(seed, test.accuracy, test.members, epochs, seconds),),
    )


def judged(accuracy: float, board: str, budget: Budget) -> Outcome:
    """PASS where the goal is reached; FAIL where it is not in the time it is meant for; else INCONCLUSIVE."""
    goal = GOALS[board]
    if accuracy >= goal.accuracy:
        return Outcome.PASS
    in_time = budget.seconds is not None and budget.seconds >= 60 * goal.minutes
    return Outcome.FAIL if in_time else Outcome.INCONCLUSIVE


def _train(
    label: str, recipe: Recipe, split: Split, budget: Budget, seed: int, progress: Progress
) -> list[Member]:
    with progress.task(f"record: {label}, {recipe.members} nets", total=100 * recipe.members) as advance:
        return train_members(recipe, split, budget, seed, _advancing(advance, recipe.members))


def _advancing(advance: Advance, n_members: int) -> Callable[[int, EpochEnd], None]:
    """Per cent of progress, summed over the members."""
    done = [0.0] * n_members

    def report(index: int, entry: EpochEnd) -> None:
        advance(100 * entry.progress - done[index])
        done[index] = 100 * entry.progress

    return report


def _validation(members: Sequence[Member], split: Split) -> tuple[float, int]:
    """The accuracy of the averaged networks on the validation images, and how many those are."""
    if not len(split.validation_labels):
        return math.nan, 0
    shares = averaged([member.network for member in members], split.validation_images)
    correct = shares.argmax(axis=1) == split.validation_labels
    return float(correct.mean()), len(correct)


def _look_at_test(members: Sequence[Member], dataset: Dataset) -> TestSetResult:
    """Everything that is ever computed from the test images."""
    networks = [member.network for member in members]
    shares = averaged(networks, dataset.test_images)
    labels, found = dataset.test_labels, shares.argmax(axis=1)
    confusion = np.zeros((N_CLASSES, N_CLASSES), np.int64)  # rows: labels, columns: found
    np.add.at(confusion, (labels, found), 1)
    alone = [probabilities(network, dataset.test_images).argmax(axis=1) for network in networks]
    return TestSetResult(
        accuracy=float(np.mean(found == labels)),
        errors=int(np.sum(found != labels)),
        images=len(labels),
        members=tuple(float(np.mean(answers == labels)) for answers in alone),
        confusion=tuple(map(tuple, confusion.tolist())),
        hardest=_hardest(shares, dataset),
    )


def _hardest(shares: Array, dataset: Dataset) -> tuple[HardImage, ...]:
    """The test images whose own label was given the least probability, worst first."""
    labels = dataset.test_labels
    own = shares[np.arange(len(labels)), labels]
    return tuple(
        HardImage(
            index=int(i),
            label=int(labels[i]),
            found=int(shares[i].argmax()),
            probability_of_label=float(own[i]),
            pixels=tuple(np.rint(255 * dataset.test_images[i]).astype(int).tolist()),
        )
        for i in np.argsort(own)[:N_HARDEST]
    )
