"""The terminal report: fits its columns, cuts no number, hides nothing."""

import io
import re
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from backproof.comparisons.report import overview as terminal
from backproof.comparisons.report.document import Results
from backproof.comparisons.report.sentence import NOTHING
from backproof.comparisons.verdicts.outcome import Outcome
from tests.support.sample_results import (
    HOSTILE,
    SAMPLES,
    a_lesson,
    failing,
    hostile,
    nothing_run,
    numerical,
    passing,
    undecided,
)
from tests.support.sample_results import campaign as sample_campaign

ORDINARY = [make for make in SAMPLES.values() if make is not hostile]


def printed(results: Results, width: int, colours: bool = False) -> str:
    stream = io.StringIO()
    console = Console(
        file=stream,
        width=width,
        force_terminal=colours,
        color_system="standard" if colours else None,
        highlight=False,
    )
    terminal.render(results, console)
    return stream.getvalue().replace("\u00a0", " ")


@pytest.mark.parametrize("width", [80, 100, 120])
@pytest.mark.parametrize("make", SAMPLES.values())
def test_no_line_is_wider_than_the_terminal(make: object, width: int) -> None:
    assert callable(make)
    assert max(len(line) for line in printed(make(), width).splitlines()) <= width


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("make", ORDINARY)
def test_nothing_is_cut_off(make: object, width: int) -> None:
    assert callable(make)
    assert "…" not in printed(make(), width)


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize(
    "number", ["96.31%", "[−0.03, +0.09]", "1.92×", "[1.86, 2.00]", "6.0e-08", "1.53×", "0.990×", "W2[3, 1]"]
)
def test_numbers_stay_whole(number: str, width: int) -> None:
    assert number in printed(passing(), width)


def test_the_answer_comes_first() -> None:
    first = printed(passing(), 200).strip().splitlines()[0]
    assert first.startswith("On MNIST, PyTorch and JAX compute the same gradients as the NumPy network")


@pytest.mark.parametrize(
    "word", ["FAIL", "INCONCLUSIVE", "b1[17]", "averaged twice?", "crashed: exit code -11"]
)
def test_what_went_wrong_is_in_sight(word: str) -> None:
    assert word in " ".join(printed(failing(), 120).split())


def test_digits_are_announced() -> None:
    assert "NOT MNIST" in printed(undecided(), 80)


@pytest.mark.parametrize("question", ["gradients", "accuracy", "speed"])
def test_what_was_not_run_names_its_command(question: str) -> None:
    without: dict[str, Any] = {question: None}
    assert f"backproof {question}" in printed(replace(passing(), **without), 80)


def test_where_nothing_was_run_that_is_all_that_is_said() -> None:
    assert printed(nothing_run(), 80).strip() == NOTHING


def test_what_other_commands_added_is_told_with_its_verdict() -> None:
    campaign = sample_campaign()
    failed = numerical(Outcome.FAIL)
    said = printed(
        replace(passing(), campaign=campaign, numerical=failed, lessons=(a_lesson(holds=(True, False)),)), 80
    )
    assert "Gradients, campaign: INCONCLUSIVE" in said
    assert "Numerical training: FAIL" in said
    assert "Lessons: 1 of 2 claims hold" in said


def test_names_are_not_read_as_console_markup() -> None:
    assert "[bold]" in "".join(printed(hostile(), 200).split("\n"))
    assert HOSTILE in printed(hostile(), 400)


def test_a_pipe_gets_no_escape_codes() -> None:
    assert "\x1b" not in printed(passing(), 80)


def test_colours_add_nothing_but_colour() -> None:
    coloured = printed(failing(), 80, colours=True)
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == printed(failing(), 80)
