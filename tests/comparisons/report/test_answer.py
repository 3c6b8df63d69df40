"""The sentence, the tiles and the numbers in them."""

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backproof.comparisons.drawing import formats
from backproof.comparisons.gradients.words import ordered, share
from backproof.comparisons.report.answer import answer
from backproof.comparisons.report.document import outcome_of
from backproof.comparisons.speed import ratios
from backproof.comparisons.speed.result import Comparison, Estimate, Finding
from backproof.comparisons.verdicts.outcome import Outcome
from tests.support.sample_results import (
    accuracy,
    check,
    comparison,
    failing,
    nothing_run,
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


def test_a_good_run_is_answered_in_one_sentence() -> None:
    assert plain(answer(passing()).sentence) == (
        "On MNIST, the network written from scratch computes the same gradients as PyTorch and JAX, reaches "
        "the same accuracy (96.3 %) and trains 1.53 times as fast as PyTorch (JAX 1.09, scikit-learn 1.60)."
    )


def test_a_failure_is_never_called_the_same() -> None:
    said = answer(failing()).sentence
    assert "same" not in said
    assert "fails 2 of 36 gradient checks" in said


def test_an_undecided_run_is_not_called_the_same() -> None:
    assert "same" not in answer(undecided()).sentence


def test_without_results_the_sentence_asks_to_run() -> None:
    assert "run backproof" in answer(nothing_run()).sentence


@pytest.mark.parametrize("part", ["gradients", "accuracy", "speed"])
def test_a_missing_part_changes_only_its_own_tile(part: str) -> None:
    whole = answer(passing()).tiles
    without = answer(replace(passing(), **{part: None})).tiles
    changed = [tile.key for tile, other in zip(whole, without, strict=True) if tile != other]
    assert changed == [part]


@pytest.mark.parametrize("make", [passing, failing, undecided])
def test_every_tile_has_the_verdict_of_its_part(make: Any) -> None:
    results = make()
    parts = (results.gradients, results.accuracy)
    words = [part and outcome_of(part) for part in parts]
    words.append(results.speed and ratios.words(results.speed.finding))
    assert [tile.verdict for tile in answer(results).tiles] == words


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


def test_equal_accuracies_reached_in_another_way_are_not_called_the_same_training() -> None:
    part = replace(accuracy(), verdict=Outcome.FAIL)
    said = answer(replace(passing(), accuracy=part))
    assert "though not in the same way" in said.sentence
    assert (said.tiles[1].value, said.tiles[1].verdict) == ("Yes", "FAIL")
    assert "the way there does not" in said.tiles[1].detail


def test_failed_checks_come_first_then_those_closest_to_their_bound() -> None:
    checks = [check("a", "b", "c", error, 1.0) for error in (0.2, 5.0, 0.9, 0.0)]
    assert [c.max_error for c in ordered(checks)] == [5.0, 0.9, 0.2, 0.0]


def test_an_error_without_a_bound_to_hold_it_uses_more_than_all() -> None:
    assert check("a", "b", "c", 1e-300, 0.0).used == math.inf
    assert check("a", "b", "c", 0.0, 0.0).used == 0.0
    assert check("a", "b", "c", math.nan, 1.0).used is None


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.033, "3.3 %"), (0.0, "0.0 %"), (2e-4, "0.020 %"), (3.25e9, "3.2×10⁹×"), (None, "–")],
)
def test_shares_of_a_bound_are_rounded_to_what_matters(value: float | None, text: str) -> None:
    assert plain(share(value)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.3e-12, "1.3×10⁻¹²"), (0.0, "0"), (-2e5, "−2.0×10⁵"), (0.05, "0.050"), (12.34, "12"),
        (9999.0, "9,999"), (None, "–"), (math.nan, "NaN"), (-math.inf, "−∞"),
    ],
)  # fmt: skip
def test_scientific_numbers(value: float | None, text: str) -> None:
    assert formats.scientific(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.2e-6, "1.2 µs"), (0.034, "34 ms"), (5.61, "5.61 s"), (99.96, "1 min 40 s"), (125, "2 min 5 s"),
        (3720, "1 h 2 min"), (0.9999, "1 s"), (0, "0 s"), (2e-9, "2 ns"), (None, "–"),
    ],
)  # fmt: skip
def test_durations_have_the_unit_that_suits_them(value: float | None, text: str) -> None:
    assert plain(formats.seconds(value)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.915, "1.92×"), (0.8, "0.800×"), (12, "12.0×"), (331.4, "331×"), (1331, "1,331×"), (None, "–")],
)
def test_ratios_have_three_figures(value: float | None, text: str) -> None:
    assert formats.times(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.04, "+0.04"), (-0.1, "−0.10"), (-0.001, "0.00"), (0.0, "0.00")]
)
def test_points_have_a_sign_unless_they_round_to_zero(value: float, text: str) -> None:
    assert formats.points(value) == text


@pytest.mark.parametrize(
    ("name", "text"), [("torch", "PyTorch"), ("a.py:MyMLP", "MyMLP"), ("mine", "mine"), ("odd:", "odd:")]
)
def test_contenders_have_a_readable_name(name: str, text: str) -> None:
    assert formats.label(name) == text


@pytest.mark.parametrize(("names", "text"), [([], ""), (["a"], "a"), (["a", "b", "c"], "a, b and c")])
def test_lists_read_as_prose(names: list[str], text: str) -> None:
    assert formats.listed(names) == text
