"""The lessons in the report: one row each, with its claims and corrections and the way to all of it."""

import html
import inspect
import json
import re
from dataclasses import replace
from functools import cache
from types import ModuleType
from typing import Any, cast

import pytest

from backproof.comparisons.drawing.python_code import highlighted
from backproof.comparisons.lessons import chapter as section
from backproof.comparisons.lessons import runner
from backproof.comparisons.lessons.course import LESSONS, Lesson, find
from backproof.comparisons.lessons.frame import Setting
from backproof.comparisons.lessons.result import ToldLesson
from backproof.comparisons.results.codec import decode, encode
from backproof.comparisons.verdicts.outcome import Outcome

NAMES = ("activations", "descent", "xor")  # corrections of two texts and of a misconception


@cache
def entries() -> tuple[ToldLesson, ...]:
    return tuple(runner.run(find(name), Setting()) for name in NAMES)


def chapter(lessons: tuple[ToldLesson, ...] | None = None, page: str | None = None) -> str:
    built = section.build(lessons or entries(), page)
    assert built is not None
    return str(built.html)


def rows(text: str) -> list[str]:
    """The table's rows, each as its words."""
    return [re.sub(r"<[^>]+>", " ", row) for row in re.findall(r"<tr>(.*?)</tr>", text, re.S)[1:]]


def with_first(**changes: Any) -> tuple[ToldLesson, ...]:
    """The lessons, the first of them changed."""
    first, *rest = entries()
    return (replace(first, **changes), *rest)


def test_no_lesson_no_chapter() -> None:
    assert section.build(None) is None
    assert section.build(()) is None


def test_each_lesson_is_a_row_with_its_verdict_and_the_claims_that_hold() -> None:
    for lesson, row in zip(entries(), rows(chapter()), strict=True):
        assert html.escape(lesson.title["en"]) in row
        assert lesson.verdict in row
        assert f"{len(lesson.claims)} of {len(lesson.claims)}" in row


def test_a_claim_that_does_not_hold_is_counted() -> None:
    claim, *others = entries()[0].claims
    broken = with_first(claims=(replace(claim, holds=False), *others))
    assert f"{len(others)} of {len(others) + 1}" in rows(chapter(broken))[0]


def test_claims_without_a_judgement_are_counted_apart() -> None:
    open_claims = with_first(unjudged=({"en": "x", "ko": "x"},))
    assert ", 1 not judged" in rows(chapter(open_claims))[0]


def test_every_correction_is_named_with_the_author_it_corrects() -> None:
    text = chapter()
    assert text.count('class="correction"') == sum(len(lesson.corrections) for lesson in entries()) > 3
    for author in ("Yang Jin-ho", "pignuante", "A common misconception"):
        assert author in text


def test_a_correction_that_does_not_hold_is_said_to() -> None:
    correction, *others = entries()[0].corrections
    broken = with_first(corrections=(replace(correction, holds=False), *others))
    assert chapter().count("Does not hold here") == 0
    assert chapter(broken).count("Does not hold here") == 1


def test_beside_its_page_every_lesson_links_there() -> None:
    text = chapter(page=section.PAGE_FILE)
    assert re.findall(r'href="([^"]*)"', text) == [f"lessons.html#{name}" for name in NAMES]
    assert "backproof lessons" not in text


def test_without_a_page_every_lesson_names_its_command() -> None:
    text = chapter()
    assert "href" not in text
    assert all(f"backproof lessons {name}</code>" in text for name in NAMES)


def test_the_chapter_fails_if_one_lesson_does() -> None:
    built = section.build(with_first(verdict=Outcome.FAIL))
    assert built is not None
    assert built.verdict == Outcome.FAIL


def test_hostile_strings_are_escaped() -> None:
    attack = '"><script>alert(1)</script><img src="x" onerror="y">'
    words, correction = {"en": attack, "ko": attack}, entries()[0].corrections[0]
    hostile = with_first(
        name=attack, title=words, corrections=(replace(correction, source=attack, says=words),)
    )
    for text in (chapter(hostile), chapter(hostile, section.PAGE_FILE)):
        assert "<script" not in text
        assert "<img" not in text


def test_drawing_again_gives_the_same_chapter() -> None:
    again = tuple(decode(ToldLesson, json.loads(json.dumps(encode(e)))) for e in entries())
    assert chapter() == chapter(again)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_highlighting_keeps_every_character(lesson: Lesson) -> None:
    source = inspect.getsource(cast(ModuleType, lesson.load()))
    assert html.unescape(re.sub(r"<[^>]+>", "", str(highlighted(source)))) == source


def test_a_particle_stays_with_its_figure_and_a_short_formula_on_its_line() -> None:
    assert str(section.rich("95%를")) == "95%\u2060를"
    assert str(section.rich("z − h and (6, 2, 2)")) == "z\u00a0−\u00a0h and (6,\u00a02,\u00a02)"
    assert str(section.rich("one, two; a word")) == "one, two; a word"
