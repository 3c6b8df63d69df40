"""Every field of a plan reaches the parts of the main job that it is for, and no other."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace

import pytest

from backproof.comparisons.accuracy import part as accuracy
from backproof.comparisons.accuracy.result import Setup
from backproof.comparisons.data.dataset import Dataset
from backproof.comparisons.experiment import Plan, resolve
from backproof.comparisons.gradients import part as gradients
from backproof.comparisons.results.cells import Absent
from backproof.comparisons.running.progress import Silent
from backproof.comparisons.speed import part as speed
from backproof.comparisons.speed.cases import SpeedCase
from backproof.comparisons.speed.entrants import Entrant
from backproof.comparisons.speed.result import Settings
from backproof.scratch.architecture import OptimizerSpec
from backproof.scratch.problem import Problem

PLAN = Plan(data="digits", layer_sizes=(64, 5, 10), epochs=3, n_seeds=2)

# Of each field another value, and the parts that must then be asked for something else.
CHANGED: dict[str, tuple[Plan, set[str]]] = {
    "contenders": (replace(PLAN, contenders=("sklearn",)), {"gradients", "accuracy", "speed"}),
    "layer_sizes": (replace(PLAN, layer_sizes=(64, 6, 10)), {"gradients", "accuracy", "speed"}),
    "dtype": (replace(PLAN, dtype="float64"), {"accuracy"}),  # gradients are checked in both
    "seed": (replace(PLAN, seed=7), {"gradients", "accuracy", "speed"}),
    "n_seeds": (replace(PLAN, n_seeds=3), {"accuracy"}),
    "epochs": (replace(PLAN, epochs=4), {"accuracy"}),
    "batch_size": (replace(PLAN, batch_size=33), {"accuracy", "speed"}),
    "optimizer": (replace(PLAN, optimizer=OptimizerSpec("adam", 0.01)), {"accuracy", "speed"}),
    "margin_points": (replace(PLAN, margin_points=0.3), {"accuracy"}),
    "threads": (replace(PLAN, threads=2), {"speed"}),
    "quick": (replace(PLAN, quick=True), {"accuracy", "speed"}),
}
# Where they are seen to arrive.
ELSEWHERE = {
    "data": "test_experiment: asked for once",
    "data_dir": "test_experiment: asked for once",
    "out": "test_main_job: where the results are",
    "command": "test_main_job: in the results",
}


@dataclass(frozen=True)
class Part:
    """What stands in the place of a part's result."""

    seconds: float = 0.0


def asked(monkeypatch: pytest.MonkeyPatch, plan: Plan) -> dict[str, list[object]]:
    """What each part asks for, in the words of those it asks."""
    told: dict[str, list[object]] = {"gradients": [], "accuracy": [], "speed": []}

    def check_problem(label: str, problem: Problem, contenders: Sequence[str]) -> list[object]:
        digest = hashlib.sha256(problem.x.tobytes())
        for W, b in problem.weights:
            digest.update(W.tobytes() + b.tobytes())
        told["gradients"].append((label, digest.hexdigest(), tuple(contenders)))
        return []

    def train_unit(
        setup: Setup, dataset: Dataset, name: str, seed: int, advance: Callable[[], None]
    ) -> Absent:
        told["accuracy"].append((setup, dataset.name, name, seed))
        return Absent("not now")

    def with_levels(found: Part, study: accuracy.Study, progress: object, *, quick: bool) -> Part:
        told["accuracy"].append((study.setup, tuple(study.seeds), tuple(study.names), quick))
        return found

    def measure(
        settings: Settings,
        cases: Sequence[SpeedCase],
        entries: Sequence[Entrant],
        dataset: Dataset,
        _: object,
    ) -> Part:
        told["speed"].append((settings, tuple(cases), tuple(entries), dataset.name))
        return Part()

    monkeypatch.setattr(gradients, "check_problem", check_problem)
    monkeypatch.setattr(accuracy, "train_unit", train_unit)
    monkeypatch.setattr(accuracy, "summarize", lambda study, records: Part())
    monkeypatch.setattr(accuracy, "with_levels", with_levels)
    monkeypatch.setattr(speed, "measure", measure)
    experiment = resolve(plan)
    gradients.run(experiment, Silent())
    accuracy.run(experiment, Silent())
    speed.run(experiment, Silent())
    return told


@pytest.mark.parametrize("field", CHANGED)
def test_a_field_of_the_plan_reaches_the_parts_it_is_for(monkeypatch: pytest.MonkeyPatch, field: str) -> None:
    plan, expected = CHANGED[field]
    assert replace(plan, **{field: getattr(PLAN, field)}) == PLAN
    before, after = asked(monkeypatch, PLAN), asked(monkeypatch, plan)
    assert {part for part in before if before[part] != after[part]} == expected


def test_no_field_of_a_plan_is_forgotten() -> None:
    assert {field.name for field in fields(Plan)} == set(CHANGED) | set(ELSEWHERE)
