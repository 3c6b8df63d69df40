"""Conditions: the one that tells two groups of problems apart, and silence where none does."""

from backproof.comparisons.check.battery.grid import generic_problem
from backproof.comparisons.check.conditions import only_where
from backproof.scratch.architecture import Architecture
from backproof.scratch.problem import Problem


def problem(*sizes: int, n: int = 3) -> Problem:
    return generic_problem(Architecture(sizes, "tanh", "mse"), n, 0)


def test_a_hidden_layer_of_one_unit_is_told() -> None:
    wrong, right = (
        [problem(3, 1, 2), problem(2, 3, 1, 2)],
        [problem(3, 2, 2), problem(3, 1), problem(1, 3, 2)],
    )
    assert only_where(wrong, right) == "where a hidden layer has one unit"


def test_a_batch_of_one_is_told_apart_from_one_output() -> None:
    assert only_where([problem(3, 2, n=1)], [problem(3, 2), problem(3, 1)]) == "in a batch of one"


def test_nothing_is_told_where_every_condition_has_a_counterexample() -> None:
    assert only_where([problem(3, 2, 2)], [problem(3, 2, 2)]) == ""


def test_nothing_is_told_without_a_right_one() -> None:
    assert only_where([problem(3, 1, 2)], []) == ""
