"""Verdicts in text, Markdown and HTML: the worst first, every text escaped, the picture to scale."""

import re
from dataclasses import replace
from math import inf, nan
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backproof.comparisons.verdicts import shown
from backproof.comparisons.verdicts.gradient_verdict import GradientVerdict
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.verdict import Verdict

PASS = Verdict(Outcome.PASS, 1e-12, 1e-9, 1e-6, "W[0]", "all 3 entries", 3, 0, 2.0, 2.0)
FAIL = replace(
    PASS, outcome=Outcome.FAIL, error=0.5, worst="b[1]", reason="1 of 2 entries outside, worst b[1]"
)
BOTH = {"W": PASS, "b": FAIL}
numbers = st.one_of(st.floats(0, 1e300), st.sampled_from([inf, nan, 0.0]))
names = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1)


def marks(verdict: Verdict) -> dict[str, float]:
    """Where the dot, the end of the bar and the dotted line stand, in pixels."""
    found = {}
    for element in ElementTree.fromstring(shown.picture(verdict)):
        if element.tag == "circle":
            found["error"] = float(element.attrib["cx"])
        elif element.tag == "rect":
            found["bound"] = float(element.attrib["width"])
        elif "stroke-dasharray" in element.attrib:
            found["resolution"] = float(element.attrib["x1"])
    return found


def test_the_representation_is_the_outcome_with_its_reason() -> None:
    assert repr(FAIL) == "<FAIL: 1 of 2 entries outside, worst b[1]>"
    assert repr(GradientVerdict({"b": FAIL})) == repr(FAIL)


def test_an_assertion_on_a_verdict_holds_for_a_pass_alone() -> None:
    assert PASS
    assert not FAIL
    assert not replace(PASS, outcome=Outcome.INCONCLUSIVE)


@pytest.mark.parametrize("verdict", [FAIL, replace(PASS, outcome=Outcome.INCONCLUSIVE)])
def test_what_is_no_pass_raises_with_its_reason(verdict: Verdict) -> None:
    with pytest.raises(AssertionError, match=f"{verdict.outcome}: {re.escape(verdict.reason)}"):
        verdict.raise_if_failed()
    PASS.raise_if_failed()


def test_the_text_has_a_line_for_every_tensor_the_worst_first() -> None:
    lines = shown.text(FAIL, BOTH).splitlines()
    assert lines == [f"FAIL: {FAIL.reason}", f"  b  FAIL: {FAIL.reason}", f"  W  PASS: {PASS.reason}"]


def test_the_text_of_one_tensor_is_one_line() -> None:
    assert shown.text(PASS, {"W": PASS}) == f"PASS: {PASS.reason}"


def test_the_table_in_markdown_has_a_row_for_every_tensor() -> None:
    rows = [row for row in shown.markdown(FAIL, BOTH).splitlines() if row.startswith("|")]
    assert [row.count("|") for row in rows] == [len(shown.COLUMNS) + 1] * 4
    assert rows[2].startswith("| b | FAIL |")


@given(names)
def test_no_name_breaks_a_row_of_markdown(name: str) -> None:
    table = shown.markdown(PASS, {name: PASS}).splitlines()[2:]
    unescaped = [re.findall(r"(?<!\\)(?:\\\\)*\|", row) for row in table if row]
    assert [len(bars) for bars in unescaped] == [len(shown.COLUMNS) + 1] * 3


@given(names)
def test_html_shows_names_as_they_are_and_is_well_formed(name: str) -> None:
    page = ElementTree.fromstring(shown.html(PASS, {name: replace(PASS, worst=name, reason=name)}))
    cells = [cell.text for cell in page.iter("td")]
    assert cells[0] == cells[2] == name


@given(error=numbers, bound=numbers, resolution=numbers, value=numbers)
def test_a_picture_stays_in_its_frame_whatever_the_numbers(
    error: float, bound: float, resolution: float, value: float
) -> None:
    verdict = replace(PASS, error=error, bound=bound, resolution=resolution, found=value, expected=value)
    assert all(0 <= place <= shown.WIDTH for place in marks(verdict).values())


def test_an_error_inside_its_bound_is_drawn_inside_the_bar() -> None:
    inside, outside = marks(PASS), marks(FAIL)
    assert inside["error"] < inside["bound"] < inside["resolution"]
    assert outside["error"] > outside["bound"]


def test_a_power_of_ten_is_a_tenth_of_ten_powers_of_ten() -> None:
    places = [marks(replace(PASS, error=2.0 * 10.0**power))["error"] for power in (-15, -14, -5)]
    assert places[2] - places[0] == pytest.approx(10 * (places[1] - places[0]), abs=0.2)


def test_what_is_no_number_is_not_drawn_and_is_a_dash() -> None:
    unknown = replace(PASS, error=nan, bound=inf, resolution=inf, found=nan, expected=nan)
    assert marks(unknown) == {}
    assert shown.markdown(unknown, {"W": unknown}).count(" – |") == 3


def test_notebooks_are_given_both_forms() -> None:
    whole = GradientVerdict(BOTH)
    assert whole._repr_markdown_() == shown.markdown(whole.overall, BOTH)
    assert whole._repr_html_() == shown.html(whole.overall, BOTH)
    assert "W[0]" in PASS._repr_html_()
    assert "W\\[0\\]" in PASS._repr_markdown_()
