"""`ScratchMLP` as a contender. What every contender must do is in tests/reference/test_contract.py."""

import numpy as np
from hypothesis import given

from backproof.comparisons.contenders.scratch_mlp import ScratchMLP
from backproof.scratch.architecture import OptimizerSpec
from backproof.scratch.training import Recipe, train
from tests.support.strategies import Case, cases


def loaded(case: Case) -> ScratchMLP:
    contender = ScratchMLP()
    contender.load(case.architecture, case.weights)
    return contender


@given(cases())
def test_it_gives_the_logits_of_its_network(case: Case) -> None:
    np.testing.assert_array_equal(
        loaded(case).logits(case.x), case.network().forward(case.x)[-1], strict=True
    )


@given(cases())
def test_training_is_that_of_its_network(case: Case) -> None:
    contender, network, batches = loaded(case), case.network(), [np.arange(len(case.x))] * 3
    spec = OptimizerSpec("sgd", 1e-4, momentum=0.5)
    with np.errstate(over="ignore", invalid="ignore"):  # steep cases diverge, and must do so alike
        losses = contender.train(case.x, case.targets, batches, spec)
        expected_losses = train(network, case.x, case.targets, batches, Recipe(spec))
    np.testing.assert_array_equal(losses, expected_losses)
    for found, expected in zip(contender.weights(), network.parameters.layers, strict=True):
        np.testing.assert_array_equal(found[0], expected[0])
        np.testing.assert_array_equal(found[1], expected[1])


@given(cases())
def test_loading_again_forgets_what_was_learned(case: Case) -> None:
    contender = loaded(case)
    contender.train(case.x, case.targets, [np.arange(len(case.x))], OptimizerSpec("sgd", 1e-4))
    contender.load(case.architecture, case.weights)
    np.testing.assert_array_equal(contender.logits(case.x), loaded(case).logits(case.x))
