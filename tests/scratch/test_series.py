"""As many terms of a series as the precision asks for, and no function value farther off than rounding."""

from collections.abc import Callable, Sequence

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backproof.scratch.architecture import DTYPES, Array, DtypeName
from backproof.scratch.series import EXPM1, LOG1P, TANH, horner, terms_needed
from tests.support.tolerances import gamma

SIZES = [1e-20, 1e-9, 1e-6, 1e-3, 1e-2]
FUNCTIONS: dict[str, tuple[Sequence[float], Callable[[Array], Array]]] = {
    "expm1": (EXPM1, np.expm1),
    "log1p": (LOG1P, np.log1p),
    "tanh": (TANH, np.tanh),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_terms_needed_give_the_function_to_a_few_roundings(
    name: str, size: float, dtype: DtypeName
) -> None:
    coefficients, function = FUNCTIONS[name]
    x = np.linspace(-size, size, 101).astype(dtype)
    argument, reach = (x * x, size**2) if name == "tanh" else (x, size)
    terms = terms_needed(coefficients, reach, x.dtype)
    assert terms
    found = horner(argument, x, terms)
    # Horner's rule rounds twice a term, the terms left out are below a quarter of the unit roundoff.
    tolerance = gamma(2 * len(terms) + 2, dtype)
    np.testing.assert_allclose(found, function(x.astype(np.longdouble)).astype(float), rtol=tolerance, atol=0)


@pytest.mark.parametrize(
    ("coefficients", "function", "first", "step", "n"),
    [(EXPM1, mpmath.expm1, 1, 1, 9), (LOG1P, mpmath.log1p, 1, 1, 9), (TANH, mpmath.tanh, 1, 2, 5)],
)
def test_the_coefficients_are_taylors(
    coefficients: list[float], function: Callable[[float], float], first: int, step: int, n: int
) -> None:
    """As many as were chosen: with more of them larger arguments would be taken by the series."""
    taylor = mpmath.taylor(function, 0, first + step * n)
    np.testing.assert_allclose(coefficients, [float(c) for c in taylor[first::step][:n]], rtol=1e-12)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_smaller_argument_needs_no_more_terms(name: str, dtype: DtypeName) -> None:
    coefficients, _ = FUNCTIONS[name]
    counts = [len(terms_needed(coefficients, size, np.dtype(dtype))) for size in (1e-20, 1e-9, 1e-6, 1e-4)]
    assert counts == sorted(counts)
    assert counts[0] == 1


@pytest.mark.parametrize("name", FUNCTIONS)
def test_more_terms_than_are_known_are_none(name: str) -> None:
    assert terms_needed(FUNCTIONS[name][0], 1.0, np.dtype("float64")) == ()


@given(st.lists(st.integers(-9, 9), min_size=1, max_size=6), st.integers(-5, 5), st.integers(-5, 5))
def test_horners_rule_is_the_polynomial_times_its_factor(c: list[int], x: int, factor: int) -> None:
    # Small integers: nothing rounds.
    exact = factor * sum(coefficient * x**k for k, coefficient in enumerate(c))
    found = horner(np.array([float(x)]), np.array([float(factor)]), [float(k) for k in c])
    np.testing.assert_array_equal(found, [exact])
