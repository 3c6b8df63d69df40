"""A rate that changes from step to step is read from the shares of the right steps that were taken."""

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backproof.comparisons.check.diagnosis import rate_laws
from backproof.comparisons.check.diagnosis.rate_laws import rate_law
from backproof.scratch.architecture import DtypeName

STEPS = range(4)
constants = st.floats(0.01, 0.3)


def test_the_example_in_the_docstring_is_true() -> None:
    assert doctest.testmod(rate_laws).failed == 0


@given(k=constants, start=st.integers(0, 1))
def test_a_rate_that_falls_with_the_number_of_steps_is_named(k: float, start: int) -> None:
    shares = [1 / (1 + k * (t + start)) for t in STEPS]
    assert rate_law([shares, shares[:2]]).startswith(f"the learning rate falls as 1/(1 + {k:.6g} t)")


@given(ratio=st.floats(0.5, 0.98), start=st.integers(0, 1))
def test_a_rate_multiplied_at_every_step_is_named(ratio: float, start: int) -> None:
    shares = [ratio ** (t + start) for t in STEPS]
    assert rate_law([shares]) == f"the learning rate is multiplied by {ratio:.6g} after every step, unasked"


@given(k=constants)
def test_a_straight_line_is_named(k: float) -> None:
    assert f"falls by {k:.6g} of itself" in rate_law([[1 - k * t for t in STEPS]])


def test_the_root_of_the_number_of_steps_is_named() -> None:
    assert rate_law([[(1 + t) ** -0.5 for t in STEPS]]) == "the learning rate falls as 1/sqrt(t), unasked"


def test_a_constant_share_is_told_as_one() -> None:
    assert rate_law([[0.3] * 4]) == "every step is 0.3 times what the learning rate asks"


def test_shares_of_no_known_law_are_told_as_they_are() -> None:
    assert rate_law([[1.0, 0.2, 0.9, 0.4]]) == (
        "the learning rate changes from step to step: 1, 0.2, 0.9, 0.4 of what is asked"
    )


@pytest.mark.parametrize(
    "shares",
    [[[1.0, 1.0]], [[1.0, 0.5], [1.0, 0.4]], [[1.0, 0.5], None], [], [None]],
    ids=["whole", "settings differ", "one is no multiple", "none", "nothing fits"],
)
def test_nothing_is_said_that_does_not_hold_everywhere(shares: list[list[float] | None]) -> None:
    assert rate_law(shares) == ""


def test_in_single_precision_a_law_is_told_with_the_digits_that_are_left() -> None:
    shares = [1 / (1 + 0.1 * t) + 1e-4 * (-1) ** t for t in STEPS]
    assert rate_law([shares], "float32") == "the learning rate falls as 1/(1 + 0.1 t), unasked"
    assert "changes from step to step" in rate_law([shares])


@pytest.mark.parametrize(("dtype", "same"), [("float64", 1e-6), ("float32", 1e-3)])
@pytest.mark.parametrize("sign", [1, -1])
def test_shares_are_the_same_within_the_digits_of_the_precision(
    dtype: DtypeName, same: float, sign: int
) -> None:
    for off, whole in ((0.9 * same, True), (1.1 * same, False)):
        assert (rate_law([[1.0, 1.0 + sign * off, 1.0]], dtype) == "") == whole
        told = rate_law([[0.3, 0.3 + sign * off, 0.3]], dtype)
        assert told.startswith("every step is 0.3 times") == whole
        assert bool(rate_law([[1.0, 0.5, 0.25], [1.0, 0.5 + sign * off]], dtype)) == whole


@pytest.mark.parametrize(("dtype", "words"), [("float64", "0.333333"), ("float32", "0.33")])
def test_a_share_is_told_with_the_digits_of_the_precision(dtype: DtypeName, words: str) -> None:
    assert rate_law([[1 / 3] * 3], dtype) == f"every step is {words} times what the learning rate asks"
    assert f"multiplied by {words} after" in rate_law([[1.0, 1 / 3, 1 / 9, 1 / 27]], dtype)


def test_shares_of_more_than_one_are_held_to_their_size() -> None:
    assert rate_law([[100.0, 100.0 + 0.9e-4]]) == "every step is 100 times what the learning rate asks"
    assert rate_law([[-100.0, -100.0 - 0.9e-4]]) == "every step is -100 times what the learning rate asks"
    assert "changes" in rate_law([[100.0, 100.0 + 1.1e-4]])


@pytest.mark.parametrize("first", [0.0, -0.5])
def test_a_step_that_is_not_taken_or_goes_back_is_no_law(first: float) -> None:
    assert "changes from step to step" in rate_law([[1.0, first, 0.3]])
