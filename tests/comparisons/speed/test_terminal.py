"""Speed in a terminal: a table that fits into 80 columns, a finding in words, never a verdict."""

import io
import math
from dataclasses import replace

import pytest
from rich.console import Console

from backproof.comparisons.speed import terminal
from backproof.comparisons.speed.result import (
    Estimate,
    Finding,
    Kernels,
    NoiseFloor,
    SpeedResult,
    ThreadReport,
)
from backproof.comparisons.verdicts.outcome import Outcome
from tests.support.sample_results import diverged, failing, speed, speed_of_two_kinds


def printed(part: SpeedResult, width: int = 80) -> str:
    console = Console(width=width, record=True, file=io.StringIO())
    terminal.render(part, console)
    return console.export_text()


def slower() -> SpeedResult:
    part = failing().speed
    assert part is not None
    return part


def test_it_says_faster_and_by_how_much() -> None:
    assert "Beside PyTorch: scratch faster; 1.53× [1.48, 1.59] with 2 threads." in printed(speed(), 200)


def test_it_says_slower() -> None:
    assert "Beside PyTorch: scratch slower; 0.800× [0.776, 0.832] with 2 threads." in printed(slower(), 200)


def test_it_says_that_no_difference_was_seen() -> None:
    assert "Beside PyTorch: no difference seen" in printed(replace(speed(), finding=Finding.SAME), 200)


@pytest.mark.parametrize("make", [speed, slower])
def test_it_never_says_a_verdict(make: object) -> None:
    assert callable(make)
    assert not any(outcome in printed(make()) for outcome in Outcome)


def test_without_a_contender_it_says_so() -> None:
    part = replace(slower(), finding=None, against=None)
    assert "No contender could be timed." in printed(part)


def test_reasons_stand_below_the_table() -> None:
    assert "jax: failed: crashed: exit code -11" in printed(slower())
    assert "sklearn: not offered: no Adam" in printed(speed())


def test_the_processor_and_its_kernels_are_named() -> None:
    said = "On A processor with a rather long name at 3.10 GHz, kernels: openblas SkylakeX, numpy X86_V4"
    assert said in printed(speed(), 200)


def test_every_kind_of_processor_has_its_own_table_and_finding() -> None:
    first, second = printed(speed_of_two_kinds(), 200).split(
        "On An older processor, kernels: openblas Haswell"
    )
    assert "1.92×" in first
    assert "2.50×" not in first
    assert "2.50×" in second
    assert "Beside PyTorch on Haswell kernels: scratch faster; 2.50×" in second
    assert "Kernels were chosen by this command (set: OPENBLAS_CORETYPE=Haswell)." in second


def test_who_did_not_obey_is_named() -> None:
    reports = {"torch, 1": ThreadReport({}, {"torch": "AVX512"})}
    part = replace(speed(), kernels=Kernels("this command", {"A": "b"}), reports=reports)
    assert "Not held: torch AVX512." in printed(part, 200)


def test_the_data_are_named() -> None:
    assert "Timed on MNIST." in printed(speed(), 200)


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_cut(width: int) -> None:
    text = printed(speed(), width)
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width


@pytest.mark.parametrize(
    ("floor", "said"), [(1.034, "±3.4%"), (2.5, "> 100%"), (math.inf, "–"), (math.nan, "–")]
)
def test_the_noise_floor_is_told_in_percent(floor: float, said: str) -> None:
    noise = NoiseFloor(Estimate(1.0, (0.9, 1.1), 5), floor)
    part = speed()
    text = printed(replace(part, cases=tuple(replace(case, noise=noise) for case in part.cases)))
    row = next(line for line in text.splitlines() if line.strip().startswith("noise floor"))
    assert said in row


def test_a_case_without_noise_floor_and_products_is_still_printed() -> None:
    part = diverged().speed
    assert part is not None
    assert "not valid: its first loss is nan" in printed(part)
