"""The campaign and the sensitivity: reproducible, honest when interrupted, and red when they should be."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backproof.comparisons.gradients import campaign
from backproof.comparisons.gradients.campaign import CELLS, Cell, CellTally, Chunk, Tally, chunks, median
from backproof.comparisons.gradients.random_problems import FAMILIES, ORDINARY
from backproof.comparisons.gradients.result import Campaign
from backproof.comparisons.running.progress import Silent
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.relu_kinks import judge_gradient
from backproof.comparisons.verdicts.verdict import REQUIRED_RESOLUTION, Verdict
from backproof.scratch.architecture import ACTIVATIONS, DTYPES, Array
from backproof.scratch.problem import Problem


@pytest.fixture(scope="module")
def small() -> Campaign:
    return campaign.run(1, seed=0, workers=1, gradcheck_cases=1, progress=Silent())


def test_correct_gradients_raise_no_false_alarm(small: Campaign) -> None:
    figures = small.totals.contenders.values()
    assert [one.false_alarms for one in figures] == [0, 0]
    assert small.verdict == Outcome.PASS


def test_every_error_stays_below_its_bound(small: Campaign) -> None:
    assert all(one.largest_error_over_bound < 1 for one in small.totals.contenders.values())


def test_every_family_activation_and_dtype_is_drawn_equally(small: Campaign) -> None:
    cells = {(row.family, row.activation, row.dtype) for row in small.cells}
    assert cells == {(f, a, d) for f in FAMILIES for a in ACTIVATIONS for d in DTYPES}
    assert small.n_cases == len(CELLS)


def test_gradcheck_judges_its_share_of_the_same_cases(small: Campaign) -> None:
    ordinary = [row for row in small.families if row.family in ORDINARY]
    assert sum(row.gradcheck.cases for row in ordinary) == len(ordinary) * len(ACTIVATIONS)
    failed = sum(row.gradcheck.failed for row in ordinary if row.dtype == "float32")
    assert failed >= 3 * len(ORDINARY)  # most of float32


def test_what_is_wrong_by_ten_times_the_printed_resolution_is_never_missed(small: Campaign) -> None:
    judged = small.totals.contenders["scratch"]
    assert (judged.missed, judged.zeros_passed) == (0, 0)
    assert min(judged.spoiled, judged.zeros) > 0.8 * len(CELLS)


def test_every_pass_is_resolved_as_finely_as_required(small: Campaign) -> None:
    for row in small.families:
        required = REQUIRED_RESOLUTION[row.dtype]
        assert all(one.worst_resolution <= required for one in row.contenders.values())


def test_a_verdict_that_says_pass_to_everything_is_all_misses(monkeypatch: pytest.MonkeyPatch) -> None:
    def lenient(*arguments: Any, **options: Any) -> Verdict:
        return replace(judge_gradient(*arguments, **options), outcome=Outcome.PASS)

    monkeypatch.setattr(campaign, "judge_gradient", lenient)
    tally = campaign.run_chunk(Chunk(("normal", "tanh", "float64"), 0, 3, 0, 0))
    found = tally.contenders["scratch"]
    assert (found.missed, found.zeros_passed) == (found.spoiled, found.zeros) == (3, 3)
    assert found.first_miss.startswith("seed 0, normal tanh float64, case 0: ")
    assert campaign.campaign_verdict(tally, [tally]) == Outcome.FAIL


@pytest.mark.parametrize(("missed", "verdict"), [(1, Outcome.PASS), (2, Outcome.FAIL)])
def test_more_than_one_miss_in_a_thousand_fails_the_campaign(missed: int, verdict: Outcome) -> None:
    tally = CellTally({"scratch": Tally(cases=1, entries=1000, spoiled=1000, missed=missed)})
    assert campaign.campaign_verdict(tally, [tally]) == verdict


def test_a_single_gradient_of_zeros_that_passes_fails_the_campaign() -> None:
    tally = CellTally({"scratch": Tally(cases=1, entries=1000, zeros=1000, zeros_passed=1)})
    assert campaign.campaign_verdict(tally, [tally]) == Outcome.FAIL


def test_the_same_cases_come_whatever_the_chunks() -> None:
    cell: Cell = ("wide", "relu", "float64")
    whole = campaign.run_chunk(Chunk(cell, 0, 4, 0, 0))
    parts = [campaign.run_chunk(Chunk(cell, first, 2, 0, 0)) for first in (0, 2)]
    joined = CellTally()
    for part in parts:
        joined.add(part)
    assert repr(joined) == repr(whole)


def test_all_tasks_together_hold_every_case_once() -> None:
    seen = [
        (chunk.cell, case)
        for chunk in chunks(campaign.CHUNK + 7, 0, 0)
        for case in range(chunk.first, chunk.first + chunk.n_cases)
    ]
    assert len(seen) == len(set(seen)) == len(CELLS) * (campaign.CHUNK + 7)


def test_ctrl_c_keeps_what_is_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = campaign.run_chunk, []

    def interrupted(chunk: Chunk) -> CellTally:
        calls.append(chunk)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(chunk)

    monkeypatch.setattr(campaign, "run_chunk", interrupted)
    part = campaign.run(1, seed=0, workers=1, gradcheck_cases=0, progress=Silent())
    assert part.interrupted
    assert part.n_cases == 2
    assert part.verdict == Outcome.INCONCLUSIVE  # most families have no case at all


def test_a_contender_that_is_slightly_wrong_is_an_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    real = campaign.contender_gradient

    def wrong(name: str, case: Problem) -> Array:
        found = real(name, case)
        return found * (1 + 1e-6) if name == "scratch" else found

    monkeypatch.setattr(campaign, "contender_gradient", wrong)
    tally = campaign.run_chunk(Chunk(("normal", "tanh", "float64"), 0, 3, 0, 0))
    assert (tally.contenders["scratch"].failed, tally.contenders["torch"].failed) == (3, 0)
    assert tally.contenders["scratch"].first_failure.startswith("seed 0, normal tanh float64, case 0: ")


def test_a_single_false_alarm_fails_the_campaign() -> None:
    tally = CellTally()
    tally.contenders["torch"].failed = 1
    assert campaign.campaign_verdict(tally, [tally]) == Outcome.FAIL


@pytest.mark.parametrize(("undecided", "verdict"), [(1, Outcome.PASS), (2, Outcome.INCONCLUSIVE)])
def test_more_than_one_undecided_entry_in_a_thousand_is_inconclusive(undecided: int, verdict: str) -> None:
    tally = CellTally({"scratch": Tally(cases=1, entries=1000, inconclusive_entries=undecided)})
    assert campaign.campaign_verdict(tally, [tally]) == verdict


@given(st.lists(st.floats(1e-12, 1e12), min_size=1, max_size=50))
def test_the_histogram_median_is_within_half_a_bin(values: list[float]) -> None:
    histogram = Tally().ratios
    campaign._record(histogram, np.array(values))
    lower_median = sorted(values)[(len(values) - 1) // 2]
    half = 10 ** (0.5 / campaign.RATIO_BINS)
    assert lower_median / half / 1.0001 <= median(histogram) <= lower_median * half * 1.0001


def test_the_median_of_nothing_is_not_a_number() -> None:
    assert np.isnan(median(Tally().ratios))


@pytest.mark.parametrize(("argument", "name"), [({"n": 0}, "campaign"), ({"workers": 0}, "workers")])
def test_campaigns_of_nothing_are_refused(argument: dict[str, int], name: str) -> None:
    options = {"n": 1, "seed": 0, "workers": 1, "gradcheck_cases": 0, **argument}
    with pytest.raises(ValueError, match=f"{name}: expected at least 1"):
        campaign.run(**options, progress=Silent())


# --- sensitivity -------------------------------------------------------------------------------------------
