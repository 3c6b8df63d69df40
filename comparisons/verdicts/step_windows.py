"""The slope of one function of one variable at 0, from values at many steps, with the error that they admit.

Rows j = 0, 1, ... are steps h_0 > h_1 > ... in one ratio r, with the quotients

    C_j = (p_j - m_j) / 2 h_j                central         C = slope + c_2 h^2 + c_4 h^4 + ...
    J_j = (p_j - 2 p + m_j) / h_j            their jump      J = jump  + c_1 h   + c_3 h^3 + ...
    R_j = (p_j - p) / h_j, L_j = (p - m_j) / h_j  one-sided  R = right + c_1 h   + c_2 h^2 + ...

of values p = f(0), p_j = f(h_j), m_j = f(-h_j). A tableau takes one power after another out of them,

    A_{j,0} = Q_j,   A_{j,k} = A_{j,k-1} + (A_{j,k-1} - A_{j-1,k-1}) / (r^{p_k} - 1),   p_k the k-th power,

so that A_{j,k} draws on the *window* of rows j - k .. j. Every window is a candidate. Its error is the larger
distance to the two it came from (Ridders 1982) and what it makes of the noise, 2 e / h_j and more; and it is
widened by every *shorter* step that contradicts: Q_i for i > j may be off by its own noise and by what
truncation the window has left, shrunk as h^{p_1}; what goes beyond says that the window saw another function
than there is close by (a narrow bump, a kink beside 0, an alias). The candidate with the least error is
taken, and another one, at least APART rows away, must agree with it: else the error is their distance. So
coarse and fine windows agree, or the error says that they do not.

For f = exp at steps 0.4, 0.2: C = 1.026881, 1.006680; A_{1,1} = 1.006680 - 0.020201/3 = 0.999946, estimated
to 0.0269 off, truly 5.4e-5: an estimate, and on the safe side where f is smooth.

References: Ridders 1982; Fornberg 1988; Gill, Murray, Saunders, Wright 1983.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backproof.comparisons.verdicts.shapes import Rows
from backproof.scratch.architecture import Array

CENTRAL, JUMP, ONE_SIDED = (2, 4, 6, 8), (1, 3, 5), (1, 2, 3)  # the powers of h in each expansion
NOISE_ALLOWED = 4.0  # standard deviations by which a shorter quotient may be off before it contradicts
APART = 2


@dataclass(frozen=True)
class Limit:
    """What quotients tend to as the step goes to zero."""

    value: float
    error: float  # an estimate; inf where there are too few rows

    @property
    def low(self) -> float:
        return self.value - self.error

    @property
    def high(self) -> float:
        return self.value + self.error


UNKNOWN = Limit(0.0, float("inf"))


def limit(quotients: Rows, h: Rows, noise: Rows, powers: Sequence[int]) -> Limit:
    """The limit of quotients (rows,) at steps h (rows,), falling in one ratio; `noise` (rows,) is theirs.

    Parameters
    ----------
    quotients
        One for every step, (rows,).
    h
        The steps, (rows,), falling in one ratio.
    noise
        The error of every quotient by f's noise, (rows,).
    powers
        Of h in the quotient's expansion, the lowest first.

    Returns
    -------
    Limit
        UNKNOWN for fewer than three steps; where two windows disagree, its error is how far they are apart.
    """
    if len(h) < 3:
        return UNKNOWN
    ratio = h[0] / h[1]
    candidates: list[tuple[float, float, int]] = []  # value, error, last row
    column = quotients
    for k, power in enumerate(powers[: len(h) - 1], 1):
        finer, coarser = column[1:], column[:-1]
        column = finer + (finer - coarser) / (ratio**power - 1)
        distance = np.maximum(np.abs(column - finer), np.abs(column - coarser))
        errors = distance + 2 * noise[k:]
        errors = errors + _contradiction(column, k, quotients, h, noise, powers[0])
        candidates += [
            (float(v), float(e), k + i) for i, (v, e) in enumerate(zip(column, errors, strict=True))
        ]
    return _agreed(candidates)


def _contradiction(column: Array, k: int, quotients: Array, h: Array, noise: Array, power: int) -> Array:
    """Per window of this column, (rows - k,): by how much the worst shorter quotient contradicts it."""
    last = np.arange(k, len(h))
    left = np.abs(quotients[last] - column)  # truncation of the window's own last quotient
    off = np.abs(quotients[None, :] - column[:, None])
    allowed = NOISE_ALLOWED * noise[None, :] + 2 * left[:, None] * (h[None, :] / h[last][:, None]) ** power
    shorter = np.arange(len(h))[None, :] > last[:, None]
    worst: Array = np.where(shorter, off - allowed, 0.0).max(axis=1, initial=0.0)
    return np.maximum(worst, 0.0)


def _agreed(candidates: Sequence[tuple[float, float, int]]) -> Limit:
    value, error, row = min(candidates, key=lambda candidate: candidate[1])
    others = [candidate for candidate in candidates if abs(candidate[2] - row) >= APART]
    if not others:
        return Limit(value, error)
    other, its_error, _ = min(others, key=lambda candidate: candidate[1])
    apart = abs(value - other)
    return Limit(value, error if apart <= error + its_error else apart)
