"""Laws of scale: their words, their quotients, and which of them fits."""

import numpy as np
import pytest

from backproof.comparisons.check.battery.grid import generic_problem
from backproof.comparisons.check.forms.laws import LAWS, Law, fitting
from backproof.scratch.architecture import Architecture
from backproof.scratch.problem import Problem

PROBLEMS = [
    generic_problem(Architecture((3, k), "tanh", "mse"), n, 0) for n, k in ((1, 3), (4, 1), (5, 2), (2, 4))
]


@pytest.mark.parametrize(
    ("law", "words"),
    [
        (Law(), "1"),
        (Law(1), "N"),
        (Law(1, 1, 0.5), "N K / 2"),
        (Law(-1), "1 / N"),
        (Law(-1, -1), "1 / (N K)"),
        (Law(0, 0, 0.5), "1 / 2"),
        (Law(0, 1, 2.0), "2 K"),
    ],
)
def test_a_law_is_written_as_a_formula(law: Law, words: str) -> None:
    assert str(law) == words


@pytest.mark.parametrize("law", LAWS)
def test_the_law_that_made_the_factors_is_found(law: Law) -> None:
    assert fitting([(law.at(problem), problem) for problem in PROBLEMS]) == law


def test_factors_of_no_law_fit_none() -> None:
    assert fitting([(problem.batch_size**2.0, problem) for problem in PROBLEMS]) is None


def test_of_nothing_no_law_is_told() -> None:
    nothing: list[tuple[float, Problem]] = []
    assert fitting(nothing) is None


@pytest.mark.parametrize("problem", PROBLEMS)
def test_a_quotient_of_laws_is_the_quotient_of_their_factors(problem: Problem) -> None:
    left, right = Law(1, 1, 0.5), Law(-1, 1, 2.0)
    np.testing.assert_allclose(left.over(right).at(problem), left.at(problem) / right.at(problem), rtol=1e-15)
