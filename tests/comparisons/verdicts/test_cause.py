"""Causes of several tensors, told once."""

from backproof.comparisons.verdicts.cause import EXPLAINS, FITS, MOST, Cause, shared, told

SIGN, TWICE = Cause("the sign is wrong", EXPLAINS), Cause("it is twice as large", FITS)


def test_causes_follow_a_reason_with_their_certainty() -> None:
    assert told([SIGN, TWICE]) == "; the sign is wrong (explains); it is twice as large (fits)"
    assert told([]) == ""


def test_a_cause_that_all_share_is_told_without_names() -> None:
    assert shared([("W", (SIGN,)), ("b", (SIGN,))], 2) == (SIGN,)


def test_a_cause_of_some_is_told_with_their_names_the_most_frequent_first() -> None:
    found = shared([("W", (SIGN,)), ("b", (TWICE,)), ("c", (TWICE,))], 3)
    assert [cause.sentence for cause in found] == ["b, c: it is twice as large", "W: the sign is wrong"]


def test_no_more_are_told_than_anybody_would_read() -> None:
    many = [(str(i), (Cause(str(i), FITS),)) for i in range(10)]
    assert len(shared(many, 10)) == MOST


def test_three_causes_are_told_those_of_most_tensors_first() -> None:
    causes = [Cause(word, EXPLAINS) for word in "abcde"]
    found = shared([("u", causes), ("v", causes[2:]), ("w", causes[4:])], 3)
    assert found == (causes[4], Cause("u, v: c", EXPLAINS), Cause("u, v: d", EXPLAINS))
