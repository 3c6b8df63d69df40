"""The words of a verdict on a black box."""

import pytest

from backproof.comparisons.verdicts.gradient_words import Jump, differing, looked_at, undecided, unused
from backproof.comparisons.verdicts.line_judge import LineFinding
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.tensor_judge import Judged


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


def an_undecided(claimed: float, bound: float, steepness: float) -> Judged:
    return Judged(0, LineFinding(claimed, 0.0, bound, steepness=steepness), Outcome.INCONCLUSIVE, bound)


def test_a_jump_nearby_is_named_with_its_place_and_is_not_blamed_on_digits() -> None:
    said = undecided("W[0]", an_undecided(0.0, 30.0, 1.0), 2, 18, 1e-15, Jump(0.1529, 0.1528))
    assert "f jumps nearby, where this entry is 0.1529 (here 0.1528)" in said
    assert "a point further from it would help" in said
    assert "digits" not in said


def test_a_zero_where_f_hardly_moves_is_not_blamed_on_digits() -> None:
    said = undecided("W[0]", an_undecided(0.0, 2e-12, 1e-9), 1, 12, 2e-16, flat=True)
    assert "f moves by at most 1e-09 a unit" in said
    assert "digits" not in said


def test_what_noise_explains_asks_for_more_digits() -> None:
    assert "more digits in f (float64)" in undecided("W[0]", an_undecided(1.0, 1e-3, 1.0), 1, 12, 1e-8)


@pytest.mark.parametrize(
    ("entries", "n", "n_directions", "words"),
    [
        (1, 1, 0, "f does not depend on it, and its entry is zero"),
        (5, 5, 0, "f does not depend on it, and all 5 entries are zero"),
        (10, 1610, 0, "f does not depend on the 10 of 1,610 entries that were looked at, and these are zero"),
        (
            10,
            1610,
            8,
            "f moves with none of 10 of 1,610 entries one by one, nor with all of them along 8 random",
        ),
    ],
)
def test_zeros_are_said_of_what_was_looked_at(entries: int, n: int, n_directions: int, words: str) -> None:
    assert unused(entries, n, n_directions, 1e-6).startswith(words)
