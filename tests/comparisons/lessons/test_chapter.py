"""The lessons in the report: both languages, every picture, nothing that could run or be fetched."""

import copy
import html
import json
import re
from functools import cache
from typing import Any

import pytest

from backproof.comparisons.drawing.python_code import highlighted
from backproof.comparisons.lessons import catalogue, runner
from backproof.comparisons.lessons import chapter as section
from backproof.comparisons.lessons.course import LESSONS, find
from backproof.comparisons.lessons.frame import Setting

NAMES = ("activations", "descent", "perceptron")  # sliders, tables, corrections


@cache
def entries() -> tuple[dict[str, Any], ...]:
    return tuple(runner.run(find(name), Setting()) for name in NAMES)


def page(lessons: Any = None) -> str:
    lessons = list(entries()) if lessons is None else lessons
    built = section.build(lessons)
    assert built is not None
    return str(built.html)


def test_no_lesson_no_chapter() -> None:
    assert section.build(None) is None


def test_every_claim_stands_in_both_languages() -> None:
    text = page()
    for lesson in entries():
        for language in catalogue.LANGUAGES:
            assert html.escape(lesson["title"][language]) in text


def test_the_chapter_fails_if_one_lesson_does() -> None:
    lessons = copy.deepcopy(list(entries()))
    lessons[1]["verdict"] = "FAIL"
    built = section.build(lessons)
    assert built is not None
    assert built.verdict == "FAIL"


def test_a_claim_that_does_not_hold_is_marked() -> None:
    lessons = copy.deepcopy(list(entries()))
    lessons[0]["claims"][0]["holds"] = False
    assert page(lessons).count("broken") == page().count("broken") + 1


def test_hostile_strings_are_escaped() -> None:
    lessons = copy.deepcopy(list(entries()))
    attack = '<script>alert(1)</script><img src="x" onerror="y">'
    lessons[0]["title"] = lessons[0]["intent"] = {"en": attack, "ko": attack}
    lessons[0]["claims"][0] |= {"text": attack, "text_ko": attack, "found": attack}
    lessons[0]["figures"][0]["caption"] = lessons[0]["figures"][0]["alt"] = {"en": attack, "ko": attack}
    lessons[0]["figures"][0]["data"][0]["name"] = attack
    lessons[0]["code"][0]["text"] = f"x = '{attack}'"
    text = page(lessons)
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
    lessons = [{**lesson, "language": language} for lesson in entries()]
    text = page(lessons)
    assert f'<div class="lessons" data-language="{language}">' in text
    figures = re.findall(r'class="plot-data">(.*?)</script>', text, re.S)
    expected = entries()[1]["figures"][0]["labels"]["@minimum"][language]
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
    assert page() == page(json.loads(json.dumps(entries())))


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_highlighting_keeps_every_character(lesson) -> None:  # type: ignore[no-untyped-def]
    import inspect

    source = inspect.getsource(lesson.load())
    assert html.unescape(re.sub(r"<[^>]+>", "", str(highlighted(source)))) == source
