"""The chapter on accuracies: what was not trained is absent with its reason, what diverged is a gap."""

import math
from dataclasses import replace

import pytest

from backproof.comparisons.accuracy import chapter
from backproof.comparisons.accuracy.result import AccuracyResult
from backproof.comparisons.results.cells import Absent
from backproof.comparisons.verdicts.outcome import Outcome
from tests.support import accuracy_runs, sample_results
from tests.support.page_reader import read

HOSTILE = "<script>alert(1)</script>"


def shown(found: AccuracyResult) -> str:
    section = chapter.build(found)
    assert section is not None
    return str(section.html)


def text_of(html: str) -> str:
    """What a reader sees, with plain spaces."""
    return " ".join(read(html).words.split())


def test_without_results_there_is_no_chapter() -> None:
    assert chapter.build(None) is None
    assert chapter.build(replace(sample_results.accuracy(), contenders={})) is None


def test_the_chapter_has_the_verdict_of_the_comparison() -> None:
    section = chapter.build(replace(sample_results.accuracy(), verdict=Outcome.FAIL))
    assert section is not None
    assert section.verdict == Outcome.FAIL


@pytest.mark.parametrize("said", ["PyTorch", "+0.03", "[−0.03, +0.09]", "±0.2", "3.1×10⁻¹³"])
def test_every_figure_of_a_contender_is_shown(said: str) -> None:
    assert said in text_of(shown(sample_results.accuracy()))


def test_a_contender_that_trains_nothing_is_shown_with_its_reason() -> None:
    assert "not offered: it only predicts" in text_of(shown(accuracy_runs.faithful_and_untrained()))


def test_a_trajectory_that_is_not_offered_is_shown_with_its_reason() -> None:
    found = sample_results.accuracy()
    cell = replace(found.compared["torch"], trajectory=Absent("no float64"))
    assert "not offered: no float64" in text_of(shown(replace(found, against_scratch={"torch": cell})))


def test_an_outcome_that_its_interval_does_not_explain_is_explained() -> None:
    found = sample_results.accuracy()
    cell = replace(found.compared["torch"], reason="neither network has learned anything")
    page = text_of(shown(replace(found, against_scratch={"torch": cell})))
    assert "PyTorch: neither network has learned anything." in page


def test_runs_side_by_side_are_not_called_timed() -> None:
    assert "nothing was timed" in shown(replace(sample_results.accuracy(), timed=False))
    assert "nothing was timed" not in shown(sample_results.accuracy())


def test_a_curve_is_the_mean_over_the_seeds_and_has_gaps_where_one_diverged() -> None:
    first, second = chapter.curve([[1.0, 2.0], [3.0, math.nan]])
    assert first == 2.0
    assert math.isnan(second)


def test_names_are_escaped() -> None:
    found = sample_results.accuracy()
    runs, cell = found.trained["torch"], found.compared["torch"]
    hostile = replace(found, contenders={HOSTILE: runs}, against_scratch={HOSTILE: cell})
    assert HOSTILE not in shown(hostile)
