"""The tiles, the context, what is missing, and the numbers in them."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backproof.comparisons.report.answer import answer
from backproof.comparisons.report.document import Results, outcome_of
from backproof.comparisons.speed import ratios
from backproof.comparisons.speed.result import Comparison, Estimate, Finding, MeanRatios
from backproof.comparisons.verdicts.outcome import Outcome
from tests.support.sample_results import (
    COMMAND,
    SAMPLES,
    a_lesson,
    accuracy,
    comparison,
    failing,
    gradients,
    passing,
    speed,
    speed_case,
    speed_of,
    undecided,
)


def plain(text: str) -> str:
    """Without the spaces that keep a number and its unit on one line."""
    return text.replace("\u00a0", " ")


positive = st.floats(min_value=1e-3, max_value=1e3)


@pytest.mark.parametrize("part", ["gradients", "accuracy", "speed"])
def test_a_missing_part_changes_only_its_own_tile(part: str) -> None:
    whole = answer(passing()).tiles
    missing: dict[str, Any] = {part: None}
    without = answer(replace(passing(), **missing)).tiles
    changed = [tile.key for tile, other in zip(whole, without, strict=True) if tile != other]
    assert changed == [part]


def test_results_without_any_of_the_three_questions_have_no_empty_tiles() -> None:
    assert answer(Results(lessons=(a_lesson(),))).tiles == ()


@pytest.mark.parametrize("make", [passing, failing, undecided])
def test_gradients_and_accuracy_have_the_verdict_of_their_part(make: Callable[[], Results]) -> None:
    results = make()
    outcomes = [part and outcome_of(part) for part in (results.gradients, results.accuracy)]
    assert [tile.verdict for tile in answer(results).tiles[:2]] == outcomes


@pytest.mark.parametrize("make", SAMPLES.values())
def test_speed_is_never_a_pass_or_a_fail(make: Callable[[], Results]) -> None:
    tiles = [tile for tile in answer(make()).tiles if tile.key == "speed"]
    assert not {tile.verdict for tile in tiles} & {*Outcome}


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("gradients", "34 of 34", "the closest uses 3.3% of it"),
        ("accuracy", "+0.03 points", "90% interval [−0.03, +0.09] over 5 seeds, equal inside ±0.2"),
        ("speed", "1.53× [1.48, 1.59]", "geometric mean of 2 cases; JAX 1.09"),
    ],
)
def test_a_tile_has_its_number_and_what_it_rests_on(key: str, value: str, words: str) -> None:
    (tile,) = (tile for tile in answer(passing()).tiles if tile.key == key)
    assert plain(tile.value) == value
    assert words in plain(tile.detail)


def test_cases_without_a_difference_are_counted_beside_the_mean() -> None:
    cases = (
        speed_case((784, 10), 1, "sgd", torch=comparison(1.5)),
        speed_case((784, 20), 1, "sgd", torch=comparison(1.01)),
    )
    tile = answer(replace(passing(), speed=speed_of(cases))).tiles[2]
    assert "1 of them with no difference seen" in tile.detail


def test_a_ratio_inside_the_noise_says_how_large_the_noise_was() -> None:
    torch = Comparison(Estimate(2.3, (2.0, 2.6), 5), Finding.SAME)
    again = Comparison(Estimate(1.0, (0.48, 2.0), 5), Finding.SAME)
    part = speed_of((speed_case((784, 10), 1, "sgd", torch=torch),), torch=torch)
    part = replace(part, means=(MeanRatios(2, {"torch": torch, "scratch again": again}),))
    said = answer(replace(passing(), speed=part))
    assert "differs by up to 2.08×: a ratio inside that is not a difference" in said.tiles[2].detail
    assert "(no difference seen: the noise is 2.08×)" in said.sentence


def test_the_context_names_data_network_machine_versions_and_date() -> None:
    context = answer(passing()).context
    for word in ("MNIST", "784-128-10 relu", "momentum 0.9", "5 seeds, 5 epochs", "2 cores, 2 threads",
                 "torch 2.13.0", "2026-01-02", "full run"):  # fmt: skip
        assert word in context


def test_a_run_that_was_interrupted_says_what_is_missing_and_how_to_complete_it() -> None:
    said = answer(replace(passing(), speed=None)).missing
    assert said == f"Interrupted: speed not measured. To complete it, run: {COMMAND}"


def test_what_was_not_asked_is_one_line() -> None:
    said = answer(Results(gradients=gradients())).missing
    assert said == "Not measured: accuracy and speed. To measure everything, run: backproof"


def test_equal_accuracies_reached_in_another_way_are_not_called_the_same_training() -> None:
    part = accuracy()
    other = replace(part.compared["torch"], verdict=Outcome.FAIL)
    part = replace(part, verdict=Outcome.FAIL, against_scratch={"torch": other})
    tile = answer(replace(passing(), accuracy=part)).tiles[1]
    assert tile.verdict == Outcome.FAIL
    assert "the way there does not" in tile.detail


@given(st.lists(positive, min_size=1, max_size=6))
def test_the_geometric_mean_of_inverse_ratios_is_the_inverse(medians: list[float]) -> None:
    def mean_of(values: list[float]) -> float:
        cases = tuple(speed_case((784, 10), 1, "sgd", torch=comparison(value)) for value in values)
        return ratios.geometric_means(speed_of(cases))["torch"].median

    assert math.isclose(mean_of(medians), 1 / mean_of([1 / m for m in medians]), rel_tol=1e-12)


def test_a_stated_geometric_mean_keeps_its_interval() -> None:
    stated = Comparison(Estimate(2.0, (1.9, 2.1), 5), Finding.FASTER)
    means = ratios.geometric_means(speed_of(speed().cases, torch=stated, jax=None))
    assert ratios.said(means["torch"]) == "2.00× [1.90, 2.10]"
    assert ratios.said(means["jax"]) == "1.09×"
