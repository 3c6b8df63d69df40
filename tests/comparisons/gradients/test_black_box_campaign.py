"""The campaign for black boxes: what it counts, when it fails, and how it is shown."""

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from backproof.comparisons.gradients import black_box_chapter, black_box_terminal
from backproof.comparisons.gradients.black_box_campaign import (
    WRONG_ONES,
    Count,
    Tally,
    campaign_verdict,
    chunks,
    run,
    run_chunk,
)
from backproof.comparisons.gradients.black_box_families import FAMILIES, GROUPS, BlackBox, families
from backproof.comparisons.gradients.black_box_mistakes import CHANGES, GROSS
from backproof.comparisons.gradients.black_box_result import FunctionCampaign, WrongOnes
from backproof.comparisons.results.codec import decode, encode
from backproof.comparisons.running.progress import Silent
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.reference import function_checkers
from backproof.scratch.errors import InputError

FEW = ("sines", "largest entry", "float32 sines")


@pytest.fixture(scope="module")
def campaign() -> FunctionCampaign:
    """Three kinds of functions, two of each."""
    kept = dict(families())
    with pytest.MonkeyPatch.context() as patch:
        for name in kept:
            if name not in FEW:
                patch.delitem(FAMILIES, name)
        return run(2, seed=0, workers=1, rivals=1, progress=Silent())


def tallies(change: Callable[[dict[str, Tally]], None] = lambda groups: None) -> dict[str, Tally]:
    """A thousand right gradients in every group, all passed, and a hundred of each mistake, all found."""
    groups = {
        group: Tally(Count(1000, 1000, 0), {kind: Count(100, 0, 100) for kind in CHANGES}) for group in GROUPS
    }
    change(groups)
    return groups


def test_nothing_missed_and_nothing_failed_is_a_pass() -> None:
    assert campaign_verdict(tallies()) == Outcome.PASS


@pytest.mark.parametrize(
    ("group", "failed", "outcome"),
    [("kinked", 1, Outcome.FAIL), ("float32", 1, Outcome.FAIL), ("float32", 0, Outcome.PASS)],
)
def test_false_alarms_fail_the_campaign(group: str, failed: int, outcome: Outcome) -> None:
    assert campaign_verdict(tallies(lambda groups: groups[group].right.add(Count(0, 0, failed)))) == outcome


def test_one_false_alarm_in_ten_thousand_is_borne_in_single_precision() -> None:
    assert (
        campaign_verdict(tallies(lambda groups: groups["float32"].right.add(Count(20000, 19999, 1))))
        == "PASS"
    )


@pytest.mark.parametrize("kind", GROSS)
def test_a_gross_mistake_that_passes_fails_the_campaign(kind: str) -> None:
    assert campaign_verdict(tallies(lambda groups: groups["noisy"].wrong[kind].add(Count(0, 1, 0)))) == "FAIL"


@pytest.mark.parametrize(("missed", "outcome"), [(16, Outcome.PASS), (17, Outcome.FAIL)])
def test_one_in_a_hundred_small_mistakes_may_pass_in_double_precision(missed: int, outcome: Outcome) -> None:
    found = tallies(lambda groups: groups["smooth"].wrong["scaled by 1e-4"].add(Count(0, missed, 0)))
    assert campaign_verdict(found) == outcome  # of 8 groups x 2 kinds x 100


@pytest.mark.parametrize(("undecided", "outcome"), [(100, Outcome.PASS), (101, Outcome.INCONCLUSIVE)])
def test_a_tenth_of_the_smooth_functions_may_be_undecided(undecided: int, outcome: Outcome) -> None:
    def change(groups: dict[str, Tally]) -> None:
        groups["smooth"].right.passed -= undecided

    assert campaign_verdict(tallies(change)) == outcome


def test_nothing_judged_is_inconclusive() -> None:
    assert campaign_verdict({group: Tally() for group in GROUPS}) == Outcome.INCONCLUSIVE


