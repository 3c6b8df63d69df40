"""Rounding of sums, products and elementary functions: bounds that hold in every order, and are not idle."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from backproof.comparisons.verdicts.rounding import (
    FUNCTIONS,
    Arithmetic,
    Bounded,
    inner_products,
    lowest_bit,
)
from backproof.scratch.architecture import (
    DTYPES,
    Array,
    DtypeName,
)

SINGLE = Arithmetic.of("float32", shadow=False)
SEEDS = st.integers(0, 2**32 - 1)


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
