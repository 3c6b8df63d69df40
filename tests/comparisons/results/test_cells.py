"""Cells without figures: told apart from figures, and their reasons said in words."""

from dataclasses import dataclass

import pytest

from backproof.comparisons.results.cells import Absent, Failed, Invalid, NoFigures, offered, reason
from backproof.comparisons.results.codec import decode, encode


@dataclass(frozen=True)
class Figures:
    seconds: float


@dataclass(frozen=True)
class Row:
    cell: Figures | Absent | Failed | Invalid


def test_a_cell_with_figures_is_offered() -> None:
    assert offered(Figures(1.0))


@pytest.mark.parametrize("cell", [Absent("why"), Failed("why"), Invalid("why"), None])
def test_a_cell_without_figures_is_not_offered(cell: NoFigures | None) -> None:
    assert not offered(cell)


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        (Absent("no Adam"), "not offered: no Adam"),
        (Failed("exit code 3"), "failed: exit code 3"),
        (Invalid("skips steps"), "not valid: skips steps"),
        (None, "no figures"),
    ],
)
def test_the_reason_is_said_in_words(cell: NoFigures | None, said: str) -> None:
    assert reason(cell) == said


@pytest.mark.parametrize("cell", [Figures(1.0), Absent("a"), Failed("b"), Invalid("c")])
def test_the_codec_tells_the_kinds_apart(cell: Figures | NoFigures) -> None:
    assert decode(Row, encode(Row(cell))) == Row(cell)