def test_every_draw_is_judged_once_and_with_mistakes_in_turn(campaign: FunctionCampaign) -> None:
    assert [row.family for row in campaign.families] == [name for name in families() if name in FEW]
    assert [row.right.cases for row in campaign.families] == [2, 2, 2]
    assert campaign.totals.right.cases == 6
    assert 0 < sum(one.cases for one in campaign.totals.wrong.values()) <= 6 * WRONG_ONES
    assert campaign.totals.right.false_alarms == 0
    assert set(campaign.totals.rivals) == set(function_checkers.installed())
    assert all(one.right == 3 for one in campaign.totals.rivals.values())


def test_a_chunk_comes_out_alike_whoever_runs_it() -> None:
    task = next(task for task in chunks(1, 3, 0) if task.family == "sines")
    first, second = run_chunk(task), run_chunk(task)
    assert (first.right, first.wrong, first.resolutions) == (second.right, second.wrong, second.resolutions)


def test_a_false_alarm_is_kept_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def draw(rng: np.random.Generator) -> BlackBox:
        return BlackBox(lambda t: float(np.sin(t[0])), np.ones(1), np.ones(1))  # cos(1) is not 1

    task = next(task for task in chunks(1, 0, 0) if task.family == "sines")
    monkeypatch.setitem(FAMILIES, "sines", type(FAMILIES["sines"])("sines", "smooth", draw))
    found = run_chunk(task)
    assert found.right.failed == 1
    assert found.first_failure.startswith("sines, seed 0, draw 0: 1 of 1 entries outside their bounds")


def test_it_is_written_and_read_again(campaign: FunctionCampaign) -> None:
    again = decode(FunctionCampaign, json.loads(json.dumps(encode(campaign))))
    assert encode(again) == encode(campaign)  # no number is NaN, which equals nothing


def test_the_terminal_shows_every_group_and_the_other_checkers(campaign: FunctionCampaign) -> None:
    console = Console(width=100, record=True)
    black_box_terminal.render(campaign, console)
    text = console.export_text()
    assert all(
        word in text for word in ("smooth", "kinked", "float32", "all", "gradcheck rejects", "check_grads")
    )


@pytest.mark.parametrize("width", [80, 120])
def test_no_head_and_no_number_of_a_large_campaign_is_cut(campaign: FunctionCampaign, width: int) -> None:
    """12,345 functions of each group: every head is whole, and so is the longest name of a group."""
    many = {kind: WrongOnes(6_543, 432, 6_111) for kind in CHANGES}
    right = replace(campaign.totals.right, cases=12_345, undecided=2_345)
    rows = tuple(replace(campaign.totals, group=group, right=right, wrong=many) for group in GROUPS)
    console = Console(width=width, record=True)
    black_box_terminal.render(replace(campaign, groups=rows), console)
    text = console.export_text()
    assert "…" not in text
    assert all(column in text for column in black_box_terminal.COLUMNS)
    assert all(group in text for group in GROUPS)
    assert max(map(len, text.splitlines())) <= width


def test_the_chapter_shows_every_kind_of_function_and_of_mistake(campaign: FunctionCampaign) -> None:
    section = black_box_chapter.build(campaign)
    assert section is not None
    drawn = [kind for kind, one in campaign.totals.wrong.items() if one.cases]
    assert drawn
    assert all(name in section.html for name in (*FEW, *drawn, "check_grad", "false alarm"))
    assert not any(f"<td>{kind}</td>" in section.html for kind in set(CHANGES) - set(drawn))


def test_without_a_campaign_there_is_no_chapter() -> None:
    assert black_box_chapter.build(None) is None


@pytest.mark.parametrize(("n", "workers", "rivals"), [(0, 1, 0), (1, 0, 0), (1, 1, -1)])
def test_bad_numbers_are_refused(n: int, workers: int, rivals: int) -> None:
    with pytest.raises(InputError, match="expected at least"):
        run(n, 0, workers, rivals, Silent())
