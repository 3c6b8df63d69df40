"""The perceptron: what it answers, and when its learning rule ends."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from backproof.comparisons.lessons.learning_rule import Perceptron, learn

PAIRS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
TABLES = {"AND": [0, 0, 0, 1], "OR": [0, 1, 1, 1], "NAND": [1, 1, 1, 0], "always": [1] * 4, "never": [0] * 4}
integers = st.integers(-4, 4).map(float)


@pytest.mark.parametrize("name", TABLES)
def test_the_rule_learns_every_truth_table_that_a_line_separates(name: str) -> None:
    labels = np.array(TABLES[name])
    found = learn(PAIRS, labels)
    np.testing.assert_array_equal(found.perceptron.predict(PAIRS), labels)


def test_the_rule_ends_with_an_epoch_without_mistakes() -> None:
    assert learn(PAIRS, np.array(TABLES["AND"])).mistakes[-1] == 0


def test_on_xor_the_rule_comes_back_to_where_it_was() -> None:
    found = learn(PAIRS, np.array([0, 1, 1, 0]))
    assert found.cycle is not None
    assert found.mistakes[-1] > 0


@given(
    x=hnp.arrays(float, (8, 3), elements=integers),
    weight=hnp.arrays(float, 3, elements=integers),
    bias=integers.map(lambda b: b + 0.5),
)
def test_separable_examples_take_no_more_mistakes_than_novikoff_allows(
    x: np.ndarray, weight: np.ndarray, bias: float
) -> None:
    assume(np.any(weight != 0))
    scores = x @ weight + bias  # never 0: integers and a half
    found = learn(x, (scores > 0).astype(int))
    design = np.column_stack([x, np.ones(len(x))])
    # The rule's own answer at score 0 is "no", which costs at most one more mistake per example's worth of
    # margin: R^2 / gamma^2 with gamma the margin of the separating unit vector (Novikoff 1962).
    margin = np.abs(scores).min() / np.linalg.norm([*weight, bias])
    radius = np.linalg.norm(design, axis=1).max()
    assert sum(found.mistakes) <= (radius / margin) ** 2


@given(x=hnp.arrays(float, (5, 2), elements=integers), labels=hnp.arrays(int, 5, elements=st.integers(0, 1)))
def test_learning_ends_in_one_of_two_ways_on_integers(x: np.ndarray, labels: np.ndarray) -> None:
    found = learn(x, labels, epochs=100_000)
    assert (found.mistakes[-1] == 0) != (found.cycle is not None)


def test_the_examples_are_left_as_they_were() -> None:
    x = PAIRS.copy()
    learn(x, np.array(TABLES["OR"]))
    np.testing.assert_array_equal(x, PAIRS)


def test_a_sum_of_zero_does_not_fire() -> None:
    assert Perceptron(np.array([1.0, -1.0]), 0.0).predict(np.array([[1.0, 1.0]])).tolist() == [0]


@pytest.mark.parametrize("labels", [[0, 1], [0, 1, 2, 1], [[0, 1, 1, 0]]])
def test_labels_that_do_not_fit_are_refused(labels: list[int]) -> None:
    with pytest.raises(ValueError, match="labels: expected 0 or 1"):
        learn(PAIRS, np.array(labels))
