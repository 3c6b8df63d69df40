"""Gradient checks in words, for the page and the terminal."""

from collections.abc import Iterable

from backproof.comparisons.drawing import formats
from backproof.comparisons.gradients.result import Check, NotCompared


def ordered(checks: Iterable[Check]) -> list[Check]:
    """FAIL first, then INCONCLUSIVE, then PASS; within each, the closest to its bound first."""
    return sorted(checks, key=lambda check: (check.verdict.rank, -(check.used or 0.0)))


def compared(check: Check | NotCompared) -> str:
    """``scratch against central difference``."""
    return f"{formats.label(check.contender)} against {formats.label(check.against).replace('_', ' ')}"


def share(value: float | None) -> str:
    """How much of the bound the error uses: ``3.3%``, ``0.02%``, ``3.3×10⁹×``."""
    if value is None or value >= 10:
        return formats.ABSENT if value is None else f"{formats.scientific(value)}×"
    return formats.percent(value, 1 if value >= 0.001 or value == 0 else 3)
