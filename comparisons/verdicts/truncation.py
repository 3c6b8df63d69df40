"""Numerical gradients given themselves away: their error lies along a direction that one other step shows.

A forward difference with the step h is off by h/2 f'', a central one by h^2/6 f'''. With quotients q(H) at a
step H where that shows,

    direction = (q(H) - t) / H^k,      error = g - t = h^k direction,     k = 1, 2,

so that the angle between the two says whether g is one, and their ratio with which step. For f = x^3 at x =
1: t = 3, q(0.1) = 3.01, direction 1; g = 3.0001 has the error 1e-4, and h = 0.01.
"""

from collections.abc import Callable, Sequence
from math import floor, log10

import numpy as np

from backproof.comparisons.verdicts.cause import EXPLAINS, FITS, Cause
from backproof.comparisons.verdicts.shapes import Chosen
from backproof.scratch.architecture import Array

MOST = 1e-2  # relative errors above this are no matter of digits
ALONG = 0.99  # cosine above which errors are those of a difference
STEP = {1: 2.0**-14, 2: 2.0**-9}  # by order, with which the direction is found
NAMES = {2: "central", 1: "forward"}
FEWEST = 3  # entries


def along_truncation(
    quotients: Chosen, right: Chosen, found: Chosen, h: float, order: int
) -> tuple[float, float]:
    """How far a claim's error is that of a difference quotient, and of which step.

    Parameters
    ----------
    quotients
        Those of step h, (entries,).
    right, found
        True and claimed slopes, (entries,).
    h
        The step, in units of the entries.
    order
        Of the quotient: 1 forward, 2 central.

    Returns
    -------
    tuple of two floats
        The cosine between the error and the direction of a difference's, and the step that its length means;
        both are negative where the error points the other way.
    """
    direction, error = (quotients - right) / h**order, found - right
    size = float(np.linalg.norm(direction) * np.linalg.norm(error))
    if not size:
        return 0.0, 0.0
    cosine = float(error @ direction) / size
    length = float(error @ direction / (direction @ direction))
    return cosine, float(np.sign(length)) * abs(length) ** (1 / order)


def numerical_cause(
    value: Callable[[int, float], float],
    entries: Sequence[int],
    found: Chosen,
    right: Chosen,
    error: Chosen,
) -> Cause | None:
    """The cause of a claim that is nearly right and wrong as a quotient of differences is.

    Parameters
    ----------
    value
        value(i, s) is f with entry i moved by s.
    entries
        Which ones were looked at.
    found, right
        Claimed and true slopes of these entries.
    error
        To which the true ones are known, one for each.

    Returns
    -------
    Cause or None
        None where the claim is wrong in another way, or right.
    """
    size, off = float(np.abs(right).max(initial=0.0)), np.abs(found - right)
    if len(entries) < FEWEST or not 0 < off.max() <= MOST * size or (off > error).mean() < 0.5:
        return None
    for order in NAMES:
        H = STEP[order]
        quotients = _quotients(value, entries, H, order)
        cosine, step = along_truncation(quotients, right, found, H, order)
        finite = bool(np.isfinite([*quotients, cosine, step]).all())
        if not finite or abs(cosine) < ALONG or (order == 2 and step < 0):
            continue
        name = NAMES[order] if step > 0 else "backward"
        for h in _plain_steps(step):
            blur = 2 * off.max() * abs(h - step) / abs(step) * 1e-3 + error
            if (np.abs(_quotients(value, entries, h, order) - found) <= blur).all():
                return Cause(f"a numerical gradient: {name} differences with h = {abs(h):g}", EXPLAINS)
        digits = floor(-log10(float(off.max()) / size))
        words = f"it agrees to {digits} digits: a numerical gradient, {name}, with h about {abs(step):.0e}"
        return Cause(words, FITS)
    return None


def _quotients(value: Callable[[int, float], float], entries: Sequence[int], h: float, order: int) -> Array:
    if order == 2:
        return np.array([(value(i, h) - value(i, -h)) / (2 * h) for i in entries])
    return np.array([(value(i, h) - value(i, 0.0)) / h for i in entries])


def _plain_steps(step: float) -> list[float]:
    """The steps of one or two digits beside it, the nearest first."""
    unit = 10.0 ** floor(log10(abs(step)))
    return [round(step / unit) * unit, round(step / unit, 1) * unit]
