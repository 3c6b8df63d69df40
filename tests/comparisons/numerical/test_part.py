"""The numerical part: its bounds hold and can fail, it stops and goes on, its ladder times what it says."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backproof.comparisons.cli import run as command_line
from backproof.comparisons.data import dataset as data
from backproof.comparisons.numerical import chapter as section
from backproof.comparisons.numerical import ladder
from backproof.comparisons.numerical import part as numerical
from backproof.comparisons.numerical import twin_training as numerical_training
from backproof.comparisons.numerical.part import NumericalPlan
from backproof.comparisons.numerical.result import RUNGS, LadderRow, NumericalResult, OneGradient, TwinResult
from backproof.comparisons.numerical.twin_training import Progressed, TwinTraining, outcome
from backproof.comparisons.report import document as results
from backproof.comparisons.report import write
from backproof.comparisons.report.document import look_into
from backproof.comparisons.running.errors import Interrupted
from backproof.comparisons.running.progress import Advance, Progress, Silent
from backproof.comparisons.verdicts.difference_bounds import central_difference_bound
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.verdict import compare
from backproof.scratch.architecture import Architecture, Array
from backproof.scratch.differences import SCHEMES, step_sizes
from backproof.scratch.errors import InputError
from backproof.scratch.gradients import gradient
from backproof.scratch.initializers import initialize
from backproof.scratch.network import Network

CENTRAL = SCHEMES["central_difference"]


class StopAfter(Silent):
    """Presses Ctrl-C after so many steps of the training."""

    def __init__(self, steps: int) -> None:
        self.left, self.said = steps, list[str]()

    @contextmanager
    def task(self, description: str, total: float | None = None) -> Iterator[Advance]:
        def advance(steps: int = 1) -> None:
            self.left -= steps
            if self.left == 0:
                raise KeyboardInterrupt

        yield advance if description.startswith("training") else lambda steps=1: None

    def say(self, message: str) -> None:
        self.said.append(message)


def a_plan(out: Path, **settings: Any) -> NumericalPlan:
    defaults = {"data": "digits", "hidden": 6, "batch_size": 50, "n_steps": 12, "ladder": False}
    return NumericalPlan(out=str(out), **{**defaults, **settings})


def run(plan: NumericalPlan, progress: Progress) -> NumericalResult:
    """As the command runs it: what is finished is merged into the folder's results."""

    def keep(found: NumericalResult) -> None:
        write.merge(plan.out, plan.command, numerical=found)

    before = look_into(plan.out)
    return numerical.run(plan, progress, before.numerical if before is not None else None, keep)


def trained_by(plan: NumericalPlan, progress: Progress) -> TwinResult:
    training = run(plan, progress).training
    assert training is not None
    return training


def a_training(**settings: Any) -> tuple[TwinTraining, Array]:
    plan = a_plan(Path("unused"), **settings)
    dataset = data.load("digits")
    setting = numerical._setting(plan, dataset)
    initial = initialize(setting.architecture, plan.seed).flat
    return TwinTraining(setting, dataset, Progressed.start(setting, initial)), initial


def trained(twins: TwinTraining) -> TwinTraining:
    twins.run(lambda: None, lambda evaluation: None)
    return twins


def judged(twins: TwinTraining, initial: Array) -> TwinResult:
    return outcome(twins.setting, twins.progressed, initial)


def digits_batch(seed: int, step: float) -> tuple[Network, Array, Array, Array]:
    """A network for the digits, 20 of them, and its steps."""
    dataset, rng = data.load("digits"), np.random.default_rng(seed)
    architecture = Architecture((64, 8, 10))
    network = Network(architecture, initialize(architecture, seed, "normal", deviation=0.3, biases=True))
    rows = rng.integers(0, len(dataset.train_labels), 20)
    x, labels = dataset.train_images[rows].astype(np.float64), dataset.train_labels[rows]
    return network, x, labels, step_sizes(network.parameters.flat, CENTRAL, step)


@given(st.integers(0, 2**32 - 1), st.sampled_from([1e-9, 1e-6, 1e-4, 1e-2]))
def test_the_bound_between_differences_and_backprop_holds_entry_by_entry(seed: int, step: float) -> None:
    network, x, labels, steps = digits_batch(seed, step)
    found = gradient(network, x, labels, "central_difference", evaluation="structured", step=step)
    bound = central_difference_bound(network, x, steps)
    verdict = compare(found, gradient(network, x, labels), bound, network.architecture.parameter_name)
    assert verdict.outcome == Outcome.PASS, verdict


def test_the_bound_between_differences_and_backprop_catches_one_part_in_ten_million() -> None:
    network, x, labels, steps = digits_batch(0, 1e-9)
    expected = gradient(network, x, labels)
    verdict = compare(expected * (1 + 1e-7), expected, central_difference_bound(network, x, steps))
    assert verdict.outcome == Outcome.FAIL


def test_the_bound_is_for_one_hidden_layer_of_relus_and_says_so() -> None:
    architecture = Architecture((3, 4, 4, 2))
    network = Network(architecture, initialize(architecture, 0))
    with pytest.raises(ValueError, match="one hidden relu layer"):
        central_difference_bound(network, np.ones((1, 3)), np.ones(architecture.n_parameters))


