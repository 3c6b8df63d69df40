"""The chapter on the same training: every level is shown, a flip marked, error rates have their command."""

from dataclasses import replace

import pytest

from backproof.comparisons.accuracy import details_chapter, error_rates
from backproof.comparisons.accuracy.result import AccuracyResult, Flip
from tests.support import accuracy_runs
from tests.support.accuracy_runs import FAITHFUL

HOSTILE = "<script>alert(1)</script>"


def shown(found: AccuracyResult) -> str:
    section = details_chapter.build(found, None)
    assert section is not None
    return str(section.html)


def test_without_anything_compared_there_is_no_chapter() -> None:
    assert details_chapter.build(None, None) is None


@pytest.mark.parametrize(
    "said",
    [
        "Equal starts",
        "One float64 step",
        "gradient",
        "PyTorch against itself",
        "No relu flipped",
        "McNemar",
        "0.28",
    ],
)
def test_every_level_is_shown(said: str) -> None:
    assert said in shown(accuracy_runs.faithful_and_untrained())


def test_a_flip_is_marked_and_named() -> None:
    found = accuracy_runs.faithful_and_untrained()
    cell = found.compared[FAITHFUL]
    course = replace(accuracy_runs.course_of(found), first_flip=Flip(step=7, layer=1, row=3, unit=2))
    changed = replace(found, against_scratch={FAITHFUL: replace(cell, trajectory=course)})
    assert "The first relu flipped at step 7 (layer 1, unit 2, row 3 of the batch)" in shown(changed)


def test_runs_side_by_side_are_said_to_be_untimed() -> None:
    found = accuracy_runs.faithful_and_untrained()
    assert "Nothing was timed" in shown(replace(found, timed=False))
    assert "Nothing was timed" not in shown(found)


def test_error_rates_are_shown_with_their_command_and_alone() -> None:
    command = "backproof accuracy --error-rates 100"
    section = details_chapter.build(None, replace(error_rates.run(100, 0.2, 0), command=command))
    assert section is not None
    assert command in section.html
    assert "whole images of 10,000" in section.html


def test_names_are_escaped() -> None:
    found = accuracy_runs.faithful_and_untrained()
    assert HOSTILE not in shown(replace(found, against_scratch={HOSTILE: found.compared[FAITHFUL]}))
