"""The verdicts, and above all that they are not PASS when they should not be."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backproof.comparisons.verdicts.outcome import Outcome, worst
from backproof.comparisons.verdicts.verdict import (
    Asked,
    Verdict,
    compare,
    group_resolution,
    resolution,
    sensitivity,
)
from backproof.scratch.architecture import Architecture

NAN, INF = float("nan"), float("inf")
TWO_TENSORS = [slice(0, 1), slice(1, 2)]


def entry(i: int) -> str:
    return f"entry {i}"


def test_a_difference_equal_to_the_bound_passes() -> None:
    assert compare(np.array([1.5]), np.array([1.0]), 0.5).outcome == Outcome.PASS


def test_a_difference_beyond_the_bound_fails() -> None:
    assert compare(np.array([1.5]), np.array([1.0]), np.nextafter(0.5, 0)).outcome == Outcome.FAIL


@given(st.integers(0, 9999))
def test_one_bad_entry_among_ten_thousand_good_ones_fails_and_is_named(i: int) -> None:
    found = np.ones(10_000)
    found[i] += 1e-3
    verdict = compare(found, np.ones(10_000), 1e-4, entry)
    assert (verdict.outcome, verdict.worst) == (Outcome.FAIL, f"entry {i}")


def test_nothing_compared_is_inconclusive_never_a_pass() -> None:
    verdict = compare(np.empty(0), np.empty(0), 1.0)
    assert (verdict.outcome, verdict.n_compared) == (Outcome.INCONCLUSIVE, 0)


@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_a_found_value_that_is_not_finite_fails_even_where_the_expected_one_is_the_same(bad: float) -> None:
    verdict = compare(np.array([0.0, bad]), np.array([0.0, 1.0]), 1.0, entry)
    assert (verdict.outcome, verdict.worst) == (Outcome.FAIL, "entry 1")


@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_a_found_value_that_is_not_finite_fails_with_its_value_in_the_reason(bad: float) -> None:
    assert str(bad) in compare(np.array([bad]), np.array([1.0]), 1.0, entry).reason


def test_nan_beside_a_merely_wrong_entry_is_the_one_that_is_named() -> None:
    verdict = compare(np.array([5.0, NAN, 9.0]), np.zeros(3), 1.0, entry)
    assert verdict.worst == "entry 1"


@pytest.mark.parametrize("bound", [NAN, INF])
def test_a_bound_that_says_nothing_is_inconclusive(bound: float) -> None:
    verdict = compare(np.array([1.0, 1.0]), np.array([1.0, 1.0]), np.array([0.1, bound]))
    assert (verdict.outcome, verdict.n_compared, verdict.n_inconclusive) == (Outcome.INCONCLUSIVE, 1, 1)


@pytest.mark.parametrize("expected", [NAN, INF])
def test_an_expected_value_that_is_not_finite_is_inconclusive(expected: float) -> None:
    assert compare(np.array([expected]), np.array([expected]), 1.0).outcome == Outcome.INCONCLUSIVE


def test_a_failure_outweighs_what_is_undecided() -> None:
    verdict = compare(np.array([9.0, 0.0]), np.zeros(2), np.array([1.0, INF]))
    assert (verdict.outcome, verdict.n_inconclusive) == (Outcome.FAIL, 1)


def test_an_undecided_entry_is_inconclusive_only_inside_its_bound() -> None:
    undecided = np.array([True])
    inside = compare(np.array([0.5]), np.zeros(1), 1.0, undecided=undecided)
    outside = compare(np.array([1.5]), np.zeros(1), 1.0, undecided=undecided)
    assert (inside.outcome, outside.outcome) == (Outcome.INCONCLUSIVE, Outcome.FAIL)


def test_an_undecided_entry_says_why() -> None:
    verdict = compare(np.zeros(1), np.zeros(1), 1.0, undecided=np.array([True]))
    assert "rounding decides it" in verdict.reason


def test_a_small_wrong_layer_beside_a_large_right_one_fails() -> None:
    found, expected = np.array([1e6, 2e-9]), np.array([1e6, 1e-9])
    assert compare(found, expected, 1e-12 * np.abs(expected)).outcome == Outcome.FAIL


def test_errors_of_both_signs_do_not_cancel() -> None:
    assert compare(np.array([1.1, 0.9]), np.ones(2), 1e-3).outcome == Outcome.FAIL


def test_a_wrong_entry_with_bound_zero_is_the_worst() -> None:
    verdict = compare(np.array([1e-9, 2.0]), np.array([0.0, 1.0]), np.array([0.0, 0.5]), entry)
    assert verdict.worst == "entry 0"


def test_the_worst_entry_of_a_pass_is_the_closest_to_its_bound() -> None:
    verdict = compare(np.array([1.0, 0.1]), np.zeros(2), np.array([100.0, 0.2]), entry)
    assert (verdict.outcome, verdict.worst, verdict.error, verdict.bound) == (
        Outcome.PASS,
        "entry 1",
        0.1,
        0.2,
    )


def test_shapes_that_differ_are_refused_rather_than_broadcast() -> None:
    with pytest.raises(ValueError, match=r"found: expected shape \(3,\), got \(1,\)"):
        compare(np.zeros(1), np.zeros(3), 1.0)


def test_parameters_are_named_by_layer_and_place() -> None:
    architecture = Architecture((2, 3, 1))
    found = np.zeros(architecture.n_parameters)
    found[architecture.n_parameters - 1] = 1.0
    assert compare(found, np.zeros_like(found), 0.1, architecture.parameter_name).worst == "b2[0]"


@given(st.floats(1e-9, 1e-1), st.lists(st.floats(0.1, 10), min_size=2, max_size=6))
def test_a_scale_error_above_the_resolution_of_its_tensor_is_always_seen(
    bound: float, sizes: list[float]
) -> None:
    expected = np.array(sizes)
    found = expected + 0.99 * bound
    resolution = compare(found, expected, bound).resolution
    spoiled = found * (1 - 1.001 * resolution)
    assert compare(spoiled, expected, bound).outcome == Outcome.FAIL


def test_the_resolution_is_that_of_the_worst_tensor() -> None:
    found, bound = np.array([1.0, 1e-3]), 1e-6
    assert compare(found, found, bound, groups=TWO_TENSORS).resolution == pytest.approx(2e-3, rel=2e-3)


def test_the_resolution_of_one_entry_leaves_room_for_its_own_error() -> None:
    """2 B / (|g| - B) = 2 * 0.5 / (2 - 0.5); a right answer may be as small as 1.5."""
    assert group_resolution(np.array([2.0]), np.array([0.5])) == pytest.approx(1 / 1.5)


def test_a_tensor_that_is_zero_by_proof_has_nothing_to_scale() -> None:
    assert group_resolution(np.zeros(3), np.zeros(3)) is None


def test_a_tensor_expected_to_be_zero_with_room_around_it_is_not_resolved() -> None:
    assert group_resolution(np.zeros(3), np.ones(3)) == INF


def test_a_gradient_of_zeros_inside_wide_bounds_resolves_nothing() -> None:
    assert compare(np.zeros(3), np.zeros(3), 1.0).resolution == INF


@pytest.mark.parametrize("required", [1e-9, 1e-3, INF])
@given(size=st.floats(1e-6, 1e6), factor=st.floats(1.0, 1e3))
def test_zeros_that_are_inside_their_bounds_never_pass(required: float, size: float, factor: float) -> None:
    verdict = compare(np.zeros(2), np.full(2, size), size * factor, asked=Asked(required))
    assert verdict.outcome == Outcome.INCONCLUSIVE
    assert "zeros would pass" in verdict.reason


def test_one_tensor_too_coarse_beside_a_fine_one_is_inconclusive_and_named() -> None:
    expected, bound = np.array([1.0, 1e-3]), 1e-6
    name = ["W1[0, 0]", "b1[0]"].__getitem__
    verdict = compare(expected, expected, bound, name, TWO_TENSORS, asked=Asked(1e-4))
    assert (verdict.outcome, verdict.reason.split()[0]) == (Outcome.INCONCLUSIVE, "b1")


def test_a_tensor_that_is_zero_by_proof_does_not_stand_in_the_way_of_a_pass() -> None:
    found, bound = np.array([1.0, 0.0]), np.array([1e-9, 0.0])
    assert compare(found, found, bound, groups=TWO_TENSORS, asked=Asked(1e-6)).passed


def test_a_wrong_entry_fails_however_coarse_the_resolution() -> None:
    assert compare(np.array([9.0]), np.ones(1), 2.0, asked=Asked(1e-6)).outcome == Outcome.FAIL


@pytest.mark.parametrize("outcome", Outcome)
def test_a_verdict_is_true_only_if_it_is_a_pass(outcome: Outcome) -> None:
    assert bool(Verdict(outcome, 0.0, 1.0, 0.1, "", "", 1, 0)) is (outcome == Outcome.PASS)


@pytest.mark.parametrize(
    ("resolution", "words"),
    [
        (2.5e-5, "an error of 1 part in 40,000 would have been seen"),
        (1 / 40_999, "an error of 1 part in 40,000 would have been seen"),
        (0.3, "an error of 1 part in 3 would have been seen"),
        (3.0, "an error of 3 times the size would have been seen"),
        (0.0, "any error would have been seen"),
        (INF, "not even an error of the whole size would have been seen"),
    ],
)
def test_a_resolution_is_told_in_words_and_never_finer_than_it_is(resolution: float, words: str) -> None:
    assert sensitivity(resolution) == words


def test_a_pass_with_a_required_resolution_says_what_would_have_been_seen() -> None:
    assert "1 part in" in compare(np.ones(2), np.ones(2), 1e-5, asked=Asked(1e-3)).reason


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([], Outcome.INCONCLUSIVE),
        ([Outcome.PASS], Outcome.PASS),
        ([Outcome.PASS, Outcome.INCONCLUSIVE], Outcome.INCONCLUSIVE),
        ([Outcome.INCONCLUSIVE, Outcome.FAIL, Outcome.PASS], Outcome.FAIL),
    ],
)
def test_the_overall_outcome_is_the_worst_and_of_nothing_inconclusive(
    outcomes: list[str], expected: str
) -> None:
    assert worst(outcomes) == expected


def test_a_verdict_is_written_as_strict_json() -> None:
    verdict = Verdict(Outcome.INCONCLUSIVE, NAN, INF, INF, "", "nothing", 0, 0)
    written = json.loads(json.dumps(verdict.as_json(), allow_nan=False))
    assert (written["outcome"], written["bound"]) == (Outcome.INCONCLUSIVE, None)


def test_the_resolution_of_all_is_that_of_the_coarsest_group_and_zero_where_all_are_zero_by_proof() -> None:
    expected, bounds = np.array([0.0, 2.0, 4.0]), np.array([0.0, 0.5, 0.1])
    groups = [slice(0, 1), slice(1, 2), slice(2, 3)]
    assert resolution(expected, bounds, groups) == group_resolution(expected[1:2], bounds[1:2])
    assert resolution(np.zeros(3), np.zeros(3), groups) == 0.0
    assert resolution(np.zeros(0), np.zeros(0)) == INF
