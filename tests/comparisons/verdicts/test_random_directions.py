"""Random directions: what goes unseen, and how rarely."""

import numpy as np
import pytest

from backproof.comparisons.verdicts.random_directions import DIRECTIONS, directions, missed_size


def test_the_worked_example_is_that_of_the_docstring() -> None:
    assert missed_size([1e-10] * 8, 1) == pytest.approx(1.06e-9, rel=1e-2)


def test_directions_have_length_one_and_differ() -> None:
    drawn = directions(5000, [0, 1])
    assert drawn.shape == (DIRECTIONS, 5000)
    np.testing.assert_allclose(np.linalg.norm(drawn, axis=1), 1.0, atol=0.05)
    assert abs(np.corrcoef(drawn) - np.eye(DIRECTIONS)).max() < 0.1


def test_the_same_seed_gives_the_same_directions_and_another_one_others() -> None:
    np.testing.assert_array_equal(directions(9, [3, 1]), directions(9, [3, 1]))
    for other in ([3, 2], [4, 1], [3]):
        assert not np.isclose(directions(9, [3, 1]), directions(9, other)).any()


@pytest.mark.parametrize("entries", [1, 50])
def test_a_mistake_of_the_stated_size_is_missed_with_no_more_than_the_stated_probability(
    entries: int,
) -> None:
    probability, n, bounds = 0.05, 50, [1.0, 2.0, 0.5]
    size = missed_size(bounds, n, probability)
    mistake = np.zeros(n)
    mistake[:entries] = size / np.sqrt(entries)
    missed = 0
    for seed in range(4000):
        drawn = directions(n, [seed])[: len(bounds)]
        missed += int((abs(drawn @ mistake) <= bounds).all())
    assert 0.01 < missed / 4000 < probability + 3 * np.sqrt(probability / 4000)


def test_a_direction_without_a_bound_sees_nothing() -> None:
    assert missed_size([1e-9, float("inf")], 10) == float("inf")


def test_a_slope_that_is_known_exactly_lets_next_to_nothing_go_unseen() -> None:
    assert 0 < missed_size([0.0] * 8, 1) < 2e-299
    assert missed_size([1e-10, 0.0], 1) < missed_size([1e-10, 1e-200], 1)


def test_along_more_entries_and_with_a_smaller_probability_larger_mistakes_go_unseen() -> None:
    assert missed_size([1e-10] * 8, 400) == pytest.approx(20 * missed_size([1e-10] * 8, 1))
    assert missed_size([1e-10] * 8, 1, 1e-17) == pytest.approx(10 * missed_size([1e-10] * 8, 1, 1e-9))
