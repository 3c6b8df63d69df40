"""The chapter on speed: ratios with their intervals, the noise floor, the data, reasons."""

from dataclasses import replace

from backproof.comparisons.speed import chapter
from backproof.comparisons.speed.result import SpeedResult, TimedData
from backproof.comparisons.verdicts.outcome import Outcome
from tests.support.sample_results import diverged, failing, hostile, speed


def html(part: SpeedResult | None) -> str:
    section = chapter.build(part)
    assert section is not None
    return str(section.html)


def test_not_run_no_chapter() -> None:
    assert chapter.build(None) is None


def test_its_badge_is_a_finding_and_no_verdict() -> None:
    for part, words in ((speed(), "scratch faster"), (failing().speed, "scratch slower")):
        section = chapter.build(part)
        assert section is not None
        assert section.verdict == words
        assert section.verdict not in list(Outcome)


def test_the_data_of_the_figures_are_named_in_the_text_and_below_the_figure() -> None:
    data = TimedData("digits", "scikit-learn's digits, enlarged to 28 by 28 pixels")
    part = replace(speed(), cases=tuple(replace(case, data=data) for case in speed().cases))
    assert html(part).count("enlarged to 28 by 28 pixels") >= 2
    assert "MNIST" not in html(part)


def test_ratios_stand_with_their_intervals_and_what_says_nothing_says_so() -> None:
    text = html(speed())
    assert "1.92×" in text
    assert "[1.86, 2.00]" in text
    assert text.count("no difference seen") == 1  # jax with Adam


def test_reasons_stand_in_their_cells() -> None:
    assert "not offered: no Adam" in html(speed())
    assert "failed: crashed: exit code -11" in html(failing().speed)
    assert "not valid: its first loss is nan" in html(diverged().speed)


def test_markup_in_names_is_escaped() -> None:
    assert "<script>alert" not in html(hostile().speed)
