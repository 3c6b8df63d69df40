"""What the record found: types only, written to results.json and read back by their annotations."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import stdev

from backproof.comparisons.record.recipes import Goal, Published, Recipe
from backproof.comparisons.verdicts.outcome import Outcome


@dataclass(frozen=True)
class EpochEnd:
    """One network after an epoch of its training."""

    epoch: float  # passes over the training images; the last may be a part
    progress: float  # of the budget, 0 to 1
    train_loss: float  # mean over the epoch's steps
    accuracy: float | None = None  # on the validation images, where there are any


@dataclass(frozen=True)
class HardImage:
    """A test image whose own label was given little probability."""

    index: int
    label: int
    found: int
    probability_of_label: float
    pixels: tuple[int, ...]  # 0 .. 255, row by row


@dataclass(frozen=True)
class TestSetResult:
    """The one look at the test images."""

    accuracy: float
    errors: int
    images: int
    members: tuple[float, ...]  # the accuracy of each network alone
    confusion: tuple[tuple[int, ...], ...]  # rows: labels, columns: what was found
    hardest: tuple[HardImage, ...]


@dataclass(frozen=True)
class SeedRun:
    """One training of a board's recipe from fresh weights."""

    seed: int
    accuracy: float  # of the test images, by all networks together
    members: tuple[float, ...]  # by each network alone
    epochs: float  # of the first network
    seconds: float


@dataclass(frozen=True)
class BoardResult:
    """One board: what was trained, and where it stands. Details are those of the first seed."""

    recipe: Recipe
    layer_sizes: tuple[int, ...]
    training_seconds: float
    history: tuple[tuple[EpochEnd, ...], ...]  # per network
    validation_accuracy: float  # NaN where no images were kept apart
    validation_images: int
    test: TestSetResult
    published: tuple[Published, ...]
    goal: Goal
    verdict: Outcome  # on the mean over the seeds
    runs: tuple[SeedRun, ...] = ()  # empty in files of before there were several seeds

    @property
    def accuracies(self) -> tuple[float, ...]:
        """Of the test images, seed by seed."""
        return tuple(run.accuracy for run in self.runs) or (self.test.accuracy,)

    @property
    def mean(self) -> float:
        return math.fsum(self.accuracies) / len(self.accuracies)

    @property
    def deviation(self) -> float:
        """The sample's standard deviation over seeds; NaN of one seed."""
        return stdev(self.accuracies) if len(self.accuracies) > 1 else math.nan


@dataclass(frozen=True)
class RecordResult:
    """The slot `record` of results.json."""

    boards: Mapping[str, BoardResult]
    seed: int
    minutes: float | None  # the budget: either minutes or epochs
    epochs: int | None
    frameworks_loaded: tuple[str, ...]  # in the process that trained
    verdict: Outcome
    seconds: float
    command: str = ""


@dataclass(frozen=True)
class Candidate:
    """A recipe that was tried on the validation split."""

    name: str
    epochs: float
    validation_accuracy: float
    validation_images: int
