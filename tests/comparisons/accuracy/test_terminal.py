"""The accuracy comparison in a terminal: no figure cut, every reason said."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

import pytest
from rich.console import Console

from backproof.comparisons.accuracy import error_rates, terminal
from backproof.comparisons.accuracy.result import AccuracyResult
from tests.support import accuracy_runs, sample_results

Cell = TypeVar("Cell")


def printed(found: AccuracyResult, width: int = 120) -> str:
    console = Console(width=width, highlight=False)
    with console.capture() as captured:
        terminal.render(found, console)
    return captured.get()


def short_names(found: AccuracyResult) -> AccuracyResult:
    """The long names of the tests' contenders, as short as the registered ones."""

    def shortened(cells: Mapping[str, Cell]) -> dict[str, Cell]:
        return {name.rpartition(":")[2]: cell for name, cell in cells.items()}

    against = shortened(found.against_scratch)
    return replace(found, contenders=shortened(found.contenders), against_scratch=against)


@pytest.mark.parametrize("width", [80, 120])
def test_every_figure_is_shown_whole(width: int) -> None:
    said = printed(short_names(accuracy_runs.faithful_and_untrained()), width)
    assert "…" not in said
    assert max(map(len, said.splitlines())) <= width


@pytest.mark.parametrize("width", [80, 120])
def test_error_rates_are_shown_whole(width: int) -> None:
    console = Console(width=width, highlight=False)
    with console.capture() as captured:
        terminal.render_error_rates(error_rates.run(100, 0.2, 0), console)
    assert "…" not in captured.get()
    assert max(map(len, captured.get().splitlines())) <= width


def test_the_reason_is_given_where_a_contender_offers_no_training() -> None:
    assert "it only predicts" in printed(accuracy_runs.faithful_and_untrained())


def test_the_reason_is_given_where_the_interval_does_not_explain_the_outcome() -> None:
    found = sample_results.accuracy()
    cell = replace(found.compared["torch"], reason="neither network has learned anything")
    said = printed(replace(found, against_scratch={"torch": cell}))
    assert "PyTorch: neither network has learned anything" in said


def test_a_name_that_looks_like_markup_is_printed_as_it_is() -> None:
    found = sample_results.accuracy()
    hostile = replace(found, contenders={"a:[/bold]": found.trained["torch"]}, against_scratch={})
    assert "[/bold]" in printed(hostile)
