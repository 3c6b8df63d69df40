"""The chapter of a checked class: what failed stands first, a line is told as a guess, no text is code."""

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from backproof.comparisons.check.chapter import body, build
from backproof.comparisons.check.results import Cause, CheckPart, SourceLine
from backproof.comparisons.report.answer import answer
from backproof.comparisons.report.chapters import sections
from backproof.comparisons.report.document import Results
from backproof.comparisons.results.codec import decode, encode
from backproof.comparisons.verdicts.outcome import Outcome
from tests.support.sample_results import a_checked_class

CHECKED = a_checked_class()


def test_without_a_class_there_is_no_chapter() -> None:
    assert build(None) is None
    assert build(CheckPart(Outcome.INCONCLUSIVE, ())) is None


def test_everything_that_was_found_stands_in_the_chapter() -> None:
    html = str(body(CHECKED))
    for words in (
        "the gradient is not divided by N", "Probably line 42 of my_mlp.py", "dW = x.T @ delta",
        "print(1 &lt; 2)", "your samples are columns", "Checked with: tanh", "b1[0]: wrong",
        "Is the loss right?", "1 FAIL, 1 PASS and 1 not offered",
    ):  # fmt: skip
        assert words in html


def test_what_failed_is_the_first_row() -> None:
    html = str(body(CHECKED))
    assert html.index("Is the gradient right?") < html.index("Is the loss right?")


def test_a_cause_without_a_line_names_none() -> None:
    plain = replace(CHECKED, causes=(Cause("the gradient is not divided by N", "explains"),))
    assert "robably line" not in str(body(plain))


def test_of_several_classes_an_overview_comes_first() -> None:
    other = replace(CHECKED, target="other.py:Right", outcome=Outcome.PASS, causes=())
    section = build(CheckPart(Outcome.FAIL, (CHECKED, other)))
    assert section is not None
    assert "The classes checked" in str(section.html)
    assert str(section.html).count("<h3>") == 2


def test_a_folder_that_holds_a_check_alone_answers_with_its_first_diagnosis() -> None:
    results = Results(check=CheckPart(Outcome.FAIL, (CHECKED,)))
    assert answer(results).headline == "MyMLP: FAIL: the gradient is not divided by N."
    assert "check" in [section.key for section in sections(results)]


def test_the_slot_comes_back_from_its_text_as_it_was() -> None:
    part = CheckPart(Outcome.FAIL, (CHECKED,))
    assert decode(CheckPart, json.loads(json.dumps(encode(part)))) == part


@given(st.text(max_size=30))
def test_no_text_of_a_class_becomes_markup(text: str) -> None:
    hostile = f"<script>{text}</script>"
    line = SourceLine(hostile, 1, hostile)
    row = replace(CHECKED.checks[0], check=hostile, question=hostile, verdict=Outcome.FAIL, text=hostile)
    checked = replace(
        CHECKED, target=hostile, checks=(row,), notes=(hostile,),
        causes=(Cause(hostile, hostile, line),), code=hostile, code_shows=hostile, advice=(hostile,),
    )  # fmt: skip
    section = build(CheckPart(Outcome.FAIL, (checked,)))
    assert section is not None
    assert "<script" not in str(section.html)
