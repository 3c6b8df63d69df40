from tests.mutation.mutants import Mutant
from tests.mutation.run import Fate
from tests.mutation.table import row, text


def fate(outcome: str, by: str = "", operator: str = "term") -> Fate:
    mutant = Mutant("scratch/losses.py", "value", operator, "left out: b", "    return a | b", "    return a")
    return Fate(mutant, outcome, by, 30.0)


FATES = {
    "scratch": [fate("killed"), fate("killed"), fate("survived")],
    "data": [fate("equivalent", "b is 0")],
}


def test_the_share_is_of_those_that_are_not_equivalent() -> None:
    assert row("scratch", [*FATES["scratch"], fate("equivalent")]) == "| scratch | 4 | 2 | 1 | 1 | 66.7 % |"
    assert row("data", FATES["data"]) == "| data | 1 | 0 | 0 | 1 | - |"


def test_the_page_has_a_line_a_part_and_one_for_all() -> None:
    page = text(FATES, {}, "--sample 4", terms=7)
    assert "| all | 4 | 2 | 1 | 1 | 66.7 % |" in page.splitlines()
    assert "in 2 minutes" in page
    assert "7 cases" in page


def test_survivors_and_proofs_are_listed_and_bars_do_not_break_the_table() -> None:
    lines = text(FATES, {}, "", terms=0).splitlines()
    change = "`return a \\| b` → `return a`"
    assert f"| `scratch/losses.py` | `value` | {change} |  |" in lines
    assert f"| `scratch/losses.py` | `value` | {change} | b is 0 |" in lines


def test_a_page_without_survivors_says_nothing_of_them() -> None:
    assert "Survivors" not in text({"data": FATES["data"]}, {}, "", terms=0)


def test_a_second_draw_has_lines_of_its_own_and_its_survivors_are_listed_too() -> None:
    page = text({"data": FATES["data"]}, {"scratch": FATES["scratch"]}, "", terms=0)
    assert page.splitlines().count("| scratch | 3 | 2 | 1 | 0 | 66.7 % |") == 1
    assert "judged once" in page
    assert "## Survivors" in page
    assert "judged once" not in text(FATES, {}, "", terms=0)
