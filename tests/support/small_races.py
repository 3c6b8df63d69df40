"""Small races: images made for tests, recipes of moments, processes that are none."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from backproof.comparisons.race.messages import Ready, Reply, Request, WarmUp
from backproof.comparisons.race.part import RacePlan
from backproof.comparisons.race.recipes import RaceRecipe, Target
from backproof.comparisons.race.result import CurvePoint, RaceRun
from backproof.comparisons.race.runners import RaceEntrant, RunnerFailedError
from backproof.comparisons.record.distortion import Distortion
from backproof.comparisons.results.cells import Absent
from backproof.comparisons.speed.result import ThreadReport
from backproof.scratch.architecture import OptimizerSpec

SMALL = RaceRecipe((12,), 3, 64, OptimizerSpec("adam", 0.01), label_smoothing=0.05)
PLANE = replace(SMALL, distortion=Distortion(5.0, 0.05, 0.05, 0.5, 0.3, 2.0))
EASY, HARD = Target("97", 0.97, 1.5, SMALL), Target("99", 0.99, 60.0, PLANE)
SCRATCH = RaceEntrant("scratch", "backproof.comparisons.race.scratch_recipe:ScratchRecipe", "NumPy")
TORCH = RaceEntrant("torch", "backproof.reference.torch_recipe:TorchRecipe", "eager")
REPORT = ThreadReport({"openblas": 2}, {})


def finished(seed: int, accuracy: float = 0.975, seconds: float = 1.0) -> RaceRun:
    """A run made by hand."""
    curve = (CurvePoint(seconds / 2, 1.5, accuracy - 0.01), CurvePoint(seconds, 3.0, accuracy))
    return RaceRun(seed, seconds, 1.8 * seconds, accuracy, curve)


@dataclass
class FakeProcess:
    """Answers at once, as it is told to: `run(seed)` gives a run, or raises."""

    run: Callable[[int], RaceRun]
    declines: str = ""
    asked: list[Any] = field(default_factory=list)
    closed: bool = False

    def ask(self, request: Request, timeout: float) -> Reply:
        self.asked.append(request.content)
        if self.declines:
            return Reply(Absent(self.declines))
        if isinstance(request.content, WarmUp):
            return Reply(Ready(0.1, REPORT))
        return Reply(self.run(request.content.seed))

    def close(self) -> None:
        self.closed = True


def plan(targets: Sequence[Target] = (EASY,), runs: int = 10, *entrants: RaceEntrant) -> RacePlan:
    return RacePlan(tuple(targets), entrants or (SCRATCH, TORCH), runs, 2, "backproof race --runs 10")


def dies(seed: int) -> RaceRun:
    raise RunnerFailedError("its process ended (exit code 1)")
