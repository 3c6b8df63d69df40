"""The numerical part: it stops and goes on, and what is finished is kept."""

from pathlib import Path
from typing import Any

import pytest

from backproof.comparisons.numerical import part as numerical
from backproof.comparisons.report import document as results
from backproof.comparisons.running.errors import Interrupted
from backproof.comparisons.running.progress import Silent
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.scratch.architecture import Array
from backproof.scratch.errors import InputError
from backproof.scratch.gradients import gradient
from tests.support.numerical_runs import StopAfter, a_plan, run, trained_by


def test_an_interrupted_training_goes_on_to_the_very_same_weights(tmp_path: Path) -> None:
    whole = trained_by(a_plan(tmp_path / "whole"), Silent())
    with pytest.raises(Interrupted, match="5 of 12 training steps are kept"):
        run(a_plan(tmp_path / "parts"), StopAfter(5))
    progress = StopAfter(0)
    parts = trained_by(a_plan(tmp_path / "parts"), progress)
    assert "training: going on after step 5 of 12" in progress.said
    exact = ("numerical_loss", "backprop_loss", "distance", "bound")
    for curve in exact:
        assert getattr(parts.curves, curve) == getattr(whole.curves, curve)


def test_ctrl_c_leaves_the_finished_part_of_the_curve_in_the_results(tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        run(a_plan(tmp_path), StopAfter(7))
    kept = results.load(tmp_path / "results.json").numerical
    assert kept is not None
    assert kept.training is not None
    assert len(kept.training.curves.numerical_loss) == 7
    assert kept.verdict == kept.training.verdict == Outcome.INCONCLUSIVE


def test_other_settings_start_the_training_anew_and_say_so(tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        run(a_plan(tmp_path), StopAfter(3))
    progress = StopAfter(0)
    training = trained_by(a_plan(tmp_path, seed=1), progress)
    assert "training: starting anew, 12 steps; the earlier steps had other settings" in progress.said
    assert training.finished


def test_a_restart_drops_the_earlier_steps_and_says_so(tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        run(a_plan(tmp_path), StopAfter(3))
    progress = StopAfter(0)
    run(a_plan(tmp_path, restart=True), progress)
    assert any(said.startswith("training: starting anew as asked") for said in progress.said)


def test_a_finished_training_leaves_nothing_to_go_on_with(tmp_path: Path) -> None:
    run(a_plan(tmp_path), Silent())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "results.json"]


def test_forward_gradients_are_trained_from_the_same_weights_as_often_as_the_twins(tmp_path: Path) -> None:
    found = run(a_plan(tmp_path, forward=True), Silent())
    assert found.training is not None
    assert [trained.perturbed for trained in found.forward] == ["weights", "units"]
    for trained in found.forward:
        assert trained.last.step == found.training.steps == 12
        assert trained.evaluations[0].accuracy == found.training.evaluations[0].backprop


def test_the_training_is_by_units_with_momentum_unless_asked_otherwise(tmp_path: Path) -> None:
    setting = trained_by(a_plan(tmp_path / "units"), Silent()).setting
    assert (setting.differences, setting.momentum, setting.schedule) == ("units", 0.9, "linear")
    setting = trained_by(a_plan(tmp_path / "entries", differences="entries", momentum=0.0), Silent()).setting
    assert (setting.differences, setting.momentum) == ("entries", 0.0)


@pytest.mark.parametrize(
    ("setting", "said"),
    [({"differences": "layers"}, "differences: expected one of"), ({"momentum": 1.0}, "momentum: expected")],
)
def test_what_cannot_be_trained_by_is_refused(setting: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=said):
        a_plan(tmp_path, **setting)


def test_structured_and_textbook_are_held_against_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(*arguments: Any, **options: Any) -> Array:
        return gradient(*arguments, **options) * (1 + 1e-3)

    assert run(a_plan(tmp_path / "right"), Silent()).gradient.same.outcome == Outcome.PASS
    monkeypatch.setattr(numerical, "gradient", wrong)
    assert run(a_plan(tmp_path / "wrong"), Silent()).verdict == Outcome.FAIL
