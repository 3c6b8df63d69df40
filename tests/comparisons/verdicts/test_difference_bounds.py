"""The bound between central differences and backpropagation: it holds, and it is small enough to catch."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backproof.comparisons.numerical.unit_differences import UnitDifferences
from backproof.comparisons.verdicts.difference_bounds import central_difference_bound, unit_difference_bound
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.verdict import compare
from backproof.scratch.architecture import Architecture
from backproof.scratch.gradients import gradient
from backproof.scratch.initializers import initialize
from backproof.scratch.network import Network
from backproof.scratch.parameters import Parameters
from tests.support.numerical_runs import digits_batch


@given(st.integers(0, 2**32 - 1), st.sampled_from([1e-9, 1e-6, 1e-4, 1e-2]))
def test_the_bound_between_differences_and_backprop_holds_entry_by_entry(seed: int, step: float) -> None:
    network, x, labels, steps = digits_batch(seed, step)
    found = gradient(network, x, labels, "central_difference", evaluation="structured", step=step)
    bound = central_difference_bound(network, x, steps)
    verdict = compare(found, gradient(network, x, labels), bound, network.architecture.parameter_name)
    assert verdict.outcome == Outcome.PASS, verdict


@given(st.integers(0, 2**32 - 1), st.sampled_from([1e-9, 1e-6, 1e-4, 1e-2]))
def test_the_bound_between_differences_of_units_and_backprop_holds_entry_by_entry(
    seed: int, step: float
) -> None:
    network, x, labels, _ = digits_batch(seed, step)
    found = gradient(network, x, labels, UnitDifferences(step))
    bound = unit_difference_bound(network, x, step)
    verdict = compare(found, gradient(network, x, labels), bound, network.architecture.parameter_name)
    assert verdict.outcome == Outcome.PASS, verdict


def test_the_bound_between_differences_of_units_and_backprop_catches_one_part_in_ten_million() -> None:
    network, x, labels, _ = digits_batch(0, 1e-9)
    expected = gradient(network, x, labels)
    verdict = compare(expected * (1 + 1e-7), expected, unit_difference_bound(network, x, 1e-9))
    assert verdict.outcome == Outcome.FAIL


def test_the_bound_between_differences_and_backprop_catches_one_part_in_ten_million() -> None:
    network, x, labels, steps = digits_batch(0, 1e-9)
    expected = gradient(network, x, labels)
    verdict = compare(expected * (1 + 1e-7), expected, central_difference_bound(network, x, steps))
    assert verdict.outcome == Outcome.FAIL


def test_the_bound_is_for_one_hidden_layer_of_relus_and_says_so() -> None:
    architecture = Architecture((3, 4, 4, 2))
    network = Network(architecture, initialize(architecture, 0))
    with pytest.raises(ValueError, match="one hidden relu layer"):
        central_difference_bound(network, np.ones((1, 3)), np.ones(architecture.n_parameters))
    with pytest.raises(ValueError, match="one hidden relu layer"):
        unit_difference_bound(network, np.ones((1, 3)), 1e-9)


def test_a_unit_that_moves_all_logits_alike_has_hardly_any_bound() -> None:
    """Probabilities do not change: there is neither truncation nor a kink to meet."""
    architecture = Architecture((3, 4, 5))
    network = Network(architecture, initialize(architecture, 0))
    network.parameters.layers[1][0][1] = 2.0
    x = np.random.default_rng(0).normal(size=(6, 3))
    for bound in (
        unit_difference_bound(network, x, 1e-3),
        central_difference_bound(network, x, np.full(architecture.n_parameters, 1e-3)),
    ):
        first = Parameters(architecture, bound.copy()).layers[0][0]
        assert first[:, 1].max() < 1e-3 * first[:, [0, 2, 3]].min()
