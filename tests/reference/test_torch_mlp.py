"""Torch beside scratch: loss, logits and gradients of every activation, loss and depth, in both dtypes."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given

from backproof.comparisons.contenders.scratch_mlp import ScratchMLP
from backproof.comparisons.verdicts.network_bounds import backprop_reference
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.relu_selections import any_selection
from backproof.comparisons.verdicts.verdict import compare
from backproof.reference.contender import Contender
from backproof.reference.torch_mlp import TorchMLP
from backproof.scratch.architecture import (
    ACTIVATIONS,
    DTYPES,
    LOSSES,
    ActivationName,
    Architecture,
    Array,
    DtypeName,
    LossName,
    OptimizerSpec,
    Weights,
)
from tests.support.strategies import Case, cases, layouts, random_case

both = pytest.mark.parametrize("make", [ScratchMLP, TorchMLP])
WIDTH = 5


def loaded(make: Callable[[], Contender], case: Case) -> Contender:
    contender = make()
    contender.load(case.architecture, case.weights)
    return contender


def flat(weights: Weights) -> Array:
    return np.concatenate([part.ravel() for pair in weights for part in pair])


def assert_close(case: Case, found: Array, expected: Array, bound: Array) -> None:
    verdict = compare(found, expected, bound)
    assert verdict.outcome == Outcome.PASS, verdict


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("n_layers", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", DTYPES)
def test_loss_logits_and_gradients_agree_with_torch_within_both_roundings(
    activation: ActivationName, loss: LossName, n_layers: int, dtype: DtypeName
) -> None:
    architecture = Architecture((4, *(WIDTH,) * (n_layers - 1), 3), activation, loss, dtype)
    case = random_case(architecture, "normal", 6, seed=n_layers)
    scratch, torch = loaded(ScratchMLP, case), loaded(TorchMLP, case)
    reference = backprop_reference(architecture, case.weights, case.x, case.targets)
    assert not reference.undecided
    assert_close(case, scratch.logits(case.x), torch.logits(case.x), 2 * reference.logits.error)
    loss_scratch, gradient_scratch = scratch.loss_and_gradient(case.x, case.targets)
    loss_torch, gradient_torch = torch.loss_and_gradient(case.x, case.targets)
    assert_close(case, np.array(loss_scratch), np.array(loss_torch), 2 * reference.loss.error)
    assert_close(case, flat(gradient_scratch), flat(gradient_torch), 2 * reference.gradient.error)


@both
@given(cases(dtypes=DTYPES))
def test_each_is_within_the_rounding_bound_on_every_strategy(
    make: Callable[[], Contender], case: Case
) -> None:
    contender = loaded(make, case)
    reference = backprop_reference(case.architecture, case.weights, case.x, case.targets)
    gradient = any_selection(reference.state) if reference.undecided else reference.gradient
    assert_close(case, contender.logits(case.x), reference.logits.value, reference.logits.error)
    loss, weights = contender.loss_and_gradient(case.x, case.targets)
    assert_close(case, np.array(loss), reference.loss.value, reference.loss.error)
    assert_close(case, flat(weights), gradient.value, gradient.error)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_bounds_would_show_a_gradient_wrong_in_its_last_quarter_of_digits(dtype: DtypeName) -> None:
    case = random_case(Architecture((4, 5, 3), "tanh", dtype=dtype), "normal", 6, 0)
    reference = backprop_reference(case.architecture, case.weights, case.x, case.targets)
    gradient = flat(loaded(TorchMLP, case).loss_and_gradient(case.x, case.targets)[1])
    wrong = gradient * (1 + np.finfo(dtype).eps ** 0.75)
    assert compare(wrong, reference.gradient.value, reference.gradient.error).outcome == Outcome.FAIL


@both
@given(cases(dtypes=DTYPES))
def test_weights_come_back_as_they_were_loaded(make: Callable[[], Contender], case: Case) -> None:
    weights = loaded(make, case).weights()
    np.testing.assert_array_equal(flat(weights), case.flat)
    assert [(W.shape, b.shape) for W, b in weights] == [(W.shape, b.shape) for W, b in case.weights]


@both
@given(cases(), layouts(), layouts())
def test_inputs_of_any_layout_give_the_same_and_are_not_written_to(
    make: Callable[[], Contender],
    case: Case,
    layout: Callable[[Array], Array],
    target_layout: Callable[[Array], Array],
) -> None:
    contender = loaded(make, case)
    expected_loss, expected = contender.loss_and_gradient(case.x, case.targets)
    x, targets = layout(case.x), target_layout(case.targets)
    loss, weights = contender.loss_and_gradient(x, targets)
    assert loss == expected_loss
    np.testing.assert_array_equal(flat(weights), flat(expected))
    np.testing.assert_array_equal(x, case.x)
    np.testing.assert_array_equal(targets, case.targets)


@both
def test_what_is_returned_belongs_to_the_caller(make: Callable[[], Contender]) -> None:
    case = random_case(Architecture((4, 5, 3)), "normal", 6, 0)
    contender = loaded(make, case)
    logits, weights = contender.logits(case.x), contender.weights()
    _, gradient = contender.loss_and_gradient(case.x, case.targets)
    kept = [logits.copy(), flat(weights), flat(gradient)]
    for array in (logits, *(part for pair in [*weights, *gradient] for part in pair)):
        array += 1.0
    np.testing.assert_array_equal(contender.logits(case.x), kept[0])
    np.testing.assert_array_equal(flat(contender.weights()), kept[1])
    np.testing.assert_array_equal(flat(contender.loss_and_gradient(case.x, case.targets)[1]), kept[2])


@both
def test_weights_of_a_layer_with_one_output_are_copies_too(make: Callable[[], Contender]) -> None:
    rng = np.random.default_rng(0)
    contender = make()
    contender.load(Architecture((3, 1), loss="mse"), [(rng.normal(size=(3, 1)), np.zeros(1))])
    [(before, _)], x = contender.weights(), rng.normal(size=(2, 3))
    kept = before.copy()
    contender.train(x, np.zeros((2, 1)), [np.arange(2)], OptimizerSpec("sgd"))
    np.testing.assert_array_equal(before, kept)
