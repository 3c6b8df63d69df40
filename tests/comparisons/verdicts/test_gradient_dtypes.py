"""Gradients as functions and as arrays, in every dtype, beside an f and parameters in every dtype."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from backproof.comparisons.verdicts.any_function import check_gradient
from backproof.comparisons.verdicts.gradient_verdict import GradientVerdict
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.scratch.architecture import Array

DTYPES = ("float64", "float32", "float16")
# A factor that every dtype of the gradient shows, and more than it rounds.
FACTORS = {"float64": 1.01, "float32": 1.01, "float16": 1.1}
N, BATCH, HIDDEN = 5, 3, 4
Function = Callable[[Array], Any]


def quadratic(seed: int) -> tuple[Callable[[Array, str], Any], Callable[[Array, str], Array], Array]:
    """t A t / 2 + b t, its gradient, and where: both in the dtype they are asked for."""
    rng = np.random.default_rng(seed)
    M, b = rng.standard_normal((N, N)), rng.standard_normal(N)

    def f(t: Array, dtype: str) -> Any:
        t = t.astype(dtype)
        return t @ (M @ M.T).astype(dtype) @ t / 2 + b.astype(dtype) @ t

    def gradient(t: Array, dtype: str) -> Array:
        found: Array = (M @ M.T).astype(dtype) @ t.astype(dtype) + b.astype(dtype)
        return found

    return f, gradient, rng.standard_normal(N)


def network(seed: int) -> tuple[Callable[[Array, str], Any], Callable[[Array, str], Array], Array]:
    """mean (tanh(x W) v - t)^2 as a function of W and v in one vector."""
    rng = np.random.default_rng(seed)
    x, targets = rng.standard_normal((BATCH, N)), rng.standard_normal(BATCH)

    def parts(theta: Array, dtype: str) -> tuple[Array, Array, Array, Array]:
        theta = theta.astype(dtype)
        W, v = theta[: N * HIDDEN].reshape(N, HIDDEN), theta[N * HIDDEN :]
        a = np.tanh(x.astype(dtype) @ W)
        return W, v, a, a @ v - targets.astype(dtype)

    def f(theta: Array, dtype: str) -> Any:
        return np.square(parts(theta, dtype)[3]).mean(dtype=dtype)

    def gradient(theta: Array, dtype: str) -> Array:
        _, v, a, error = parts(theta, dtype)
        delta = (np.outer(error, v) * (1 - a**2)).astype(dtype)
        dW = x.T.astype(dtype) @ delta
        found: Array = np.concatenate([dW.ravel(), a.T @ error]) * np.array(2 / BATCH, dtype)
        return found

    return f, gradient, rng.standard_normal(HIDDEN * (N + 1))


PROBLEMS = {"quadratic form": quadratic, "network": network}


def judged(
    problem: str, seed: int, dtypes: tuple[str, str, str], form: str, factor: float
) -> GradientVerdict:
    """Of the parameters, of f and of the gradient, each in its dtype."""
    of_params, of_f, of_gradient = dtypes
    f, gradient, theta = PROBLEMS[problem](seed)
    theta = theta.astype(of_params)

    def claimed(t: Array) -> Array:
        scaled: Array = gradient(t, of_gradient) * np.array(factor, of_gradient)
        assert scaled.dtype == of_gradient
        return scaled

    return check_gradient(lambda t: f(t, of_f), claimed if form == "function" else claimed(theta), theta)


@pytest.mark.parametrize("form", ["function", "array"])
@pytest.mark.parametrize("of_gradient", DTYPES)
@pytest.mark.parametrize("of_f", ["float64", "float32"])
@pytest.mark.parametrize("of_params", ["float64", "float32"])
@pytest.mark.parametrize("problem", PROBLEMS)
def test_a_right_gradient_fails_in_no_dtype_and_a_wrong_one_in_each(
    problem: str, of_params: str, of_f: str, of_gradient: str, form: str
) -> None:
    dtypes = of_params, of_f, of_gradient
    right = judged(problem, 0, dtypes, form, 1.0)
    assert right.outcome != Outcome.FAIL, str(right)
    assert judged(problem, 0, dtypes, form, FACTORS[of_gradient]).outcome == Outcome.FAIL


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("seed", range(1, 7))
def test_a_gradient_function_in_float32_beside_an_f_in_float64_does_not_fail(problem: str, seed: int) -> None:
    """Its noise shows on lines long enough to move float32: on shorter ones it stands still."""
    found = judged(problem, seed, ("float64", "float64", "float32"), "function", 1.0)
    assert found.outcome != Outcome.FAIL, str(found)
