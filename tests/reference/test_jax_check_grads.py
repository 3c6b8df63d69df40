"""JAX's own checker, asked about gradients that are right and wrong."""

import numpy as np
import pytest

from backproof.reference.jax_check_grads import accepts


@pytest.mark.parametrize(("factor", "said"), [(1.0, True), (-1.0, False), (1.1, False), (1.0 + 1e-9, True)])
def test_it_accepts_right_gradients_and_rejects_wrong_ones(factor: float, said: bool) -> None:
    def evaluate(theta: np.ndarray) -> tuple[float, np.ndarray]:
        return float(np.sin(theta).sum()), factor * np.cos(theta)

    assert accepts(evaluate, np.array([0.3, -1.2, 2.0])) is said
