"""Laws of scale: their words, and which of them fits."""

import pytest

from backproof.comparisons.check.battery.grid import generic_problem
from backproof.comparisons.check.forms.laws import LAWS, Law, fitting
from backproof.scratch.architecture import Architecture, DtypeName
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


@pytest.mark.parametrize(("dtype", "close"), [("float64", 1e-9), ("float32", 1e-5)])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_factor_is_by_a_law_within_roundings_of_its_precision(
    dtype: DtypeName, close: float, sign: int
) -> None:
    ratios = [(Law(1).at(problem), problem.astype(dtype)) for problem in PROBLEMS]
    assert fitting([(ratio * (1 + sign * 0.9 * close), problem) for ratio, problem in ratios]) == Law(1)
    assert fitting([(ratio * (1 + sign * 1.1 * close), problem) for ratio, problem in ratios]) is None


def test_a_law_of_which_nothing_is_said_is_one_and_the_plain_ones_are_tried_first() -> None:
    assert Law().is_one
    assert LAWS[0] == Law()
    assert not any(law.is_one for law in LAWS[1:])
    assert len(set(LAWS)) == 27
    differ = [(law.constant != 1) + abs(law.examples) + abs(law.outputs) for law in LAWS]
    assert differ == sorted(differ)
