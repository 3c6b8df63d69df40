"""Sentences in every language: found by their path, filled with the figures of the run."""

import pytest

from backproof.comparisons.lessons import catalogue
from backproof.comparisons.lessons.course import LESSONS

KEYS = ["frame", *(lesson.key for lesson in LESSONS)]


@pytest.mark.parametrize("key", KEYS)
def test_every_sentence_stands_in_every_language(key: str) -> None:
    for path, sentence in catalogue.leaves(catalogue.texts(key)):
        assert all(str(sentence.get(language, "")).strip() for language in catalogue.LANGUAGES), path


@pytest.mark.parametrize("key", KEYS)
def test_both_languages_name_the_same_figures(key: str) -> None:
    for path, sentence in catalogue.leaves(catalogue.texts(key)):
        named = [catalogue.figures_named(str(sentence[language])) for language in catalogue.LANGUAGES]
        assert named[0] == named[1], path


def test_a_sentence_is_filled_with_its_figures() -> None:
    text = {"en": "<steps> steps", "ko": "<steps>번"}
    assert catalogue.filled(text, {"steps": "12", "unused": "1"}) == {"en": "12 steps", "ko": "12번"}


def test_a_figure_that_the_run_lacks_is_an_error() -> None:
    with pytest.raises(KeyError, match="steps"):
        catalogue.filled({"en": "<steps> steps"}, {})


def test_a_sentence_that_is_not_there_is_named_with_its_file() -> None:
    with pytest.raises(KeyError, match=r"texts/xor\.toml: no text claims\.nothing"):
        catalogue.text("xor", "claims", "nothing")
