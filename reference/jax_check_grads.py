"""`jax.test_util.check_grads` at its defaults, for a function and a gradient that are computed in NumPy."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax import test_util

from backproof.scratch.architecture import Array

Evaluate = Callable[[Array], tuple[float, Array]]
CHECK: Callable[..., None] = test_util.check_grads


def accepts(evaluate: Evaluate, theta: Array) -> bool:
    """Whether it finds nothing wrong with the gradient that `evaluate(theta)` gives beside its loss.

    Reverse mode, first order, in float64; the class is called from JAX through `pure_callback`.
    """
    with jax.enable_x64(True):
        scalar, vector = np.zeros(()), np.zeros(theta.shape)  # what comes back looks like these

        @jax.custom_vjp
        def loss(point: Any) -> Any:
            return jax.pure_callback(lambda p: np.float64(evaluate(np.array(p))[0]), scalar, point)

        def forward(point: Any) -> tuple[Any, Any]:
            gradient = jax.pure_callback(lambda p: evaluate(np.array(p))[1].astype(np.float64), vector, point)
            return loss(point), gradient

        loss.defvjp(forward, lambda gradient, upstream: (upstream * gradient,))
        try:
            CHECK(loss, (theta,), order=1, modes=("rev",))
        except AssertionError:
            return False
    return True
