"""A lesson as results.json holds it is read as it was written."""

import json
from functools import cache

import pytest

from backproof.comparisons.lessons import catalogue, runner
from backproof.comparisons.lessons.course import find
from backproof.comparisons.lessons.frame import Setting
from backproof.comparisons.lessons.result import ToldLesson
from backproof.comparisons.results.codec import decode, encode
from backproof.scratch.errors import InputError

NAMES = ("activations", "descent", "shapes")


@cache
def told(name: str) -> ToldLesson:
    return runner.run(find(name), Setting())


@pytest.mark.parametrize("name", NAMES)
def test_a_lesson_is_read_as_it_was_written(name: str) -> None:
    document = json.loads(json.dumps(encode(told(name))))
    assert encode(decode(ToldLesson, document)) == document


@pytest.mark.parametrize("name", NAMES)
def test_every_sentence_is_kept_in_every_language(name: str) -> None:
    lesson = told(name)
    sentences = [lesson.title, lesson.intent, *(claim.says for claim in lesson.claims)]
    sentences += [hint.says for hint in lesson.hints] + [figure.caption for figure in lesson.figures]
    assert all(set(sentence) == set(catalogue.LANGUAGES) for sentence in sentences)


def test_a_lesson_that_lacks_a_field_is_refused_by_its_place() -> None:
    document = json.loads(json.dumps(encode(told("shapes"))))
    del document["claims"][0]["holds"]
    with pytest.raises(InputError, match=r"claims\[0\]: lacks holds"):
        decode(ToldLesson, document)
