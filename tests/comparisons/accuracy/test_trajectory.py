"""Level 2: what counts as a difference, what the control allows, and that nothing after a flip counts."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from backproof.comparisons.accuracy import levels, trajectory
from backproof.comparisons.accuracy.result import Flip
from backproof.comparisons.accuracy.trajectory import Course, Trajectory
from backproof.comparisons.accuracy.unit import setup_of
from backproof.comparisons.experiment import Plan, resolve
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.scratch.architecture import ActivationName, Array
from tests.support.accuracy_runs import EXPERIMENT, FAITHFUL


@cache
def course() -> Course:
    return levels.make_course(setup_of(EXPERIMENT), EXPERIMENT.dataset, seed=0, steps=None)


@cache
def ours() -> Trajectory:
    return trajectory.record(course(), "scratch")


def changed(step: int, change: Callable[[Array], None]) -> Trajectory:
    """A copy of ours in which the first weights after `step` steps are changed."""
    weights = {k: [array.copy() for array in tensors] for k, tensors in ours().weights.items()}
    change(weights[step][0])
    return Trajectory(list(ours().losses), weights, ours().masks)


def off_by(size: float, step: int) -> Trajectory:
    """A copy in which one weight is off by this share of its tensor's largest."""

    def add(weight: Array) -> None:
        weight[0, 0] += size * np.abs(weight).max()

    return changed(step, add)


def wrong(step: int) -> Trajectory:
    return changed(step, lambda weight: weight.fill(7.0))


def flipped(step: int) -> Trajectory:
    """A copy in which one hidden unit of one row is on instead of off, before step `step` (from 1)."""
    masks = [[layer.copy() for layer in layers] for layers in ours().masks]
    masks[step - 1][0][2, 0] ^= 0b0001_0000
    return Trajectory(ours().losses, ours().weights, masks)


def test_permuted_batches_hold_the_same_rows_in_another_order() -> None:
    other = trajectory.permuted(course().batches, seed=0)
    pairs = list(zip(course().batches, other, strict=True))
    assert all(sorted(a) == sorted(b) for a, b in pairs)
    assert any(np.any(a != b) for a, b in pairs)


def test_a_trajectory_does_not_differ_from_itself() -> None:
    assert {trajectory.scaled_difference(ours(), ours(), step) for step in ours().weights} == {0.0}
    assert trajectory.first_flip(ours(), ours()) is None


def test_the_scaled_difference_is_relative_to_the_tensors_largest_entry() -> None:
    step = max(ours().weights)
    found = trajectory.scaled_difference(ours(), off_by(1e-6, step), step)
    np.testing.assert_allclose(found, 1e-6, rtol=1e-6)


def test_a_trajectory_that_is_not_finite_is_infinitely_far() -> None:
    step = max(ours().weights)
    broken = changed(step, lambda weight: weight.fill(np.nan))
    assert trajectory.scaled_difference(ours(), broken, step) == np.inf


def test_a_wrong_loss_is_a_difference_although_the_weights_agree() -> None:
    other = Trajectory([loss * (1 + 1e-3) for loss in ours().losses], ours().weights, ours().masks)
    assert trajectory.scaled_difference(ours(), other, 0) == pytest.approx(1e-3)


def test_the_first_flip_is_named_by_step_layer_row_and_unit() -> None:
    assert trajectory.first_flip(ours(), flipped(4)) == Flip(step=4, layer=1, row=2, unit=3)


def test_steps_from_the_first_flip_on_are_not_compared() -> None:
    """All weights after the flip are wrong, and it does not count; the same without the flip does."""
    last = max(ours().weights)
    late = Trajectory(wrong(last).losses, wrong(last).weights, flipped(last - 1).masks)
    control = [(ours(), ours())]
    found = trajectory.compare(ours(), late, control)
    assert (found.verdict, found.steps_compared) == (Outcome.PASS, last - 2)
    assert trajectory.compare(ours(), wrong(last), control).verdict == Outcome.FAIL


def test_a_flip_of_the_control_ends_the_comparison_too() -> None:
    last = max(ours().weights)
    found = trajectory.compare(ours(), ours(), [(ours(), flipped(last - 1))])
    assert (found.control_flip, found.steps_compared) == (last - 1, last - 2)


def test_an_early_flip_is_inconclusive_and_says_so() -> None:
    found = trajectory.compare(ours(), flipped(2), [(ours(), ours())])
    assert found.verdict == Outcome.INCONCLUSIVE
    assert "relu flipped at step 2" in found.reason


def test_a_difference_before_an_early_flip_still_fails() -> None:
    both = Trajectory(wrong(0).losses, wrong(0).weights, flipped(3).masks)
    assert trajectory.compare(ours(), both, [(ours(), ours())]).verdict == Outcome.FAIL


@pytest.mark.parametrize(("ratio", "verdict"), [(9.9, Outcome.PASS), (10.1, Outcome.FAIL)])
def test_ten_times_the_control_is_the_limit(ratio: float, verdict: Outcome) -> None:
    step = max(ours().weights)
    control = [(ours(), off_by(1e-9, step))]
    assert trajectory.compare(ours(), off_by(ratio * 1e-9, step), control).verdict == verdict


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "identity"])
def test_a_network_without_relus_has_no_flips_and_is_compared_to_the_end(activation: ActivationName) -> None:
    setup = setup_of(EXPERIMENT)
    setup = replace(setup, architecture=replace(setup.architecture, activation=activation))
    smooth = levels.make_course(setup, EXPERIMENT.dataset, seed=0, steps=5)
    first, second = (trajectory.record(smooth, name) for name in ("scratch", FAITHFUL))
    found = trajectory.compare(first, second, [(first, second)])
    assert (found.first_flip, found.steps_compared, found.verdict) == (None, 5, Outcome.PASS)


@pytest.mark.mnist
def test_an_epoch_of_mnist_in_float64_is_the_same_course_in_torch() -> None:
    experiment = resolve(Plan(contenders=("torch",), data="mnist"))
    digits = levels.make_course(setup_of(experiment), experiment.dataset, seed=0, steps=60)
    torch_run = trajectory.record(digits, "torch")
    control = trajectory.record(digits, "torch", trajectory.permuted(digits.batches, 0))
    found = trajectory.compare(trajectory.record(digits, "scratch"), torch_run, [(torch_run, control)])
    assert found.verdict == Outcome.PASS
