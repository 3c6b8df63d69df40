"""Ratios as they are read: intervals in words, who stands in a table, and means."""

import math
from dataclasses import replace

import pytest

from backproof.comparisons.results.cells import Absent, Failed, Invalid
from backproof.comparisons.speed import ratios
from backproof.comparisons.speed.entrants import CONTROL
from backproof.comparisons.speed.result import Cell, EntrantFacts, Estimate, Finding, MeanRatios, TimedData
from tests.support.sample_results import comparison, speed, speed_case, speed_of


def test_an_interval_is_written_behind_its_ratio() -> None:
    assert ratios.said(Estimate(1.915, (1.88, 1.97), 5)) == "1.92× [1.88, 1.97]"


@pytest.mark.parametrize(
    "ci95", [(0.0, math.inf), (0.0, math.nan), (math.nan, math.nan), (1.5, 1.5)], ids=str
)
def test_without_an_interval_none_is_written_and_none_drawn(ci95: tuple[float, float]) -> None:
    lone = Estimate(1.5, ci95, 1)
    assert ratios.said(lone) == "1.50×"
    assert ratios.drawn(lone) == (1.5, 1.5)


@pytest.mark.parametrize(
    ("finding", "words"),
    [
        (Finding.FASTER, "scratch faster"),
        (Finding.SLOWER, "scratch slower"),
        (Finding.SAME, "no difference seen"),
        (None, "nothing timed"),
    ],
)
def test_a_finding_is_never_a_verdict(finding: Finding | None, words: str) -> None:
    assert ratios.words(finding) == words


def test_idiomatic_forms_stand_in_the_table_only_where_they_are_asked_for() -> None:
    cells: dict[str, Cell] = {"torch": comparison(2.0), "torch compile": comparison(0.8)}
    part = speed_of((speed_case((784, 10), 1, "sgd", **cells),), torch=comparison(2.0))
    entrants = {**part.entrants, "torch compile": EntrantFacts("idiomatic", "torch.compile")}
    part = replace(part, entrants=entrants)
    assert ratios.names(part) == ["torch"]
    assert ratios.names(part, everyone=True) == ["torch", "torch compile"]


@pytest.mark.parametrize("cell", [Absent("no Adam"), Failed("crashed"), Invalid("other maths")])
def test_a_cell_without_figures_gives_no_ratio(cell: Cell) -> None:
    case = speed_case((784, 10), 1, "sgd", torch=cell)
    assert ratios.ratio(case, "torch") is None
    assert ratios.ratio(case, "jax") is None
    assert not ratios.inside_noise(case, "torch")


def test_a_stated_geometric_mean_is_taken_as_it_is() -> None:
    assert ratios.geometric_means(speed())["torch"] == comparison(1.530).ratio


def test_a_mean_that_lacks_a_case_is_that_of_the_medians_there_are() -> None:
    # sklearn was timed in one case of two.
    assert ratios.geometric_means(speed())["sklearn"].median == pytest.approx(1.6)


def test_a_mean_of_medians_is_geometric_and_has_no_interval() -> None:
    cells = [{"torch": comparison(value)} for value in (2.0, 8.0)]
    found = ratios.geometric_means(speed_of(tuple(speed_case((784, 10), 1, "sgd", **cell) for cell in cells)))
    assert found["torch"].median == pytest.approx(4.0)
    assert found["torch"].units == 0
    assert not ratios.has_interval(found["torch"])


def test_where_no_mean_was_stated_there_are_those_of_the_medians_and_no_noise() -> None:
    part = replace(speed_of((speed_case((784, 10), 1, "sgd", torch=comparison(2.0)),)), means=())
    assert ratios.each(part) == [part]
    assert ratios.geometric_means(part)["torch"].median == pytest.approx(2.0)
    assert ratios.noise_of_the_mean(part) is None


@pytest.mark.parametrize(
    ("interval", "floor"), [((0.98, 1.01), 1 / 0.98), ((0.97, 1.05), 1.05), ((0.0, math.inf), None)]
)
def test_the_noise_of_the_mean_is_scratch_against_itself(
    interval: tuple[float, float], floor: float | None
) -> None:
    again = replace(comparison(1.0), ratio=Estimate(1.0, interval, 5))
    part = replace(speed(), means=(MeanRatios(2, {CONTROL: again, "torch": comparison(2.0)}),))
    found = ratios.noise_of_the_mean(part)
    assert found == (None if floor is None else pytest.approx(floor))


def test_without_scratch_against_itself_the_noise_of_the_mean_is_not_known() -> None:
    part = replace(speed(), means=(MeanRatios(2, {"torch": comparison(2.0)}),))
    assert ratios.noise_of_the_mean(part) is None


def test_numbers_of_threads_are_never_averaged_together() -> None:
    cases = tuple(speed_case((784, 10), 1, "sgd", torch=comparison(value)) for value in (2.0, 8.0))
    part = speed_of(cases, torch=comparison(3.0))
    assert ratios.under(part) == ""
    single = [replace(case, threads=1) for case in cases]
    part = replace(
        part, cases=(*cases, *single), means=(*part.means, MeanRatios(1, {"torch": comparison(5.0)}))
    )
    assert ratios.geometric_means(part)["torch"] == comparison(3.0).ratio
    assert [ratios.geometric_means(one)["torch"].median for one in ratios.each(part)] == [3.0, 5.0]
    assert [len(one.cases) for one in ratios.each(part)] == [2, 2]
    assert ratios.under(part) == " with 2 threads"


def test_a_case_says_its_threads_only_where_there_are_several_numbers() -> None:
    part = speed()
    assert ratios.case_name(part, part.cases[0]) == "784-128-10, batch 100, sgd"
    several = replace(part, settings=replace(part.settings, threads=(1, 2)))
    assert ratios.case_name(several, part.cases[0]) == "784-128-10, batch 100, sgd, 2 threads"


def test_data_are_named_once_each() -> None:
    one, other = speed().cases
    mixed = speed_of((one, replace(other, data=TimedData("random", "uniform random numbers, seed 0")), one))
    assert ratios.data_names(mixed) == ["MNIST", "uniform random numbers, seed 0"]
