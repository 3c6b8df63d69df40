"""Ratios and intervals worked out by hand and by SciPy: every figure of the report rests on these lines."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from backproof.comparisons.contenders.known import SCRATCH
from backproof.comparisons.speed.entrants import CONTROL
from backproof.comparisons.speed.result import Estimate, Finding, Record
from backproof.comparisons.speed.statistics import (
    estimate,
    finding,
    floor_ratio,
    geometric_mean,
    log_ratios,
    noise_floor,
)

logs = st.lists(st.floats(-3.0, 3.0), min_size=2, max_size=8)


def record(entry: str, seconds: float, launch: int = 0, number: int = 0, fault: str | None = None) -> Record:
    """A turn of so many seconds."""
    return Record(1, launch, 0, number, 0, entry, 10, 100, seconds, seconds, 2.3, 2.0, fault)


def rounds(launch: int, scratch: tuple[float, ...], other: tuple[float, ...]) -> list[Record]:
    """One launch: in round k scratch takes scratch[k] seconds, the other one other[k]."""
    pairs = enumerate(zip(scratch, other, strict=True))
    return [
        record(name, seconds, launch, number)
        for number, both in pairs
        for name, seconds in zip((SCRATCH, "other"), both, strict=True)
    ]


def test_three_launches_give_the_interval_worked_out_by_hand() -> None:
    # Mean 0.2, deviation 0.1 (over n - 1 = 2), t_2 = 4.302653: half width 4.302653 * 0.1 / sqrt(3).
    found = estimate([0.1, 0.2, 0.3])
    assert found is not None
    expected = (math.exp(0.2), math.exp(0.2 - 0.248414), math.exp(0.2 + 0.248414))
    assert (found.median, found.low, found.high) == pytest.approx(expected, rel=1e-6)
    assert found.units == 3


@given(logs)
def test_the_interval_is_the_one_of_students_t_at_95_percent(values: list[float]) -> None:
    found = estimate(values)
    assert found is not None
    mean, error = sum(values) / len(values), stats.sem(values) or 1e-300
    low, high = stats.t.interval(0.95, len(values) - 1, mean, error)
    assert (math.log(found.low), math.log(found.high)) == pytest.approx((low, high), rel=1e-9, abs=1e-9)


def test_a_single_unit_leaves_every_ratio_possible() -> None:
    assert estimate([math.log(2.0)]) == Estimate(2.0, (0.0, math.inf), 1)


def test_nothing_measured_is_no_estimate() -> None:
    assert estimate([]) is None


def test_a_launch_counts_once_by_the_median_of_its_rounds() -> None:
    # Launch 0: ratios 2, 2, 16; launch 1: 4, 8, 2. Their medians are 2 and 4.
    records = rounds(0, (1.0, 2.0, 1.0), (2.0, 4.0, 16.0)) + rounds(1, (1.0, 1.0, 3.0), (4.0, 8.0, 6.0))
    found = log_ratios(records, "other")
    assert found == pytest.approx({0: math.log(2.0), 1: math.log(4.0)})


def test_a_ratio_is_of_the_same_round_and_not_of_the_medians() -> None:
    # The machine slows down tenfold: both grow, and the ratio is 3 in every round.
    found = log_ratios(rounds(0, (1.0, 10.0), (3.0, 30.0)), "other")
    assert found == pytest.approx({0: math.log(3.0), 1: math.log(3.0)})


def test_turns_at_fault_and_rounds_without_scratch_are_left_out() -> None:
    records = rounds(0, (1.0, 1.0), (2.0, 5.0))
    records += [record("other", 7.0, number=2), record(SCRATCH, 1.0, number=3)]
    records += [record(SCRATCH, 1.0, number=4), record("other", 9.0, number=4, fault="other maths")]
    assert log_ratios(records, "other") == pytest.approx({0: math.log(2.0), 1: math.log(5.0)})


def test_the_geometric_mean_of_2_and_8_is_4() -> None:
    found = geometric_mean([{0: math.log(2.0), 1: math.log(8.0)}, {0: math.log(8.0), 1: math.log(2.0)}])
    assert found is not None
    assert (found.median, found.low, found.high) == pytest.approx((4.0, 4.0, 4.0))
    assert found.units == 2


def test_a_unit_that_lacks_a_case_is_no_part_of_the_geometric_mean() -> None:
    found = geometric_mean([{0: 0.0, 1: 0.2, 2: 5.0}, {0: 0.2, 1: 0.2}])
    by_hand = estimate([0.1, 0.2])
    assert found == by_hand


def test_the_geometric_mean_of_no_case_is_none() -> None:
    assert geometric_mean([]) is None
    assert geometric_mean([{0: 1.0}, {1: 1.0}]) is None


@pytest.mark.parametrize(
    ("interval", "floor", "expected"),
    [
        ((1.06, 1.30), 1.05, Finding.FASTER),
        ((1.04, 1.30), 1.05, Finding.SAME),  # the ratio is well outside, its interval is not
        ((0.70, 0.96), 1.05, Finding.SAME),
        ((0.70, 0.95), 1.05, Finding.SLOWER),
        ((1.05, 1.30), 1.05, Finding.SAME),
        ((0.50, 2.00), 1.05, Finding.SAME),
        ((10.0, 20.0), math.inf, Finding.SAME),
        ((0.01, 0.02), math.inf, Finding.SAME),
    ],
)
def test_only_a_whole_interval_outside_the_noise_is_a_difference(
    interval: tuple[float, float], floor: float, expected: Finding
) -> None:
    assert finding(Estimate(math.sqrt(interval[0] * interval[1]), interval, 5), floor) == expected


@given(st.floats(0.01, 100.0), st.floats(1.0, 3.0), st.floats(1.0, 2.0))
def test_turning_the_ratio_over_turns_the_finding_over(ratio: float, width: float, floor: float) -> None:
    turned = {Finding.FASTER: Finding.SLOWER, Finding.SLOWER: Finding.FASTER, Finding.SAME: Finding.SAME}
    low, high = ratio / width, ratio * width
    edge = any(math.isclose(end, other) for end in (low, high) for other in (floor, 1 / floor))
    over = finding(Estimate(1 / ratio, (1 / high, 1 / low), 5), floor)
    assert edge or over == turned[finding(Estimate(ratio, (low, high), 5), floor)]


@pytest.mark.parametrize(
    ("interval", "floor"),
    [((0.98, 1.01), 1 / 0.98), ((0.99, 1.05), 1.05), ((0.0, math.inf), math.inf), ((1.01, 1.02), 1.02)],
)
def test_the_floor_is_the_far_end_of_scratch_against_itself(
    interval: tuple[float, float], floor: float
) -> None:
    assert floor_ratio(Estimate(1.0, interval, 5)) == pytest.approx(floor)


def test_without_scratch_against_itself_nothing_can_be_said() -> None:
    assert floor_ratio(None) == math.inf
    assert noise_floor(rounds(0, (1.0,), (1.0,))) is None


def test_the_noise_floor_is_read_from_the_control() -> None:
    # log ratios 0.01 and 0.03: mean 0.02, deviation 0.01 * sqrt(2), t_1 = 12.7062: half width 0.127062.
    records = [record(SCRATCH, 1.0, number=k) for k in range(2)]
    records += [record(CONTROL, math.exp(log), number=k) for k, log in enumerate((0.01, 0.03))]
    found = noise_floor(records)
    assert found is not None
    assert found.floor == pytest.approx(math.exp(0.02 + 0.127062), rel=1e-6)
