"""The equivalence decision: SciPy and statsmodels as oracles, and error rates where the truth is known."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.weightstats import ttost_paired

from backproof.comparisons.accuracy import error_rates
from backproof.comparisons.accuracy.equivalence import (
    intervals,
    mcnemar,
    outcomes,
    paired_equivalence,
    simulated_outcomes,
)
from backproof.scratch.errors import InputError

differences = st.lists(st.floats(-2.0, 2.0), min_size=2, max_size=30).filter(lambda d: np.std(d) > 1e-6)
margins = st.floats(0.05, 1.0)


@given(differences, margins)
def test_the_p_value_of_equivalence_is_statsmodels(found, margin):
    expected, _, _ = ttost_paired(np.array(found), np.zeros(len(found)), -margin, margin)
    np.testing.assert_allclose(
        paired_equivalence(found, margin).p_equivalence, expected, rtol=1e-9, atol=1e-15
    )


@given(differences, margins)
def test_equivalent_means_that_both_one_sided_tests_reject_at_five_percent(found, margin):
    p, _, _ = ttost_paired(np.array(found), np.zeros(len(found)), -margin, margin)
    assume(abs(p - 0.05) > 1e-9)
    assert (paired_equivalence(found, margin).outcome == "equivalent") == (p < 0.05)


@given(differences, margins)
def test_different_means_that_a_one_sided_test_rejects_the_margin_from_outside(found, margin):
    above = stats.ttest_1samp(found, margin, alternative="greater").pvalue
    below = stats.ttest_1samp(found, -margin, alternative="less").pvalue
    assume(min(abs(above - 0.05), abs(below - 0.05)) > 1e-9)
    assert (paired_equivalence(found, margin).outcome == "different") == (min(above, below) < 0.05)


@given(differences)
def test_the_interval_is_scipys(found):
    expected = stats.ttest_1samp(found, 0.0).confidence_interval(0.90)
    np.testing.assert_allclose(paired_equivalence(found, 0.2).interval, expected, rtol=1e-9, atol=1e-12)


@given(differences, margins)
def test_turning_the_pairs_round_turns_the_difference_and_not_the_outcome(found, margin):
    there, back = paired_equivalence(found, margin), paired_equivalence([-d for d in found], margin)
    assert (there.outcome, there.difference) == (back.outcome, -back.difference)


def test_one_seed_decides_nothing():
    found = paired_equivalence([0.0], 0.2)
    assert (found.outcome, found.verdict, found.interval) == ("undecided", "INCONCLUSIVE", (-np.inf, np.inf))


@pytest.mark.parametrize(
    ("difference", "verdict"), [(0.0, "PASS"), (0.19, "PASS"), (0.2, "INCONCLUSIVE"), (-0.3, "FAIL")]
)
def test_equal_differences_are_judged_by_their_common_value(difference, verdict):
    assert paired_equivalence([difference] * 4, 0.2).verdict == verdict


@pytest.mark.parametrize("found", [[], [0.1, float("nan")], [0.1, float("inf")], [[0.1, 0.2]]])
def test_differences_that_are_no_numbers_are_refused(found):
    with pytest.raises(ValueError, match=r"^differences: expected"):
        paired_equivalence(found, 0.2)


@pytest.mark.parametrize("margin", [0.0, -0.1, float("nan"), float("inf")])
def test_a_margin_that_is_not_positive_is_refused(margin):
    with pytest.raises(ValueError, match=r"^margin: expected"):
        paired_equivalence([0.1, 0.2], margin)


@given(
    st.lists(differences.filter(lambda d: len(d) >= 5).map(lambda d: d[:5]), min_size=1, max_size=4), margins
)
def test_many_studies_at_once_are_decided_like_each_alone(studies, margin):
    _, low, high = intervals(np.array(studies))
    together = outcomes(low, high, margin).tolist()
    assert together == [paired_equivalence(study, margin).outcome for study in studies]


@given(st.integers(0, 300), st.integers(0, 300))
def test_mcnemar_is_statsmodels_exact_test(here, there):
    assume(here + there > 0)
    expected = statsmodels_mcnemar([[0, here], [there, 0]], exact=True).pvalue
    np.testing.assert_allclose(mcnemar(here, there), expected, rtol=1e-9)


def test_mcnemar_of_no_discordant_image_finds_nothing():
    assert mcnemar(0, 0) == 1.0


def test_mcnemar_refuses_negative_counts():
    with pytest.raises(ValueError, match=r"^counts: expected"):
        mcnemar(-1, 3)


# --- error rates -------------------------------------------------------------------------------------------


def test_the_error_rates_of_the_verdict_are_nominal():
    """32 cases of 2,000 studies each; every share of wrong verdicts within four standard errors."""
    found = error_rates.run(2_000, margin=0.2, seed=0)
    assert [case for case in found["cases"] if not case["holds"]] == []


def test_at_the_margin_both_errors_happen_in_five_percent_of_the_studies():
    shares = simulated_outcomes(0.2, 0.05, margin=0.2, n_seeds=20, n_trials=20_000, seed=0)
    slack = 4 * np.sqrt(0.05 * 0.95 / 20_000)
    assert abs(shares["equivalent"] - 0.05) <= slack
    assert abs(shares["different"] - 0.05) <= slack


def test_a_procedure_with_too_short_an_interval_is_found_out(monkeypatch):
    """The meta test: with 80 % intervals instead of 90 %, errors happen twice as often."""
    monkeypatch.setattr("backproof.comparisons.accuracy.equivalence.CONFIDENCE", 0.80)
    assert error_rates.run(2_000, margin=0.2, seed=0)["verdict"] == "FAIL"


def test_a_procedure_with_too_long_an_interval_is_found_out(monkeypatch):
    monkeypatch.setattr("backproof.comparisons.accuracy.equivalence.CONFIDENCE", 0.96)
    assert error_rates.run(2_000, margin=0.2, seed=0)["verdict"] == "FAIL"


def test_simulated_images_have_the_mean_and_the_deviation_asked_for():
    from backproof.comparisons.accuracy.equivalence import _image_differences

    counts = _image_differences(np.random.default_rng(0), 0.1, 0.15, 10_000, (100_000, 1))
    assert abs(counts.mean() - 10) <= 5 * 15 / np.sqrt(100_000)
    assert abs(counts.std() - 15) <= 5 * 15 / np.sqrt(2 * 100_000)


def test_too_few_studies_are_refused():
    with pytest.raises(InputError, match=r"^error_rates: expected at least 100"):
        error_rates.run(10, margin=0.2, seed=0)
