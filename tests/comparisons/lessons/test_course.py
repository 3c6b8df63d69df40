"""The course is whole: every system of the texts, every correction, in the order it is taught."""

import pytest

from backproof.comparisons.lessons import catalogue
from backproof.comparisons.lessons.course import CHAPTERS, LESSONS, find
from backproof.scratch.errors import InputError

# The errors of the texts, each of which has to be shown failing: lesson -> correction -> text.
CORRECTIONS = {
    "logistic_regression": {"activation": "000"},
    "linear_regression": {"update": "000"},
    "perceptron": {"bias": "001"},
    "activations": {"step_linear": "001", "logit": "003"},
    "keras_start": {"start": "001"},
    "two_layer_net": {"constants": "002", "ones": "002", "per_n": "002"},
    "three_steps": {"forward": "002", "mask": "002", "adjoint": "002", "zero": "002"},
    "shapes": {"conformable": "003", "column": "003"},
    "chain_rule": {"loss": "003", "factor": "003", "bias": "003"},
    "descent": {"distance": "004", "rate": "004"},
    "neuron": {"applied": "004", "symmetry": "004"},
}


def test_every_row_of_the_teaching_material_has_exactly_one_lesson() -> None:
    assert sorted(lesson.row for lesson in LESSONS) == list(range(1, 20))  # 19 is the project's own


def test_lessons_stand_in_the_order_of_their_chapters() -> None:
    assert list(dict.fromkeys(lesson.chapter for lesson in LESSONS)) == list(CHAPTERS)


@pytest.mark.parametrize("key", CORRECTIONS)
def test_every_error_of_the_texts_is_corrected(key: str) -> None:
    corrections = catalogue.texts(key)["corrections"]
    found = {name: table["source"] for name, table in corrections.items() if table["source"] != "belief"}
    assert found == CORRECTIONS[key]


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_a_lesson_is_found_by_name_and_by_row(lesson) -> None:  # type: ignore[no-untyped-def]
    assert find(lesson.name) is find(str(lesson.row)) is lesson


def test_an_unknown_lesson_is_refused_with_the_names() -> None:
    with pytest.raises(InputError, match=r"expected one of two-ways, neuron, .*got 'xnor'"):
        find("xnor")


@pytest.mark.parametrize("key", ["frame", *(lesson.key for lesson in LESSONS)])
def test_every_sentence_is_there_in_every_language(key: str) -> None:
    missing = [
        (path, language)
        for path, table in catalogue.leaves(catalogue.texts(key))
        for language in catalogue.LANGUAGES
        if not str(table.get(language, "")).strip()
    ]
    assert missing == []


@pytest.mark.parametrize("key", ["frame", *(lesson.key for lesson in LESSONS)])
def test_a_sentence_names_the_same_figures_in_every_language(key: str) -> None:
    differing = [
        path
        for path, table in catalogue.leaves(catalogue.texts(key))
        if len({frozenset(catalogue.figures_named(table[language])) for language in catalogue.LANGUAGES}) > 1
    ]
    assert differing == []


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_korean_sentences_are_korean(lesson) -> None:  # type: ignore[no-untyped-def]
    parts = catalogue.texts(lesson.key)
    for table in (parts["title"], parts["intent"], *parts["figures"].values()):
        sentence = table.get("ko") or table["caption"]["ko"]
        assert any("가" <= letter <= "힣" for letter in sentence) or sentence.isupper()


def test_a_missing_sentence_is_named_with_its_file() -> None:
    with pytest.raises(KeyError, match=r"texts/xor.toml: no text claims.nothing"):
        catalogue.text("xor", "claims", "nothing")


def test_a_figure_that_the_run_did_not_compute_is_an_error() -> None:
    with pytest.raises(KeyError, match="loss"):
        catalogue.filled({"en": "the loss is <loss>", "ko": "손실은 <loss>"}, {})


def test_no_file_of_texts_is_left_over() -> None:
    files = {path.stem for path in catalogue.FOLDER.glob("*.toml")}
    assert files == {"frame", *(lesson.key for lesson in LESSONS)}
