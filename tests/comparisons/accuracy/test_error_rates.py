"""The error rates of the verdict: nominal as it is, and found out where the procedure is bent."""

from itertools import product

import numpy as np
import pytest

from backproof.comparisons.accuracy import error_rates
from backproof.comparisons.accuracy.equivalence import simulated_outcomes
from backproof.comparisons.accuracy.result import EquivalenceWord
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.scratch.errors import InputError


@pytest.mark.parametrize("seed", [0, 1])
def test_the_error_rates_of_the_verdict_are_nominal(seed: int) -> None:
    """32 cases of 2,000 studies each; every share of wrong verdicts within four standard errors."""
    found = error_rates.run(2_000, margin=0.2, seed=seed)
    assert [case for case in found.cases if not case.holds] == []
    assert found.verdict == Outcome.PASS


def test_at_the_margin_both_errors_happen_in_five_percent_of_the_studies() -> None:
    shares = simulated_outcomes(0.2, 0.05, margin=0.2, n_seeds=20, n_trials=20_000, seed=0)
    slack = 4 * np.sqrt(0.05 * 0.95 / 20_000)
    assert abs(shares["equivalent"] - 0.05) <= slack
    assert abs(shares["different"] - 0.05) <= slack


@pytest.mark.parametrize("confidence", [0.80, 0.96])
def test_a_procedure_with_an_interval_of_another_confidence_is_found_out(
    monkeypatch: pytest.MonkeyPatch, confidence: float
) -> None:
    monkeypatch.setattr("backproof.comparisons.accuracy.equivalence.CONFIDENCE", confidence)
    assert error_rates.run(2_000, margin=0.2, seed=0).verdict == Outcome.FAIL


def test_the_mistakes_of_a_case_are_those_that_its_truth_makes_mistakes() -> None:
    wrong = {
        round(case.true_difference / 0.2, 9): set(case.wrong)
        for case in error_rates.run(100, margin=0.2, seed=0).cases
    }
    assert wrong == {
        0.0: {"different"},
        0.5: {"different"},
        1.0: {"equivalent", "different"},
        1.5: {"equivalent"},
    }


def test_the_shares_of_a_case_sum_to_one() -> None:
    for case in error_rates.run(100, margin=0.2, seed=3).cases:
        assert sum(case.shares.values()) == pytest.approx(1.0, abs=1e-12)


def test_too_few_studies_are_refused() -> None:
    with pytest.raises(InputError, match=r"^error_rates: expected at least 100"):
        error_rates.run(10, margin=0.2, seed=0)


def test_every_case_is_simulated_with_its_own_numbers_and_its_own_seed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[object, ...]] = []

    def simulated(
        difference: float, deviation: float, *, margin: float, n_seeds: int, n_trials: int, **more: int | None
    ) -> dict[EquivalenceWord, float]:
        asked.append((difference, deviation, margin, n_seeds, n_trials, more["n_images"], more["seed"]))
        return {"equivalent": 0.05, "different": 0.05, "undecided": 0.9}

    monkeypatch.setattr(error_rates, "simulated_outcomes", simulated)
    error_rates.run(700, margin=0.4, seed=3)
    every = product((0.0, 0.2, 0.4, 0.6), (0.06, 0.15), (5, 20), (None, 10_000))
    assert [one[:-1] for one in asked] == [
        (pytest.approx(truth), deviation, 0.4, n_seeds, 700, n_images)
        for truth, deviation, n_seeds, n_images in every
    ]
    assert [one[-1] for one in asked] == list(range(3, 3 + 32))


@pytest.mark.parametrize(("share", "exact"), [(0.05, True), (0.065, True), (0.035, True), (0.0, False)])
def test_a_share_near_five_percent_holds(share: float, exact: bool) -> None:
    """With 3,000 studies four standard errors are 0.0159."""
    assert error_rates._holds(share, 3000, exact)


@pytest.mark.parametrize(("share", "exact"), [(0.067, True), (0.067, False), (0.033, True), (0.0, True)])
def test_a_share_beyond_four_standard_errors_does_not_hold(share: float, exact: bool) -> None:
    assert not error_rates._holds(share, 3000, exact)


@pytest.mark.parametrize(
    ("shares", "verdict"),
    [
        ({"equivalent": 0.05, "different": 0.05, "undecided": 0.9}, Outcome.PASS),
        ({"equivalent": 0.05, "different": 0.20, "undecided": 0.75}, Outcome.FAIL),
        ({"equivalent": 0.20, "different": 0.05, "undecided": 0.75}, Outcome.FAIL),
    ],
)
def test_one_share_too_many_fails_a_case_and_one_case_the_whole(
    monkeypatch: pytest.MonkeyPatch, shares: dict[EquivalenceWord, float], verdict: Outcome
) -> None:
    monkeypatch.setattr(error_rates, "simulated_outcomes", lambda *given, **more: shares)
    found = error_rates.run(3000, margin=0.2, seed=0)
    at_the_margin = [case.holds for case in found.cases if case.true_difference == 0.2]
    assert (found.verdict, all(at_the_margin), any(at_the_margin)) == (
        verdict,
        verdict == Outcome.PASS,
        verdict == Outcome.PASS,
    )


@pytest.mark.parametrize(
    ("deviation", "n_seeds", "short"), [(0.13, 5, True), (0.14, 5, False), (0.14, 20, True)]
)
def test_at_the_margin_too_few_mistakes_are_one_too_where_the_interval_is_short(
    monkeypatch: pytest.MonkeyPatch, deviation: float, n_seeds: int, short: bool
) -> None:
    """1.7 s / sqrt(n) against half the margin of 0.2: 0.0988, 0.1064, 0.0532."""
    never: dict[EquivalenceWord, float] = {"equivalent": 0.0, "different": 0.0, "undecided": 1.0}
    monkeypatch.setattr(error_rates, "simulated_outcomes", lambda *given, **more: never)
    case = error_rates._case(3000, 0.2, 0, 1.0, deviation, n_seeds, None)
    assert case.holds == (not short)
    assert error_rates._case(3000, 0.2, 0, 0.5, deviation, n_seeds, None).holds
