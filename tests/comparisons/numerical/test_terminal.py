"""The numerical part in a terminal."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from backproof.comparisons.numerical import terminal
from backproof.comparisons.numerical.result import NumericalResult
from backproof.comparisons.verdicts.outcome import Outcome
from tests.support.numerical_runs import a_ladder, forward_trainings, one_gradient, twins

WHOLE = NumericalResult(Outcome.PASS, 1.0, one_gradient(), twins(), a_ladder(), forward_trainings())


def printed(part: NumericalResult, width: int = 80) -> str:
    console = Console(width=width, record=True, file=io.StringIO())
    terminal.render(part, console)
    return console.export_text()


def test_every_method_stands_with_its_time_and_how_much_faster_it_is() -> None:
    rows = [line.split() for line in printed(WHOLE).splitlines()]
    assert ["structured", "differences", ["100", "ms"][0], "ms", "20.0×", "1.0×10⁻¹⁰"] in rows


def test_the_training_and_its_reason_are_told() -> None:
    text = printed(WHOLE, 120)
    assert "Training, 2 of 2 steps" in text
    assert text.count("75.00") == 2
    assert "The weights stayed within the bound." in text


def test_forward_gradients_stand_with_what_they_reached() -> None:
    rows = [line.split() for line in printed(WHOLE).splitlines()]
    assert ["all", "parameters", "30.00%", "8", "ms", "0.01"] in rows
    assert ["the", "units", "of", "every", "example", "60.00%", "10", "ms", "0.125"] in rows
    assert "forward gradients" not in printed(replace(WHOLE, forward=()))


def test_an_older_ladder_has_the_rungs_it_was_timed_with() -> None:
    rungs = tuple(rung for rung in a_ladder().rungs if rung.key != "forward")
    text = printed(replace(WHOLE, ladder=replace(a_ladder(), rungs=rungs)))
    head = next(line.split() for line in text.splitlines() if "layers" in line)
    assert head == ["layers", "loop", "structured", "per", "unit", "backprop"]


def test_what_was_not_run_is_not_there() -> None:
    text = printed(NumericalResult(Outcome.PASS, 1.0, one_gradient()))
    assert "Training" not in text
    assert "slope" not in text


def test_a_sampled_loop_says_so() -> None:
    sampled = replace(WHOLE, gradient=replace(one_gradient(), naive_entries=100), ladder=None)
    assert "The loop was timed on 100 entries and scaled." in printed(sampled)


@pytest.mark.parametrize("outcome", list(Outcome))
def test_it_ends_with_its_verdict(outcome: Outcome) -> None:
    assert f"Verdict: {outcome}" in printed(replace(WHOLE, verdict=outcome))


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_cut(width: int) -> None:
    assert max(map(len, printed(WHOLE, width).splitlines())) <= width
    assert "…" not in printed(WHOLE, width)
