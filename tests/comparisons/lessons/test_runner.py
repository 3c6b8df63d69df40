"""Every lesson, run: its claims hold, the texts' errors fail, every sentence it needs is there and used."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from backproof.comparisons.lessons import catalogue, runner
from backproof.comparisons.lessons.course import LESSONS, Lesson, find
from backproof.comparisons.lessons.frame import Setting
from backproof.comparisons.lessons.result import ToldLesson
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.scratch.errors import InputError
from tests.support.sample_results import a_lesson

# Keras takes ten seconds to import: it has its own test below.
SETTING = Setting(data="digits", keras=False)
SMALL = {"two-layer-net": {"STEPS": "4000"}}  # enough to arrive
every_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)

# A figure of each lesson that, changed, makes a claim false.
WRONG = {
    "two-ways": {"LIMIT": "-1"},
    "neuron": {"ROUNDING": "-1"},
    "activations": {"ULPS": "-1e6"},
    "descent": {"ARRIVED": "-1"},
    "linear-regression": {"STEPS": "20"},
    "logistic-regression": {"EPS": "1e-22"},
    "xor": {"AGREEMENT": "-1"},
    "linear-collapse": {"ROUNDINGS": "-1"},
    "chain-rule": {"AUTOGRAD_ERROR": "-1"},
    "three-steps": {"ROUNDING": "-1"},
    "two-layer-net": {"STEPS": "5", "ARRIVED": "1e-300"},
    "sparse-cross-entropy": {"BATCH": "1", "LARGE": "1"},
    "softmax-regression": {"SAME": "-1"},
    "digits-network": {"SAME": "-1"},
    "keras-start": {"SAME_ON_DIGITS": "-1"},
    "live": {"SAME": "-1"},
}


@cache
def entry(lesson: Lesson) -> ToldLesson:
    return runner.run(lesson, SETTING, SMALL.get(lesson.name))


@every_lesson
def test_every_claim_of_the_lesson_holds(lesson: Lesson) -> None:
    assert [claim.says["en"] for claim in entry(lesson).claims if not claim.holds] == []


@every_lesson
def test_the_texts_sentence_fails_and_the_right_one_holds(lesson: Lesson) -> None:
    judged = [(c.as_written.holds, c.right.holds) for c in entry(lesson).corrections]
    assert all(found == (False, True) for found in judged)


@every_lesson
def test_the_lesson_shows_every_correction_of_its_texts(lesson: Lesson) -> None:
    shown = {correction.key for correction in entry(lesson).corrections}
    assert shown == set(catalogue.texts(lesson.key).get("corrections", {}))


@every_lesson
def test_claims_about_mnist_are_left_open_on_digits_and_nothing_else_is(lesson: Lesson) -> None:
    found = entry(lesson)
    assert found.verdict == (Outcome.INCONCLUSIVE if found.unjudged else Outcome.PASS)
    assert not found.unjudged or lesson.needs_images


@every_lesson
def test_every_sentence_of_the_claims_is_used(lesson: Lesson) -> None:
    found = entry(lesson)
    said = {claim.says["en"] for claim in found.claims} | {claim["en"] for claim in found.unjudged}
    for correction in found.corrections:
        said |= {correction.as_written.says["en"], correction.right.says["en"]}
    # Without Keras and TensorBoard, their sentences wait.
    unused = {
        name
        for name, table in catalogue.texts(lesson.key)["claims"].items()
        if not name.startswith(("keras", "tensorflow", "tensorboard"))
        and catalogue.figures_named(table["en"]) == set()
        and table["en"] not in said
    }
    assert unused == set()


@every_lesson
def test_every_picture_has_its_caption_labels_and_data(lesson: Lesson) -> None:
    found = entry(lesson)
    assert {figure.key for figure in found.figures} == set(catalogue.texts(lesson.key)["figures"])
    for figure in found.figures:
        assert figure.data
        assert all(figure.caption[language] for language in catalogue.LANGUAGES)


@every_lesson
def test_the_lesson_shows_real_source(lesson: Lesson) -> None:
    assert all(part.text.startswith(("def ", "class ", "@")) for part in entry(lesson).code)


@every_lesson
def test_a_slider_has_a_reading_for_every_position(lesson: Lesson) -> None:
    for figure in entry(lesson).figures:
        slider = figure.slider
        if slider is not None:
            assert len(slider.labels) == len(slider.frames) > slider.start >= 0
            assert all(int(trace) < len(figure.data) for frame in slider.frames for trace in frame)


@pytest.mark.parametrize("name", WRONG)
def test_a_changed_figure_makes_the_verdict_fail(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lesson = find(name)
    module = lesson.load()
    for constant, value in WRONG[name].items():
        monkeypatch.setattr(module, constant, type(getattr(module, constant))(value))
    assert runner.run(lesson, SETTING).verdict == Outcome.FAIL


def test_a_wrong_truth_table_makes_the_perceptron_lesson_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    lesson = find("perceptron")
    monkeypatch.setattr(lesson.load(), "AND", np.array([0, 1, 1, 0]))
    assert runner.run(lesson, SETTING).verdict == Outcome.FAIL


def test_the_same_seed_finds_the_same_figures() -> None:
    once, again = (runner.run(find("xor"), SETTING) for _ in range(2))
    assert [claim.found for claim in once.claims] == [claim.found for claim in again.claims]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"STEP": "3"}, "expected one of this lesson's constants .*STEPS"),
        ({"STEPS": "many"}, "STEPS is 400; expected an integer, got 'many'"),
        ({"STEPS": "0"}, "STEPS: expected at least 1"),
        ({"AGREEMENT": "nan"}, "AGREEMENT: expected a finite number"),
    ],
)
def test_a_constant_that_does_not_fit_is_refused(changes: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        runner.run(find("xor"), SETTING, changes)


def test_a_changed_constant_is_put_back() -> None:
    module: Any = find("descent").load()
    before = module.STEPS
    runner.run(find("descent"), SETTING, {"STEPS": "3"})
    assert before == module.STEPS


def test_lessons_run_before_are_kept_in_course_order() -> None:
    live, old = replace(a_lesson(), name="live"), replace(a_lesson(), name="xor")
    new = replace(old, seconds=2.0)
    assert runner.in_course_order([new], [live, old]) == (new, live)


def test_live_curves_hear_of_every_point_while_the_network_trains() -> None:
    heard: list[tuple[str, int]] = []
    setting = replace(SETTING, watch=lambda name, step, loss, accuracy: heard.append((name, step)))
    runner.run(find("live"), setting, {"STEPS": "60"})
    assert heard == [(name, step) for name in ("scratch", "torch") for step in (0, 20, 40, 60)]


def test_tensorboard_holds_every_point(tmp_path: Any) -> None:
    pytest.importorskip("tensorboard", reason="needs the tensorboard package")
    found = runner.run(find("live"), replace(SETTING, tensorboard=tmp_path / "runs"), {"STEPS": "60"})
    read = [
        claim.found
        for claim in found.claims
        if "event file" in claim.says["en"] or "every point of torch" in claim.says["en"]
    ]
    assert read == ["4", "4"]


@pytest.mark.mnist
def test_softmax_regression_reaches_what_the_text_claims_on_mnist() -> None:
    found = runner.run(find("softmax-regression"), replace(SETTING, data="mnist"))
    assert found.verdict == Outcome.PASS
