"""The equivalence decision: worked out by hand, and SciPy and statsmodels as oracles."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.weightstats import ttost_paired

from backproof.comparisons.accuracy.equivalence import (
    _image_differences,
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
def test_the_p_value_of_equivalence_is_statsmodels(found: list[float], margin: float) -> None:
    expected, _, _ = ttost_paired(np.array(found), np.zeros(len(found)), -margin, margin)
    np.testing.assert_allclose(
        paired_equivalence(found, margin).p_equivalence, expected, rtol=1e-9, atol=1e-15
    )


@given(differences, margins)
def test_equivalent_means_that_both_one_sided_tests_reject_at_five_percent(
    found: list[float], margin: float
) -> None:
    p, _, _ = ttost_paired(np.array(found), np.zeros(len(found)), -margin, margin)
    assume(abs(p - 0.05) > 1e-9)
    assert (paired_equivalence(found, margin).outcome == "equivalent") == (p < 0.05)


@given(differences, margins)
def test_different_means_that_a_one_sided_test_rejects_the_margin_from_outside(
    found: list[float], margin: float
) -> None:
    above = float(stats.ttest_1samp(found, margin, alternative="greater").pvalue)
    below = float(stats.ttest_1samp(found, -margin, alternative="less").pvalue)
    assume(min(abs(above - 0.05), abs(below - 0.05)) > 1e-9)
    assert (paired_equivalence(found, margin).outcome == "different") == (min(above, below) < 0.05)


@given(differences)
def test_the_interval_is_scipys(found: list[float]) -> None:
    low, high = stats.ttest_1samp(found, 0.0).confidence_interval(0.90)
    interval = np.array(paired_equivalence(found, 0.2).interval)
    np.testing.assert_allclose(interval, np.array([low, high], np.float64), rtol=1e-9, atol=1e-12)


@given(differences, margins)
def test_turning_the_pairs_round_turns_the_difference_and_not_the_outcome(
    found: list[float], margin: float
) -> None:
    there, back = paired_equivalence(found, margin), paired_equivalence([-d for d in found], margin)
    assert (there.outcome, there.difference) == (back.outcome, -back.difference)


def test_three_differences_by_hand() -> None:
    """d = (0.1, 0.3, 0.2): mean 0.2, s = 0.1, t_{0.95, 2} = 2.919986 (tables): half width 0.168585."""
    found = paired_equivalence([0.1, 0.3, 0.2], 0.5)
    np.testing.assert_allclose((found.difference, *found.interval), (0.2, 0.0314146, 0.3685854), atol=1e-6)
    assert found.outcome == "equivalent"


@pytest.mark.parametrize(
    ("low", "high", "outcome"),
    [
        (-0.2, 0.1, "undecided"),  # an end on the margin is not inside it
        (-0.1, 0.2, "undecided"),
        (0.2, 0.4, "undecided"),  # nor outside
        (-0.4, -0.2, "undecided"),
        (-0.19, 0.19, "equivalent"),
        (0.21, 0.4, "different"),
        (-0.4, -0.21, "different"),
        (-0.4, 0.4, "undecided"),
    ],
)
def test_an_interval_is_judged_by_both_ends(low: float, high: float, outcome: str) -> None:
    assert str(outcomes(low, high, 0.2)) == outcome


def test_one_seed_decides_nothing() -> None:
    found = paired_equivalence([0.0], 0.2)
    assert (found.outcome, found.verdict, found.interval) == ("undecided", "INCONCLUSIVE", (-np.inf, np.inf))


@pytest.mark.parametrize(
    ("difference", "verdict"), [(0.0, "PASS"), (0.19, "PASS"), (0.2, "INCONCLUSIVE"), (-0.3, "FAIL")]
)
def test_equal_differences_are_judged_by_their_common_value(difference: float, verdict: str) -> None:
    assert paired_equivalence([difference] * 4, 0.2).verdict == verdict


@pytest.mark.parametrize(("difference", "p"), [(0.0, 0.0), (0.19, 0.0), (-0.3, 1.0), (0.5, 1.0)])
def test_equal_differences_leave_no_doubt_on_which_side_of_the_margin_they_are(
    difference: float, p: float
) -> None:
    assert paired_equivalence([difference] * 4, 0.2).p_equivalence == p


def test_of_one_pair_equivalence_is_not_shown_at_any_level() -> None:
    assert paired_equivalence([0.0], 0.2).p_equivalence == 1.0


def test_differences_in_single_precision_are_averaged_in_double() -> None:
    found = np.array([0.1, 0.3, 0.2, 0.7], np.float32)
    single, double = paired_equivalence(found, 0.5), paired_equivalence(found.astype(np.float64), 0.5)
    assert (single.difference, single.interval) == (double.difference, double.interval)


@pytest.mark.parametrize("found", [[], [0.1, float("nan")], [0.1, float("inf")], [[0.1, 0.2]]])
def test_differences_that_are_no_numbers_are_refused(found: Any) -> None:
    with pytest.raises(InputError, match=r"^differences: expected"):
        paired_equivalence(found, 0.2)


@pytest.mark.parametrize("margin", [0.0, -0.1, float("nan"), float("inf")])
def test_a_margin_that_is_not_positive_is_refused(margin: float) -> None:
    with pytest.raises(InputError, match=r"^margin: expected"):
        paired_equivalence([0.1, 0.2], margin)


@given(
    st.lists(differences.filter(lambda d: len(d) >= 5).map(lambda d: d[:5]), min_size=1, max_size=4), margins
)
def test_many_studies_at_once_are_decided_like_each_alone(studies: list[list[float]], margin: float) -> None:
    _, low, high = intervals(np.array(studies))
    together = outcomes(low, high, margin).tolist()
    assert together == [paired_equivalence(study, margin).outcome for study in studies]


@given(st.integers(0, 300), st.integers(0, 300))
def test_mcnemar_is_statsmodels_exact_test(here: int, there: int) -> None:
    assume(here + there > 0)
    expected = statsmodels_mcnemar([[0, here], [there, 0]], exact=True).pvalue
    np.testing.assert_allclose(mcnemar(here, there), expected, rtol=1e-9)


def test_mcnemar_of_no_discordant_image_finds_nothing() -> None:
    assert mcnemar(0, 0) == 1.0


@pytest.mark.parametrize("counts", [(-1, 3), (3, -1)])
def test_mcnemar_refuses_negative_counts(counts: tuple[int, int]) -> None:
    with pytest.raises(InputError, match=r"^counts: expected"):
        mcnemar(*counts)


# --- simulated studies -------------------------------------------------------------------------------------


@pytest.mark.parametrize("difference", [0.1, -0.1])
def test_simulated_images_have_the_mean_and_the_deviation_asked_for(difference: float) -> None:
    counts = _image_differences(np.random.default_rng(0), difference, 0.15, 10_000, (100_000, 1))
    assert abs(counts.mean() - 100 * difference) <= 5 * 15 / np.sqrt(100_000)
    assert abs(counts.std() - 15) <= 5 * 15 / np.sqrt(2 * 100_000)


@pytest.mark.parametrize("n_images", [None, 10_000])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_large_difference_is_called_different_whatever_its_sign(n_images: int | None, sign: int) -> None:
    shares = simulated_outcomes(
        sign * 1.0, 0.15, margin=0.2, n_seeds=20, n_trials=200, seed=0, n_images=n_images
    )
    assert shares == {"equivalent": 0.0, "different": 1.0, "undecided": 0.0}


def test_a_deviation_that_images_cannot_have_is_refused() -> None:
    with pytest.raises(InputError, match=r"^deviation: expected at least 0.1 points with 10000 images"):
        simulated_outcomes(1.0, 0.05, margin=0.2, n_seeds=5, n_trials=10, seed=0, n_images=10_000)


def test_the_same_seed_simulates_the_same_studies_and_another_others() -> None:
    def shares(seed: int) -> object:
        return simulated_outcomes(0.2, 0.3, margin=0.2, n_seeds=5, n_trials=1000, seed=seed)

    assert shares(7) == shares(7) != shares(8)
