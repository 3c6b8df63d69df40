"""What a check of the battery may find: a comparison that fails or compares nothing is never silent."""

import numpy as np
import pytest

from backproof.comparisons.check.battery.findings import Mismatch, Undecided, require
from backproof.comparisons.verdicts.verdict import compare


def test_a_comparison_that_fails_is_never_silent() -> None:
    with pytest.raises(Mismatch, match="worst"):
        require("what", compare(np.array([1.0]), np.array([2.0]), 0.5))


def test_a_comparison_of_nothing_decides_nothing() -> None:
    with pytest.raises(Undecided):
        require("what", compare(np.zeros(0), np.zeros(0), 0.0))
