"""How far one value of a black box is off: the noise of f, read from values on short lines.

On a line so short that f is smooth there, the columns of a difference table of f(t + k d), k = 0 .. m, die
out, while those of independent errors of standard deviation sigma grow: the k-th difference has mean square

    E [(Delta^k e)^2] = sigma^2 sum_i C(k, i)^2 = sigma^2 (2k)! / (k!)^2,

so that sigma_k = sqrt(mean (Delta^k f)^2 (k!)^2 / (2k)!) estimates sigma where the columns k, k + 1, k + 2
agree (within a factor of 4) and column k changes its sign. For the values 1, 3, 2, 4, 1, 3, 2, 4, 1 the first
column is 2, -1, 2, -3, 2, -1, 2, -3: sigma_1 = sqrt(36/8 / 2) = 1.5.

*Which line.* The shortest one that is informative: f moves on it, most values differing from their
neighbours, and three columns agree. Longer lines cross kinks, which look like noise; on shorter ones a
float32 function stands still. Nothing is looked for that is not needed: a double precision f is read from its
first line.

*The quantum.* Where a line is so short that the value changes only two or three times, and stands still
before and after each time, the steps of a staircase are seen: a value rounded to multiples of q is off by q /
sqrt(12), uniformly distributed in +- q/2. One single change may be a jump that f really has, and changes in a
row the slope beyond a kink.

*The grid.* Values that are all float32 numbers (or float16's), and use most of their bits, were rounded to
them, whatever dtype they come in: a noise of eps |f| of that dtype is the least that is assumed.

References: Moré, Wild 2011; Hamming 1971, chapter 6.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import factorial
from typing import Annotated

import numpy as np

from backproof.comparisons.verdicts.shapes import Table, Values
from backproof.scratch.architecture import Array

POINTS = 9
SPACINGS = tuple(10.0**exponent for exponent in range(-14, -1))
AGREEMENT = 4.0  # three columns in a row differ by no more than this factor
DISTINCT = 5  # of the POINTS - 1 steps must change the value before a line counts as moving
BITS = {"bfloat16": 8, "float16": 11, "float32": 24, "float64": 53}  # significant ones
EPS = {name: 2.0 ** (1 - bits) for name, bits in BITS.items()}
SEEN_GRIDS = ("float16", "float32")
SPARE_BITS = 5


@dataclass(frozen=True)
class Noise:
    """Of one function near one point: an absolute level, and one relative to the value at hand."""

    level: float  # the standard deviation of one value
    eps: float  # the spacing of the grid that the values lie on, relative to them
    hidden: float = 0.0  # a rounding of f's terms, where f and they cancel to less than that
    steep: float = 0.0  # how steep f's terms may be: |f| far out over the way there

    def of(self, *values: float) -> float:
        """The error to be expected of the largest of these values."""
        return max(self.level, self.eps * max(abs(value) for value in values))


def grid(values: Array) -> str:
    """The dtype on whose grid all of these float64 values lie, with half of them using most of its bits.

    float64 where too few of them differ to say, and for small integers and the like, which lie on every grid.

    Parameters
    ----------
    values
        Of any shape, float64; what is not finite is left out.

    Returns
    -------
    str
        "float16", "float32" or "float64".
    """
    finite = np.unique(np.abs(values[np.isfinite(values) & (values != 0)]))
    mantissas, _ = np.frexp(finite)
    if len(finite) < DISTINCT:
        return "float64"
    for name in SEEN_GRIDS:
        fine, coarse = np.ldexp(mantissas, BITS[name]), np.ldexp(mantissas, BITS[name] - SPARE_BITS)
        if (fine == np.round(fine)).all() and (coarse != np.round(coarse)).mean() >= 0.5:
            return name
    return "float64"


def column_levels(
    values: Table,
) -> tuple[Annotated[Array, "orders functions"], Annotated[Array, "orders functions"]]:
    """Of equally spaced values (points, m): sigma_k of every column, (k, m), and whether it changes sign.

    Parameters
    ----------
    values
        Of m functions at equally spaced points, (points, m).

    Returns
    -------
    tuple of two arrays (orders, m)
        sigma_k in float64, and the answers as bool, for the orders k = 1 .. points - 3.
    """
    differences = np.diff(values, axis=0)
    levels, changes = [], []
    for order in range(1, len(values) - 2):
        share = factorial(order) ** 2 / factorial(2 * order)
        levels.append(np.sqrt((differences**2).mean(axis=0) * share))
        changes.append((differences[1:] * differences[:-1] < 0).any(axis=0))
        differences = np.diff(differences, axis=0)
    return np.array(levels), np.array(changes)


def settled_level(values: Table) -> Values:
    """Per function (points, m): the noise level where three columns in a row agree, NaN where none do.

    Parameters
    ----------
    values
        Of m functions at equally spaced points, (points, m).

    Returns
    -------
    array (m,)
        In float64.
    """
    levels, changes = column_levels(values)
    found = np.full(values.shape[1], np.nan)
    for start in reversed(range(len(levels) - 2)):
        three = levels[start : start + 3]
        agree = (three.max(axis=0) <= AGREEMENT * three.min(axis=0)) & changes[start]
        found = np.where(agree, levels[start], found)
    return found


def moves(values: Table) -> Values:
    """Per function (points, m): whether most of its values differ from their neighbours.

    Parameters
    ----------
    values
        Of m functions along a line, (points, m).

    Returns
    -------
    array of bool (m,)
        True where at least DISTINCT neighbours differ.
    """
    moving: Array = np.count_nonzero(np.diff(values, axis=0), axis=0) >= DISTINCT
    return moving


def quantum_level(values: Table) -> Values:
    """Per function (points, m): q / sqrt(12) of a staircase climbed in two or three steps, else 0.

    Parameters
    ----------
    values
        Of m functions along a line, (points, m).

    Returns
    -------
    array (m,)
        In float64.
    """
    changes = np.abs(np.diff(values, axis=0))
    n_changes = np.count_nonzero(changes, axis=0)
    adjacent = ((changes[1:] > 0) & (changes[:-1] > 0)).any(axis=0)
    seen = (n_changes >= 2) & (n_changes <= 3) & ~adjacent
    level: Array = np.where(seen, changes.max(axis=0) / np.sqrt(12), 0.0)
    return level


def line_noise(at: Callable[[float], Values], wanted: Values | None = None) -> tuple[Values, Table]:
    """(level (m,), values seen (points, m)) of the m functions at(s) near s = 0, a line in units of its
    scale.

    A function that moves on no line has level 0: nothing but its grid is known. `wanted` limits the search to
    some of the functions: it ends when these are known.

    Parameters
    ----------
    at
        The m functions at one point of the line, (m,) in float64.
    wanted
        Which functions the search must settle, (m,) of bool; None for all.

    Returns
    -------
    tuple of two arrays
        Levels (m,), and values (points, m).
    """
    base = at(0.0)
    level, last, quantum = np.full(base.shape, np.nan), np.zeros(base.shape), np.zeros(base.shape)
    seen = [base[None]]
    missing = np.ones(base.shape, dtype=bool) if wanted is None else wanted.copy()
    for spacing in SPACINGS:
        far = 4 * spacing
        if (np.array([at(-far), at(far)])[:, missing] == base[missing]).all():
            continue  # nothing moves on so short a line
        with np.errstate(all="ignore"):
            values = np.array([base if k == 0 else at(k * spacing) for k in range(-4, POINTS - 4)])
            seen.append(values)
            if not np.isfinite(values[:, missing]).all():
                break
            settled = np.where(moves(values), settled_level(values), np.nan)
            highest = np.where(moves(values), column_levels(values)[0][-1], 0.0)
            quantum = np.where(quantum == 0, quantum_level(values), quantum)
        last = np.where((last == 0) & np.isnan(level), highest, last)
        level = np.where(np.isnan(level), settled, level)
        missing &= np.isnan(level)
        if not missing.any():
            break
    return np.maximum(np.where(np.isnan(level), last, level), quantum), np.concatenate(seen)
