"""Twins: they stay together, part where a gradient is wrong, and a stopped training is stored whole."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backproof.comparisons.data import dataset as data
from backproof.comparisons.numerical import part as numerical
from backproof.comparisons.numerical import twin_training as numerical_training
from backproof.comparisons.numerical.result import DIFFERENCES, TwinResult
from backproof.comparisons.numerical.twin_training import Batches, Progressed, TwinTraining, outcome
from backproof.comparisons.running.errors import Interrupted
from backproof.comparisons.running.progress import Silent
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.scratch.architecture import Array
from backproof.scratch.errors import InputError
from backproof.scratch.gradients import gradient
from backproof.scratch.network import Network
from backproof.scratch.parameters import Parameters
from tests.support.numerical_runs import StopAfter, a_plan, a_training, run, trained


def judged(twins: TwinTraining, initial: Array) -> TwinResult:
    return outcome(twins.setting, twins.progressed, initial)


@pytest.mark.parametrize("differences", DIFFERENCES)
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_twins_stay_together_and_pass(differences: str, momentum: float) -> None:
    twins, initial = a_training(n_steps=30, differences=differences, momentum=momentum)
    assert judged(trained(twins), initial).verdict == Outcome.PASS


def test_the_twin_by_backprop_goes_the_way_of_torch_s_momentum() -> None:
    twins, initial = a_training(n_steps=5, learning_rate=0.25, momentum=0.75)
    setting = trained(twins).setting
    torch = pytest.importorskip("torch")
    theta = torch.tensor(initial.copy(), requires_grad=True)
    optimizer = torch.optim.SGD([theta], lr=1.0, momentum=0.75)
    for step in range(5):
        x, labels = twins.batches(step)
        network = Network(setting.architecture, Parameters(setting.architecture, theta.detach().numpy()))
        theta.grad = torch.tensor(gradient(network, x, labels))
        optimizer.param_groups[0]["lr"] = setting.rate(step)
        optimizer.step()
    np.testing.assert_allclose(twins.progressed.point.phi, theta.detach().numpy(), rtol=0, atol=1e-14)


@pytest.mark.parametrize("differences", DIFFERENCES)
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_twins_part_and_fail_when_the_numerical_gradient_is_wrong_by_one_part_in_a_million(
    monkeypatch: pytest.MonkeyPatch, differences: str, momentum: float
) -> None:
    def wrong(*arguments: Any, **options: Any) -> Array:
        return gradient(*arguments, **options) * (1 + 1e-6)

    monkeypatch.setattr(numerical_training, "gradient", wrong)
    twins, initial = a_training(differences=differences, momentum=momentum)
    assert judged(trained(twins), initial).verdict == Outcome.FAIL


def test_a_bound_as_wide_as_the_way_that_the_weights_went_is_inconclusive() -> None:
    # With a step this long most stencils hold a kink, and the bound says little.
    twins, initial = a_training(step=0.3)
    part = judged(trained(twins), initial)
    assert part.verdict == Outcome.INCONCLUSIVE
    assert "too wide" in part.reason


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


def test_a_stored_training_is_read_as_it_was(tmp_path: Path) -> None:
    training, _ = a_training(n_steps=4)
    kept = numerical_training.Stored(training.setting, trained(training).progressed)
    numerical_training.save(tmp_path / "state.npz", kept)
    found = numerical_training.load(tmp_path / "state.npz")
    assert found.setting == kept.setting
    assert found.progressed.point.step == 4
    np.testing.assert_array_equal(found.progressed.point.theta, kept.progressed.point.theta)
    np.testing.assert_array_equal(found.progressed.point.phi, kept.progressed.point.phi)
    np.testing.assert_array_equal(found.progressed.point.p, kept.progressed.point.p)
    np.testing.assert_array_equal(found.progressed.point.q, kept.progressed.point.q)
    np.testing.assert_array_equal(found.progressed.curves, kept.progressed.curves)
    assert found.progressed.evaluations == kept.progressed.evaluations
    assert [path.name for path in tmp_path.iterdir()] == ["state.npz"]


def test_a_training_of_another_setting_or_one_that_was_finished_is_not_gone_on_with() -> None:
    training, initial = a_training(n_steps=4)
    started = Progressed.start(training.setting, initial)
    kept = numerical_training.Stored(training.setting, started)
    assert numerical_training.resumed(training.setting, kept) is started
    assert numerical_training.resumed(replace(training.setting, seed=9), kept) is None
    done = numerical_training.Stored(training.setting, trained(training).progressed)
    assert numerical_training.resumed(training.setting, done) is None


def test_the_batches_follow_from_the_seed_and_the_step_alone() -> None:
    first, _ = a_training(n_steps=100)
    second, _ = a_training(n_steps=100)
    for step in (0, 40, 3):  # back and forth over the ends of epochs
        np.testing.assert_array_equal(first.batches(step)[0], second.batches(step)[0])
    other, _ = a_training(n_steps=100, seed=1)
    assert not np.array_equal(first.batches(0)[0], other.batches(0)[0])


def test_an_epoch_of_batches_is_every_image_once() -> None:
    dataset = data.load("digits")
    batches, n = Batches(dataset, 100, seed=3), len(dataset.train_labels)
    drawn = np.concatenate([batches(step)[0] for step in range(-(-n // 100))])
    assert drawn.sum() == dataset.train_images.astype(np.float64)[: len(drawn)].sum()
    assert len(drawn) == n
