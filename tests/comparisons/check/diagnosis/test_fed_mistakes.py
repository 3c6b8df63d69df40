"""What a rule of training may be fed instead: each sentence is its formula."""

from dataclasses import replace

import numpy as np
import pytest

from backproof.comparisons.check.battery.cases import TrainingProblem
from backproof.comparisons.check.battery.grid import generic_problem
from backproof.comparisons.check.battery.training import Course
from backproof.comparisons.check.diagnosis.fed_mistakes import (
    DECAYS,
    FEEDS,
    FROZEN,
    SCALED,
    Step,
    is_bias,
    passed_through,
)
from backproof.comparisons.check.diagnosis.update_rules import Memory
from backproof.scratch.architecture import Architecture, Array, OptimizerSpec
from backproof.scratch.gradients import gradient
from backproof.scratch.network import Network
from backproof.scratch.parameters import Parameters
from backproof.scratch.problem import Problem

PROBLEM = generic_problem(Architecture((2, 3, 2), "tanh"), 7, seed=0)
N = PROBLEM.architecture.n_parameters  # W1 0 .. 5, b1 6 .. 8, W2 9 .. 14, b2 15 .. 16
BIASES = [6, 7, 8, 15, 16]
RNG = np.random.default_rng(0)
THETA, G = RNG.normal(size=N), RNG.normal(size=N)
LAMBDA = 0.2


@pytest.mark.parametrize(
    ("sentence", "decay"),
    [
        ("weight decay is halved: lambda/2 where lambda belongs", THETA / 2),
        ("weight decay is doubled", 2 * THETA),
        ("weight decay is left out", np.zeros(N)),
        ("weight decay has the wrong sign", -THETA),
        ("weight decay leaves out the biases", np.where(np.isin(np.arange(N), BIASES), 0, THETA)),
        ("weight decay is divided by the batch size", THETA / 4),
        ("weight decay is of |w|: sign(w) stands where w belongs", np.where(THETA > 0, 1.0, -1.0)),
    ],
)
def test_a_wrong_decay_is_its_formula(sentence: str, decay: Array) -> None:
    spec = OptimizerSpec(weight_decay=LAMBDA)
    memory = Memory(spec, is_bias(PROBLEM), 4, np.zeros(N, int), batch_size=4)
    np.testing.assert_allclose(DECAYS[sentence](THETA, G, memory), G + LAMBDA * decay, rtol=1e-13)


def test_biases_are_where_they_are() -> None:
    assert np.flatnonzero(is_bias(PROBLEM)).tolist() == BIASES


def step(index: int, scale: float = 1.0) -> Step:
    """Batches of 3, 3 and 1; the gradients of the three steps are 1, 2 and 4 times G."""
    weights = np.array([THETA, 2 * THETA, 3 * THETA, 4 * THETA])
    gradients = scale * np.array([G, 2 * G, 4 * G])
    course = Course(weights, np.zeros(3), gradients, np.zeros(3), 0 * gradients, np.zeros(3))
    batches = [np.array([0, 1, 2]), np.array([3, 4, 5]), np.array([6])]
    return Step(course, TrainingProblem(PROBLEM, OptimizerSpec(), batches), index)


@pytest.mark.parametrize(
    ("sentence", "index", "expected"),
    [
        ("gradient buffers are never cleared: each step takes the sum of all gradients so far", 0, G),
        ("gradient buffers are never cleared: each step takes the sum of all gradients so far", 2, 7 * G),
        ("the step goes uphill: the gradient is added", 1, -2 * G),
        ("the gradient of the step before is used", 0, G),
        ("the gradient of the step before is used", 2, 2 * G),
        ("the gradient is clipped to norm 1, unasked", 1, G / np.sqrt((G**2).sum())),
    ],
)
def test_another_gradient_is_its_formula(sentence: str, index: int, expected: Array) -> None:
    found = FEEDS[sentence](step(index).course.gradients[index], step(index))
    np.testing.assert_allclose(found, expected, rtol=1e-13)


def test_a_gradient_of_norm_below_one_is_not_clipped() -> None:
    small = 0.1 * G / np.linalg.norm(G)
    clipped = FEEDS["the gradient is clipped to norm 1, unasked"](small, step(0))
    np.testing.assert_array_equal(clipped, small)


@pytest.mark.parametrize(
    ("sentence", "index", "frozen"),
    [
        ("biases are never updated", 0, BIASES),
        ("weights are never updated", 0, sorted(set(range(N)) - set(BIASES))),
        ("nothing is updated", 0, list(range(N))),
        ("only the last layer is updated", 0, list(range(9))),
        ("the last, short batch is skipped", 1, []),
        ("the last, short batch is skipped", 2, list(range(N))),
    ],
)
def test_what_is_not_updated_is_told_by_its_place(sentence: str, index: int, frozen: list[int]) -> None:
    assert np.flatnonzero(FROZEN[sentence](step(index))).tolist() == frozen


