"""What is recorded of an implementation: one pass, and three steps of a rule the gradient before each."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from backproof.comparisons.check.battery.grid import generic_problem
from backproof.comparisons.compare.trace import (
    UPDATES,
    layer_names,
    named,
    record,
    record_steps,
    step_name,
)
from backproof.comparisons.contenders.scratch_mlp import ScratchMLP
from backproof.reference.contender import NotOffered
from backproof.scratch.architecture import Architecture, Array, OptimizerSpec, Weights
from backproof.scratch.gradients import gradient
from backproof.scratch.network import Network
from backproof.scratch.optimizers import make_optimizer
from backproof.scratch.parameters import Parameters

PROBLEM = generic_problem(Architecture((3, 4, 2), "tanh"), 5, seed=0)


def test_every_rule_has_constants_with_which_its_parts_are_seen() -> None:
    assert dict(UPDATES) == {
        "sgd": OptimizerSpec("sgd", 0.01),
        "sgd with weight decay": OptimizerSpec("sgd", 0.01, weight_decay=0.05),
        "momentum": OptimizerSpec("sgd", 0.01, 0.9),
        "nesterov": OptimizerSpec("sgd", 0.01, 0.9, nesterov=True),
        "adam": OptimizerSpec("adam", 0.01),
        "adam with weight decay": OptimizerSpec("adam", 0.01, weight_decay=0.05),
        "adam with a large eps": OptimizerSpec("adam", 0.01, eps=0.1),
    }


def test_layers_and_tensors_are_named_from_one() -> None:
    assert layer_names(Architecture((3, 4, 5, 2))) == ["z1", "z2", "logits"]
    assert layer_names(Architecture((3, 2))) == ["logits"]
    assert [name for name, _ in named(PROBLEM.weights, "d")] == ["dW1", "db1", "dW2", "db2"]
    assert step_name("adam", 2, "W1") == "adam, step 2: W1"


def test_a_pass_is_recorded_with_its_logits_its_loss_and_its_gradients() -> None:
    found = record(ScratchMLP(), PROBLEM).tensors
    network = Network(PROBLEM.architecture, Parameters.from_weights(PROBLEM.architecture, PROBLEM.weights))
    np.testing.assert_array_equal(found["logits"], network.forward(PROBLEM.x)[-1])
    assert found["loss"] == network.loss(PROBLEM.x, PROBLEM.targets)
    flat = np.concatenate([found[name].ravel() for name in ("dW1", "db1", "dW2", "db2")])
    np.testing.assert_array_equal(flat, gradient(network, PROBLEM.x, PROBLEM.targets, "backprop"))


def by_hand(spec: OptimizerSpec) -> tuple[list[Array], list[Array]]:
    """(weights after, gradients before) each of three steps over the whole batch."""
    parameters = Parameters.from_weights(PROBLEM.architecture, PROBLEM.weights)
    network, after, before = Network(PROBLEM.architecture, parameters), list[Array](), list[Array]()
    rule = make_optimizer(spec, parameters.flat)
    for _ in range(3):
        before.append(gradient(network, PROBLEM.x, PROBLEM.targets, "backprop").copy())
        rule.step(parameters.flat, rule.loss_factor * before[-1])
        after.append(parameters.flat.copy())
    return after, before


@pytest.mark.parametrize("rule", UPDATES)
def test_three_steps_are_recorded_with_the_weights_after_and_the_gradient_before_each(rule: str) -> None:
    found = record_steps(ScratchMLP(), PROBLEM, rule, UPDATES[rule])
    after, before = by_hand(UPDATES[rule])
    assert len(found.tensors) == 3 * 4
    for step in (1, 2, 3):
        names = [step_name(rule, step, name) for name in ("W1", "b1", "W2", "b2")]
        flat = np.concatenate([found.tensors[name].ravel() for name in names])
        np.testing.assert_allclose(flat, after[step - 1], rtol=1e-13)
    flats = [np.concatenate([a.ravel() for pair in one for a in pair]) for one in found.gradients[rule]]
    np.testing.assert_allclose(flats, before, rtol=1e-12, atol=1e-15)


class Diverging(ScratchMLP):
    """One of its weights is infinite after the second step."""

    def train(self, x: Any, targets: Any, batches: Any, optimizer: Any, checkpoints: Any = None) -> Any:
        told = {step: self._told(step, tell) for step, tell in checkpoints.items()}
        return super().train(x, targets, batches, optimizer, told)

    def _told(self, step: int, tell: Any) -> Any:
        def note() -> None:
            self.step = step
            tell()

        return note

    step = 0

    def weights(self) -> Weights:
        found = [(W.copy(), b.copy()) for W, b in super().weights()]
        if self.step == 2:
            found[0][0][1, 1] = np.inf
        return found


def test_of_weights_that_diverged_no_gradient_is_asked() -> None:
    found = record_steps(Diverging(), PROBLEM, "sgd", UPDATES["sgd"])
    assert len(found.gradients["sgd"]) == 2
    assert len(found.tensors) == 3 * 4


class Refusing(ScratchMLP):
    def logits(self, x: Array) -> Array:
        raise NotOffered("no logits here")

    def train(self, *given: Any) -> Sequence[float]:
        raise NotImplementedError("no training")


def test_what_is_refused_is_told_with_its_reason_and_the_rest_is_recorded() -> None:
    found = record(Refusing(), PROBLEM)
    assert found.not_offered == ("logits: no logits here",)
    assert {"loss", "dW1"} <= found.tensors.keys()
    assert "logits" not in found.tensors
    steps = record_steps(Refusing(), PROBLEM, "sgd", UPDATES["sgd"])
    assert steps.not_offered == ("sgd: no training",)
    assert not steps.tensors


def test_inner_tensors_are_those_that_the_contender_traces() -> None:
    class Tracing(ScratchMLP):
        def trace(self, x: Array, targets: Array) -> dict[str, object]:
            return {"a1": [1.0, 2.0]}

    np.testing.assert_array_equal(record(Tracing(), PROBLEM).tensors["a1"], [1.0, 2.0])
    assert "a1" not in record(ScratchMLP(), replace(PROBLEM)).tensors
