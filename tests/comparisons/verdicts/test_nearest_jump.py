"""The jump beside a point is found on either side, the nearest first; what only bends is none."""

from collections.abc import Callable

import numpy as np
import pytest

from backproof.comparisons.verdicts.function_line import Line, Point
from backproof.comparisons.verdicts.nearest_jump import nearest_jump
from backproof.comparisons.verdicts.parameter_tree import tensors

NOISE = 1e-16


def jump_of(f: Callable[[float], float], claimed: float = 0.0) -> float | None:
    """Of a function of one number at 1, whose slope is claimed there."""
    params = [np.ones(1)]
    point = Point(lambda p: f(float(p[0][0])), params, tensors(params), in_place=False)
    return nearest_jump(Line(point, 0, np.full((1, 1), claimed), 0), 0, NOISE)


@pytest.mark.parametrize("place", [1 - 3e-4, 1 + 3e-4, 0.8, 1 + 1e-7])
def test_a_jump_is_found_where_it_is(place: float) -> None:
    found = jump_of(lambda t: float(t > place))
    assert found is not None
    assert 1 + found == pytest.approx(place, rel=0, abs=1e-9)


def test_the_nearer_one_of_two_is_named() -> None:
    found = jump_of(lambda t: float(t > 1.2) + float(t > 0.999))
    assert found == pytest.approx(-1e-3, rel=0, abs=1e-9)


def test_a_jump_is_found_on_a_curve() -> None:
    found = jump_of(lambda t: float(np.sin(t)) + 0.1 * (t > 1.01), claimed=np.cos(1.0))
    assert found == pytest.approx(0.01, rel=0, abs=1e-9)


@pytest.mark.parametrize("f", [np.sin, np.exp, abs, lambda t: max(t, 1.001), lambda t: t**9])
def test_what_is_steep_or_bends_has_none(f: Callable[[float], float]) -> None:
    assert jump_of(lambda t: float(f(t))) is None


def test_a_jump_beyond_half_of_the_scale_is_not_nearby() -> None:
    assert jump_of(lambda t: float(t > 1.6)) is None
