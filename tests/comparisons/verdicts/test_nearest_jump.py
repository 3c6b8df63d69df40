"""The jump beside a point is found on either side, the nearest first; what only bends is none."""

from collections.abc import Callable

import numpy as np
import pytest

from backproof.comparisons.verdicts.function_line import Line, Point
from backproof.comparisons.verdicts.nearest_jump import nearest_jump
from backproof.comparisons.verdicts.parameter_tree import tensors

NOISE = 1e-16


def jump_of(
    f: Callable[[float], float], claimed: float = 0.0, at: float = 1.0, noise: float = NOISE
) -> float | None:
    """Of a function of one number at 1, whose slope is claimed there."""
    params = [np.full(1, at)]
    point = Point(lambda p: f(float(p[0][0])), params, tensors(params), in_place=False)
    return nearest_jump(Line(point, 0, np.full((1, 1), claimed), 0), 0, noise)


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


@pytest.mark.parametrize("place", [1 - 3e-4, 1 + 3e-4])
def test_a_jump_down_is_one_too(place: float) -> None:
    assert jump_of(lambda t: -float(t > place)) == pytest.approx(place - 1, rel=0, abs=1e-9)


def test_steps_are_as_long_as_the_entry_is_large() -> None:
    assert jump_of(lambda t: float(t > 1040.0), at=1000.0) == pytest.approx(40.0, rel=1e-6)
    assert jump_of(lambda t: float(t > 0.3), at=1e-3) == pytest.approx(0.299, rel=1e-6)
    assert jump_of(lambda t: float(t > 1600.0), at=1000.0) is None


def test_a_change_of_less_than_a_thousand_noises_is_no_jump() -> None:
    assert jump_of(lambda t: float(t > 1.01), noise=0.9e-3) is not None
    assert jump_of(lambda t: float(t > 1.01), noise=1.1e-3) is None


def test_a_change_of_which_less_than_half_is_a_jump_is_none() -> None:
    """Between two steps f rises by 1 in all: at one place, and on the way."""

    def rises(jump: float) -> float | None:
        return jump_of(lambda t: jump * (t > 1.02) + (1 - jump) * float(np.clip((t - 1.0067) / 0.0201, 0, 1)))

    assert rises(0.6) == pytest.approx(0.02, rel=0, abs=1e-6)
    assert rises(0.4) is None


def test_outside_the_domain_there_is_no_jump() -> None:
    assert jump_of(lambda t: float("nan") if t > 1.01 else 1.0) is None
