"""Claims are judged as they say, and figures are shown as people read them."""

import math

import pytest

from backproof.comparisons.lessons import frame
from backproof.comparisons.lessons.frame import Claim, Correction, LessonResult

GOOD, BAD = Claim("good", True, "", ""), Claim("bad", False, "", "")


def outcome(
    *claims: Claim, corrections: tuple[Correction, ...] = (), unjudged: tuple[str, ...] = ()
) -> LessonResult:
    return LessonResult(claims, (), (), corrections, unjudged=unjudged)


@pytest.mark.parametrize(
    ("judge", "found", "holds"),
    [
        (lambda x: frame.at_most("", x, 1.0), 1.0, True),
        (lambda x: frame.at_most("", x, 1.0), 1.0000001, False),
        (lambda x: frame.at_least("", x, 1.0), 0.9999999, False),
        (lambda x: frame.at_least("", x, 1.0), 1.0, True),
        (lambda x: frame.between("", x, 0.0, 1.0), 1.1, False),
        (lambda x: frame.between("", x, 0.0, 1.0), 0.5, True),
        (lambda x: frame.equal("", x, 1.0), 1.0, True),
        (lambda x: frame.equal("", x, 1.0), 1.1, False),
    ],
)
def test_a_claim_holds_exactly_where_it_says(judge, found: float, holds: bool) -> None:  # type: ignore[no-untyped-def]
    assert judge(found).holds is holds


@pytest.mark.parametrize("judge", [frame.at_most, frame.at_least])
def test_nan_satisfies_no_claim(judge) -> None:  # type: ignore[no-untyped-def]
    assert not judge("", math.nan, 1.0).holds


def test_a_correction_holds_only_if_the_texts_sentence_failed() -> None:
    pairs = [(BAD, GOOD), (GOOD, GOOD), (BAD, BAD), (GOOD, BAD)]
    assert [Correction("", *pair).holds for pair in pairs] == [True, False, False, False]


def test_one_false_claim_makes_the_lesson_fail() -> None:
    assert outcome(GOOD, BAD).verdict == "FAIL"


def test_a_texts_sentence_that_holds_makes_the_lesson_fail() -> None:
    assert outcome(GOOD, corrections=(Correction("", GOOD, GOOD),)).verdict == "FAIL"


def test_a_lesson_without_claims_never_passes() -> None:
    assert outcome().verdict == "FAIL"


def test_what_could_not_be_judged_is_no_pass() -> None:
    assert outcome(GOOD, unjudged=("about_91",)).verdict == "INCONCLUSIVE"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, "0"), (3.0, "3"), (-2.5, "−2.5"), (12345.6, "12,346"), (1.25e-9, "1.25×10⁻⁹"),
     (-1e-6, "−1×10⁻⁶"), (1e-8, "10⁻⁸"), (math.inf, "∞"),
     (math.nan, "NaN"), (60000, "60,000"), (-3, "−3"), (2e21, "2×10²¹"), (0.91234, "0.9123")],
)  # fmt: skip
def test_figures_are_shown_with_four_digits(value: float, shown: str) -> None:
    assert frame.number(value) == shown
