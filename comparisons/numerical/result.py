"""What the numerical part of results.json holds: one gradient by every method, a training, the ladder."""

from collections.abc import Mapping
from dataclasses import dataclass

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
        "backprop",
        "backpropagation",
        "the units: delta goes back through a layer for all of them in one product, at the cost of about two "
        "forward passes for the whole gradient",
    ),
)
TITLES = {rung.key: rung.title for rung in RUNGS}


@dataclass(frozen=True)
class OneGradient:
    """One gradient of one batch by every method.

    `seconds` are by rung, those of the loop scaled to all entries. The distances from backpropagation are
    relative to its largest entry; `same` holds the structured quotients against those of the loop.
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
    step: float  # h = step * max(1, |t|)
    evaluate_every: int
    dataset: str  # its hash

    @property
    def architecture(self) -> Architecture:
        """Relus, cross-entropy, float64."""
        return Architecture(self.layer_sizes)


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


def judged(
    seconds: float, gradient: OneGradient, training: TwinResult | None, ladder: Ladder | None
) -> NumericalResult:
    """The slot with its verdict: the worst of the comparison's and the training's."""
    verdicts = [gradient.same.outcome, *([training.verdict] if training else [])]
    return NumericalResult(worst(verdicts), seconds, gradient, training, ladder)
