"""The estimate: it leaves no room out that is certain, and knows when more samples cannot help."""

import numpy as np

from backproof.comparisons.contenders.scratch_mlp import ScratchMLP
from backproof.comparisons.verdicts.monte_carlo import estimated_reference
from backproof.comparisons.verdicts.network_bounds import backprop_reference
from backproof.comparisons.verdicts.relu_kinks import flat_gradient
from backproof.comparisons.verdicts.verdict import Tier
from backproof.scratch.architecture import Architecture

TINY = float(np.finfo(np.float32).smallest_normal)
ARCHITECTURE = Architecture((2, 3, 1), "identity", "sum_of_squares", "float32")


def test_an_estimate_leaves_room_for_the_steps_between_subnormal_numbers() -> None:
    """Gradients near 1e-42 lie on a grid of 1.4e-45: no random rounding of theirs is as coarse."""
    rng = np.random.default_rng(0)
    weights = [
        (rng.standard_normal(shape).astype(np.float32), np.zeros(shape[1], np.float32))
        for shape in ((2, 3), (3, 1))
    ]
    x, targets = np.full((1, 2), 1e-4 * TINY, np.float32), np.ones((1, 1), np.float32)
    estimate = estimated_reference(backprop_reference(ARCHITECTURE, weights, x, targets))
    contender = ScratchMLP()
    contender.load(ARCHITECTURE, weights)
    found = flat_gradient(contender.loss_and_gradient(x, targets)[1]).astype(np.float64)
    error = np.abs(found - estimate.gradient.value)
    assert (error <= estimate.gradient.error).all()
    assert estimate.gradient.error[0] >= 1.4e-45


def test_a_tensor_that_is_nothing_but_rounding_ends_the_sampling_early() -> None:
    """Two opposite examples: db is zero but for what the sums round, and stays what the bounds say."""
    weights = [
        (np.full((2, 3), 0.1, np.float32), np.zeros(3, np.float32)),
        (np.full((3, 1), 0.3, np.float32), np.zeros(1, np.float32)),
    ]
    x, targets = np.array([[0.1, 0.7], [-0.1, -0.7]], np.float32), np.array([[0.3], [-0.3]], np.float32)
    reference = backprop_reference(ARCHITECTURE, weights, x, targets)
    assert estimated_reference(reference).tier in (Tier.PROBABILISTIC, Tier.ESTIMATE)
    assert (estimated_reference(reference).gradient.error <= reference.gradient.error).all()
