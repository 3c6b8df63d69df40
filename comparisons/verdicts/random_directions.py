"""All entries of a tensor at once: its claimed gradient along random directions.

With z ~ N(0, I) of n entries, an error vector e = claimed - true shows as e . z ~ N(0, |e|^2), wherever in
the tensor it is. Along K directions, each of them seen to a bound B_k, e is missed with probability

    P = prod_k P(|e . z_k| <= B_k)  <=  prod_k sqrt(2 / pi) B_k / |e|,

since the density of N(0, |e|^2) is at most 1 / (sqrt(2 pi) |e|). Solved for |e|: a mistake of

    |e| = sqrt(2 / pi) (prod_k B_k)^(1/K) P^(-1/K)

or more is missed with probability P at most. For K = 8, all B_k = 1e-10 and P = 1e-9: |e| = 0.798 x 13.3 x
1e-10 = 1.06e-9.

Directions are scaled, d = z / sqrt(n), so that a step along one is as long as a step along one entry: B_k is
that of d times sqrt(n). Only values of f are needed, however many entries there are.

Reference: Higham 2002, chapter 15 (estimators by random vectors).
"""

from collections.abc import Sequence
from math import exp, log, pi, sqrt

import numpy as np

from backproof.comparisons.verdicts.shapes import Directions
from backproof.scratch.architecture import Array

DIRECTIONS = 8
MISS = 1e-9  # the probability at which the size is stated


def directions(n: int, seed: Sequence[int]) -> Directions:
    """(DIRECTIONS, n), of length about 1.

    Parameters
    ----------
    n
        How many entries the tensor has.
    seed
        The same directions for the same seed.

    Returns
    -------
    array (DIRECTIONS, n)
        In float64.
    """
    drawn: Array = np.random.default_rng(seed).standard_normal((DIRECTIONS, n)) / sqrt(n)
    return drawn


def missed_size(bounds: Sequence[float], n: int, probability: float = MISS) -> float:
    """The norm of a mistake that goes unseen along all of these directions with this probability at most.

    `bounds` are those of the slopes along directions as `directions` gives them.

    Parameters
    ----------
    bounds
        On the error of the slope along each direction, as `directions` gives them.
    n
        How many entries the tensor has.
    probability
        Of a miss.

    Returns
    -------
    float
        Infinity where one of the bounds is not finite.
    """
    if not all(np.isfinite(bounds)):
        return float("inf")
    logs = [log(max(bound, 1e-300) * sqrt(n)) for bound in bounds]
    return sqrt(2 / pi) * exp((sum(logs) - log(probability)) / len(logs))
