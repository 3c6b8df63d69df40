"""Where torch.optim puts weights, and how far off rounding of the gradients may put them."""

import numpy as np
import pytest

from backproof.comparisons.check.battery.grid import OPTIMIZERS
from backproof.comparisons.check.battery.training import (
    REPLICAS,
    Course,
    describe,
    predicted_steps,
    torch_steps,
)
from backproof.scratch.architecture import Array, OptimizerSpec
from backproof.scratch.optimizers import make_optimizer

N, STEPS = 40, 3


def course(error: float = 0.0) -> Course:
    """Three steps of forty weights with their own gradients, which rounding may move by `error`."""
    rng = np.random.default_rng(0)
    weights, gradients = rng.normal(size=(STEPS + 1, N)), rng.normal(size=(STEPS, N))
    zeros = np.zeros(STEPS)
    return Course(weights, zeros, gradients, zeros, np.full((STEPS, N), error), zeros)


def steps_of_scratch(one: Course, spec: OptimizerSpec) -> Array:
    theta = one.weights[0].copy()
    rule, reached = make_optimizer(spec, theta), []
    for weights, gradient in zip(one.weights, one.gradients, strict=False):
        theta[:] = weights
        rule.step(theta, rule.loss_factor * gradient)
        reached.append(theta.copy())
    return np.array(reached)


@pytest.mark.parametrize("spec", OPTIMIZERS, ids=describe)
def test_each_step_is_taken_from_the_weights_before_it_by_the_same_rule(spec: OptimizerSpec) -> None:
    one = course()
    np.testing.assert_allclose(torch_steps(one, spec, one.gradients), steps_of_scratch(one, spec), rtol=1e-12)


def test_several_runs_at_once_are_as_each_alone() -> None:
    one, spec = course(), OptimizerSpec("adam", 0.01)
    runs = np.array([one.gradients, 2 * one.gradients, -one.gradients])
    together = torch_steps(one, spec, runs)
    for run, found in zip(runs, together, strict=True):
        np.testing.assert_array_equal(found, torch_steps(one, spec, run))


@pytest.mark.parametrize("error", [1e-3, 1e-6])
def test_the_bound_of_plain_descent_is_twice_what_moved_gradients_make_of_a_step(error: float) -> None:
    plain, bound = predicted_steps(course(error), OptimizerSpec(learning_rate=0.5))
    assert plain.shape == (STEPS, N)
    # Every entry is moved by its whole error to one side: 0.5 error.
    np.testing.assert_allclose(bound, 2 * 0.5 * error, rtol=1e-4)


def test_without_an_error_of_the_gradients_a_few_roundings_are_left() -> None:
    _, bound = predicted_steps(course(), OptimizerSpec(learning_rate=0.5))
    assert 0 < bound.max() < 64 * np.finfo(float).eps * (1 + np.abs(course().weights).max())


def test_momentum_remembers_the_errors_of_the_steps_before() -> None:
    """All three errors to one side add up to 1 + 0.9 + 0.81; of forty weights and three draws some do."""
    _, bound = predicted_steps(course(1e-3), OptimizerSpec(learning_rate=1.0, momentum=0.9))
    expected = 2e-3 * np.array([1.0, 1.9, 2.71])
    np.testing.assert_allclose(bound[:, 0], expected, rtol=1e-6)


def test_sides_are_drawn_anew_for_every_replica(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Array] = []

    def recording(one: Course, spec: OptimizerSpec, gradients: Array) -> Array:
        seen.append(gradients)
        return torch_steps(one, spec, gradients)

    monkeypatch.setattr("backproof.comparisons.check.battery.training.torch_steps", recording)
    predicted_steps(course(1.0), OptimizerSpec())
    sides = [np.sign(run - seen[0][0]) for run in seen[0][1:]]
    assert len(sides) == REPLICAS
    assert len({side.tobytes() for side in sides}) == REPLICAS
    for side in sides:
        assert set(np.unique(side)) == {-1.0, 1.0}
        assert abs(side.mean()) < 0.5


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (OptimizerSpec(learning_rate=0.3), "sgd()"),
        (OptimizerSpec(momentum=0.9, nesterov=True), "sgd(momentum=0.9, nesterov=True)"),
        (OptimizerSpec("adam", eps=1e-2, weight_decay=0.1), "adam(eps=0.01, weight_decay=0.1)"),
    ],
)
def test_a_rule_is_described_by_what_differs_from_its_defaults(spec: OptimizerSpec, words: str) -> None:
    assert sorted(describe(spec)) == sorted(words)
    assert describe(spec).startswith(words.partition("(")[0])
