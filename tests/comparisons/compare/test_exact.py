"""Exact tensors: held against the complex step, and enclosed by two neighbours."""

import numpy as np
import pytest

from backproof.comparisons.compare import exact, vectors
from backproof.comparisons.compare.trace import named
from backproof.scratch.architecture import Array, OptimizerSpec
from backproof.scratch.differences import SCHEMES, difference
from backproof.scratch.network import Network
from backproof.scratch.parameters import Parameters

PROBLEMS = dict(vectors.problems())


@pytest.mark.parametrize("name", ["tanh-mse-float64", "sigmoid-binary-cross-entropy-float64"])
def test_exact_gradients_are_the_complex_step_of_the_loss(name: str) -> None:
    problem = PROBLEMS[name]
    found = exact.tensors(problem)
    gradient = np.concatenate([found[f"d{key}"].ravel() for key, _ in named(problem.weights)]).astype(float)

    def loss(theta: Array) -> Array:
        a, rest = problem.x.astype(theta.dtype), theta
        for fan_in, fan_out in problem.architecture.layer_shapes:
            W, b, rest = np.split(rest, [fan_in * fan_out, fan_in * fan_out + fan_out])
            z = a @ W.reshape(fan_in, fan_out) + b
            a = np.tanh(z) if name.startswith("tanh") else 1 / (1 + np.exp(-z))
        if "mse" in name:
            return np.asarray(np.mean((z - problem.targets) ** 2))
        return np.asarray(np.mean(np.log(1 + np.exp(z)) - problem.targets * z))

    np.testing.assert_allclose(
        gradient, difference(loss, problem.flat(), SCHEMES["complex_step"]), rtol=1e-11, atol=1e-15
    )


def test_enclosures_are_two_neighbours_of_the_exact_value() -> None:
    low, high = exact.enclosed(exact.tensors(PROBLEMS["tanh-mse-float64"])["loss"].reshape(1))
    assert 0 < high[0] - low[0] <= 2 * np.spacing(high[0])


DOUBLE = [name for name, problem in PROBLEMS.items() if problem.architecture.dtype == "float64"]


def as_floats(array: Array) -> Array:
    return np.array([float(value) for value in np.ravel(array)]).reshape(np.shape(array))


@pytest.mark.parametrize("name", DOUBLE)
def test_every_exact_tensor_is_the_one_in_double_precision_but_for_rounding(name: str) -> None:
    problem = PROBLEMS[name]
    architecture, found = problem.architecture, exact.tensors(problem)
    network = Network(architecture, Parameters.from_weights(architecture, problem.weights))
    activations = network.forward(problem.x)
    gradient = Parameters(architecture)
    loss = network.loss_and_gradient(problem.x, problem.targets, gradient)
    size = max(float(np.abs(part).max(initial=0.0)) for pair in problem.weights for part in pair)
    np.testing.assert_allclose(as_floats(found["logits"]), activations[-1], rtol=1e-11, atol=1e-13 * size)
    np.testing.assert_allclose(as_floats(found["loss"]), loss, rtol=1e-11)
    for key, expected in named(gradient.layers, "d"):
        np.testing.assert_allclose(as_floats(found[key]), expected, rtol=1e-9, atol=1e-15, err_msg=key)


def test_at_a_kink_either_slope_can_be_taken_and_zero_is_taken_unless_asked() -> None:
    zero, one, unasked = (exact.tensors(PROBLEMS["kink"], *given) for given in ((0,), (1,), ()))
    z = as_floats(zero["z1"])
    at, others = z == 0.0, z != 0.0
    assert at.sum() == 2
    delta_zero, delta_one = as_floats(zero["delta1"]), as_floats(one["delta1"])
    assert (delta_zero[at] == 0).all()
    assert (delta_one[at] != 0).all()
    np.testing.assert_array_equal(delta_zero[others], delta_one[others])
    np.testing.assert_array_equal(as_floats(unasked["delta1"]), delta_zero)


RULES = (
    OptimizerSpec("sgd", 0.1),
    OptimizerSpec("sgd", 0.1, weight_decay=0.3),
    OptimizerSpec("sgd", 0.1, momentum=0.9),
    OptimizerSpec("sgd", 0.1, momentum=0.9, nesterov=True, weight_decay=0.3),
    OptimizerSpec("adam", 0.1, eps=0.02, weight_decay=0.3),
)


@pytest.mark.parametrize("spec", RULES)
def test_the_first_exact_step_is_that_of_the_rule(spec: OptimizerSpec) -> None:
    theta, gradient = np.array([[0.5, -1.0, 2.0]]), np.array([[-0.25, 3.0, 1e-3]])
    g = gradient + spec.weight_decay * theta
    if spec.name == "adam":
        expected = theta - spec.learning_rate * g / (np.abs(g) + spec.eps)
    else:
        expected = theta - spec.learning_rate * (1 + spec.momentum * spec.nesterov) * g
    found = exact.stepped(theta.astype(object), gradient.astype(object), spec)
    assert found.shape == theta.shape
    np.testing.assert_allclose(as_floats(found), expected, rtol=1e-14)
