"""Formulas: every one of the texts is understood, as MathML that a parser reads and as plain text."""

import re
from xml.etree import ElementTree

import pytest

from backproof.comparisons.lessons import catalogue
from backproof.comparisons.lessons.course import LESSONS
from backproof.comparisons.lessons.mathml import to_mathml, to_text

FORMULAS = sorted(
    {formula for lesson in LESSONS for formula in catalogue.texts(lesson.key)["formulas"]}
    | {
        formula
        for lesson in LESSONS
        for _, table in catalogue.leaves(catalogue.texts(lesson.key))
        for sentence in table.values()
        for formula in re.findall(r"\$([^$]+)\$", str(sentence))
    }
)


@pytest.mark.parametrize("formula", FORMULAS)
def test_every_formula_of_the_texts_is_well_formed_mathml(formula: str) -> None:
    assert ElementTree.fromstring(str(to_mathml(formula, display=True))).tag == "math"


@pytest.mark.parametrize("formula", FORMULAS)
def test_every_formula_reads_as_plain_text_without_commands(formula: str) -> None:
    assert re.search(r"[\\{}]", to_text(formula)) is None


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        (r"\frac{\partial L}{\partial w_2}", "∂L/∂w₂"),
        (r"\frac{L(t+h)-L(t-h)}{2h}", "(L(t + h) − L(t − h))/(2h)"),
        (r"e^{-x}", "e⁻ˣ"),
        (r"h_{2,\text{in}}", "h_(2,in)"),
        (r"f(-h)", "f(−h)"),
        (r"\sqrt 3", "√(3)"),
        (r"\matrix{1 & 2 \\ 3 & 4}", "[1 2; 3 4]"),
    ],
)
def test_plain_text_keeps_the_meaning(formula: str, text: str) -> None:
    assert to_text(formula) == text


def test_a_fraction_becomes_a_fraction() -> None:
    assert "<mfrac><mn>1</mn><mn>2</mn></mfrac>" in to_mathml(r"\frac 1 2")


def test_text_in_a_formula_is_escaped() -> None:
    assert "<b>" not in to_mathml(r"\text{<b>} < 1")


@pytest.mark.parametrize("formula", [r"\unknown", r"{x", r"x}", r"\frac{1}", "x_"])
def test_a_slip_in_a_formula_is_refused(formula: str) -> None:
    with pytest.raises(ValueError, match="formula: "):
        to_mathml(formula)
