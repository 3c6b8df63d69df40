"""The error rates of the verdict: nominal as it is, and found out where the procedure is bent."""

import numpy as np
import pytest

from backproof.comparisons.accuracy import error_rates
from backproof.comparisons.accuracy.equivalence import simulated_outcomes
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
