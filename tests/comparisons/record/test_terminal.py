"""The record in a terminal: whole lines, sorted by error, ours in its place."""

import pytest
from rich.console import Console

from backproof.comparisons.record import terminal
from backproof.comparisons.record.result import Candidate
from tests.support.record_results import BOARD, record


def test_a_record_stands_among_the_published_results_by_its_error() -> None:
    assert [ours for *_, ours in terminal.ranking(record().boards[BOARD])] == [False, True, False]


@pytest.mark.parametrize("width", [80, 120])
def test_every_line_is_shown_whole(width: int) -> None:
    console = Console(width=width, highlight=False)
    with console.capture() as captured:
        terminal.render(record(), console)
    assert "…" not in captured.get()
    assert max(map(len, captured.get().splitlines())) <= width


def test_several_seeds_are_told_by_mean_and_spread() -> None:
    console = Console(width=200, highlight=False)
    with console.capture() as captured:
        terminal.render(record(seeds=3), console)
    assert "Mean of 3 seeds 98.90% ±0.10 (98.80% to 99.00%)" in captured.get()
    assert "scratch, mean of 3 seeds" in captured.get()


def test_candidates_are_shown_with_their_validation_accuracy() -> None:
    console = Console(width=80, highlight=False)
    with console.capture() as captured:
        terminal.render_choice(BOARD, [Candidate("dropout [0.5]", 3.0, 0.9876, 5000)], console)
    assert "dropout [0.5]" in captured.get()
    assert "98.76" in captured.get()
