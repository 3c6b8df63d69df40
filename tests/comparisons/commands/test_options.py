"""Ranges of options: what they take, what they refuse, and the one sentence in which they do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backproof.comparisons.commands.options import AT_LEAST_1, POSITIVE, Range
from backproof.scratch.errors import InputError


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        (AT_LEAST_1, "at least 1"),
        (POSITIVE, "more than 0"),
        (Range(0, 60, open_low=True), "more than 0 and at most 60"),
    ],
)
def test_a_range_reads_as_words(numbers: Range, words: str) -> None:
    assert str(numbers) == words


@given(st.floats(allow_nan=False), st.floats(0, 10), st.floats(0, 10), st.booleans())
def test_what_a_range_takes_lies_between_its_ends(
    value: float, low: float, width: float, open_low: bool
) -> None:
    inside = value in Range(low, low + width, open_low)
    assert inside == ((low < value or (low == value and not open_low)) and value <= low + width)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_no_range_takes_what_is_no_finite_number(value: float) -> None:
    assert value not in POSITIVE


@pytest.mark.parametrize("given_values", [0, [2, 0], (3, -1)])
def test_a_number_outside_is_refused_with_the_option_and_the_range(given_values: object) -> None:
    with pytest.raises(InputError, match=r"--rounds: expected at least 1, got (0|-1)"):
        AT_LEAST_1.check("--rounds", given_values)


def test_an_option_that_was_not_given_is_in_every_range() -> None:
    AT_LEAST_1.check("--rounds", None)
