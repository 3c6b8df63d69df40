"""What the speed part of results.json holds, and the words in which speed is told.

A ratio is (time of a contender) / (time of scratch) in the same rounds: above 1, scratch is faster. Speed is
faster, slower, or no difference seen, with its interval; it neither passes nor fails.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from backproof.comparisons.results.cells import Absent, Failed, Invalid

Division = Literal["matched", "idiomatic", "control", "floor", "parts"]


class Finding(StrEnum):
    """What a ratio and its interval say of scratch, beside the noise floor."""

    FASTER = "faster"  # the whole interval lies above the floor
    SLOWER = "slower"  # the whole interval lies below 1 / floor
    SAME = "no difference seen"


@dataclass(frozen=True)
class Estimate:
    """A ratio, its 95% interval, and the units that it rests on: launches, or rounds of the only one."""

    median: float
    ci95: tuple[float, float]
    units: int

    @property
    def low(self) -> float:
        return self.ci95[0]

    @property
    def high(self) -> float:
        return self.ci95[1]


@dataclass(frozen=True)
class Comparison:
    """One contender beside scratch, in one case or over all of them."""

    ratio: Estimate
    finding: Finding


Cell = Comparison | Absent | Failed | Invalid


@dataclass(frozen=True)
class NoiseFloor:
    """Scratch against itself. Ratios between 1 / `floor` and `floor` (>= 1; NaN: unknown) say nothing."""

    ratio: Estimate
    floor: float


@dataclass(frozen=True)
class TimedData:
    """What a case was trained on: its name, and a phrase for the reader."""

    name: str  # "mnist" | "digits" | "random"
    says: str  # "scikit-learn's digits, enlarged to 28 by 28 pixels"


@dataclass(frozen=True)
class CaseResult:
    """One network with its batch size and update rule, at one number of threads."""

    layer_sizes: tuple[int, ...]
    batch_size: int
    optimizer: str
    dtype: str
    label: str
    threads: int
    data: TimedData
    ratios: Mapping[str, Cell]  # by contender, without scratch and its companions
    noise: NoiseFloor | None
    gemm_floor: Estimate | None  # scratch over the bare matrix products
    images_per_second: Mapping[str, float | None]
    parts: Mapping[str, float] | None = None  # seconds per step, by part of a step of scratch


@dataclass(frozen=True)
class MeanRatios:
    """The geometric means over all cases at one number of threads; None where a case is missing."""

    threads: int
    ratios: Mapping[str, Comparison | None]


@dataclass(frozen=True)
class EntrantFacts:
    """Who was timed: in which division, and what it runs."""

    division: Division
    says: str


@dataclass(frozen=True)
class Settings:
    """How much is measured. Intervals are over launches where there are at least two of them."""

    threads: tuple[int, ...] = (1,)
    launches: int = 5
    rounds: int = 4
    round_seconds: float = 1.0  # what the fastest trainer takes for one round, at least
    warm_up: int = 10  # steps before the clock starts: compilation, caches, clock frequency
    pause_seconds: float = 0.0  # between turns with several threads: idle pools go on spinning for a while
    timeout_seconds: float = 180.0
    # Training images used: 63 MB of MNIST, more than caches hold, as all of them would be. More would only
    # make every turn wait while they are checked and converted, outside the clock.
    examples: int = 20_000
    seed: int = 0


@dataclass(frozen=True)
class Record:
    """One entrant's turn in one round. `fault` says why it does not count."""

    threads: int
    launch: int
    case: int
    round: int
    position: int
    entry: str
    steps: int
    images: int
    seconds: float
    cpu_seconds: float
    first_loss: float  # NaN where it returned none
    last_loss: float
    fault: str | None


@dataclass(frozen=True)
class Library:
    """A library of matrix products or of threads that a process has loaded, as threadpoolctl describes it."""

    name: str  # "openblas", "mkl", "openmp", ...
    file: str  # without its folder: NumPy and SciPy bring an OpenBLAS each
    version: str
    architecture: str  # the processor that its kernels are for
    threading: str  # "pthreads", "openmp", ...


@dataclass(frozen=True)
class ThreadReport:
    """What a process says of itself; what a library does not tell is "".

    threads     library -> how many it uses, and `cores`, how many the process is bound to
    kernels     library -> the processor that its kernels are for
    libraries   those of matrix products and of threads, each
    """

    threads: Mapping[str, int]
    kernels: Mapping[str, str]
    libraries: tuple[Library, ...] = ()


@dataclass(frozen=True)
class Kernels:
    """Who chose the kernels, and which variables would have chosen them, or did."""

    chosen_by: Literal["each library", "the environment", "this command"]
    variables: Mapping[str, str]


@dataclass(frozen=True)
class ProcessorKind:
    """Where figures of speed hold: on this processor, with these kernels in the process of scratch."""

    processor: str  # its model, as the system names it
    kernels: Mapping[str, str]  # library -> the processor that its kernels are for


@dataclass(frozen=True)
class Curve:
    """Images per second of each entrant against x; None where it did not run, or not as agreed."""

    x: tuple[int, ...]
    images_per_second: Mapping[str, tuple[float | None, ...]]


@dataclass(frozen=True)
class GrowthResult:
    """Against the batch size of 784-128-10, and against the width w of 784-w-10 in batches of 100."""

    threads: int
    seconds: float
    batch: Curve
    width: Curve


@dataclass(frozen=True)
class SpeedResult:
    """The slot `speed`: what was found over all cases, then everything that it rests on."""

    finding: Finding | None  # of scratch beside `against`; None where no contender could be timed
    against: str | None  # the contender that the finding is about
    seconds: float
    cases: tuple[CaseResult, ...]
    means: tuple[MeanRatios, ...]  # one for every number of threads
    entrants: Mapping[str, EntrantFacts]
    settings: Settings
    unit: Literal["launch", "round"]
    reports: Mapping[str, ThreadReport]  # "entrant, n threads" -> what its process saw
    kernels: Kernels
    log: tuple[Record, ...]
    growth: GrowthResult | None = None
    interrupted: bool = False  # then only launches that were finished are counted
    kind: ProcessorKind | None = None  # None in results of before it was kept
    others: tuple["SpeedResult", ...] = ()  # on other kinds of processors; they have none themselves
