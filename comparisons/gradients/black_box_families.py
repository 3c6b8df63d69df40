"""Functions whose gradients are known, of every kind that has misled a checker: the campaign's black boxes.

A `BlackBox` is a function of a vector, its right gradient by formula, and the point. Where the point is a
kink the gradient is an interval, [low, high] entry by entry. A family draws one from a generator; `FAMILIES`
holds all of them by name, in groups:

    smooth, kinked, narrow, oscillating, scaled (badly), offset, float32, float16, rounded, noisy, domain (NaN
    nearby), random (two calls differ), flat (stationary or saturated)

The groups live in modules of their own: `black_box_smooth`, `black_box_rough`, `black_box_digits`.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from backproof.scratch.architecture import Array

GROUPS = (
    "smooth", "kinked", "narrow", "oscillating", "scaled", "offset", "float32", "float16", "rounded", "noisy",
    "domain", "random", "flat",
)  # fmt: skip
DOUBLE = frozenset(("smooth", "kinked", "narrow", "oscillating", "scaled", "offset", "domain", "flat"))


@dataclass(frozen=True)
class BlackBox:
    """f at theta with its right gradient."""

    f: Callable[[Array], Any]  # theta, shaped as below -> a real number
    theta: Array
    gradient: Array  # of theta's shape
    low: Array | None = None  # the interval of valid subgradients, where it is one
    high: Array | None = None

    def is_right(self, claimed: Array) -> bool:
        """Whether the claim lies in the interval of valid subgradients (one point where f is smooth)."""
        low = self.gradient if self.low is None else self.low
        high = self.gradient if self.high is None else self.high
        return bool(((low <= claimed) & (claimed <= high)).all())


Draw = Callable[[np.random.Generator], BlackBox]


@dataclass(frozen=True)
class Family:
    """A kind of function, and how one is drawn."""

    name: str
    group: str
    draw: Draw


MODULES = ("black_box_smooth", "black_box_rough", "black_box_digits")
FAMILIES: dict[str, Family] = {}


def family(group: str) -> Callable[[Draw], Draw]:
    """Enter a drawing function under its own name."""

    def enter(draw: Draw) -> Draw:
        name = draw.__name__.replace("_", " ")
        assert name not in FAMILIES, name
        assert group in GROUPS, group
        FAMILIES[name] = Family(name, group, draw)
        return draw

    return enter


def separable(
    theta: Array, value: Callable[[Array], Array], slope: Callable[[Array], Array], weights: Array
) -> BlackBox:
    """sum_i w_i v(t_i), with gradient w_i v'(t_i)."""
    return BlackBox(lambda t: float(weights @ value(t)), theta, weights * slope(theta))


def families() -> dict[str, Family]:
    """All of them; the modules that hold them are read first."""
    for module in MODULES:
        importlib.import_module(f"backproof.comparisons.gradients.{module}")
    return FAMILIES
