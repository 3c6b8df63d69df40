"""One claimed slope against values of f: what a claim of zero is held against."""

from collections.abc import Callable

import numpy as np
import pytest

from backproof.comparisons.verdicts.function_line import Line, Point
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


def test_a_zero_claimed_of_a_function_that_moves_is_off() -> None:
    finding = found(np.sin)
    assert finding.outside
    assert finding.off == pytest.approx(1.0, abs=1e-7)
