"""Conditions: the one that tells two groups of problems apart, and silence where none does."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from backproof.comparisons.check.battery.grid import generic_problem
from backproof.comparisons.check.conditions import CONDITIONS, logits_reach, only_where
from backproof.scratch.architecture import Architecture
from backproof.scratch.problem import Problem


def problem(
    *sizes: int, n: int = 3, activation: Any = "tanh", loss: Any = "mse", dtype: Any = "float64"
) -> Problem:
    return generic_problem(Architecture(sizes, activation, loss, dtype), n, 0)


PLAIN = problem(3, 4, 2)
LABELLED = replace(problem(3, 4, 3, loss="cross_entropy"), targets=np.array([0, 2, 1]))
ZERO_INPUT = replace(PLAIN, x=PLAIN.x * [1, 0, 1])
LARGE = replace(problem(3, 2), weights=[(100 * np.ones((3, 2)), np.zeros(2))])
# A problem that meets the condition, and one that does not and lies as near as can be.
EXAMPLES = {
    "where a hidden layer has one unit": (problem(3, 1, 2), problem(3, 2, 1)),
    "where there is one input": (problem(1, 2), problem(2, 1)),
    "where there is one output": (problem(2, 1), problem(1, 2)),
    "in a batch of one": (problem(3, 2, n=1), problem(3, 2, n=2)),
    "without a hidden layer": (problem(3, 2), PLAIN),
    "with a hidden layer": (PLAIN, problem(3, 2)),
    "with two hidden layers": (problem(3, 4, 5, 2), PLAIN),
    "where there is one output, with loss='cross_entropy'": (
        problem(3, 1, loss="cross_entropy"),
        problem(3, 1, loss="mse"),
    ),
    "in float32": (problem(3, 2, dtype="float32"), problem(3, 2)),
    "where the last label does not occur": (replace(LABELLED, targets=np.array([0, 1, 1])), LABELLED),
    "in batches of more than one": (problem(3, 2, n=2), problem(3, 2, n=1)),
    "with more than one output": (problem(3, 2), problem(3, 1)),
    "with more than two outputs": (problem(2, 3), problem(3, 2)),
    "where logits are large": (LARGE, PLAIN),
    "where an input is always zero": (ZERO_INPUT, replace(PLAIN, x=np.where(np.eye(3), 0.0, PLAIN.x))),
    "with equal widths": (problem(3, 2, 2), problem(2, 3, 2)),
}


@pytest.mark.parametrize("condition", EXAMPLES)
def test_each_condition_tells_its_example_from_what_lies_beside_it(condition: str) -> None:
    meets, does_not = EXAMPLES[condition]
    assert CONDITIONS[condition](meets)
    assert not CONDITIONS[condition](does_not)


def test_every_condition_has_its_example() -> None:
    named = {
        f"with loss={loss!r}" for loss in ("cross_entropy", "mse", "binary_cross_entropy", "sum_of_squares")
    }
    rest = CONDITIONS.keys() - EXAMPLES.keys() - named
    assert all(condition.startswith("with activation=") for condition in rest)


@pytest.mark.parametrize("loss", ["mse", "cross_entropy"])
def test_a_loss_is_a_condition_by_its_name(loss: str) -> None:
    assert CONDITIONS[f"with loss={loss!r}"](problem(3, 2, loss=loss))
    assert not CONDITIONS[f"with loss={loss!r}"](problem(3, 2, loss="sum_of_squares"))


def test_an_activation_is_a_condition_only_where_there_is_a_hidden_layer() -> None:
    assert CONDITIONS["with activation='tanh'"](PLAIN)
    assert not CONDITIONS["with activation='tanh'"](problem(3, 2))
    assert not CONDITIONS["with activation='tanh'"](problem(3, 4, 2, activation="relu"))


def test_equal_widths_are_none_without_a_hidden_layer() -> None:
    assert not CONDITIONS["with equal widths"](problem(3, 3))


@pytest.mark.parametrize(
    ("activation", "largest"), [("relu", 65.0), ("identity", 65.0), ("tanh", 5.0), ("sigmoid", 5.0)]
)
def test_a_bounded_activation_keeps_the_logits_small_whatever_comes_in(
    activation: str, largest: float
) -> None:
    """x = 8, W1 = (2), b1 = 0 .. 0: |z1| = 16 in each of four units; W2 = 1 each, b2 = -1."""
    weights = [(2 * np.ones((1, 4)), np.zeros(4)), (np.ones((4, 1)), -np.ones(1))]
    p = replace(problem(1, 4, 1, n=1, activation=activation), weights=weights, x=np.full((1, 1), -8.0))
    assert logits_reach(p, largest - 1e-6)
    assert not logits_reach(p, largest)


@pytest.mark.parametrize(("size", "large"), [(29.0, False), (31.0, True)])
def test_logits_are_large_from_thirty_on(size: float, large: bool) -> None:
    weights = [(np.array([[size]]), np.zeros(1))]
    p = replace(problem(1, 1, n=1), weights=weights, x=np.full((1, 1), -1.0))
    assert CONDITIONS["where logits are large"](p) == large


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
    assert only_where([], [problem(3, 1, 2)]) == ""
