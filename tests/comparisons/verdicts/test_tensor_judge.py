"""A tensor of a claimed gradient: what a right claim may be off by, and what comes of each of its lines."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from backproof.comparisons.verdicts import tensor_judge
from backproof.comparisons.verdicts.function_line import Line, Point
from backproof.comparisons.verdicts.function_noise import EPS, Noise
from backproof.comparisons.verdicts.line_judge import LineFinding
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.parameter_tree import tensors
from backproof.comparisons.verdicts.tensor_judge import (
    Claim,
    Judged,
    along,
    judge_directions,
    judge_entries,
    locate,
)
from backproof.scratch.architecture import Array

THETA = np.array([0.3, -1.2, 2.0, 0.7])
SLOPES = np.array([3.0, -4.0, 1e-3, 0.0])
NOISE = Noise(1e-16, EPS["float64"])


def a_claim(claimed: Array = SLOPES, **changes: object) -> Claim:
    """Of f = slopes . theta."""
    point = Point(lambda t: float(t @ SLOPES), THETA, tensors(THETA), in_place=False)
    claim = Claim(point, 0, 0, np.asarray(claimed, float)[None], "float64", NOISE, 1e-6, 4.0, lambda: None)
    return replace(claim, **changes)  # type: ignore[arg-type]  # one field each


def off_by(*errors: float) -> Array:
    """The right claim, and these errors in its entries."""
    found: Array = SLOPES + np.array(errors)
    return found


def lines(claim: Claim, places: object) -> list[Line]:
    return [Line(claim.point, claim.number, claim.gradient, place) for place in places]  # type: ignore[attr-defined]  # a list or rows


# --- what a claim rounds ------------------------------------------------------------------------------------


def test_a_claim_rounds_as_its_largest_entry_and_that_of_all_tensors_do() -> None:
    eps = EPS["float64"]
    assert a_claim().own_rounding(2) == pytest.approx(16 * eps * 4.0)
    assert a_claim(largest_of_all=400.0).own_rounding(2) == pytest.approx(4 * eps * 400.0)
    assert a_claim(np.array([np.nan, -5.0, np.inf, 0.0])).own_rounding(0) == pytest.approx(16 * eps * 5.0)
    assert a_claim(np.zeros(4), largest_of_all=0.0).own_rounding(0) == 0.0


def test_a_claim_coarser_than_f_may_round_the_terms_that_f_shows_far_out() -> None:
    """At most as much as a 256th of its largest entry."""
    eps, steep = EPS["float32"], replace(NOISE, steep=3000.0)
    assert a_claim(dtype="float32", noise=steep).own_rounding(1) == pytest.approx(4 * eps * 3000.0)
    assert a_claim(dtype="float32", noise=replace(steep, steep=1e9)).own_rounding(1) == pytest.approx(
        4 * 4.0 / 256
    )
    assert a_claim(dtype="float32", noise=replace(steep, eps=eps)).own_rounding(1) == pytest.approx(
        16 * eps * 4.0
    )


def test_noise_that_was_measured_counts_eight_times_and_that_of_a_typical_entry_at_least() -> None:
    measured = np.array([[0.0, 4e-3, 0.0, 0.0], [9.0, 9.0, 9.0, 9.0]])
    claim = a_claim(own_noise=lambda: measured)
    assert claim.own_rounding(0) == pytest.approx(8 * 2e-3)
    assert claim.own_rounding(1) == pytest.approx(8 * 4e-3)
    direction = np.array([0.5, -0.5, 0.0, 0.0])
    assert claim.own_rounding(direction) == pytest.approx(0.5 * 8 * np.hypot(2e-3, 4e-3))


# --- lines --------------------------------------------------------------------------------------------------


def test_every_entry_is_known_to_the_resolution_and_to_five_thousandths_of_itself() -> None:
    assert a_claim().needs.of_itself == 5e-3
    assert a_claim(resolution=0.1).needs.of_itself == 0.1
    needs = a_claim().needs
    assert (needs.resolution, needs.largest, needs.of_all) == (1e-6, 4.0, 4.0)


def test_right_entries_pass_in_order_and_a_wrong_one_fails() -> None:
    claim = a_claim()
    found = judge_entries(claim, lines(claim, range(4)), range(4))
    assert [(one.entry, one.outcome) for one in found] == [(i, Outcome.PASS) for i in range(4)]
    wrong = a_claim(off_by(0.0, 0.1, 0.0, 0.0))
    outcomes = [one.outcome for one in judge_entries(wrong, lines(wrong, range(4)), range(4))]
    assert outcomes == [Outcome.PASS, Outcome.FAIL, Outcome.PASS, Outcome.PASS]


def test_directions_are_looked_along_until_one_fails() -> None:
    drawn = np.eye(4)[[0, 1, 2]] / 2
    claim = a_claim()
    assert [one.outcome for one in judge_directions(claim, lines(claim, drawn), drawn)] == [Outcome.PASS] * 3
    wrong = a_claim(off_by(0.0, 0.1, 0.0, 0.0))
    found = judge_directions(wrong, lines(wrong, drawn), drawn)
    assert [(one.entry, one.outcome) for one in found] == [(None, Outcome.PASS), (None, Outcome.FAIL)]


def test_a_direction_is_resolved_beside_the_size_of_its_terms(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []

    def judged(line: Line, c: int, noise: Noise, needs: object, own_noise: object) -> LineFinding:
        seen.append(needs)
        return LineFinding(1.0, 0.0, 1e-9, resolved=True)

    monkeypatch.setattr(tensor_judge, "judge", judged)
    claim, direction = a_claim(), np.array([0.5, -0.25, 0.0, 0.0])
    (line,) = lines(claim, direction[None])
    along(claim, line, None, direction)
    ((needs,),) = [seen]
    assert needs == replace(claim.needs, of_itself=float("inf"), largest=float(np.hypot(1.5, 1.0)))


@pytest.mark.parametrize(
    ("off", "doubt", "resolved", "outcome"),
    [
        (0.9e-9, 0.0, True, Outcome.PASS),
        (-0.9e-9, 0.0, True, Outcome.PASS),
        (0.9e-9, 0.0, False, Outcome.INCONCLUSIVE),
        (1.5e-9, 1e-9, True, Outcome.INCONCLUSIVE),
        (-2.5e-9, 1e-9, True, Outcome.FAIL),
        (np.nan, 0.0, True, Outcome.INCONCLUSIVE),
    ],
)
def test_a_slope_passes_inside_its_bound_and_fails_beyond_its_doubt(
    off: float, doubt: float, resolved: bool, outcome: Outcome
) -> None:
    assert tensor_judge._outcome(LineFinding(1.0, off, 1e-9, doubt, resolved=resolved), 1e-9) is outcome


def test_a_claim_that_is_not_finite_fails() -> None:
    assert tensor_judge._outcome(LineFinding(np.inf, 0.0, 1e9), 1e9) is Outcome.FAIL


def looked(
    monkeypatch: pytest.MonkeyPatch, finding: LineFinding, entry: int | None, **changes: Any
) -> Judged:
    """What comes of a line with this finding."""
    monkeypatch.setattr(tensor_judge, "judge", lambda *given: finding)
    claim = a_claim(**changes)
    direction: int | Array = np.full(4, 0.5) if entry is None else entry
    (line,) = lines(claim, [direction])
    return along(claim, line, entry, direction)


def test_what_lies_outside_is_granted_the_rounding_of_the_claim_and_must_be_resolved_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rounding = a_claim(dtype="float32").own_rounding(0)
    assert rounding == pytest.approx(16 * EPS["float32"] * 4.0)
    off = LineFinding(3.0, 0.5 * rounding, 1e-12, resolved=True)
    found = looked(monkeypatch, off, 0, dtype="float32", resolution=1e-3)
    assert found.outcome is Outcome.PASS
    assert found.bound == pytest.approx(rounding + 1e-12)
    assert looked(monkeypatch, off, 0, dtype="float32", resolution=1e-6).outcome is Outcome.INCONCLUSIVE
    unresolved = replace(off, resolved=False)
    assert (
        looked(monkeypatch, unresolved, 0, dtype="float32", resolution=1e-3).outcome is Outcome.INCONCLUSIVE
    )
    inside = LineFinding(3.0, 0.5e-12, 1e-12, resolved=True)
    assert looked(monkeypatch, inside, 0, dtype="float32", resolution=1e-6).bound == 1e-12
    beyond = replace(off, off=1.1 * rounding)
    assert looked(monkeypatch, beyond, 0, dtype="float32", resolution=1e-3).outcome is Outcome.FAIL


def test_a_gradient_smaller_than_a_rounding_of_f_s_terms_is_doubted_by_as_much(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    off = LineFinding(3.0, 0.5, 1e-12, resolved=True)
    noise = replace(NOISE, hidden=1.0)
    assert looked(monkeypatch, off, 0, noise=noise, largest_of_all=1.0).outcome is Outcome.INCONCLUSIVE
    assert looked(monkeypatch, off, 0, noise=noise, largest_of_all=1.1).outcome is Outcome.FAIL


def test_outside_the_interval_of_a_kink_an_entry_fails_and_a_direction_is_undecided(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kink = LineFinding(3.0, 0.5, 1e-12, kink=(3.5, 4.0), resolved=True)
    assert looked(monkeypatch, kink, 0).outcome is Outcome.FAIL
    assert looked(monkeypatch, kink, None).outcome is Outcome.INCONCLUSIVE
    assert looked(monkeypatch, replace(kink, kink=None), None).outcome is Outcome.FAIL


def test_noise_on_a_line_of_its_own_is_no_less_than_that_of_all_and_as_coarse_as_its_grid(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found: list[Noise] = []

    def judged(line: Line, c: int, noise: Noise, needs: object, own_noise: object) -> LineFinding:
        found.append(own_noise())  # type: ignore[operator]  # called at most once
        return LineFinding(1.0, 0.0, 1e-9, resolved=True)

    monkeypatch.setattr(tensor_judge, "judge", judged)
    for level, dtype in ((1e-3, np.float64), (0.0, np.float32)):
        point = Point(
            lambda t, dtype=dtype: float(dtype(np.sin(t).sum())), THETA, tensors(THETA), in_place=False
        )
        claim = a_claim(point=point, noise=replace(NOISE, level=level))
        (line,) = lines(claim, [1])
        along(claim, line, 1, 1)
    quiet, coarse = found
    assert (quiet.level, quiet.eps) == (1e-3, EPS["float64"])
    assert coarse.eps == EPS["float32"]
    assert 0 < coarse.level < 1e-6


# --- the entry behind a direction ---------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [0, 3, 6])
def test_the_entry_behind_a_direction_that_fails_is_found(wrong: int) -> None:
    theta, slopes = np.linspace(-1, 1, 7), np.linspace(1, 2, 7)
    point = Point(lambda t: float(t @ slopes), theta, tensors(theta), in_place=False)
    claimed = slopes.copy()
    claimed[wrong] += 0.1
    claim = a_claim(claimed, point=point)
    found = locate(claim, np.random.default_rng(0).standard_normal(7) / np.sqrt(7))
    assert (found.entry, found.outcome) == (wrong, Outcome.FAIL)
    assert found.finding.off == pytest.approx(-0.1)


def test_of_two_halves_that_fail_the_worse_is_followed() -> None:
    claim = a_claim(off_by(0.1, 0.0, 0.0, 0.5))
    assert locate(claim, np.full(4, 0.5)).entry == 3
    claim = a_claim(off_by(-0.5, 0.0, 0.0, 0.1))
    assert locate(claim, np.full(4, 0.5)).entry == 0


def test_a_part_of_a_direction_is_as_long_as_all_of_it() -> None:
    claim = a_claim(off_by(0.1, 0.0, 0.0, 0.0))
    found = tensor_judge._restricted(claim, np.full(4, 0.5), np.array([0]))
    assert found.finding.off == pytest.approx(-0.1 * 0.5 * 2.0)
    assert found.entry is None
