"""The race in a terminal: whole lines, everybody's time, the verdict as a word."""

import pytest
from rich.console import Console

from backproof.comparisons.race import terminal
from backproof.comparisons.race.recipes import TARGETS
from backproof.comparisons.race.result import Candidate, RaceResult
from tests.support.race_results import race, without_runs


def shown(found: RaceResult, width: int = 80) -> str:
    console = Console(width=width, highlight=False)
    with console.capture() as captured:
        terminal.render(found, console)
    return captured.get()


@pytest.mark.parametrize("width", [80, 120])
def test_every_line_is_shown_whole(width: int) -> None:
    text = shown(race(), width)
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width


def test_everybodys_median_the_ratio_the_mean_and_the_verdict_are_there() -> None:
    text = " ".join(shown(race(), 200).split())
    assert "PyTorch" in text
    assert "1.94×" in text  # the geometric mean of 1.54 / 0.79 and its neighbours
    assert "Mean of 10 runs: 97.24% ±0.03 in 795 ms, 2 threads; goal 97.0% in 1.5 s: PASS" in text
    assert "scikit-learn: not offered: no recipe" in text
    assert "99% with distortions" in text
    assert "On A processor, kernels: not told" in text


def test_a_race_in_which_nobody_finished_is_shown_as_undecided() -> None:
    assert "INCONCLUSIVE" in shown(without_runs())


def test_candidates_are_shown_with_what_they_took() -> None:
    console = Console(width=80, highlight=False)
    with console.capture() as captured:
        terminal.render_choice(TARGETS["98"], [Candidate("rate [0.5]", (0.98, 0.982), 1.25)], console)
    text = captured.get()
    assert "rate [0.5]" in text
    assert "98.10%" in text
    assert "1.25" in text
