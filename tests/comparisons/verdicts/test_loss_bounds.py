"""The bounds of losses: numbers, whatever the logits."""

import numpy as np
import pytest

from backproof.comparisons.verdicts.loss_bounds import LOSS_BOUNDS
from backproof.comparisons.verdicts.rounding import (
    Arithmetic,
    Bounded,
)
from backproof.scratch.architecture import (
    LOSSES,
    LossName,
)

SINGLE = Arithmetic.of("float32", shadow=False)


@pytest.mark.parametrize("loss", LOSSES)
def test_logits_of_any_size_give_bounds_that_are_numbers(loss: LossName) -> None:
    logits = np.array([[0.0, 1e3, -1e3], [1e15, -1e15, 0.0], [700.0, 700.0, -700.0]])
    targets = np.array([0, 1, 2]) if loss == "cross_entropy" else np.ones((3, 3))
    bound = LOSS_BOUNDS[loss](Bounded(logits, 1e-7 * np.abs(logits)), targets, SINGLE)
    for part in (bound.delta.value, bound.delta.error, bound.per_example.value, bound.terms):
        assert np.isfinite(part).all()
