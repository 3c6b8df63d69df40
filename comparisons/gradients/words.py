"""Gradient checks as results.json holds them, ready to be drawn or printed."""

import math
from typing import Any

from backproof.comparisons.drawing import formats
from backproof.comparisons.results.parts import Part
from backproof.comparisons.verdicts.outcome import Outcome

_ORDER = {Outcome.FAIL: 0, Outcome.INCONCLUSIVE: 1, Outcome.PASS: 2}


def ordered(checks: list[Part]) -> list[Part]:
    """FAIL first, then INCONCLUSIVE, then PASS; within each, the closest to its bound first."""
    return sorted(checks, key=lambda check: (_ORDER.get(check.get("verdict", ""), 3), -(used(check) or 0.0)))


def used(check: Part) -> float | None:
    """error / bound: the part of the bound that the error uses; None where it is not known."""
    error, bound = check.get("max_error"), check.get("bound")
    if error is None or bound is None or not math.isfinite(error):
        return None
    return error / bound if bound else (0.0 if error == 0 else math.inf)


def compared(check: Part) -> str:
    """``scratch against central difference``."""
    return f"{formats.label(str(check.get('contender')))} against {_name(str(check.get('against')))}"


def _name(against: str) -> str:
    return formats.label(against).replace("_", " ")


def architecture(value: Any) -> str:
    """An architecture in one line, from a sentence or from the fields of `Architecture`."""
    if not isinstance(value, dict):
        return str(value)
    sizes = formats.layers(value.get("layer_sizes", []))
    return " ".join([sizes, *(str(value[key]) for key in ("activation", "loss", "dtype") if key in value)])


def share(value: float | None) -> str:
    """How much of the bound the error uses: ``3.3 %``, ``0.02 %``, ``3.3×10⁹×``."""
    if value is None or value >= 10:
        return formats.ABSENT if value is None else f"{formats.scientific(value)}×"
    return formats.percent(value, 1 if value >= 0.001 or value == 0 else 3)
