"""The other checkers: each accepts what is right and rejects what is wrong, where it can see it."""

import numpy as np
import pytest

from backproof.reference.function_checkers import accepts, installed
from backproof.scratch.architecture import Array

THETA = np.array([[0.3, -0.7], [1.0, 2.0]])


def f(theta: Array) -> float:
    return float(np.sin(theta).sum())


def test_the_frameworks_of_the_tests_are_there() -> None:
    assert set(installed()) >= {"gradcheck", "check_grads", "check_grad"}


@pytest.mark.parametrize("checker", installed())
def test_a_right_gradient_is_accepted_and_wrong_ones_are_not(checker: str) -> None:
    assert accepts(checker, f, np.cos(THETA), THETA)
    assert not accepts(checker, f, -np.cos(THETA), THETA)
    assert not accepts(checker, f, 1.1 * np.cos(THETA), THETA)


@pytest.mark.parametrize("checker", installed())
def test_a_function_that_raises_is_not_accepted(checker: str) -> None:
    def raises(theta: Array) -> float:
        raise ValueError("math domain error")

    assert not accepts(checker, raises, np.cos(THETA), THETA)
