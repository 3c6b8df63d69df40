"""The small pictures: what lies beyond its bound is drawn beyond it, and nothing leaves the picture."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backproof.comparisons.gradients.result import Gradients
from backproof.comparisons.report import pictures
from backproof.comparisons.report.document import Results
from backproof.comparisons.verdicts.outcome import Outcome
from tests.support.page_reader import read
from tests.support.sample_results import SAMPLES, accuracy, check, comparison, speed_case, speed_of

NUMBER = r"-?[0-9.]+"


def circles(picture: str) -> list[float]:
    """How far right each circle lies."""
    return [float(dot.attributes["cx"]) for dot in read(picture).all("circle")]


@given(st.lists(st.floats(1e-9, 1e9), min_size=1, max_size=30))
def test_an_error_is_right_of_the_line_exactly_where_it_exceeds_its_bound(shares: list[float]) -> None:
    checks = tuple(check("scratch", "complex_step", "n", share, 1.0) for share in shares)
    picture = str(pictures.errors_strip(Gradients(Outcome.PASS, 1.0, checks)))
    (line,) = (one for one in read(picture).all("line") if "stroke-dasharray" in one.attributes)
    bound = float(line.attributes["x1"])
    right = [x for x in circles(picture) if x > bound + 0.05]
    assert len(right) == sum(share > 1.005 for share in shares)


@pytest.mark.parametrize("make", SAMPLES.values())
def test_nothing_is_drawn_outside_of_the_picture(make: Callable[[], Results]) -> None:
    results = make()
    drawn = [
        results.gradients and pictures.errors_strip(results.gradients),
        results.accuracy and pictures.difference_band(results.accuracy),
        results.speed and pictures.ratio_rows(results.speed),
    ]
    for picture in filter(None, drawn):
        for name in ("x1", "x2", "cx", "x"):
            for found in re.findall(rf' {name}="({NUMBER})"', str(picture)):
                assert 0 <= float(found) <= pictures.WIDTH


@given(st.floats(-1.0, 1.0), st.floats(0.0, 0.5))
def test_a_difference_is_drawn_on_its_own_side(points: float, half: float) -> None:
    part = accuracy()
    cell = replace(part.compared["torch"], difference_points=points, ci90=(points - half, points + half))
    picture = str(pictures.difference_band(replace(part, against_scratch={"scratch": cell})))
    (x,) = circles(picture)
    assert (x - pictures.WIDTH / 2) * points >= -0.1


@given(st.floats(0.05, 20.0))
def test_a_ratio_is_drawn_on_its_own_side(ratio: float) -> None:
    part = speed_of((speed_case((784, 10), 100, "sgd", mine=comparison(ratio)),), mine=comparison(ratio))
    (shape,) = read(str(pictures.ratio_rows(part))).all("polygon")
    xs = [float(point.split(",")[0]) for point in shape.attributes["points"].split()]
    assert (sum(xs) / len(xs) - pictures.WIDTH / 2) * (ratio - 1) >= -0.6


def test_every_picture_has_words_for_those_who_cannot_see_it() -> None:
    (picture,) = read(str(pictures.difference_band(accuracy()))).all("svg")
    assert len(picture.attributes["aria-label"].split()) >= 5
