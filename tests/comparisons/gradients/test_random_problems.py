"""The random problems of the campaign: drawn from named families, valid for their architecture."""

import numpy as np
import pytest

from backproof.comparisons.gradients.random_problems import FAMILIES, draw
from backproof.scratch.architecture import ACTIVATIONS


def test_an_unknown_family_is_refused() -> None:
    with pytest.raises(ValueError, match="family: expected one of normal"):
        draw(np.random.default_rng(0), "odd", "relu", "float64")


@pytest.mark.parametrize("family", FAMILIES)
def test_cases_are_valid_for_their_architecture(family: str) -> None:
    rng = np.random.default_rng(0)
    for activation in ACTIVATIONS:
        case = draw(rng, family, activation, "float32")
        x = case.architecture.checked_inputs(case.x)
        assert x is case.x  # of the right dtype and layout already
        case.architecture.checked_targets(case.targets, len(x))
        case.architecture.checked_weights(case.weights)
