"""The oracle in extended precision: its two ways to a gradient agree."""

import numpy as np
import pytest

from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.verdict import compare
from backproof.reference import textbook
from backproof.scratch.architecture import ACTIVATIONS, LOSSES, ActivationName, Architecture, LossName
from backproof.scratch.differences import CENTRAL
from tests.support.quotient_bounds import difference_bound
from tests.support.strategies import random_case


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("loss", LOSSES)
def test_the_textbook_in_extended_precision_agrees_with_itself_by_two_schemes(
    activation: ActivationName, loss: LossName
) -> None:
    """Central differences and complex step of the oracle: neither is any use if they disagree."""
    case = random_case(Architecture((3, 4, 2), activation, loss), "normal", 3, 2)
    batch = case.x, case.targets
    steps = np.full(case.flat.shape, 2.0**-20)
    central = textbook.central_difference(case.architecture, case.flat, *batch, steps)
    exact = textbook.complex_step(case.architecture, case.flat, *batch)
    # Truncation alone: its bound without the float64 rounding that `difference_bound` adds is not larger.
    bound = difference_bound(case, CENTRAL, steps)
    verdict = compare(central, exact, bound)
    assert verdict.outcome == Outcome.PASS, verdict
