"""Small pictures: inside their frame, whatever the numbers are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backproof.comparisons.lessons.sketch import sketch, sparkline

numbers = st.one_of(st.none(), st.floats(-1e12, 1e12))


def line(x: list[float], y: list[float | None]) -> dict[str, object]:
    return {"type": "scatter", "mode": "lines", "x": x, "y": y}


@given(points=st.lists(st.tuples(numbers, numbers), max_size=30), log=st.booleans())
def test_a_sketch_has_its_size_for_any_numbers(points: list[tuple[float, float]], log: bool) -> None:
    layout = {"yaxis": {"type": "log"}} if log else {}
    drawn = sketch([line([x for x, _ in points], [y for _, y in points])], layout, width=20, height=5)
    pictures = [row.split("│")[1] for row in drawn if "│" in row]
    assert not drawn or [len(row) for row in pictures] == [20] * 5


def test_a_rising_line_starts_at_the_bottom_left_and_ends_at_the_top_right() -> None:
    drawn = sketch([line([0, 1], [0, 1])], {}, width=10, height=4)
    assert drawn[3].split("│")[1][0] != "\u2800"
    assert drawn[0].split("│")[1][-1] != "\u2800"
    assert drawn[0].split("│")[1][0] == "\u2800"


def test_the_frame_names_the_range() -> None:
    drawn = sketch([line([1, 10, 100], [5, 6, 7])], {"xaxis": {"type": "log"}}, width=20, height=4)
    assert drawn[0].startswith("7 │")
    assert drawn[-1].split() == ["1", "100"]


@given(
    st.lists(
        st.lists(st.one_of(st.none(), st.floats(-5, 5)), min_size=3, max_size=3), min_size=1, max_size=50
    )
)
def test_a_map_becomes_shades_of_equal_width(rows: list[list[float]]) -> None:
    if any(value is not None for row in rows for value in row):
        drawn = sketch([{"type": "heatmap", "z": rows}], {}, width=60)
        assert {len(row) for row in drawn} == {6}


@pytest.mark.parametrize(
    ("values", "shown"), [([], ""), ([1.0], "▅"), ([0.0, 1.0], "▁█"), ([float("nan")], "")]
)
def test_a_sparkline_spans_its_values(values: list[float], shown: str) -> None:
    assert sparkline(values) == shown


def test_a_sparkline_of_many_values_shows_all_of_their_course() -> None:
    drawn = sparkline([float(i) for i in range(1000)], width=24)
    assert len(drawn) == 24
    assert (drawn[0], drawn[-1]) == ("▁", "█")
