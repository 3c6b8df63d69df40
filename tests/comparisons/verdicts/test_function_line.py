"""A black box along lines: what is known of entries that it may not depend on."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from backproof.comparisons.verdicts.function_line import Idle, Line, Point
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


def test_the_lines_scale_is_that_of_its_entry_and_its_shortest_step_too() -> None:
    at = point(lambda t: [t.sum()], np.array([0.0, 0.25, -8.0]))
    claimed = np.array([[1.0, 2.0, 3.0]])
    entries = [Line(at, 0, claimed, i) for i in range(3)]
    assert [(one.scale, one.shortest) for one in entries] == [(1.0, 1.0), (1.0, 0.25), (8.0, 1.0)]
    assert [one.slope.tolist() for one in entries] == [[1.0], [2.0], [3.0]]
    along = Line(at, 0, claimed, np.array([1.0, 0.0, -1.0]))
    assert (along.scale, along.shortest, along.slope.tolist()) == (1.0, 1.0, [-2.0])


@pytest.mark.parametrize("direction", [1, np.array([0.0, 1.0, 0.0])])
def test_a_sample_is_f_with_what_was_claimed_of_the_move_taken_out_and_is_taken_once(direction: Any) -> None:
    at = point(lambda t: [t[1] ** 2, t[0]], np.array([1.0, 2.0, 3.0]))
    line = Line(at, 0, np.array([[0.0, -5.0, 0.0], [0.0, 7.0, 0.0]]), direction)
    before = at.evaluations
    sample = line.at(0.5)
    np.testing.assert_allclose(sample.values, [6.25, 1.0])
    np.testing.assert_allclose(sample.residual, [6.25 + 2.5, 1.0 - 3.5])
    np.testing.assert_allclose(sample.claimed, [2.5, 3.5])
    assert line.at(0.5) is sample
    rest = line.at(0.0)
    np.testing.assert_allclose([*rest.values, *rest.residual, *rest.claimed], [4.0, 1.0, 4.0, 1.0, 0.0, 0.0])
    assert at.evaluations == before + 1


def test_the_spread_is_that_of_as_many_calls_as_were_made_within_limits_and_asked_for_once() -> None:
    def calls_of_a_spread(made: int) -> int:
        at = point(lambda t: [t.sum()], np.ones(2))
        at.evaluations = made
        at.spread()
        first = at.evaluations - made
        at.spread()
        assert at.evaluations - made == first
        return first

    assert [calls_of_a_spread(made) for made in (3, 64, 100, 512, 9000)] == [64, 64, 100, 512, 512]
    answers = iter([[5.0], [5.5], *[[5.0], [4.0], [5.25]] * 40])
    at = point(lambda t: next(answers), np.ones(2))
    assert at.spread().tolist() == [1.0]
    assert at.again.tolist() == [4.0]


def test_outside_its_domain_a_function_has_no_value() -> None:
    def f(t: Array) -> list[float]:
        if t[0] < 0:
            raise ValueError("math domain error")
        return [float(t[0])]

    at = point(f, np.array([1.0]))
    assert np.isnan(at.values(0, np.array([-1.0]))[0]).all()
    assert np.isnan(at.anywhere(-2.0, [np.ones(1)])).all()
    assert at.anywhere(2.0, [np.ones(1)]).tolist() == [3.0]


def test_idle_entries_go_half_to_all_of_their_size_to_either_side_and_by_the_seed() -> None:
    params = np.array([1e-3, -40.0, 2.0] * 60)
    calls: list[Array] = []

    def f(t: Array) -> list[float]:
        calls.append(t - params)
        return [5.0]

    def ways(seed: int) -> Array:
        at = point(f, params)
        assert Idle(at, 0, np.zeros((1, len(params))), range(len(params)), seed).stands_still(0, (10.0,))
        np.testing.assert_allclose(calls[-1], -calls[-2])
        found: Array = calls[-2] / 10.0 / np.maximum(1.0, np.abs(params))
        return found

    first = ways(1)
    assert (np.abs(first).min(), np.abs(first).max()) == (
        pytest.approx(0.5, abs=0.02),
        pytest.approx(1.0, abs=0.02),
    )
    assert 0.35 < (first > 0).mean() < 0.65
    np.testing.assert_array_equal(first, ways(1))
    assert not np.isclose(first, ways(2)).all()
