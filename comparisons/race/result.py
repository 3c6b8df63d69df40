"""What a race found: types only, written to results.json and read back by their annotations."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median, stdev

from backproof.comparisons.contenders.known import SCRATCH
from backproof.comparisons.race.recipes import Target
from backproof.comparisons.results.cells import Absent, Failed
from backproof.comparisons.speed.result import Comparison, ProcessorKind, ThreadReport
from backproof.comparisons.verdicts.outcome import Outcome


@dataclass(frozen=True)
class CurvePoint:
    """Where a run was after so many seconds on its clock, which stood still while this was measured."""

    seconds: float
    epoch: float
    accuracy: float  # of the test images


@dataclass(frozen=True)
class RaceRun:
    """One training from fresh weights: the last point of its curve is the end."""

    seed: int
    seconds: float
    cpu_seconds: float
    accuracy: float
    curve: tuple[CurvePoint, ...]


@dataclass(frozen=True)
class Runner:
    """One contender's runs at one target, by seed."""

    says: str  # in one line, what it runs
    warm_up_seconds: float  # its first steps, compilation included, which no clock counted
    report: ThreadReport
    runs: tuple[RaceRun, ...]

    @property
    def mean_accuracy(self) -> float:
        return math.fsum(run.accuracy for run in self.runs) / len(self.runs) if self.runs else math.nan

    @property
    def deviation(self) -> float:
        """Of the accuracies, the sample's; NaN for fewer than two runs."""
        return stdev(run.accuracy for run in self.runs) if len(self.runs) > 1 else math.nan

    @property
    def seconds(self) -> tuple[float, float, float]:
        """Median, least and most."""
        found = [run.seconds for run in self.runs] or [math.nan]
        return median(found), min(found), max(found)


Cell = Runner | Absent | Failed


@dataclass(frozen=True)
class TargetResult:
    """One target: who went for it, and how their times stand to scratch's, in the same seeds."""

    target: Target
    threads: int
    asked: int  # runs of each
    runners: Mapping[str, Cell]
    ratios: Mapping[str, Comparison]  # time of a contender / time of scratch
    verdict: Outcome  # on scratch's mean accuracy, of enough runs
    command: str = ""
    processor: str = ""  # its model; "" in results of before it was kept

    @property
    def kind(self) -> ProcessorKind | None:
        """Where its seconds hold; None where that was not kept."""
        scratch = self.finished.get(SCRATCH)
        return ProcessorKind(self.processor, scratch.report.kernels) if scratch and self.processor else None

    @property
    def finished(self) -> Mapping[str, Runner]:
        """Those with a run at least."""
        found = {name: cell for name, cell in self.runners.items() if isinstance(cell, Runner)}
        return {name: runner for name, runner in found.items() if runner.runs}


@dataclass(frozen=True)
class RaceResult:
    """The slot `race` of results.json. Targets of an earlier command stay until they are run again."""

    targets: Mapping[str, TargetResult]
    verdict: Outcome


@dataclass(frozen=True)
class Candidate:
    """A recipe that was tried on held-out training images."""

    name: str
    accuracies: tuple[float, ...]
    seconds: float  # of a run, the median

    @property
    def mean(self) -> float:
        return math.fsum(self.accuracies) / len(self.accuracies)
