"""`Check`, and the decorator that makes one of the function below it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from backproof.comparisons.check.forms.space import Space

Arguments = tuple[Any, ...]  # what a check is given beside the candidate
Draw = Callable[[Space], st.SearchStrategy[Any]]  # from what the class has: what to try it on
Grid = Callable[[int, Space], Sequence[Any]]  # from a seed: what is tried before anything is drawn
Run = Callable[..., None]


@dataclass(frozen=True)
class Check:
    """`run(candidate, *arguments)` raises a finding; the arguments are of the grid's, then drawn."""

    name: str
    question: str
    needs: tuple[str, ...]  # methods of the class, "method(parameter)" where it must take one
    draw: Draw
    run: Run
    grid: Grid
    weight: float  # how many examples, relative to the others
    follows: tuple[str, ...]  # checks whose mistake shows here too


REGISTERED: list[Check] = []  # filled by the decorator, as the modules are imported


def nothing_first(seed: int, space: Space) -> Sequence[Any]:
    """No grid: everything is drawn."""
    return ()


def as_arguments(drawn: Any) -> Arguments:
    """One argument, or a tuple of them."""
    return drawn if isinstance(drawn, tuple) else (drawn,)


def check(
    question: str,
    needs: str,
    draw: Draw,
    grid: Grid = nothing_first,
    weight: float = 1.0,
    follows: tuple[str, ...] = (),
) -> Callable[[Run], Run]:
    """Make a `Check` of the function below: its name, with spaces, is the check's.

    `needs` are the class's methods, one word each; `follows` the checks that are asked first: where one of
    them failed, a failure here is not judged.
    """

    def register(run: Run) -> Run:
        name = run.__name__.replace("_", " ")
        REGISTERED.append(Check(name, question, tuple(needs.split()), draw, run, grid, weight, follows))
        return run

    return register
