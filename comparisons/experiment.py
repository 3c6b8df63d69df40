"""From what was asked to what is run: `Plan` -> `resolve` -> `Experiment`, before anything is computed.

A `Plan` is the request, checked by itself. `resolve` finds the data, fits the network to them and settles the
number of epochs, once; every part of the main job is given the `Experiment` and asks nobody again. One
architecture, one optimiser and one equivalence margin are fixed here beforehand, so that no result can choose
its own test. The same experiment gives the same weights, batches and losses in scratch, bit for bit.
"""

from dataclasses import dataclass, field, replace
from typing import cast

from backproof.comparisons.contenders import apart, registry
from backproof.comparisons.data.dataset import KINDS, N_CLASSES, Dataset, load
from backproof.comparisons.results.files import DEFAULT_OUT
from backproof.comparisons.running.limits import usable_cores
from backproof.comparisons.running.progress import Progress
from backproof.scratch.architecture import DTYPES, Architecture, DtypeName, OptimizerSpec
from backproof.scratch.errors import InputError, expect_one_of

DEFAULT_HIDDEN = (128,)
# Dataset -> epochs of a full and of a quick run. The digits are small: more epochs for as many steps.
EPOCHS = {"mnist": (8, 5), "digits": (60, 40)}
# Plain SGD at 0.3 reaches 97.6% on MNIST in five epochs, and float32 rounding moves its test accuracy by
# 0.05 points from one implementation to the next (0.13 with momentum 0.9 at 0.1): few seeds are enough.
DEFAULT_OPTIMIZERS = {
    "sgd": OptimizerSpec("sgd", learning_rate=0.3),
    "adam": OptimizerSpec("adam", learning_rate=0.001),
}


@dataclass(frozen=True)
class Plan:
    """What is asked for. Validated when made: InputError names the option, what was expected and given."""

    contenders: tuple[str, ...] = ("scratch", "torch")  # scratch is always one of them
    data: str = "auto"
    data_dir: str | None = None
    layer_sizes: tuple[int, ...] | None = None  # None: (features, 128, 10)
    dtype: str = "float32"  # of the training runs; gradients are checked in both
    seed: int = 0  # the first of the seeds
    n_seeds: int = 5
    epochs: int | None = None  # None: as EPOCHS has it for the data found
    batch_size: int = 100
    optimizer: OptimizerSpec = field(default=DEFAULT_OPTIMIZERS["sgd"])
    margin_points: float = 0.2  # test accuracies closer than this count as equal
    threads: int = 1
    quick: bool = False
    out: str = DEFAULT_OUT
    command: str = "backproof"

    def __post_init__(self) -> None:
        for name, low in (("seed", 0), ("n_seeds", 1), ("epochs", 1), ("batch_size", 1), ("threads", 1)):
            value = getattr(self, name)
            name = name.removeprefix("n_")
            if name == "epochs" and value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int):
                raise InputError(f"{name}: expected an integer, got {value!r}")
            if value < low:
                raise InputError(f"{name}: expected at least {low}, got {value}")
        if self.threads > usable_cores():
            raise InputError(
                f"threads: expected at most {usable_cores()}, the cores of this machine; got {self.threads}"
            )
        expect_one_of("data", self.data, KINDS)
        expect_one_of("dtype", self.dtype, DTYPES)
        if not 0 < self.margin_points < 100:
            raise InputError(
                f"margin_points: expected a number between 0 and 100, got {self.margin_points!r}"
            )
        for name in self.contenders:
            registry.check(name)
        ordered = dict.fromkeys(("scratch", *self.contenders))
        object.__setattr__(self, "contenders", tuple(ordered))
        if self.layer_sizes is not None:
            _architecture(self.layer_sizes, self.dtype)

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of the paired runs: each draws its own initial weights and batches."""
        return tuple(range(self.seed, self.seed + self.n_seeds))


@dataclass(frozen=True, eq=False)  # holds arrays: two of them are compared by `planned`
class Experiment:
    """A plan resolved: with the data found, the network that fits them and the epochs that are trained.

    Made by `resolve`, once per command, and handed to every part. Of all that it holds, only the data are
    too large to be sent to workers in other processes: those find them again from the plan's `data` and
    `data_dir`, in `accuracy.many_seeds.do_unit` alone, and refuse others than these by their SHA-256. The
    workers of the speed part read what this process has written for them.
    """

    plan: Plan  # which also has the options that need no resolving
    dataset: Dataset
    architecture: Architecture  # of the training runs
    epochs: int

    @property
    def contenders(self) -> tuple[str, ...]:
        """Their names, each once and checked to be there; scratch first."""
        return self.plan.contenders

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of the paired runs: each draws its own initial weights and batches."""
        return self.plan.seeds

    def planned(self) -> "Planned":
        """What results.json keeps of it."""
        plan, dataset = self.plan, self.dataset
        return Planned(
            command=plan.command,
            dataset=Data(dataset.name, dataset.source, dataset.sha256),
            architecture=self.architecture,
            own_layers=plan.layer_sizes is not None,
            contenders=self.contenders,
            seeds=self.seeds,
            epochs=self.epochs,
            batch_size=plan.batch_size,
            optimizer=plan.optimizer,
            margin_points=plan.margin_points,
            threads=plan.threads,
            quick=plan.quick,
        )


def resolve(plan: Plan, progress: Progress | None = None) -> Experiment:
    """Find the data of the plan and fit the rest to them; slow steps are told to `progress`, and so
    is what stands around a contender of one's own.

    Raises InputError where the data cannot be had, or the layers asked for cannot take them.
    """
    dataset = load(plan.data, plan.data_dir, say=progress.say if progress else None)
    if progress and (walls := apart.walls(plan.contenders)):
        progress.say(walls)
    architecture = _architecture(_fitting_sizes(plan.layer_sizes, dataset), plan.dtype)
    return Experiment(plan, dataset, architecture, plan.epochs or EPOCHS[dataset.name][plan.quick])


def _fitting_sizes(asked: tuple[int, ...] | None, dataset: Dataset) -> tuple[int, ...]:
    sizes = asked or (dataset.n_features, *DEFAULT_HIDDEN, N_CLASSES)
    if (sizes[0], sizes[-1]) != (dataset.n_features, N_CLASSES):
        raise InputError(
            f"layers: {dataset.name} has {dataset.n_features} inputs and {N_CLASSES} classes, "
            f"got {','.join(map(str, sizes))}; try {dataset.n_features},"
            f"{''.join(f'{size},' for size in sizes[1:-1])}{N_CLASSES}"
        )
    return sizes


@dataclass(frozen=True)
class Data:
    """Which data were found, from where, and the SHA-256 of their content."""

    name: str
    source: str
    sha256: str


@dataclass(frozen=True)
class Planned:
    """What a main job was to do, fixed before it began."""

    command: str
    dataset: Data
    architecture: Architecture
    own_layers: bool  # whether the layers were asked for; the speed part then times that network alone
    contenders: tuple[str, ...]
    seeds: tuple[int, ...]
    epochs: int
    batch_size: int
    optimizer: OptimizerSpec
    margin_points: float
    threads: int
    quick: bool

    def same_work(self, other: "Planned") -> bool:
        """Whether both ask for the same, by whatever words."""
        return replace(self, command="") == replace(other, command="")


def _architecture(sizes: tuple[int, ...], dtype: str) -> Architecture:
    try:
        return Architecture(sizes, dtype=cast(DtypeName, dtype))  # which refuses others
    except (ValueError, TypeError) as error:
        raise InputError(str(error).replace("layer_sizes", "layers")) from error
