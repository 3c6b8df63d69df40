"""The summary: how many passed, what went wrong most, who was not judged."""

from backproof.comparisons.check.grading import summary
from backproof.comparisons.check.grading.table import HEADS, Row


def row(name: str, verdict: str, diagnosis: str = "") -> Row:
    cells = {"class": name, "verdict": verdict, "diagnosis": diagnosis}
    return tuple(cells.get(head, "") for head in HEADS)


def test_outcomes_are_counted_the_commonest_causes_first() -> None:
    rows = [row("a", "PASS"), row("b", "FAIL", "sum"), row("c", "FAIL", "sum"), row("d", "FAIL", "sign")]
    assert summary.lines(rows) == [
        "4 hand-ins: 1 PASS, 3 FAIL",
        "the commonest causes:",
        "  2 x sum",
        "  1 x sign",
    ]


def test_who_was_not_judged_is_named_with_the_reason() -> None:
    assert summary.lines([row("a", "INCONCLUSIVE", "not judged: no file")])[-1] == "  a: not judged: no file"


def test_of_nothing_nothing_is_said() -> None:
    assert summary.lines([]) == ["0 hand-ins: nothing checked"]
