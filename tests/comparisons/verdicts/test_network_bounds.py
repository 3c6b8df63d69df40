"""The rounding bounds: they hold for every order of summation, for NumPy and torch, and are not idle."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from backproof.comparisons.contenders.scratch_mlp import ScratchMLP
from backproof.comparisons.verdicts.backward_bounds import backward
from backproof.comparisons.verdicts.forward_bounds import forward
from backproof.comparisons.verdicts.forward_mode_bounds import complex_step_bound
from backproof.comparisons.verdicts.loss_bounds import LOSS_BOUNDS
from backproof.comparisons.verdicts.network_bounds import backprop_reference
from backproof.comparisons.verdicts.relu_kinks import flat_gradient
from backproof.comparisons.verdicts.relu_selections import any_selection
from backproof.comparisons.verdicts.rounding import (
    FUNCTIONS,
    Arithmetic,
    Bounded,
    inner_products,
    lowest_bit,
)
from backproof.comparisons.verdicts.verdict import compare
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
)
from backproof.scratch.gradients import gradient
from backproof.scratch.parameters import Parameters
from tests.support.strategies import Case, cases, random_case

SINGLE = Arithmetic.of("float32", shadow=False)
SEEDS = st.integers(0, 2**32 - 1)
SAMPLE = random_case(Architecture((4, 3, 2), "tanh", "cross_entropy", "float32"), "normal", 3, 0)


def exactly(left: Array, right: Array, bias: Array) -> list[list[Fraction]]:
    """left @ right + bias in rational numbers."""
    return [
        [
            sum(
                (Fraction(float(a)) * Fraction(float(w)) for a, w in zip(row, column, strict=True)),
                Fraction(float(b)),
            )
            for column, b in zip(right.T, bias, strict=True)
        ]
        for row in left
    ]


def summed_in_order(left: Array, right: Array, bias: Array, order: Array) -> Array:
    """The same in the arrays' own dtype, term by term in this order."""
    terms = np.concatenate(
        [left[:, :, None] * right[None], np.broadcast_to(bias, (len(left), 1, bias.size))], 1
    )
    total = np.zeros((len(left), bias.size), left.dtype)
    for term in order:
        total = total + terms[:, term]
    return total


