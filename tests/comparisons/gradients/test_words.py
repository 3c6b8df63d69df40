"""Words for gradients: checks in their order of concern, and shares of a bound."""

import math

import pytest

from backproof.comparisons.gradients.words import ordered, share
from tests.support.sample_results import check


def plain(text: str) -> str:
    """Without the spaces that keep a number and its unit on one line."""
    return text.replace("\u00a0", " ")


def test_failed_checks_come_first_then_those_closest_to_their_bound() -> None:
    checks = [check("a", "b", "c", error, 1.0) for error in (0.2, 5.0, 0.9, 0.0)]
    assert [c.max_error for c in ordered(checks)] == [5.0, 0.9, 0.2, 0.0]


def test_an_error_without_a_bound_to_hold_it_uses_more_than_all() -> None:
    assert check("a", "b", "c", 1e-300, 0.0).used == math.inf
    assert check("a", "b", "c", 0.0, 0.0).used == 0.0
    assert check("a", "b", "c", math.nan, 1.0).used is None


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.033, "3.3%"), (0.0, "0.0%"), (2e-4, "0.020%"), (3.25e9, "3.2×10⁹×"), (None, "–")],
)
def test_shares_of_a_bound_are_rounded_to_what_matters(value: float | None, text: str) -> None:
    assert plain(share(value)) == text
