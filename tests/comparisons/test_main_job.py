"""The main job: parts in order, written as they finish, nothing of an earlier plan beside a new one."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from backproof.comparisons import main_job as runner
from backproof.comparisons.accuracy.result import ErrorRates
from backproof.comparisons.experiment import Experiment, Plan
from backproof.comparisons.report import document as results
from backproof.comparisons.report import write
from backproof.comparisons.running.errors import Interrupted
from backproof.comparisons.running.progress import Progress, Silent
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.scratch.errors import InputError
from tests.support import sample_results

PARTS: dict[str, Callable[[], object]] = {
    "gradients": sample_results.gradients,
    "accuracy": sample_results.accuracy,
    "speed": sample_results.speed,
}


ERROR_RATES = ErrorRates(margin_points=0.2, n_trials=100, nominal=0.05, cases=(), verdict=Outcome.PASS)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The parts in the order they were run; they return sample results at once, and no page is drawn."""
    order: list[str] = []
    monkeypatch.setattr(write, "draw", lambda found, folder: None)

    def runner_of(name: str) -> runner.Run:
        def run(experiment: Experiment, progress: Progress) -> object:
            order.append(name)
            return PARTS[name]()

        return run

    monkeypatch.setattr(runner, "_runner_of", runner_of)
    return order


def interrupt_in(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the user press Ctrl-C while this part runs."""
    before = runner._runner_of

    def runner_of(part: str) -> runner.Run:
        def interrupted(experiment: Experiment, progress: Progress) -> object:
            raise KeyboardInterrupt

        return interrupted if part == name else before(part)

    monkeypatch.setattr(runner, "_runner_of", runner_of)


def plan_in(folder: Path, **options: Any) -> Plan:
    return Plan(data="digits", out=str(folder / "out"), **options)


def test_the_parts_run_in_order_and_end_up_in_the_results(tmp_path: Path, asked: list[str]) -> None:
    found = runner.run(plan_in(tmp_path), Silent())
    assert asked == ["gradients", "accuracy", "speed"]
    assert found == results.load(tmp_path / "out" / "results.json")
    assert found.accuracy == PARTS["accuracy"]()


def test_the_plan_is_in_the_results(tmp_path: Path, asked: list[str]) -> None:
    plan = plan_in(tmp_path, seed=4, command="backproof --seed 4")
    found = runner.run(plan, Silent())
    assert found.plan is not None
    assert (found.plan.seeds[0], found.plan.command) == (4, "backproof --seed 4")
    assert found.plan.dataset.name == "digits"


def test_layers_that_do_not_fit_stop_the_run_before_anything_is_written(
    tmp_path: Path, asked: list[str]
) -> None:
    with pytest.raises(InputError, match="layers"):
        runner.run(plan_in(tmp_path, layer_sizes=(784, 10)), Silent())
    assert asked == []
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_results_that_cannot_be_read_stops_the_run_before_it_starts(
    tmp_path: Path, asked: list[str]
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "results.json").write_text("{")
    with pytest.raises(InputError, match="is not JSON"):
        runner.run(plan_in(tmp_path), Silent())
    assert asked == []


def test_an_interrupted_run_keeps_what_it_finished(
    tmp_path: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt_in("speed", monkeypatch)
    with pytest.raises(Interrupted, match="gradients, accuracy"):
        runner.run(plan_in(tmp_path), Silent())
    kept = results.load(tmp_path / "out" / "results.json")
    assert kept.accuracy == PARTS["accuracy"]()
    assert kept.speed is None


def test_a_run_interrupted_before_its_first_part_says_that_nothing_was_written(
    tmp_path: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt_in("gradients", monkeypatch)
    with pytest.raises(Interrupted, match="nothing was finished"):
        runner.run(plan_in(tmp_path), Silent())
    assert not (tmp_path / "out" / "results.json").exists()


def test_parts_of_an_earlier_plan_do_not_stand_beside_new_ones(
    tmp_path: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    runner.run(plan_in(tmp_path, seed=1), Silent())
    interrupt_in("accuracy", monkeypatch)
    with pytest.raises(Interrupted):
        runner.run(plan_in(tmp_path, seed=2), Silent())
    kept = results.load(tmp_path / "out" / "results.json")
    assert kept.gradients == PARTS["gradients"]()
    assert (kept.accuracy, kept.speed) == (None, None)


def test_parts_of_the_same_plan_stay_when_a_second_run_is_interrupted(
    tmp_path: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    runner.run(plan_in(tmp_path), Silent())
    interrupt_in("accuracy", monkeypatch)
    with pytest.raises(Interrupted):
        runner.run(plan_in(tmp_path), Silent())
    assert results.load(tmp_path / "out" / "results.json").speed == PARTS["speed"]()


def test_what_other_commands_found_survives_a_new_run_with_another_plan(
    tmp_path: Path, asked: list[str]
) -> None:
    runner.run(plan_in(tmp_path, seed=1), Silent())
    write.merge(tmp_path / "out", "backproof accuracy", error_rates=ERROR_RATES)
    found = runner.run(plan_in(tmp_path, seed=2), Silent())
    assert found.accuracy == PARTS["accuracy"]()
    assert found.error_rates == ERROR_RATES


def test_only_the_parts_of_the_main_job_decide_its_exit_code(tmp_path: Path, asked: list[str]) -> None:
    failed = sample_results.numerical(Outcome.FAIL)
    write.merge(tmp_path / "out", "backproof numerical", numerical=failed)
    assert runner.outcomes(runner.run(plan_in(tmp_path), Silent())) == ["PASS", "PASS"]


def test_a_part_that_fails_is_a_verdict_of_the_run(
    tmp_path: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PARTS, "accuracy", lambda: replace(sample_results.accuracy(), verdict=Outcome.FAIL))
    assert runner.outcomes(runner.run(plan_in(tmp_path), Silent())) == ["PASS", "FAIL"]


def test_speed_is_no_verdict_of_the_run_however_slow(
    tmp_path: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = sample_results.failing().speed
    monkeypatch.setitem(PARTS, "speed", lambda: slow)
    assert runner.outcomes(runner.run(plan_in(tmp_path), Silent())) == ["PASS", "PASS"]
