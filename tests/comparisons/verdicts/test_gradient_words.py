"""The words of a verdict on a black box."""

import pytest

from backproof.comparisons.verdicts.gradient_words import differing, looked_at


@pytest.mark.parametrize(
    ("a", "b"), [(0.182176396, 0.1821763961), (1.0, 1.0 + 2**-52), (1e-300, 1.0000001e-300), (5.0, -5.0)]
)
def test_numbers_that_differ_are_printed_so_that_they_differ(a: float, b: float) -> None:
    one, other = differing(a, b)
    assert one != other
    assert (float(one), float(other)) == pytest.approx((a, b), rel=1e-8)


def test_numbers_far_apart_have_no_more_digits_than_nine() -> None:
    assert differing(1 / 3, 2 / 3) == ("0.333333333", "0.666666667")


def test_how_many_entries_were_looked_at_is_said() -> None:
    assert looked_at(5, 5, 0, 0.0, 1.0) == "all 5 entries"
    assert looked_at(2, 5, 0, 0.0, 1.0) == "2 of 5 entries, the others not looked at"
    assert looked_at(20, 16000, 8, 2e-7, 2.0) == (
        "20 of 16,000 entries one by one, all through 8 directions: a mistake of 1e-07 of the gradient's "
        "norm anywhere is missed with probability < 1e-09"
    )
