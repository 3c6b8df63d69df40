"""The rounding bounds: they hold for every order of summation, for NumPy and torch, and are not idle."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from backproof.comparisons.contenders.scratch_mlp import ScratchMLP
from backproof.comparisons.verdicts.forward_bounds import forward
from backproof.comparisons.verdicts.network_bounds import backprop_reference
from backproof.comparisons.verdicts.relu_kinks import flat_gradient
from backproof.comparisons.verdicts.relu_selections import any_selection
from backproof.comparisons.verdicts.rounding import FUNCTIONS, Arithmetic
from backproof.comparisons.verdicts.verdict import compare
from backproof.reference.torch_mlp import TorchMLP
from backproof.scratch.architecture import (
    ACTIVATIONS,
    DTYPES,
    LOSSES,
    ActivationName,
    Architecture,
    Array,
    LossName,
)
from backproof.scratch.errors import InputError
from backproof.scratch.parameters import Parameters
from tests.support.strategies import Case, cases, random_case

SINGLE = Arithmetic.of("float32", shadow=False)
SEEDS = st.integers(0, 2**32 - 1)
SAMPLE = random_case(Architecture((4, 3, 2), "tanh", "cross_entropy", "float32"), "normal", 3, 0)


def found_by(contender: ScratchMLP | TorchMLP, case: Case) -> tuple[float, Array, Array]:
    contender.load(case.architecture, case.weights)
    with np.errstate(all="ignore"):
        loss, found = contender.loss_and_gradient(case.x, case.targets)
        return loss, flat_gradient(found).astype(np.float64), contender.logits(case.x)


@pytest.mark.parametrize("contender", [ScratchMLP, TorchMLP])
@example(random_case(Architecture((3, 2), "relu", "cross_entropy", "float32"), "saturated", 1, 4))
@example(random_case(Architecture((2, 4, 1), "tanh", "binary_cross_entropy", "float32"), "wide", 2, 5))
@given(case=cases(dtypes=DTYPES))
def test_correct_implementations_stay_inside_loss_logit_and_gradient_bounds(
    contender: type[ScratchMLP | TorchMLP], case: Case
) -> None:
    loss, found, logits = found_by(contender(), case)
    reference = backprop_reference(case.architecture, case.weights, case.x, case.targets)
    wide = any_selection(reference.state)  # whatever units the rounding may have switched
    for value, expected in ((found, wide), (logits, reference.logits), (np.asarray(loss), reference.loss)):
        assert compare(value, expected.value, expected.error).outcome != "FAIL"


@given(case=cases())
def test_the_shadow_itself_is_inside_the_bound_around_extended_precision(case: Case) -> None:
    network = case.network().astype(np.longdouble)
    true = Parameters(case.architecture, dtype=np.longdouble)
    network.loss_and_gradient(case.x.astype(np.longdouble), case.targets, true)
    state = forward(
        case.architecture, case.weights, case.x, case.targets, Arithmetic.of("float64", shadow=False)
    )
    wide = any_selection(state)
    assert compare(true.flat, wide.value, wide.error).outcome != "FAIL"


def test_an_unknown_order_is_refused() -> None:
    with pytest.raises(ValueError, match="order"):
        backprop_reference(SAMPLE.architecture, SAMPLE.weights, SAMPLE.x, SAMPLE.targets, order="forward")


@given(case=cases(activations=("relu",), families=("integer",), dtypes=DTYPES))
def test_integer_relu_networks_have_no_undecided_unit(case: Case) -> None:
    assert backprop_reference(case.architecture, case.weights, case.x, case.targets).undecided == ()


def test_an_entry_that_is_zero_in_every_order_has_bound_zero() -> None:
    case = random_case(Architecture((2, 2), "relu", "mse", "float32"), "normal", 3, 0)
    x = case.x.copy()
    x[:, 0] = 0.0
    reference = backprop_reference(case.architecture, case.weights, x, case.targets)
    np.testing.assert_array_equal(reference.gradient.error[:2], 0.0)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("loss", LOSSES)
def test_bounds_are_within_a_thousand_of_the_median_error(activation: ActivationName, loss: LossName) -> None:
    """Sharp enough to be worth anything: a bound of infinity would hold, too."""
    ratios = []
    for seed in range(10):
        case = random_case(Architecture((5, 4, 3), activation, loss, "float32"), "normal", 4, seed)
        reference = backprop_reference(case.architecture, case.weights, case.x, case.targets)
        error = np.abs(found_by(ScratchMLP(), case)[1] - reference.gradient.value)
        ratios += list(reference.gradient.error[error > 0] / error[error > 0])
    assert np.median(ratios) < 1000


@pytest.mark.parametrize("functions", FUNCTIONS)
def test_the_probabilistic_bound_assumes_the_same_elementary_functions(functions: str) -> None:
    given = SAMPLE.architecture, SAMPLE.weights, SAMPLE.x, SAMPLE.targets
    reference = backprop_reference(*given, functions=functions)
    assert reference.state.arithmetic.functions == FUNCTIONS[functions]["float32"]
    assert reference.probabilistic.state.arithmetic.functions == FUNCTIONS[functions]["float32"]
    assert reference.probabilistic.probabilistic is reference.probabilistic


@pytest.mark.parametrize("functions", ["any", "numpy", "torch"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_probabilistic_bounds_are_those_of_the_same_arithmetic_and_no_wider(
    dtype: str, functions: str
) -> None:
    case = random_case(Architecture((6, 5, 3), "tanh", "mse", dtype), "normal", 4, 0)  # type: ignore[arg-type]  # both
    reference = backprop_reference(case.architecture, case.weights, case.x, case.targets, functions=functions)
    likely = reference.probabilistic
    of, assumed = likely.state.arithmetic, FUNCTIONS[functions][dtype]
    assert reference.state.arithmetic.functions == of.functions == assumed
    assert of.random
    assert not reference.state.arithmetic.random
    assert of.extended == reference.state.arithmetic.extended == (dtype == "float64")
    assert (reference.functions, likely.functions, likely.tier) == (functions, functions, "probabilistic")
    assert likely.probabilistic is likely
    assert (likely.gradient.error <= reference.gradient.error).all()
    assert (likely.gradient.error < reference.gradient.error).any()
    np.testing.assert_array_equal(likely.gradient.value, reference.gradient.value)


def test_an_order_that_is_not_known_is_refused() -> None:
    with pytest.raises(InputError, match="order: expected 'reverse' or 'any', got 'forward'"):
        backprop_reference(SAMPLE.architecture, SAMPLE.weights, SAMPLE.x, SAMPLE.targets, order="forward")