@given(SEEDS, st.integers(1, 12), st.sampled_from([1e-3, 1.0, 1e3]))
def test_inner_products_stay_inside_their_bound_in_any_order(seed: int, n: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    left, right, bias = (
        (scale * rng.standard_normal(shape)).astype(np.float32) for shape in ((2, n), (n, 3), (3,))
    )
    found = summed_in_order(left, right, bias, rng.permutation(n + 1))
    bound = inner_products(Bounded.exact(left), Bounded.exact(right), SINGLE, bias.astype(float))
    for i, row in enumerate(exactly(left, right, bias)):
        for j, true in enumerate(row):
            assert abs(Fraction(float(found[i, j])) - true) <= Fraction(float(bound.error[i, j]))


def test_a_bound_for_one_rounding_is_nearly_attained() -> None:
    """1 + 2^-24 lies half way between two float32 numbers: the bound is not idle."""
    left, right, bias = np.ones((1, 1)), np.ones((1, 1)), np.array([2.0**-24])
    error = abs(float(np.float32(1) + np.float32(2.0**-24)) - (1 + 2.0**-24))
    bound = inner_products(Bounded.exact(left), Bounded.exact(right), SINGLE, bias).error[0, 0]
    assert error <= bound <= 2.1 * error


@given(SEEDS, st.integers(1, 8))
def test_sums_called_exact_are_exact_in_every_order(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    left = (rng.integers(-9, 10, (2, n)) * 2.0**-3).astype(np.float32)
    right, bias = rng.integers(-9, 10, (n, 2)).astype(np.float32), rng.integers(-9, 10, 2).astype(np.float32)
    product = inner_products(
        Bounded.exact(left), Bounded.exact(right), SINGLE, bias.astype(float), recognise_exact=True
    )
    np.testing.assert_array_equal(product.error, 0.0)
    np.testing.assert_array_equal(summed_in_order(left, right, bias, rng.permutation(n + 1)), product.value)


def test_a_sum_that_may_round_is_not_called_exact() -> None:
    left = Bounded.exact(np.array([[2.0**24, 1.0]]))
    product = inner_products(left, Bounded.exact(np.ones((2, 1))), SINGLE, recognise_exact=True)
    assert product.error[0, 0] > 0


def test_an_input_with_an_error_of_its_own_makes_no_exact_sum() -> None:
    left = Bounded(np.ones((1, 1)), np.full((1, 1), 1e-9))
    product = inner_products(left, Bounded.exact(np.ones((1, 1))), SINGLE, recognise_exact=True)
    assert product.error[0, 0] >= 1e-9


def test_a_sum_of_no_terms_has_no_error() -> None:
    product = inner_products(Bounded.exact(np.zeros((2, 3))), Bounded.exact(np.ones((3, 2))), SINGLE)
    np.testing.assert_array_equal(product.error, 0.0)


def test_a_sum_that_may_overflow_has_an_infinite_bound() -> None:
    left = Bounded.exact(np.array([[1e30, -1e30]]))
    product = inner_products(left, Bounded.exact(np.full((2, 1), 1e9)), SINGLE)
    assert product.error[0, 0] == np.inf


@given(st.integers(-(2**20), 2**20).filter(bool), st.integers(-60, 60))
def test_the_lowest_bit_is_the_largest_power_of_two_that_divides(integer: int, exponent: int) -> None:
    q = lowest_bit(np.array([integer * 2.0**exponent]))[0]
    odd = Fraction(integer) * Fraction(2) ** (exponent - int(q))
    assert odd.denominator == 1
    assert odd.numerator % 2 == 1


def test_gamma_is_infinite_where_it_says_nothing() -> None:
    assert SINGLE.gamma(2**25) == np.inf


def _ulps(found: Array, true: Array, dtype: DtypeName) -> float:
    """The largest error in units in the last place of the true value (in longdouble)."""
    info = np.finfo(dtype)
    _, exponent = np.frexp(np.maximum(np.abs(true), info.smallest_normal))
    unit = np.ldexp(np.longdouble(info.eps) / 2, exponent)
    return float(np.max(np.abs(found.astype(np.longdouble) - true) / unit))


@pytest.mark.skipif(
    bool(np.finfo(np.longdouble).eps > 1e-18), reason="needs a longdouble beyond float64 to judge it"
)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("function", "low", "high"), [("exp", -80, 80), ("tanh", -12, 12), ("log", 1e-3, 1e3), ("log1p", 0, 1)]
)
def test_elementary_functions_are_as_accurate_as_the_bounds_assume(
    function: str, low: float, high: float, dtype: DtypeName
) -> None:
    z = np.random.default_rng(1).uniform(low, high, 100_000).astype(dtype)
    true = getattr(np, function)(z.astype(np.longdouble))
    by_numpy, by_torch = getattr(np, function)(z), getattr(torch, function)(torch.from_numpy(z)).numpy()
    for library, found in (("numpy", by_numpy), ("torch", by_torch)):
        assumed = getattr(FUNCTIONS[library][dtype], "log" if function == "log1p" else function)
        assert _ulps(found, true, dtype) <= assumed


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


@given(case=cases(dtypes=DTYPES, activations=("identity", "tanh", "sigmoid")))
def test_the_complex_step_stays_inside_its_bound(case: Case) -> None:
    wide = case.astype("float64")
    with np.errstate(all="ignore"):
        stepped = gradient(wide.network(), wide.x, wide.targets, "complex_step", evaluation="structured")
    reference = backprop_reference(case.architecture, case.weights, case.x, case.targets)
    shadow = backward(
        forward(case.architecture, case.weights, case.x, case.targets, Arithmetic.of("float64", shadow=False))
    )
    bound = complex_step_bound(case.architecture, case.weights, case.x, case.targets) + shadow.error
    assert compare(stepped, reference.gradient.value, bound).outcome != "FAIL"


@given(case=cases(dtypes=DTYPES))
def test_the_bound_for_any_order_is_never_below_that_of_reverse_mode(case: Case) -> None:
    arguments = case.architecture, case.weights, case.x, case.targets
    reverse = backprop_reference(*arguments).gradient.error
    anyhow = backprop_reference(*arguments, order="any").gradient.error
    assert (anyhow >= reverse).all()


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


@pytest.mark.parametrize("loss", LOSSES)
def test_logits_of_any_size_give_bounds_that_are_numbers(loss: LossName) -> None:
    logits = np.array([[0.0, 1e3, -1e3], [1e15, -1e15, 0.0], [700.0, 700.0, -700.0]])
    targets = np.array([0, 1, 2]) if loss == "cross_entropy" else np.ones((3, 3))
    bound = LOSS_BOUNDS[loss](Bounded(logits, 1e-7 * np.abs(logits)), targets, SINGLE)
    for part in (bound.delta.value, bound.delta.error, bound.per_example.value, bound.terms):
        assert np.isfinite(part).all()
