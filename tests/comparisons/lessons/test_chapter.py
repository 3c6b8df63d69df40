"""The lessons in the report: both languages, every picture, nothing that could run or be fetched."""

import html
import inspect
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from types import ModuleType
from typing import Any, cast

import pytest

from backproof.comparisons.drawing.python_code import highlighted
from backproof.comparisons.lessons import catalogue, runner
from backproof.comparisons.lessons import chapter as section
from backproof.comparisons.lessons.course import LESSONS, Lesson, find
from backproof.comparisons.lessons.frame import Setting
from backproof.comparisons.lessons.result import Source, ToldLesson
from backproof.comparisons.results.codec import decode, encode
from backproof.comparisons.verdicts.outcome import Outcome

NAMES = ("activations", "descent", "perceptron")  # sliders, tables, corrections


@cache
def entries() -> tuple[ToldLesson, ...]:
    return tuple(runner.run(find(name), Setting()) for name in NAMES)


def page(lessons: Sequence[ToldLesson] = ()) -> str:
    built = section.build(lessons or entries())
    assert built is not None
    return str(built.html)


def with_first(**changes: Any) -> tuple[ToldLesson, ...]:
    """The lessons, the first of them changed."""
    first, *rest = entries()
    return (replace(first, **changes), *rest)


def test_no_lesson_no_chapter() -> None:
    assert section.build(None) is None
    assert section.build(()) is None


def test_every_claim_stands_in_both_languages() -> None:
    text = page()
    for lesson in entries():
        for language in catalogue.LANGUAGES:
            assert html.escape(lesson.title[language]) in text


def test_the_chapter_fails_if_one_lesson_does() -> None:
    built = section.build(with_first(verdict=Outcome.FAIL))
    assert built is not None
    assert built.verdict == Outcome.FAIL


def test_a_claim_that_does_not_hold_is_marked() -> None:
    claim, *others = entries()[0].claims
    broken = with_first(claims=(replace(claim, holds=False), *others))
    assert page(broken).count("broken") == page().count("broken") + 1


def test_hostile_strings_are_escaped() -> None:
    attack = '<script>alert(1)</script><img src="x" onerror="y">'
    words, first = {"en": attack, "ko": attack}, entries()[0]
    trace = {**first.figures[0].data[0], "name": attack}
    figure = replace(first.figures[0], caption=words, alt=words, data=(trace, *first.figures[0].data[1:]))
    text = page(
        with_first(
            title=words,
            intent=words,
            claims=(replace(first.claims[0], says=words, found=attack),),
            figures=(figure,),
            code=(Source(attack, f"x = '{attack}'"),),
        )
    )
    assert "<script>alert" not in text
    assert "<img" not in text


def test_nothing_is_fetched() -> None:
    assert re.findall(r"""(?:src|href)=["'](?!#)|url\(|@import""", page()) == []


def test_every_slider_can_be_used_by_keyboard() -> None:
    # Native range inputs take arrow keys, Home and End; each has its label.
    sliders = re.findall(r'<label class="slider">.*?</label>', page(), re.S)
    assert len(sliders) == 2 + 4  # z, the rate, and the perceptron's three weights and bias
    assert all('type="range"' in slider for slider in sliders)


def test_a_figure_knows_what_to_say_in_the_other_language() -> None:
    more = [json.loads(text) for text in re.findall(r'class="more">(.*?)</script>', page(), re.S)]
    labels = [label for part in more for label in part["labels"]]
    assert labels
    assert all(set(catalogue.LANGUAGES) <= set(label) for label in labels)


@pytest.mark.parametrize("language", catalogue.LANGUAGES)
def test_the_page_opens_in_the_language_asked_for(language: str) -> None:
    text = page([replace(lesson, language=language) for lesson in entries()])
    assert f'<div class="lessons" data-language="{language}">' in text
    figures = re.findall(r'class="plot-data">(.*?)</script>', text, re.S)
    expected = entries()[1].figures[0].labels["@minimum"][language]
    assert any(expected in json.dumps(json.loads(figure), ensure_ascii=False) for figure in figures)


def test_no_label_is_left_as_a_key() -> None:
    figures = re.findall(r'class="plot-data">(.*?)</script>', page(), re.S)
    assert figures
    assert all('"@' not in figure for figure in figures)


def test_the_contents_link_to_every_lesson() -> None:
    text = page()
    for name in NAMES:
        assert f'href="#lesson-{name}"' in text
        assert f'id="lesson-{name}"' in text


def test_drawing_again_gives_the_same_page() -> None:
    assert page() == page([decode(ToldLesson, json.loads(json.dumps(encode(e)))) for e in entries()])


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_highlighting_keeps_every_character(lesson: Lesson) -> None:
    source = inspect.getsource(cast(ModuleType, lesson.load()))
    assert html.unescape(re.sub(r"<[^>]+>", "", str(highlighted(source)))) == source


def test_a_particle_stays_with_its_figure_and_a_short_formula_on_its_line() -> None:
    assert str(section.rich("95%를")) == "95%\u2060를"
    assert str(section.rich("z − h and (6, 2, 2)")) == "z\u00a0−\u00a0h and (6,\u00a02,\u00a02)"
    assert str(section.rich("one, two; a word")) == "one, two; a word"
