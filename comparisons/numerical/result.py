"""What the numerical part of results.json holds: one gradient by every method, a training, the ladder."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from backproof.comparisons.verdicts.outcome import Outcome, worst
from backproof.comparisons.verdicts.verdict import Verdict
from backproof.scratch.architecture import Architecture


@dataclass(frozen=True)
class Rung:
    """One way to the gradient, and what it no longer does again compared with the one before."""

    key: str
    title: str
    saves: str


RUNGS = (
    Rung("naive", "textbook loop", "nothing: two whole forward passes for every parameter"),
    Rung(
        "structured",
        "structured differences",
        "the layers in front, the other units of the layer, examples whose input is zero or whose unit stays "
        "off: of the two passes only what this one parameter changes is left",
    ),
    Rung(
        "unitwise",
        "differences per unit",
        "the inputs of one unit: all its weights move the same pre-activation, so one pair of differences "
        "serves them all, and the outer product with the inputs does the rest",
    ),
    Rung(
        "forward",
        "forward gradient",
        "the units too: all parameters move at once, along one random direction, and the slope comes with "
        "the forward pass. But that is one number for the whole gradient: the guess is right on average, "
        "while one draw of n numbers is off by the square root of n times the gradient's length",
    ),
    Rung(
        "backprop",
        "backpropagation",
        "the guessing: delta goes back through a layer for all of its units in one product, at the cost of "
        "about two forward passes for the whole gradient",
    ),
)
TITLES = {rung.key: rung.title for rung in RUNGS}

Differences = Literal["entries", "units"]  # whose quotients are taken: of each parameter, or of each unit
DIFFERENCES = {"entries": "central differences of every parameter", "units": "central differences of units"}
FORWARD = {"weights": "all parameters", "units": "the units of every example"}  # what a direction is of
RateSchedule = Literal["constant", "linear"]  # linear: down to zero after the last step


@dataclass(frozen=True)
class OneGradient:
    """One gradient of one batch by every method.

    `seconds` are by rung, those of the loop scaled to all entries; an older file lacks a rung. The distances
    from backpropagation are relative to its largest entry, those of the forward gradient of a single draw;
    `same` holds the structured quotients against those of the loop.
    """

    dataset: str  # "mnist" | "digits"
    layer_sizes: tuple[int, ...]
    batch_size: int
    n_parameters: int
    naive_entries: int  # that the loop was timed on
    seconds: Mapping[str, float]
    naive_from_backprop: float
    structured_from_backprop: float
    same: Verdict
    unitwise_from_backprop: float | None = None
    forward_from_backprop: float | None = None

    @property
    def from_backprop(self) -> Mapping[str, float | None]:
        """How far each rung is from backpropagation."""
        return {
            "naive": self.naive_from_backprop,
            "structured": self.structured_from_backprop,
            "unitwise": self.unitwise_from_backprop,
            "forward": self.forward_from_backprop,
        }

    @property
    def titles(self) -> Mapping[str, str]:
        """Of the rungs that were timed."""
        return {rung: title for rung, title in TITLES.items() if rung in self.seconds}

    @property
    def speedup(self) -> float:
        """How many times faster the structured quotients are than the loop."""
        return self.faster("structured")

    def faster(self, rung: str) -> float:
        """How many times faster a rung is than the textbook's loop."""
        return self.seconds["naive"] / self.seconds[rung]


@dataclass(frozen=True)
class TwinSetting:
    """What is trained on what; two runs with equal settings are the same run."""

    layer_sizes: tuple[int, ...]
    n_steps: int
    batch_size: int
    learning_rate: float
    seed: int
    step: float  # h = step * max(1, |t|), of a parameter or a pre-activation t
    evaluate_every: int
    dataset: str  # its hash
    momentum: float = 0.0
    schedule: RateSchedule = "constant"
    differences: Differences = "entries"

    @property
    def architecture(self) -> Architecture:
        """Relus, cross-entropy, float64."""
        return Architecture(self.layer_sizes)

    def rate(self, step: int) -> float:
        """The learning rate of the step that so many others went before."""
        share = 1.0 - step / self.n_steps if self.schedule == "linear" else 1.0
        return self.learning_rate * share


@dataclass(frozen=True)
class Evaluation:
    """Accuracies on the test images after `step` steps."""

    step: int
    numerical: float
    backprop: float


@dataclass(frozen=True)
class Curves:
    """One value per step shown; losses before the step, distances after it, seconds in total."""

    step: tuple[int, ...]
    numerical_loss: tuple[float, ...]
    backprop_loss: tuple[float, ...]
    distance: tuple[float, ...]
    bound: tuple[float, ...]
    numerical_seconds: tuple[float, ...]
    backprop_seconds: tuple[float, ...]


@dataclass(frozen=True)
class TwinResult:
    """Two trainings from the same weights: curves, clock, and whether the weights stayed together."""

    verdict: Outcome
    reason: str
    setting: TwinSetting
    steps: int
    finished: bool
    curves: Curves
    evaluations: tuple[Evaluation, ...]
    distance: float  # of the weight vectors at the end
    bound: float  # on that distance
    travelled: float  # from the first weights
    seconds: float  # in gradients and updates by central differences
    backprop_seconds: float


@dataclass(frozen=True)
class Reached:
    """Accuracy on the test images after `step` steps and so many seconds in gradients and updates."""

    step: int
    seconds: float
    accuracy: float


@dataclass(frozen=True)
class ForwardTraining:
    """A training by forward gradients, from the twins' weights on the twins' batches, by plain descent."""

    perturbed: str  # "weights" | "units": what the random directions are of
    learning_rate: float  # at first; it falls linearly to zero
    n_steps: int
    evaluations: tuple[Reached, ...]

    @property
    def last(self) -> Reached:
        return self.evaluations[-1]


@dataclass(frozen=True)
class LadderRow:
    """Seconds per gradient of one network, by rung."""

    layer_sizes: tuple[int, ...]
    n_parameters: int
    seconds: Mapping[str, float]


@dataclass(frozen=True)
class Ladder:
    """Both families of networks, and the slope of each rung along the first."""

    batch_size: int
    sampled_entries: int  # of the textbook's loop
    rungs: tuple[Rung, ...]
    width: tuple[LadderRow, ...]
    depth: tuple[LadderRow, ...]
    slopes: Mapping[str, float]


@dataclass(frozen=True)
class NumericalResult:
    """The slot `numerical`, as far as it is finished."""

    verdict: Outcome
    seconds: float
    gradient: OneGradient
    training: TwinResult | None = None
    ladder: Ladder | None = None
    forward: tuple[ForwardTraining, ...] = ()


def judged(found: NumericalResult) -> NumericalResult:
    """The slot with its verdict: the worst of the comparison's and the training's."""
    verdicts = [found.gradient.same.outcome, *([found.training.verdict] if found.training else [])]
    return replace(found, verdict=worst(verdicts))
