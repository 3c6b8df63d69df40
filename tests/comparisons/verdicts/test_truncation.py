"""A numerical gradient is known by the direction of its error."""

from collections.abc import Callable

import numpy as np
import pytest

from backproof.comparisons.verdicts.cause import EXPLAINS, FITS
from backproof.comparisons.verdicts.truncation import _plain_steps, along_truncation, numerical_cause
from backproof.scratch.architecture import Array

THETA = np.array([0.3, -0.8, 1.4, 0.6])
RIGHT = np.cos(THETA) * np.array([1.0, 2.0, -1.0, 0.5])


def value(entry: int, s: float) -> float:
    moved = THETA.copy()
    moved[entry] += s
    return float(np.sin(moved) @ np.array([1.0, 2.0, -1.0, 0.5]))


def quotients(h: float, central: bool) -> Array:
    behind = h if central else 0.0
    return np.array([(value(i, h) - value(i, -behind)) / (h + behind) for i in range(4)])


def test_the_worked_example_gives_the_step() -> None:
    cosine, step = along_truncation(np.array([3.01]), np.array([3.0]), np.array([3.0001]), 0.1, 2)
    assert cosine == pytest.approx(1.0)
    assert step == pytest.approx(0.01)


def test_an_error_the_other_way_has_a_negative_step() -> None:
    cosine, step = along_truncation(np.array([3.1]), np.array([3.0]), np.array([2.99]), 0.1, 1)
    assert cosine == pytest.approx(-1.0)
    assert step == pytest.approx(-0.01)


@pytest.mark.parametrize(
    ("found", "sentence", "certainty"),
    [
        (lambda: quotients(1e-3, True), "central differences with h = 0.001", EXPLAINS),
        (lambda: quotients(1e-4, False), "forward differences with h = 0.0001", EXPLAINS),
        (lambda: quotients(-2e-4, False), "backward differences with h = 0.0002", EXPLAINS),
        (lambda: quotients(1.2345e-3, True), "a numerical gradient, central, with h about 1e-03", FITS),
    ],
)
def test_quotients_are_known_by_kind_and_step(
    found: Callable[[], Array], sentence: str, certainty: str
) -> None:
    cause = numerical_cause(value, range(4), found(), RIGHT, np.full(4, 1e-10))
    assert cause is not None
    assert sentence in cause.sentence
    assert cause.certainty == certainty


@pytest.mark.parametrize(
    "found",
    [
        RIGHT * (1 + 1e-5),  # a factor
        RIGHT + 1e-5 * np.array([1, -1, -1, 1]),
        RIGHT + np.array([1e-5, 0, 0, 0]),  # one entry
        2 * RIGHT,
        RIGHT,
    ],
)
def test_other_errors_are_no_numerical_gradient(found: Array) -> None:
    assert numerical_cause(value, range(4), found, RIGHT, np.full(4, 1e-10)) is None


def test_two_entries_say_too_little() -> None:
    found = quotients(1e-3, True)[:2]
    assert numerical_cause(value, range(2), found, RIGHT[:2], np.full(2, 1e-10)) is None


def test_three_entries_show_a_direction_and_two_do_not() -> None:
    found = quotients(1e-3, True)
    assert numerical_cause(value, range(3), found[:3], RIGHT[:3], np.full(3, 1e-10)) is not None
    assert numerical_cause(value, range(2), found[:2], RIGHT[:2], np.full(2, 1e-10)) is None


@pytest.mark.parametrize(
    ("step", "steps"),
    [(1.234e-3, [1e-3, 1.2e-3]), (-2.66e-4, [-3e-4, -2.7e-4]), (9.96e-5, [1e-4, 1e-4]), (0.5, [0.5, 0.5])],
)
def test_plain_steps_have_one_digit_or_two(step: float, steps: list[float]) -> None:
    assert _plain_steps(step) == pytest.approx(steps, rel=1e-12)


def test_half_of_the_entries_must_be_off_by_more_than_they_are_known_to() -> None:
    found = quotients(1e-3, True)
    off = np.sort(np.abs(found - RIGHT))
    half, more = (np.full(4, bound) for bound in ((off[1] + off[2]) / 2, (off[2] + off[3]) / 2))
    assert numerical_cause(value, range(4), found, RIGHT, half) is not None
    assert numerical_cause(value, range(4), found, RIGHT, more) is None


def test_errors_of_more_than_a_hundredth_are_no_matter_of_digits() -> None:
    """The largest slope is near 1.4; a forward difference with h = 0.03 is off by about a hundredth of it."""
    causes = {
        h: numerical_cause(value, range(4), quotients(h, False), RIGHT, np.full(4, 1e-9)) for h in (0.01, 0.1)
    }
    assert np.abs(quotients(0.01, False) - RIGHT).max() < 0.01 * np.abs(RIGHT).max()
    assert np.abs(quotients(0.1, False) - RIGHT).max() > 0.01 * np.abs(RIGHT).max()
    assert causes[0.01] is not None
    assert causes[0.1] is None


def test_the_direction_is_that_of_the_order() -> None:
    """q - t = (0.2, 0.1) at h = 0.1: of order 1 the direction (2, 1), of order 2 (20, 10)."""
    right, far = np.zeros(2), np.array([0.2, 0.1])
    found = np.array([0.02, 0.01])
    np.testing.assert_allclose(along_truncation(far, right, found, 0.1, 1), [1.0, 0.01])
    np.testing.assert_allclose(along_truncation(far, right, found, 0.1, 2), [1.0, 0.001**0.5])
    across = along_truncation(far, right, np.array([0.1, -0.2]), 0.1, 1)
    np.testing.assert_allclose(across, 0.0, atol=1e-12)
    assert along_truncation(right, right, far, 0.1, 1) == (0.0, 0.0)
