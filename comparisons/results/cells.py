"""A cell of a results table that holds no figures, and why. In results.json it is an object of one field.

Every question's cell is `its own type | Absent`, or with `Failed` and `Invalid` where runs can fail: the
codec tells them apart by their fields.
"""

from dataclasses import dataclass
from typing import TypeGuard, TypeVar

Cell = TypeVar("Cell")


@dataclass(frozen=True)
class Absent:
    """What was asked is not offered, which is an answer and no failure."""

    not_offered: str


@dataclass(frozen=True)
class Failed:
    """It was tried and ended in an error."""

    error: str


@dataclass(frozen=True)
class Invalid:
    """It gave figures that must not be counted."""

    invalid: str


NoFigures = Absent | Failed | Invalid


def offered(cell: Cell | Absent | Failed | Invalid | None) -> TypeGuard[Cell]:
    """Whether the cell holds figures."""
    return cell is not None and not isinstance(cell, NoFigures)


def reason(cell: object) -> str:
    """Why a cell holds no figures, as a sentence."""
    match cell:
        case Absent(why):
            return f"not offered: {why}"
        case Failed(why):
            return f"failed: {why}"
        case Invalid(why):
            return f"not valid: {why}"
    return "no figures"
