"""Text from outside is printable on one line, not too long, and escaped where it goes."""

import csv
import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backproof.comparisons.running.outside_text import (
    LIMIT,
    cleaned,
    cleaned_lines,
    csv_cell,
    identifier,
    markdown,
)

anything = st.text(st.characters(codec=None), max_size=400)


@given(anything)
def test_cleaned_text_is_printable_encodable_and_short(text: str) -> None:
    found = cleaned(text)
    assert all(unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in found)
    assert len(found) <= LIMIT
    found.encode("utf-8")


@pytest.mark.parametrize("text", ["W1[0, 0]", "손실 함수", "naïve café", "x" * LIMIT, "a b"])
def test_ordinary_text_is_left_as_it_is(text: str) -> None:
    assert cleaned(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", r"\x1b[2J"),
        ("a\nb", r"a\nb"),
        ("\u202etxt", r"\u202etxt"),
        ("\ud800", r"\ud800"),
        ("\u2028", r"\u2028"),
        ("\x00", r"\x00"),
        ("\u200b", r"\u200b"),
    ],
)
def test_what_cannot_be_seen_is_shown_by_its_escape(text: str, shown: str) -> None:
    assert cleaned(text) == shown


def test_long_text_ends_in_an_ellipsis() -> None:
    assert cleaned("x" * 1000, 10) == "x" * 9 + "…"


def test_a_huge_text_costs_no_more_than_what_is_shown() -> None:
    assert len(cleaned("\x00" * 10**8)) == LIMIT


def test_lines_are_kept_where_they_are_asked_for() -> None:
    assert cleaned_lines("a\x1b\nb", 100) == "a\\x1b\nb"


def test_a_name_is_a_name_or_cleaned() -> None:
    assert identifier("MyMLP") == "MyMLP"
    assert identifier("M\x07[/x]") == r"M\x07[/x]"
    assert len(identifier("M" * 1000)) == 100


@pytest.mark.parametrize("text", ["=1+cmd(1).py", "@SUM(1).py", "+1", "-1", "\t=1", "|x", "%0A"])
def test_no_cell_begins_a_formula(text: str) -> None:
    assert csv_cell(text).startswith("'") or csv_cell(text)[0] == "\\"


@given(anything)
def test_a_cell_survives_a_csv_reader(text: str) -> None:
    written = io.StringIO()
    csv.writer(written).writerow([csv_cell(text), "end"])
    (row,) = csv.reader(io.StringIO(written.getvalue()))
    assert row == [csv_cell(text), "end"]
    assert row[0][:1] not in tuple("=+-@")


def test_numbers_stay_numbers_in_a_cell() -> None:
    assert csv_cell(-3) == "-3"


@pytest.mark.parametrize("text", ["<script>", "[a](b)", "`x`", "a|b", "*x*", "# x"])
def test_markdowns_own_characters_are_escaped(text: str) -> None:
    found = markdown(text)
    assert "<" not in found
    for character in "[]`|*#":
        assert character not in found.replace(f"\\{character}", "")
