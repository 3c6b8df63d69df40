"""The chapter on speed: ratios with their intervals, the noise floor, the data, reasons."""

from dataclasses import replace

from backproof.comparisons.speed import chapter
from backproof.comparisons.speed.result import Kernels, SpeedResult, ThreadReport, TimedData
from backproof.comparisons.verdicts.outcome import Outcome
from tests.support.sample_results import diverged, failing, hostile, speed, speed_of_two_kinds


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


def test_the_processor_and_its_kernels_are_named() -> None:
    kind = "A processor with a rather long name at 3.10 GHz, kernels: openblas SkylakeX, numpy X86_V4"
    assert f"Measured on {kind}; threads: 2." in html(speed())
    assert "Kinds of processors" not in html(speed())


def test_every_kind_of_processor_has_its_own_tables() -> None:
    text = html(speed_of_two_kinds())
    assert "Kinds of processors" in text
    first, second = text.split("How fast on Haswell kernels")
    assert "1.92×" in first
    assert "2.50×" not in first.split("How fast on SkylakeX kernels")[1]
    assert "2.50×" in second
    assert "1.92×" not in second


def test_it_is_said_where_kernels_were_held_and_who_did_not_obey() -> None:
    part = replace(speed(), kernels=Kernels("this command", {}), reports={})
    assert "told to use no kernels of AVX-512." in html(part)
    disobedient = {"torch, 1": ThreadReport({}, {"torch": "AVX512"})}
    assert "no kernels of AVX-512, but torch AVX512 did not obey." in html(replace(part, reports=disobedient))


def test_markup_in_names_is_escaped() -> None:
    assert "<script>alert" not in html(hostile().speed)
