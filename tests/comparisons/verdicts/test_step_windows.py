"""The limit of quotients: its value, and an error that contradiction widens."""

from collections.abc import Callable

import numpy as np
import pytest

from backproof.comparisons.verdicts.step_windows import (
    APART,
    CENTRAL,
    JUMP,
    ONE_SIDED,
    _agreed,
    _contradiction,
    limit,
)
from backproof.scratch.architecture import Array

H = 0.4871 * 2.317 ** -np.arange(20.0)
NOISE = 1e-16 / H


def central(f: Callable[[Array], Array], h: Array = H) -> Array:
    quotients: Array = (f(h) - f(-h)) / (2 * h)
    return quotients


def test_the_worked_example_is_that_of_the_docstring() -> None:
    h = np.array([0.4, 0.2])
    first, second = central(np.exp, h)
    assert (round(first, 6), round(second, 6)) == (1.026881, 1.006680)
    assert second - (first - second) / 3 == pytest.approx(0.999946, abs=1e-6)


@pytest.mark.parametrize(
    ("f", "slope"),
    [(np.exp, 1.0), (np.sin, 1.0), (lambda s: np.tanh(3 * s + 1), 3 * (1 - np.tanh(1) ** 2)), (np.cos, 0.0)],
)
def test_the_slope_of_a_smooth_function_is_found_within_its_error(
    f: Callable[[Array], Array], slope: float
) -> None:
    found = limit(central(f), H, NOISE, CENTRAL)
    assert abs(found.value - slope) <= found.error + 1e-15
    assert found.error < 1e-12


def test_the_jump_of_one_sided_quotients_is_found_at_a_kink() -> None:
    jump = limit((np.exp(H) - 2 + np.exp(-H) + 0.5 * H) / H, H, 4 * NOISE, JUMP)
    assert abs(jump.value - 0.5) <= jump.error < 1e-10


def test_a_one_sided_slope_is_found_within_its_error() -> None:
    right = limit((np.exp(H) - 1) / H, H, 2 * NOISE, ONE_SIDED)
    assert abs(right.value - 1) <= right.error < 1e-9


@pytest.mark.parametrize("width", [1e-2, 1e-3, 1e-4])
def test_long_steps_that_agree_on_another_slope_are_contradicted_by_short_ones(width: float) -> None:
    found = limit(
        central(lambda s: 0.3 * s + np.sin(s / width) * np.exp(-((s / width) ** 2))), H, NOISE, CENTRAL
    )
    assert abs(found.value - (0.3 + 1 / width)) <= 4 * found.error
    assert found.error < 1e-6 / width


def test_what_changes_at_every_scale_has_no_small_error() -> None:
    wild = np.random.default_rng(0).standard_normal(len(H))
    assert limit(wild, H, NOISE, CENTRAL).error > 0.05


def test_noise_is_part_of_the_error() -> None:
    level = 1e-8
    found = limit(central(np.sin), H, level / H, CENTRAL)
    assert found.error >= level


def test_the_error_covers_noise_of_its_level() -> None:
    rng = np.random.default_rng(3)
    off = []
    for _ in range(200):
        values = np.sin(H) + 1e-9 * rng.standard_normal(len(H))
        opposite = np.sin(-H) + 1e-9 * rng.standard_normal(len(H))
        found = limit((values - opposite) / (2 * H), H, 1e-9 / H, CENTRAL)
        off.append(abs(found.value - 1) / found.error)
    assert max(off) < 4
    assert np.median(off) > 0.05


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_too_few_rows_say_nothing(rows: int) -> None:
    assert limit(np.ones(rows), H[:rows], NOISE[:rows], CENTRAL).error == float("inf")


@pytest.mark.parametrize(("one", "other"), [(1.0, 5.0), (5.0, 1.0)])
def test_windows_that_disagree_are_as_far_off_as_they_lie_apart(one: float, other: float) -> None:
    agreed = _agreed([(one, 0.1, 0), (other, 0.2, 2 * APART)])
    assert (agreed.value, agreed.error) == (one, 4.0)


def test_windows_that_agree_have_the_smaller_error_and_neighbours_are_no_witnesses() -> None:
    assert _agreed([(1.0, 0.1, 0), (1.25, 0.2, 2 * APART)]).error == 0.1
    assert _agreed([(1.0, 0.1, 0), (5.0, 0.2, APART - 1)]).error == 0.1


def test_a_window_is_contradicted_by_shorter_steps_beyond_their_noise_and_what_truncation_is_left() -> None:
    """Three steps in the ratio 2, quotients 1, 1 and 3: windows of the first and of the last two rows."""
    h, quotients, noise = np.array([4.0, 2.0, 1.0]), np.array([1.0, 1.0, 3.0]), np.array([0.1, 0.1, 0.25])
    column = np.array([0.5, 3.5])
    found = _contradiction(column, 1, quotients, h, noise, 2)
    # Of the first: off by 2.5; 4 noises are 1, and twice its own 0.5 falls to a quarter.
    np.testing.assert_allclose(found, [2.5 - 1.0 - 0.25, 0.0])
    quiet = _contradiction(column, 1, np.array([1.0, 1.0, 1.2]), h, noise, 2)
    np.testing.assert_allclose(quiet, 0.0)


def test_a_window_is_as_uncertain_as_it_lies_from_the_two_it_came_from_and_twice_its_noise() -> None:
    """Quotients 1 + h^2 at three steps: the first column is exact, and so is the second."""
    h = np.array([0.4, 0.2, 0.1])
    found = limit(1 + h**2, h, np.array([1e-3, 1e-3, 1e-3]), CENTRAL)
    assert found.value == pytest.approx(1.0)
    assert found.error == pytest.approx(2e-3)
    first_column = limit(1 + h**2, h, np.zeros(3), (2,))
    assert first_column.error == pytest.approx(0.04)  # from the coarser of its two, 1 + 0.2^2
    np.testing.assert_allclose([first_column.low, first_column.high], [0.96, 1.04])
