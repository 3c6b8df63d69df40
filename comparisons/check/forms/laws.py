"""Laws of scale: how a factor may depend on N (examples), K (outputs) and constants.

A law is N^a K^b c, a and b in {-1, 0, 1}. As a loss it is a convention (a sum where ours is a mean, half the
square); between a loss and its gradient it is a mistake.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from backproof.scratch.problem import Problem

CLOSE = {"float64": 1e-9, "float32": 1e-5}  # of its size: numbers that are one but for rounding
# A penalty read from a difference of losses: the least lambda, and how far two may differ.
PENALTY = {"float64": (1e-12, 1e-6), "float32": (1e-5, 1e-2)}


@dataclass(frozen=True)
class Law:
    """N^examples K^outputs constant."""

    examples: int = 0
    outputs: int = 0
    constant: float = 1.0

    def at(self, problem: Problem) -> float:
        n, k = problem.batch_size, problem.architecture.n_outputs
        return float(n**self.examples * k**self.outputs * self.constant)

    @property
    def is_one(self) -> bool:
        return self == ONE

    def __str__(self) -> str:
        """``N K / 2``"""
        over = [name for name, power in (("N", self.examples), ("K", self.outputs)) if power > 0]
        under = [name for name, power in (("N", self.examples), ("K", self.outputs)) if power < 0]
        if self.constant < 1 and (1 / self.constant).is_integer():
            under.append(f"{1 / self.constant:g}")
        elif self.constant != 1:
            over.insert(0, f"{self.constant:g}")
        below = f" / {under[0]}" if len(under) == 1 else f" / ({' '.join(under)})" if under else ""
        return (" ".join(over) or "1") + below


ONE = Law()
# The plain ones first: of several laws that fit, the first is named.
LAWS = tuple(
    sorted(
        (Law(a, b, c) for a, b, c in product((-1, 0, 1), (-1, 0, 1), (1.0, 0.5, 2.0))),
        key=lambda law: (law.constant != 1) + abs(law.examples) + abs(law.outputs),
    )
)


def fitting(ratios: Sequence[tuple[float, Problem]]) -> Law | None:
    """The first law that gives all these factors."""
    for law in LAWS:
        if ratios and all(_is(law, ratio, problem) for ratio, problem in ratios):
            return law
    return None


def _is(law: Law, ratio: float, problem: Problem) -> bool:
    return bool(np.isclose(ratio, law.at(problem), rtol=CLOSE[problem.architecture.dtype], atol=0))