def test_twins_stay_together_and_pass() -> None:
    twins, initial = a_training(n_steps=30)
    assert judged(trained(twins), initial).verdict == Outcome.PASS


def test_twins_part_and_fail_when_the_numerical_gradient_is_wrong_by_one_part_in_a_million(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def wrong(*arguments: Any, **options: Any) -> Array:
        return gradient(*arguments, **options) * (1 + 1e-6)

    monkeypatch.setattr(numerical_training, "gradient", wrong)
    twins, initial = a_training()
    assert judged(trained(twins), initial).verdict == Outcome.FAIL


def test_a_bound_as_wide_as_the_way_that_the_weights_went_is_inconclusive() -> None:
    # With a step this long most stencils hold a kink, and the bound says little.
    twins, initial = a_training(step=0.3)
    part = judged(trained(twins), initial)
    assert part.verdict == Outcome.INCONCLUSIVE
    assert "too wide" in part.reason


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


def test_a_damaged_state_file_is_named_before_any_work(tmp_path: Path) -> None:
    (tmp_path / numerical.STATE_FILE).write_bytes(b"not an archive")
    with pytest.raises(InputError, match=r"cannot read .*numerical-training\.npz.*--restart"):
        run(a_plan(tmp_path), Silent())


def test_a_state_cut_short_is_named_too(tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        run(a_plan(tmp_path), StopAfter(3))
    path = tmp_path / numerical.STATE_FILE
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InputError, match="cannot read"):
        run(a_plan(tmp_path), Silent())


def test_structured_and_textbook_are_held_against_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(*arguments: Any, **options: Any) -> Array:
        return gradient(*arguments, **options) * (1 + 1e-3)

    assert run(a_plan(tmp_path / "right"), Silent()).gradient.same.outcome == Outcome.PASS
    monkeypatch.setattr(numerical, "gradient", wrong)
    assert run(a_plan(tmp_path / "wrong"), Silent()).verdict == Outcome.FAIL


def test_the_textbook_loop_takes_the_quotients_of_the_naive_evaluation() -> None:
    network, x, labels, steps = digits_batch(0, 1e-5)
    entries = np.array([3, 500, 530, 600])
    kept = network.parameters.flat.copy()
    found = ladder.textbook_loop(network, x, labels, steps, entries)
    naive = gradient(network, x, labels, "central_difference", step=1e-5)
    np.testing.assert_array_equal(found, naive[entries])
    np.testing.assert_array_equal(network.parameters.flat, kept)


def test_the_textbook_loop_puts_the_parameter_back_when_the_loss_raises(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network, x, labels, steps = digits_batch(0, 1e-5)
    kept = network.parameters.flat.copy()
    monkeypatch.setattr(network, "loss", lambda x, targets: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        ladder.textbook_loop(network, x, labels, steps, np.array([7]))
    np.testing.assert_array_equal(network.parameters.flat, kept)


def test_the_slope_of_a_power_law_is_its_exponent() -> None:
    rows = [LadderRow((n, 1), n, {"naive": 3e-9 * n**1.7}) for n in (100, 1000, 20_000)]
    np.testing.assert_allclose(ladder.slope(rows, "naive"), 1.7, rtol=1e-12)


def test_the_ladder_times_every_rung_of_every_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ladder, "LEAST", 0.0)
    part = ladder.run(data.load("digits"), 0, Silent(), widths=(3, 6), depths=(1, 2))
    assert [row.layer_sizes for row in part.width] == [(64, 3, 10), (64, 6, 10)]
    assert [len(row.layer_sizes) for row in part.depth] == [3, 4]
    for row in [*part.width, *part.depth]:
        assert all(row.seconds[rung.key] > 0 for rung in RUNGS)


def test_the_command_prints_the_table_and_writes_the_chapter(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ladder, "LEAST", 0.0)
    arguments = ["--data", "digits", "--hidden", "4", "--steps", "5", "--no-ladder", "--out", str(tmp_path)]
    assert command_line(["numerical", *arguments]) == 0
    assert "structured differences" in capsys.readouterr().out
    loaded = results.load(tmp_path / "results.json")
    chapter = section.build(loaded.numerical)
    assert chapter is not None
    assert chapter.verdict == "PASS"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--hidden", "0"], "hidden: expected at least 1, got 0"),
        (["--steps", "-3"], "steps: expected at least 1, got -3"),
        (["--learning-rate", "nan"], "learning-rate: expected a number > 0, got nan"),
        (["--step", "0"], "step: expected a number > 0, got 0.0"),
        (["--data", "cifar"], "data: expected one of auto, mnist, digits; got 'cifar'"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_line(["numerical", "--out", str(tmp_path), *arguments]) == 2
    assert f"backproof: {message}" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_run_without_training_or_ladder_still_makes_a_chapter() -> None:
    same = compare(np.ones(3), np.ones(3), 1e-9)
    seconds = {"naive": 2.0, "structured": 0.1, "unitwise": 0.01, "backprop": 0.001}
    found = OneGradient("digits", (64, 4, 10), 50, 310, 310, seconds, 1e-9, 1e-10, same)
    chapter = section.build(NumericalResult(Outcome.PASS, 1.0, found))
    assert chapter is not None
    assert "20.0×" in chapter.html
    assert "scikit-learn's digits" in chapter.html.unescape()
