"""Pieces of the page: whatever stands in them is text, never markup of its own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from backproof.comparisons.drawing import markup
from backproof.comparisons.verdicts.outcome import Outcome
from tests.support.page_reader import text_of

texts = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1)


@given(texts)
def test_a_command_is_shown_as_it_is_typed(line: str) -> None:
    assert text_of(markup.command(line)) == line


@given(texts)
def test_a_reason_is_shown_as_it_was_given(reason: str) -> None:
    assert text_of(markup.absent(reason)) == reason


@pytest.mark.parametrize("outcome", Outcome)
def test_a_badge_says_its_outcome_as_a_word(outcome: Outcome) -> None:
    badge = text_of(markup.badge(outcome))
    assert outcome in badge
    assert markup.MARKS[outcome] in badge


def test_a_badge_of_nothing_is_empty() -> None:
    assert markup.badge(None) == ""


def test_pieces_that_are_not_markup_are_escaped() -> None:
    assert markup.join(["<", Markup("<b>x</b>")], ", ") == "&lt;, <b>x</b>"


def test_cells_of_a_table_are_escaped_and_numbers_stand_right() -> None:
    table = markup.table(["name", "n"], [["<script>", 3]], 'its "caption"')
    assert "<script>" not in table
    assert '<td class="number">3</td>' in table
    assert "<td>&lt;script&gt;</td>" in table
    assert 'aria-label="its &#34;caption&#34;"' in table


def test_a_table_has_a_header_for_every_column() -> None:
    table = markup.table(["a", "b", "c"], [[1, 2, 3], [4, 5, 6]], "numbers", text_columns=())
    assert table.count('<th scope="col" class="number">') == 3
    assert table.count("<tr>") == 3


def test_the_verdict_is_the_first_column_wherever_it_stands_in_the_rows() -> None:
    table = markup.table(["name", "n", "Verdict"], [["a", 3, "fine"]], "caption", text_columns=(0, 2))
    assert (
        '<th scope="col">Verdict</th><th scope="col">name</th><th scope="col" class="number">n</th>' in table
    )
    assert '<td>fine</td><td>a</td><td class="number">3</td>' in table
