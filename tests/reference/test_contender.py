"""What every contender checks before it trains."""

from typing import Any

import numpy as np
import pytest

from backproof.reference.contender import checked_batches


@pytest.mark.parametrize(
    ("batches", "message"),
    [
        ([np.array([0, 5])], r"batches\[0\]: expected rows 0 \.\. 4, found 0 \.\. 5"),
        ([np.array([0]), np.array([-1])], r"batches\[1\]: expected rows"),
        ([np.array([], int)], "expected row indices"),
        ([np.array([0.0])], "expected row indices"),
        ([np.array([[0, 1]])], "expected row indices"),
    ],
)
def test_batches_that_do_not_fit_are_refused(batches: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        checked_batches(batches, 5)
