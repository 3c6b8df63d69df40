"""A lesson in a terminal: claims with their marks, corrections refuted, both languages, nothing cut."""

import io
from dataclasses import replace
from functools import cache

import pytest
from rich.console import Console

from backproof.comparisons.lessons import catalogue, runner, terminal
from backproof.comparisons.lessons.course import LESSONS, find
from backproof.comparisons.lessons.frame import Setting
from backproof.comparisons.lessons.result import Source, ToldLesson
from backproof.comparisons.verdicts.outcome import Outcome


@cache
def shapes() -> ToldLesson:
    """It has claims, a table, and a correction of a text."""
    return runner.run(find("shapes"), Setting())


def printed(lesson: ToldLesson, language: str = "en", width: int = 100, code: bool = False) -> str:
    console = Console(width=width, record=True, file=io.StringIO())
    terminal.render(lesson, console, language, code)
    return console.export_text()


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("language", catalogue.LANGUAGES)
def test_every_claim_stands_with_what_was_expected_and_found(language: str) -> None:
    text = flat(printed(shapes(), language))
    for claim in shapes().claims:
        assert flat(terminal.plain(claim.says[language])) in text
        assert claim.found in text


def test_a_claim_that_does_not_hold_has_a_cross() -> None:
    first, *others = shapes().claims
    broken = replace(shapes(), claims=(replace(first, holds=False), *others), verdict=Outcome.FAIL)
    sentence = terminal.plain(first.says["en"])[:30]
    assert f"✓ {sentence}" in printed(shapes())
    assert f"✗ {sentence}" in printed(broken)


def test_a_refuted_sentence_fails_as_it_should() -> None:
    assert "refuted, as expected" in printed(shapes())


def test_what_could_not_be_judged_has_a_question_mark() -> None:
    words = {"en": "it reaches 98 %", "ko": "98 %에 이른다"}
    assert "? it reaches 98 %" in printed(replace(shapes(), unjudged=(words,)))


def test_code_is_shown_only_where_it_is_asked_for() -> None:
    lesson = replace(shapes(), code=(Source("here.py: f", "def f(): return 42"),))
    assert "return 42" not in printed(lesson)
    assert "return 42" in printed(lesson, code=True)


def test_square_brackets_are_no_markup() -> None:
    words = {"en": "[bold]x[/bold]", "ko": "[bold]x[/bold]"}
    first, *others = shapes().claims
    assert "[bold]x[/bold]" in printed(replace(shapes(), claims=(replace(first, says=words), *others)))


def test_the_list_names_every_lesson() -> None:
    console = Console(width=100, record=True, file=io.StringIO())
    terminal.listing(console, "ko")
    text = console.export_text()
    assert all(lesson.name in text for lesson in LESSONS)


def test_formulas_are_told_in_unicode_and_code_without_its_quotes() -> None:
    assert "$" not in terminal.plain(r"the rate $\eta$ of `step`")
    assert "`" not in terminal.plain("the rate of `step`")