@pytest.mark.parametrize(
    ("sentence", "index", "factor"),
    [
        ("the step is divided by the batch size once more", 0, 1 / 3),
        ("the step is divided by the batch size once more", 2, 1.0),
        ("the step is multiplied by the batch size", 1, 3.0),
        ("the step is half of what the learning rate asks", 0, 0.5),
        ("the step is twice what the learning rate asks", 0, 2.0),
    ],
)
def test_a_step_of_another_length_is_so_many_times_as_long(sentence: str, index: int, factor: float) -> None:
    assert SCALED[sentence](step(index)) == pytest.approx(factor)


# --- passed back through weights that were updated already -------------------------------------------------


def gradient_at(problem: Problem, theta: Array) -> Array:
    network = Network(problem.architecture, Parameters(problem.architecture, theta.copy()))
    return gradient(network, problem.x, problem.targets, "backprop").copy()


@pytest.mark.parametrize("loss", ["cross_entropy", "mse", "binary_cross_entropy"])
@pytest.mark.parametrize("factor", [1.0, 7.0])
def test_through_the_same_weights_it_is_the_gradient_itself(loss: str, factor: float) -> None:
    """Times what the class multiplies into all of it: 7, its loss being a sum."""
    problem = generic_problem(Architecture((2, 3, 4, 2), "tanh", loss), 5, seed=1)  # type: ignore[arg-type]
    theta = problem.flat()
    right = factor * gradient_at(problem, theta)
    np.testing.assert_allclose(passed_through(problem, theta, theta, right), right, rtol=1e-10, atol=1e-14)


def test_through_weights_twice_as_large_the_layer_below_gets_twice_as_much() -> None:
    theta = PROBLEM.flat()
    right, after = gradient_at(PROBLEM, theta), theta.copy()
    after[9:15] *= 2  # W2
    found = passed_through(PROBLEM, theta, after, right)
    np.testing.assert_allclose(found[:9], 2 * right[:9], rtol=1e-11)
    np.testing.assert_array_equal(found[9:], right[9:])


def test_what_is_moved_in_the_first_layer_changes_nothing_that_is_passed_back() -> None:
    theta = PROBLEM.flat()
    right, after = gradient_at(PROBLEM, theta), theta.copy()
    after[:9] += 1
    np.testing.assert_allclose(passed_through(PROBLEM, theta, after, right), right, rtol=1e-11)


def test_in_training_it_is_taken_through_the_weights_after_the_step() -> None:
    one = step(1)
    rows = PROBLEM.rows(one.training.batches[1])
    before, after = one.course.weights[1], one.course.weights[2]
    right = gradient_at(replace(rows), before)
    found = FEEDS["the gradient is passed back through weights already updated"](right, one)
    np.testing.assert_allclose(found, passed_through(rows, before, after, right), rtol=1e-13)
    assert not np.allclose(found[:9], right[:9])


def test_where_no_example_pulls_at_the_outputs_nothing_is_passed_back() -> None:
    """One output under a softmax: its probability is 1, whatever the weights are."""
    alone = generic_problem(Architecture((2, 3, 1), "tanh", "cross_entropy"), 5, seed=1)
    theta = alone.flat()
    np.testing.assert_array_equal(passed_through(alone, theta, 2 * theta, np.zeros(theta.size)), 0 * theta)


def test_a_class_without_biases_is_taken_to_pass_back_what_ours_does() -> None:
    """Its last bias gradient is zero and says nothing of what it multiplies in."""
    theta = PROBLEM.flat()
    right = gradient_at(PROBLEM, theta)
    bare = np.where(is_bias(PROBLEM), 0.0, right)
    found = passed_through(PROBLEM, theta, theta, bare)
    np.testing.assert_allclose(found[:6], right[:6], rtol=1e-11)


def test_what_a_class_multiplies_in_is_read_where_one_output_pulls_at_nothing() -> None:
    """The second output is what its targets are."""
    squares = generic_problem(Architecture((2, 3, 2), "tanh", "mse"), 7, seed=0)
    outputs = Network.at(squares).forward(squares.x)[-1]
    half = replace(squares, targets=np.stack([squares.targets[:, 0], outputs[:, 1]], axis=1))
    theta = half.flat()
    right = 7 * gradient_at(half, theta)
    assert right[16] == 0
    np.testing.assert_allclose(passed_through(half, theta, theta, right), right, rtol=1e-10, atol=1e-14)
