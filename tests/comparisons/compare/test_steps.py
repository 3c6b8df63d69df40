"""Steps of training, judged from the weights before them and the gradient recorded there."""

from dataclasses import replace

import numpy as np
import pytest

from backproof.comparisons.compare import judging
from backproof.comparisons.compare.chain import gradients, hidden_activations
from backproof.comparisons.compare.steps import steps
from backproof.comparisons.compare.trace import UPDATES, Trace, named, record_steps, step_name
from backproof.comparisons.contenders.scratch_mlp import ScratchMLP
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.scratch.architecture import Architecture, Array, OptimizerSpec
from backproof.scratch.problem import Problem
from tests.support.ported import Formulas, Ported, update

SGD = UPDATES["sgd"]


def a_problem(activation: str = "tanh", dtype: str = "float64") -> Problem:
    """Layers that grow and shrink."""
    rng = np.random.default_rng(0)
    architecture = Architecture((3, 5, 4, 2), activation, "mse", dtype)  # type: ignore[arg-type]  # the names above
    weights = [(rng.normal(size=shape), rng.normal(size=shape[1])) for shape in architecture.layer_shapes]
    return Problem(architecture, weights, rng.normal(size=(6, 3)), rng.normal(size=(6, 2)))


PROBLEM = a_problem()
NAMES = [name for name, _ in named(PROBLEM.weights)]


def recorded(rule: str = "sgd") -> Trace:
    return record_steps(ScratchMLP(), PROBLEM, rule, UPDATES[rule])


def with_tensor(trace: Trace, name: str, value: Array) -> Trace:
    return replace(trace, tensors={**trace.tensors, name: value})


@pytest.mark.parametrize("most", [1, 2**18])
@pytest.mark.parametrize("rule", UPDATES)
def test_every_tensor_of_every_step_is_judged_in_order_and_a_right_one_passes(
    monkeypatch: pytest.MonkeyPatch, rule: str, most: int
) -> None:
    monkeypatch.setattr(judging, "MOST_ENTRIES", most)
    found = steps(PROBLEM, recorded(rule), rule, UPDATES[rule])
    assert [link.tensor for link in found] == [step_name(rule, t, name) for t in (1, 2, 3) for name in NAMES]
    assert {link.outcome for link in found} == {Outcome.PASS}


def test_a_rule_that_was_not_recorded_has_no_steps() -> None:
    assert steps(PROBLEM, recorded("sgd"), "adam", UPDATES["adam"]) == ()


@pytest.mark.parametrize("step", [1, 2, 3])
def test_weights_of_another_shape_fail_at_their_step_and_none_is_judged_from_them(step: int) -> None:
    trace = recorded()
    name = step_name("sgd", step, "W2")
    found = steps(PROBLEM, with_tensor(trace, name, trace.tensors[name].T), "sgd", SGD)
    assert [link.tensor for link in found] == [
        step_name("sgd", t, name) for t in range(1, step + 1) for name in NAMES
    ]
    (failed,) = [link for link in found if link.outcome is not Outcome.PASS]
    assert (failed.tensor, failed.causes) == (name, ("shape (4, 5) where (5, 4) belongs: transposed?",))


@pytest.mark.parametrize("number", [np.inf, np.nan])
def test_weights_that_are_not_finite_fail_at_their_step_and_none_is_judged_from_them(number: float) -> None:
    trace, name = recorded(), step_name("sgd", 2, "b1")
    broken = trace.tensors[name].copy()
    broken[3] = number
    found = steps(PROBLEM, with_tensor(trace, name, broken), "sgd", SGD)
    assert len(found) == 2 * len(NAMES)
    assert [link.worst for link in found if link.outcome is Outcome.FAIL] == [f"{name}[3]"]


def test_a_mistake_that_begins_with_a_later_step_is_named_from_that_step_on() -> None:
    """The velocity is dampened after the first step: the first is right."""

    def dampened(spec: OptimizerSpec, theta: Array, g: Array, t: int, state: dict[str, Array]) -> Array:
        return update(spec, theta, g if t == 1 else (1 - spec.momentum) * g, t, state)

    rule, contender = "momentum", Ported(replace(Formulas(), update=dampened))
    found = steps(PROBLEM, record_steps(contender, PROBLEM, rule, UPDATES[rule]), rule, UPDATES[rule])
    first, later = found[: len(NAMES)], found[len(NAMES) :]
    assert {(link.outcome, link.causes) for link in first} == {(Outcome.PASS, ())}
    for link in later:
        assert link.outcome is Outcome.FAIL
        assert "the velocity is dampened by 1 - mu after the first step" in link.causes
        assert len(link.causes) <= 3


def test_a_cause_must_explain_all_entries_of_its_step() -> None:
    trace, name = recorded(), step_name("sgd", 3, "W1")
    before = trace.tensors[step_name("sgd", 2, "W1")]
    twice = before + 2 * (trace.tensors[name] - before)
    (failed,) = [one for one in steps(PROBLEM, with_tensor(trace, name, twice), "sgd", SGD) if one.causes]
    assert (failed.tensor, failed.causes) == (name, ("the learning rate is twice what it should be",))
    twice[0, 0] = trace.tensors[name][0, 0]
    found = steps(PROBLEM, with_tensor(trace, name, twice), "sgd", SGD)
    (failed,) = [one for one in found if one.outcome is Outcome.FAIL]
    assert failed.causes == ()


@pytest.mark.parametrize(("times", "outcome"), [(1.9, Outcome.PASS), (3.0, Outcome.FAIL)])
@pytest.mark.parametrize("tensor", ["W1", "b1"])
def test_the_gradient_that_was_taken_may_lie_as_far_from_the_recorded_one_as_both_may_round(
    tensor: str, times: float, outcome: Outcome
) -> None:
    """Both may be off by the gradient's bound, to either side; nothing else rounds beside a theta of 0."""
    rng, architecture = np.random.default_rng(0), Architecture((2, 2), "identity", "mse", "float32")
    batch = rng.normal(size=(200, 2)), rng.normal(size=(200, 2))
    problem = Problem(architecture, [(np.zeros((2, 2)), np.zeros(2))], *batch)
    (bound,) = gradients(problem, hidden_activations(problem))
    dW, db = bound.weight_rows(slice(None)), bound.bias_rows(slice(None))
    moved = {"W1": -dW.value, "b1": -db.value}
    moved[tensor] -= times * {"W1": dW, "b1": db}[tensor].error
    tensors = {step_name("sgd", 1, name): value for name, value in moved.items()}
    trace = Trace(tensors, {"sgd": [[(dW.value, db.value)]]})
    found = {link.tensor: link.outcome for link in steps(problem, trace, "sgd", OptimizerSpec("sgd", 1.0))}
    assert found.pop(step_name("sgd", 1, tensor)) is outcome
    assert set(found.values()) == {Outcome.PASS}


def test_activations_that_are_named_bound_the_gradient_as_those_of_an_architecture_do() -> None:
    own, named_ones = a_problem("sigmoid"), a_problem("identity")
    trace = record_steps(ScratchMLP(), own, "sgd", SGD)
    right = steps(own, trace, "sgd", SGD)
    assert steps(named_ones, trace, "sgd", SGD, ("sigmoid", "sigmoid")) == right
    assert steps(named_ones, trace, "sgd", SGD) != right
