"""A program's reverse mode against values of the program: one verdict for every tensor.

What y(theta) returns is made a number, L = c y, with c drawn from the normal distribution: of both signs, so
that errors cannot add up to nothing by design, and two draws of it, so that they do not by chance. Of several
outputs each has a draw of its own, and one more has all of them together: a mistake in a small output is not
hidden behind a large one. The framework's dL/dtheta is then held to values of L (`gradient_judge`); one
call of the program serves all draws.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backproof.comparisons.verdicts.function_line import Point
from backproof.comparisons.verdicts.function_noise import grid
from backproof.comparisons.verdicts.gradient_judge import (
    ONE_BY_ONE,
    SAMPLED,
    Choice,
    Claims,
    judge,
)
from backproof.comparisons.verdicts.gradient_noise import GradientNoise
from backproof.comparisons.verdicts.gradient_verdict import GradientVerdict
from backproof.comparisons.verdicts.parameter_tree import Tensor, as_numpy, coarsest
from backproof.reference.program import EPS, Output, Program, dtype_of
from backproof.scratch.architecture import Array

PROJECTIONS = 2  # of a single output
MOST_OUTPUTS = 12  # with a projection of their own; more share them
AWAY = 0.37  # of a tensor's scale: as far as it is moved to see which outputs move with it


@dataclass(frozen=True)
class Search:
    """What is looked at, and how finely."""

    required: float | None = (
        None  # the relative error of a tensor that must be seen; None: as the dtypes allow
    )
    max_entries: int | None = None
    seed: int = 0


@dataclass(frozen=True)
class Projections:
    """L = c y for every row of c."""

    c: Array  # (m, n_outputs)
    labels: tuple[str, ...]  # which output a row belongs to, "" where that need not be said


def projections(outputs: Sequence[Output], seed: int) -> Projections:
    """Two of a single output; of several one each, and one of all.

    Parameters
    ----------
    outputs
        One at least.
    seed
        Of the normal distribution the weights are drawn from.

    Returns
    -------
    Projections
        c (m, n_outputs) in float64, with a label for every row.
    """
    rng = np.random.default_rng(seed)
    ends = np.cumsum([0, *(output.size for output in outputs)])
    total = int(ends[-1])
    if len(outputs) == 1:
        return Projections(rng.standard_normal((PROJECTIONS, total)), ("",) * PROJECTIONS)
    n = min(len(outputs), MOST_OUTPUTS)
    c, labels = np.zeros((n + 1, total)), [""] * (n + 1)
    for i, output in enumerate(outputs):
        c[i % n, ends[i] : ends[i + 1]] = rng.standard_normal(output.size)
        labels[i % n] += (", " if labels[i % n] else "") + output.name
    c[n] = rng.standard_normal(total)
    return Projections(c, tuple(labels))


def tensors_of(program: Program) -> list[Tensor]:
    """The program's tensors as a judge reads them.

    Parameters
    ----------
    program
        Of which only the cells are looked at.

    Returns
    -------
    list of Tensor
        In the program's order, flat and in float64.
    """
    return [
        Tensor(name, tuple(cell.shape), as_numpy(cell).ravel(), cell) for name, cell in program.cells.items()
    ]


def judge_program(program: Program, search: Search, faint: float = 0.0) -> GradientVerdict:
    """A verdict for every tensor.

    Parameters
    ----------
    program
        The function and its derivatives.
    search
        What is looked at, and how finely.
    faint
        Outputs that are at most this share of the largest, here and nearby, are rounding, and are left out.

    Returns
    -------
    GradientVerdict
        By the tensors' names.

    Raises
    ------
    NotOffered
        Where the framework refuses to differentiate.
    """
    drawn = projections(program.outputs, search.seed)
    found = tensors_of(program)
    moving = _moving(program, found, drawn.c, search.seed, faint)
    c = drawn.c[moving]
    dtype = dtype_of(program.outputs)
    point = Point(
        program.values,
        None,
        found,
        in_place=True,
        read=lambda y: np.asarray(c @ y),
        kind=lambda y: coarsest([dtype, grid(y)]),
        rounding=EPS[dtype] / 2 * np.sqrt(c**2 @ program.values() ** 2),  # each output's own, independent
    )

    def gradients() -> list[Array]:
        return program.pull(c)

    claimed = gradients()
    noise = GradientNoise(point, gradients, list, search.seed)
    labels = tuple(drawn.labels[i] for i in np.flatnonzero(moving))
    claims = Claims(claimed, coarsest([grid(one) for one in claimed]), noise, labels)
    everything: list[Array | None] = [None] * len(found)
    limits = search.max_entries or ONE_BY_ONE, search.max_entries or SAMPLED
    return judge(point, claims, Choice(everything, search.required, search.seed, *limits))


def _moving(program: Program, found: Sequence[Tensor], c: Array, seed: int, faint: float) -> Any:
    """Which rows are of outputs that move with a tensor, or claim to; all of them, if none do."""
    if len(c) <= PROJECTIONS:
        return np.ones(len(c), dtype=bool)
    rng = np.random.default_rng([seed, 2])
    ways = [AWAY * rng.uniform(0.5, 1.0, t.flat.shape) * np.maximum(1.0, np.abs(t.flat)) for t in found]
    point = Point(program.values, None, found, in_place=True, read=np.asarray)
    away = point.anywhere(1.0, ways)
    moved = (c != 0) & (away != point.base)
    claimed = np.max([np.abs(one).max(axis=1, initial=0.0) for one in program.pull(c)], axis=0)
    alive = moved.any(axis=1) | (claimed > 0)
    sizes = (np.abs(c) * np.fmax(np.abs(away), np.abs(point.base))).max(axis=1)
    rounding = (sizes <= faint * sizes.max()) & (claimed <= faint * claimed.max())
    alive &= ~rounding
    return alive if alive.any() else ~alive
