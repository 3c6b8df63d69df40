"""What the accuracy comparison finds: types only, written to results.json and read back by their annotations.

Accuracies are shares of the test images, differences and margins are in percentage points, times in seconds.
A number that is not finite (training diverged) is null in results.json and NaN when it is read back.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from backproof.comparisons.results.cells import Absent, Failed
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.verdict import Verdict
from backproof.scratch.architecture import Architecture, OptimizerSpec

EquivalenceWord = Literal["equivalent", "different", "undecided"]


@dataclass(frozen=True)
class Setup:
    """What all runs of one comparison share. The margin stands here because it is fixed beforehand."""

    architecture: Architecture
    optimizer: OptimizerSpec
    epochs: int
    batch_size: int
    margin_points: float
    dataset: str
    dataset_sha256: str


# --- one run: one contender from one seed ------------------------------------------------------------------


@dataclass(frozen=True)
class Hashes:
    """SHA-256 of what a contender was given; None where it cannot be read back."""

    data: str
    initial_weights: str | None
    batches: str


@dataclass(frozen=True)
class TrainedRun:
    """One contender trained from one seed."""

    test_accuracy: tuple[float, ...]  # after every epoch
    train_loss: tuple[float, ...]  # mean of every epoch
    seconds: float | None  # of training; None where runs shared the machine
    correct: str  # the test images it gets right after the last epoch: bits, packed, in base64
    hashes: Hashes


# --- level 0: equal starts ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class EqualStarts:
    """Level 0: the hashes of a contender beside scratch's, over all seeds."""

    verdict: Outcome
    unequal: tuple[str, ...]
    not_offered: tuple[str, ...]
    first: Hashes  # scratch's, of the first seed


# --- level 1: one step -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class OneStep:
    """Level 1: logits, loss and gradient of one float64 batch inside their derived bounds."""

    verdict: Outcome
    checks: Mapping[str, Verdict]  # by quantity
    not_offered_checks: Mapping[str, str]  # quantity -> why


# --- level 2: a trajectory ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Flip:
    """A hidden relu that is on in one trajectory and off in the other. Steps and layers count from 1."""

    step: int
    layer: int
    row: int
    unit: int


@dataclass(frozen=True)
class DifferenceCurve:
    """The scaled difference after so many steps, of the contender and of the control."""

    steps: tuple[int, ...]
    difference: tuple[float, ...]
    control: tuple[float, ...]


@dataclass(frozen=True)
class ComparedTrajectories:
    """Level 2: how far two float64 trajectories of the same training lie apart."""

    max_scaled_difference: float
    control: float
    ratio: float  # of the two
    allowed_ratio: float
    steps: int
    steps_compared: int
    first_flip: Flip | None
    control_flip: int | None  # the step of the control's first
    curve: DifferenceCurve
    verdict: Outcome
    reason: str


# --- level 3: accuracies -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Discordant:
    """Test images that exactly one of two networks gets right, with McNemar's exact p-value."""

    only_scratch: int
    only_contender: int
    p_value: float


@dataclass(frozen=True)
class ContenderRuns:
    """All runs of one contender, seed by seed."""

    test_accuracy: tuple[float, ...]  # at the end
    test_accuracy_epochs: tuple[tuple[float, ...], ...]  # (seeds, epochs)
    train_loss: tuple[tuple[float, ...], ...]  # (seeds, epochs)
    seconds: tuple[float | None, ...]


@dataclass(frozen=True)
class AgainstScratch:
    """One contender beside scratch. Differences are contender - scratch."""

    difference_points: float  # the mean over the seeds
    differences_points: tuple[float, ...]
    ci90: tuple[float, float] | None  # None with one seed
    margin_points: float
    outcome: EquivalenceWord
    p_equivalence: float
    mcnemar: tuple[Discordant, ...]
    hashes: EqualStarts
    verdict: Outcome  # of levels 0 and 3
    reason: str = ""  # of an outcome that the interval alone does not explain
    one_step: OneStep | None = None
    trajectory: ComparedTrajectories | Absent | Failed | None = None


@dataclass(frozen=True)
class AccuracyResult:
    """The slot `accuracy` of results.json."""

    verdict: Outcome  # the worst of all levels of all contenders that can be trained
    seconds: float  # of the whole comparison, wall clock
    dataset: str
    n_train: int
    n_test: int
    resolution_points: float  # what one test image is worth
    margin_points: float
    seeds: tuple[int, ...]
    setting: Setup
    timed: bool
    contenders: Mapping[str, ContenderRuns | Absent | Failed]
    against_scratch: Mapping[str, AgainstScratch | Absent | Failed]

    @property
    def trained(self) -> dict[str, ContenderRuns]:
        """The contenders that have accuracies to show."""
        cells = self.contenders.items()
        return {name: cell for name, cell in cells if isinstance(cell, ContenderRuns) and cell.test_accuracy}

    @property
    def compared(self) -> dict[str, AgainstScratch]:
        """The contenders that were compared with scratch."""
        cells = self.against_scratch.items()
        return {name: cell for name, cell in cells if isinstance(cell, AgainstScratch)}


# --- how often the verdict is wrong ------------------------------------------------------------------------


@dataclass(frozen=True)
class SimulatedCase:
    """Simulated studies of one true difference; shares of the studies by outcome."""

    true_difference: float  # points
    deviation: float  # points, per seed
    n_seeds: int
    images: int | None  # differences in whole images of so many; None: normal ones
    shares: Mapping[EquivalenceWord, float]
    wrong: Mapping[EquivalenceWord, float]  # those of the shares that are mistakes
    holds: bool


@dataclass(frozen=True)
class ErrorRates:
    """The slot `error_rates` of results.json."""

    margin_points: float
    n_trials: int
    nominal: float
    cases: tuple[SimulatedCase, ...]
    verdict: Outcome
    command: str = ""
