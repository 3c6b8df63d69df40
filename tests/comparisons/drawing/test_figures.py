"""Figures: one look per contender, labels that stay text, room reserved before anything is drawn."""

import json
import re

import plotly.graph_objects as go
import pytest

from backproof.comparisons.drawing import figures
from tests.support.page_reader import text_of


def drawn(figure: go.Figure) -> str:
    return str(figures.figure_html(figure, "a caption", "a description"))


@pytest.mark.parametrize("name", ["my_mlp.py:MyMLP", "unknown"])
def test_a_contender_of_ones_own_is_grey_with_a_look_of_its_own(name: str) -> None:
    assert figures.colour(name) == figures.REFERENCE
    assert figures.symbol(name) not in {figures.symbol(known) for known in ("scratch", "torch", "jax")}
    assert figures.dash(name) not in {figures.dash(known) for known in ("scratch", "torch", "jax")}


@pytest.mark.parametrize(("alpha", "digits"), [(0.0, "00"), (0.5, "80"), (1.0, "ff")])
def test_a_faded_colour_is_the_colour_with_its_alpha(alpha: float, digits: str) -> None:
    assert figures.faded("#1b2430", alpha) == f"#1b2430{digits}"


def test_a_label_that_looks_like_markup_stays_text() -> None:
    assert figures.plain("<b>&amp;") == "&lt;b&gt;&amp;amp;"


@pytest.mark.parametrize(("height", "reserved"), [(None, 400), (250, 250)])
def test_the_height_is_reserved_before_the_figure_is_drawn(height: int | None, reserved: int) -> None:
    figure = go.Figure()
    figure.layout.height = height
    assert f'style="height: {reserved}px"' in drawn(figure)


def test_the_data_can_be_read_back_and_nan_is_a_gap() -> None:
    page = drawn(go.Figure(go.Scatter(x=[0, 1, 2], y=[1.5, float("nan"), 2.5], name="<i>")))
    [data] = re.findall(r'class="plot-data">(.*?)</script>', page, flags=re.DOTALL)
    [curve] = json.loads(data)["data"]
    assert (curve["y"], curve["name"]) == ([1.5, None, 2.5], "<i>")


def test_the_figure_given_is_not_changed() -> None:
    figure = go.Figure(go.Scatter(x=[0], y=[1]))
    before = figure.to_json()
    drawn(figure)
    assert figure.to_json() == before


def test_the_description_is_escaped() -> None:
    page = figures.figure_html(go.Figure(), "caption", 'a "quoted" <b>')
    assert 'aria-label="a &#34;quoted&#34; &lt;b&gt;"' in page
    assert "caption" in text_of(page)


def logarithmic(*values: float) -> dict[str, object]:
    """The y axis of a figure of these values, on a logarithmic axis."""
    fig = go.Figure(go.Scatter(x=list(range(len(values))), y=list(values)))
    fig.update_yaxes(type="log")
    [data] = re.findall(r'class="plot-data">(.*?)</script>', drawn(fig), flags=re.DOTALL)
    axis: dict[str, object] = json.loads(data)["layout"]["yaxis"]
    return axis


def test_over_a_decade_every_tick_is_written_in_full() -> None:
    axis = logarithmic(18.0, 65.0)
    texts = axis["ticktext"]
    assert isinstance(texts, list)
    assert {"20", "50"} <= set(texts)
    assert "2" not in texts[texts.index("20") :]


def test_small_numbers_are_written_with_their_power_of_ten() -> None:
    texts = logarithmic(2e-16, 9e-16)["ticktext"]
    assert isinstance(texts, list)
    assert "5×10⁻¹⁶" in texts


def test_over_many_decades_whole_decades_are_labelled() -> None:
    assert logarithmic(1e-16, 1e2)["dtick"] == 2


def test_over_less_than_a_factor_of_two_the_axis_is_linear() -> None:
    assert logarithmic(4.9, 5.1)["type"] == "linear"
