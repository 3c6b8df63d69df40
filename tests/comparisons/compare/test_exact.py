"""Exact tensors: held against the complex step, and enclosed by two neighbours."""

import numpy as np
import pytest

from backproof.comparisons.compare import exact, vectors
from backproof.comparisons.compare.trace import named
from backproof.scratch.architecture import Array
from backproof.scratch.differences import SCHEMES, difference

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
