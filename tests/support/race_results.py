"""A race made by hand."""

from dataclasses import replace

from backproof.comparisons.race import part
from backproof.comparisons.race.part import together
from backproof.comparisons.race.recipes import TARGETS
from backproof.comparisons.race.result import Cell, RaceResult, Runner, TargetResult
from backproof.comparisons.results.cells import Absent
from tests.support.small_races import REPORT, finished


def runner(seconds: float, accuracy: float, runs: int = 10) -> Runner:
    found = tuple(finished(seed, accuracy + 1e-4 * seed, seconds + 0.01 * seed) for seed in range(runs))
    return Runner("in one line", 0.3, REPORT, found)


def race(runs: int = 10) -> RaceResult:
    """97% and 99% reached, PyTorch slower, scikit-learn without a recipe."""
    found = {}
    for name in ("97", "99"):
        target = TARGETS[name]
        cells: dict[str, Cell] = {
            "scratch": runner(target.seconds / 2, target.accuracy + 0.002, runs),
            "torch": runner(target.seconds, target.accuracy + 0.001, runs),
            "sklearn": Absent("no recipe"),
        }
        found[name] = TargetResult(
            target=target,
            threads=2,
            asked=10,
            runners=cells,
            ratios=part.ratios(cells),
            verdict=part.judged(target, cells["scratch"]),
            command="backproof race",
            processor="A processor",
        )
    return together(found)


def without_runs() -> RaceResult:
    """A race in which nobody has finished a run."""
    (target, *_) = race().targets.values()
    empty = replace(runner(1.0, 0.97), runs=())
    cells: dict[str, Cell] = {"scratch": empty}
    return together(
        {"97": replace(target, runners=cells, ratios={}, verdict=part.judged(target.target, empty))}
    )
