"""A black box along lines: what is known of entries that it may not depend on."""

from collections.abc import Callable

import numpy as np
import pytest

from backproof.comparisons.verdicts.function_line import Idle, Point
from backproof.comparisons.verdicts.parameter_tree import tensors
from backproof.scratch.architecture import Array

STEPS = (1e1, 1e3)


def point(f: Callable[[Array], list[float]], params: Array) -> Point:
    return Point(f, params, tensors(params), in_place=False, read=np.asarray)


def idle(f: Callable[[Array], list[float]], claimed: Array, entries: tuple[int, ...]) -> Idle:
    at = point(f, np.linspace(-1.0, 1.0, claimed.shape[1]))
    return Idle(at, 0, claimed, entries, seed=0)


def test_entries_that_a_function_ignores_stand_still_together() -> None:
    found = idle(lambda t: [t[0] ** 2], np.array([[-2.0, 0.0, 0.0, 0.0]]), (0, 1, 2, 3))
    assert found.stands_still(0, STEPS)


@pytest.mark.parametrize("begins", [5.0, -5.0, 300.0])
def test_one_entry_that_moves_far_out_is_seen_among_idle_ones(begins: float) -> None:
    def f(t: Array) -> list[float]:
        return [t[0] + max(0.0, np.sign(begins) * (t[2] - begins))]

    assert not idle(f, np.array([[1.0, 0.0, 0.0, 0.0]]), (0, 1, 2, 3)).stands_still(0, STEPS)


def test_what_is_not_finite_far_out_does_not_stand_still() -> None:
    found = idle(lambda t: [t[0] if abs(t[1]) < 10 else np.nan], np.array([[1.0, 0.0, 0.0]]), (0, 1, 2))
    assert not found.stands_still(0, STEPS)


def test_every_function_is_asked_of_the_entries_that_are_claimed_to_be_nothing_to_it() -> None:
    claimed = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    found = idle(lambda t: [t[0], t[2] + abs(t[0])], claimed, (0, 1, 2))
    assert found.stands_still(0, STEPS)
    assert not found.stands_still(1, STEPS)


def test_a_single_entry_is_left_to_its_own_line() -> None:
    assert not idle(lambda t: [t[0]], np.array([[1.0, 0.0]]), (0, 1)).stands_still(0, STEPS)


def test_one_answer_serves_all_of_its_entries() -> None:
    at = point(lambda t: [t[0]], np.ones(5))
    found = Idle(at, 0, np.array([[1.0, 0.0, 0.0, 0.0, 0.0]]), range(5), seed=0)
    before = at.evaluations
    for _ in range(4):
        assert found.stands_still(0, STEPS)
    assert at.evaluations - before == 2 * len(STEPS)
