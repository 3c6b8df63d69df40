"""One claimed slope against values of f: what a claim of zero is held against."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from backproof.comparisons.verdicts import line_judge
from backproof.comparisons.verdicts.function_line import Line, Point, Sample
from backproof.comparisons.verdicts.function_noise import Noise
from backproof.comparisons.verdicts.line_judge import LineFinding, Needs, judge
from backproof.comparisons.verdicts.parameter_tree import tensors

NOISE = Noise(1e-13, 2.0**-52)  # so that zero is known to 1e-9, which takes slopes of 2e-3 beside it
NEEDS = Needs(resolution=1e-6, of_itself=5e-3, largest=0.0, of_all=1.0)


def found(f: Callable[[float], float], claimed: float = 0.0, needs: Needs = NEEDS) -> LineFinding:
    params = np.array([0.0])
    point = Point(lambda p: f(float(p[0])), params, tensors(params), in_place=False)
    line = Line(point, 0, np.full((1, 1), claimed), 0)
    return judge(line, 0, NOISE, needs, lambda: NOISE)


def begins(at: float, height: float = 1.0) -> Callable[[float], float]:
    """Flat up to there, and soon flat again: what it has moved by, over a far step, is no slope of it."""
    return lambda t: 1.0 + height * np.tanh(max(0.0, t - at))


@pytest.mark.parametrize("at", [0.6, 3.0, 15.0, 30.0, 100.0])
def test_zero_is_resolved_beside_the_slopes_where_f_begins_to_move(at: float) -> None:
    finding = found(begins(at))
    assert finding.resolved
    assert finding.off == 0
    assert not finding.still


def test_zero_is_not_resolved_beside_slopes_as_small_as_its_error() -> None:
    finding = found(begins(30.0, height=1e-3))
    assert not finding.resolved
    assert 0 < finding.steepness < 1e-3


def test_slopes_beside_a_zero_count_for_no_more_than_the_whole_gradient() -> None:
    assert not found(begins(30.0), needs=Needs(1e-6, 5e-3, 0.0, of_all=0.0)).resolved
    assert found(begins(30.0, height=1e3)).steepness <= NEEDS.of_all


def test_far_steps_are_as_long_as_the_entry_is_large() -> None:
    """Of an entry of 100 up to 1e8: f begins to move at half of that, and never is none."""

    def still(at: float, begins_at: float) -> bool:
        params = np.array([at])
        f = begins(begins_at)
        point = Point(lambda p: f(float(p[0])), params, tensors(params), in_place=False)
        return judge(Line(point, 0, np.zeros((1, 1)), 0), 0, NOISE, NEEDS, lambda: NOISE).still

    assert not still(100.0, 5e7)
    assert still(100.0, 2e8)
    assert still(1.0, 5e7)


def test_a_zero_claimed_of_a_function_that_moves_is_off() -> None:
    finding = found(np.sin)
    assert finding.outside
    assert finding.off == pytest.approx(1.0, abs=1e-7)


# --- both looks, by hand ------------------------------------------------------------------------------------


class Written:
    """A line whose f is written down: f = base + claimed s + psi(s)."""

    idle = None

    def __init__(
        self, psi: Callable[[float], float], claimed: float = 2.0, base: float = 5.0, scale: float = 1.0
    ) -> None:
        self.psi, self.claimed, self.base, self.scale, self.shortest = psi, claimed, base, scale, 1.0
        self.slope = np.array([claimed])
        self.asked: list[float] = []

    def at(self, s: float) -> Sample:
        self.asked.append(s)
        residual = np.array([self.base + self.psi(s)])
        moved = np.array([self.claimed * s])
        return Sample(residual + moved, residual, np.abs(moved))


STEPS = Noise(1e-9, 2.0**-20)  # so that the short look takes steps of 2^-6 and 19.3 of them
H = 2.0**-6
ORDINARY = Needs(resolution=1e-3, of_itself=1e-2, largest=4.0, of_all=4.0)


def short(psi: Callable[[float], float], needs: Needs = ORDINARY, **more: float) -> LineFinding | None:
    line: Any = Written(psi, **more)
    return line_judge.short_look(line, 0, STEPS, needs)


def test_four_values_know_a_slope_to_four_times_the_truncation_they_removed_and_the_noise() -> None:
    """psi = b s^3: the second quotient is off by b h^2, all of which the extrapolation removes."""
    b = 0.5
    found = short(lambda s: b * s**3)
    assert found is not None
    h1 = 19.3 * H
    largest = 5.0 + 2.0 * H + b * H**3
    noise = 2.0**-20 * largest + 2.0**-52 * 2.0 * H
    assert abs(found.off) < 1e-12
    assert found.bound == pytest.approx(4 * (b * H**2 + noise / H), rel=1e-6)
    assert found.steepness == pytest.approx(2.0 + b * h1**2)
    assert (found.claimed, found.resolved) == (2.0, True)


def test_steps_are_as_long_as_the_noise_asks_for_and_the_scale_is() -> None:
    def steps(noise: Noise, scale: float) -> set[float]:
        line: Any = Written(lambda s: 0.0, scale=scale)
        line_judge.short_look(line, 0, noise, ORDINARY)
        return {round(abs(s) / scale, 9) for s in line.asked if s}

    assert steps(STEPS, 1.0) == steps(STEPS, 64.0) == {H, round(19.3 * H, 9)}
    fine = 2.0 ** (-52 * 0.3)
    assert steps(Noise(1e-16, 2.0**-52), 1.0) == {round(fine, 9), round(19.3 * fine, 9)}
    assert steps(Noise(1e-3, 2.0**-8), 1.0) == {round(0.4 / 19.3, 9), 0.4}


def test_what_four_values_leave_open_takes_more() -> None:
    bend = 2.0**-20 * 5.0 / H
    assert short(lambda s: 0.0) is not None
    assert short(lambda s: 0.05 * s) is None  # another slope
    assert short(lambda s: 0.0, needs=replace(ORDINARY, resolution=1e-4)) is None
    assert short(lambda s: 0.0, needs=replace(ORDINARY, of_itself=1e-4)) is None
    assert short(lambda s: 3.0 * s**2) is not None  # a bend, which falls with the step
    assert short(lambda s: 20 * bend * abs(s)) is None  # a kink, which does not
    assert short(lambda s: float("nan")) is None


def test_a_slope_is_zero_within_the_noise_and_a_twentieth_of_what_was_removed() -> None:
    noise = 4 * (2.0**-20 * (5.0 + 2.0 * H)) / H
    assert (
        short(lambda s: 0.99 * noise * s, needs=replace(ORDINARY, resolution=1.0, of_itself=1.0)) is not None
    )
    assert short(lambda s: 1.02 * noise * s, needs=replace(ORDINARY, resolution=1.0, of_itself=1.0)) is None
    large = replace(ORDINARY, resolution=1e3, of_itself=1e3)
    removed = 200.0 * H**2
    for share, passes in ((0.9, True), (1.2, False)):
        off = noise + share * 0.05 * removed

        def psi(s: float, off: float = off) -> float:
            return 200.0 * s**3 + off * s

        assert (short(psi, needs=large) is not None) == passes


def test_a_claim_is_known_where_twice_its_bound_is_small_beside_the_tensor_and_itself() -> None:
    needs = Needs(resolution=0.1, of_itself=0.25, largest=4.0, of_all=9.0)
    assert needs.met(0.2, -2.0)
    assert not needs.met(0.201, -2.0)
    assert needs.met(0.125, -1.0)
    assert not needs.met(0.126, 1.0)
    assert not needs.met(np.nan, 1.0)


def test_values_at_many_steps_have_their_noise_and_their_change() -> None:
    line: Any = Written(lambda s: s**2, scale=8.0)
    rows = line_judge.rows_of(line, 0, Noise(1e-7, 2.0**-52))
    np.testing.assert_allclose(rows.h[:3], 8.0 * 0.4871 / 2.317 ** np.arange(3))
    np.testing.assert_allclose(rows.plus, 5.0 + rows.h**2)
    np.testing.assert_allclose(rows.minus, 5.0 + rows.h**2)
    np.testing.assert_allclose(rows.change, 2.0 * rows.h + rows.h**2, atol=1e-14)
    np.testing.assert_allclose(rows.noise, 1e-7 + 2.0**-52 * 2.0 * rows.h, rtol=1e-9)
    assert rows.base == 5.0
    still = np.count_nonzero(rows.change <= 2 * rows.noise)
    assert still == line_judge.AT_REST == 5


def test_rows_before_one_outside_the_domain_are_left_out() -> None:
    line: Any = Written(lambda s: float("nan") if abs(s) > 0.1 else 0.0)
    rows = line_judge.rows_of(line, 0, Noise(1e-9, 2.0**-52))
    assert rows.h[0] == pytest.approx(0.4871 / 2.317**2)
    nowhere: Any = Written(lambda s: float("nan") if s > 0 else 0.0)
    found = line_judge.long_look(nowhere, 0, NOISE, ORDINARY)
    assert (found.bound, found.resolved, found.off) == (np.inf, False, 0.0)


@pytest.mark.parametrize(
    ("claimed", "off", "inside"),
    [(0.5, 0.0, True), (-1.0, 0.0, True), (1.5, -0.5, False), (-1.25, 0.25, False)],
)
def test_at_a_kink_a_claim_is_off_by_its_distance_from_the_interval(
    claimed: float, off: float, inside: bool
) -> None:
    """f = |s|: its slopes are -1 and 1."""
    line: Any = Written(lambda s: abs(s) - claimed * s, claimed=claimed)
    found = line_judge.long_look(line, 0, Noise(1e-16, 2.0**-52), ORDINARY)
    assert found.kink is not None
    np.testing.assert_allclose(found.kink, [-1.0, 1.0], rtol=1e-9)
    assert found.off == pytest.approx(off, abs=1e-9)
    assert found.outside != inside
    assert found.resolved
    assert found.steepness == pytest.approx(1.0, rel=1e-4)
    coarse = replace(ORDINARY, of_itself=0.0)
    assert not line_judge.long_look(line, 0, Noise(1e-16, 2.0**-52), coarse).resolved


def test_a_claim_that_is_not_finite_is_infinitely_off() -> None:
    line: Any = Written(lambda s: 0.0, claimed=float("nan"))
    found = judge(line, 0, NOISE, ORDINARY, lambda: NOISE)
    assert (found.off, found.bound) == (np.inf, 0.0)
    assert found.outside


def test_a_staircase_has_a_quantum_for_its_noise() -> None:
    """f climbs by 1/64 at 0.05 and again at twice that: values are rounded to it, as far as can be told."""
    line: Any = Written(lambda s: np.floor(abs(s) / 0.05 + 0.5) / 64 * np.sign(s), claimed=0.0)
    rows = line_judge.rows_of(line, 0, Noise(1e-9, 2.0**-52))
    noisy = line_judge._of_a_staircase(rows)
    assert (noisy.noise >= 1 / 64).all()
    flat: Any = Written(lambda s: 0.0, claimed=0.0)
    flat_rows = line_judge.rows_of(flat, 0, Noise(1e-9, 2.0**-52))
    assert line_judge._of_a_staircase(flat_rows) is flat_rows
