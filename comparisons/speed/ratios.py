"""Time ratios as results.json holds them, ready to be drawn or printed.

A ratio is (time of a contender) / (time of scratch) in the same round: above 1, scratch is faster.
"""

import math
from dataclasses import dataclass
from typing import Any

from backproof.comparisons.drawing import formats
from backproof.comparisons.results.parts import Part

_NO_FIGURES = {"not_offered": "not offered", "error": "failed", "invalid": "not valid"}


@dataclass(frozen=True)
class Interval:
    """A median with the ends of its 95 % interval; without one, the ends are the median itself."""

    median: float
    low: float
    high: float

    @property
    def ends(self) -> str:
        """``[1.88, 1.97]``; nothing where there is no interval."""
        if self.low == self.high:
            return ""
        return f"[{formats.times(self.low).rstrip('×')}, {formats.times(self.high).rstrip('×')}]"

    def __str__(self) -> str:
        """``1.92× [1.88, 1.97]``."""
        return f"{formats.times(self.median)} {self.ends}".rstrip()

    @property
    def reach(self) -> float:
        """The farthest that any of the three lies from 1, as a logarithm."""
        return max(abs(math.log(end)) for end in (self.median, self.low, self.high))


def offered(entry: Any) -> bool:
    """Whether a contender's cell holds figures: not ``{"not_offered": reason}``, an error, or null."""
    return isinstance(entry, dict) and not any(isinstance(entry.get(key), str) for key in _NO_FIGURES)


def reason(entry: Any) -> str:
    """Why a cell holds no figures, as a sentence."""
    if isinstance(entry, dict):
        for key, said in _NO_FIGURES.items():
            if isinstance(entry.get(key), str):
                return f"{said}: {entry[key]}"
    return "no figures"


def interval(value: Any) -> Interval | None:
    """From ``{median, ci95}`` or a bare number; None where there is no positive number."""
    if isinstance(value, dict):
        median, ends = value.get("median"), value.get("ci95")
    else:
        median, ends = value, None
    if not isinstance(median, int | float) or median <= 0:
        return None
    low, high = ends if ends and all(end and end > 0 for end in ends) else (median, median)
    return Interval(float(median), float(low), float(high))


def names(part: Part, everyone: bool = False) -> list[str]:
    """Contenders that stand in any case, in order, without scratch itself.

    Those of the idiomatic division only if `everyone` is asked for, or where there are no others.
    """
    cells = [item for case in part["cases"] for item in case.get("ratios", {}).items()]
    found = {name: isinstance(cell, dict) and cell.get("division") == "idiomatic" for name, cell in cells}
    found.pop("scratch", None)
    matched = [name for name, idiomatic in found.items() if not idiomatic]
    return list(found) if everyone or not matched else matched


def ratio(case: Part, name: str) -> Interval | None:
    """The ratio of one contender in one case; None where it was not offered."""
    entry = case.get("ratios", {}).get(name)
    return interval(entry) if offered(entry) else None


def noise(part: Part, case: Part) -> Interval | None:
    """Scratch against itself: of the case if it has its own, else of the whole part."""
    return interval(case.get("noise", part.get("noise")))


def gemm_floor(part: Part, case: Part) -> Interval | None:
    """Scratch over the bare matrix products."""
    return interval(case.get("gemm_floor", part.get("gemm_floor")))


def noise_reach(part: Part, case: Part) -> float | None:
    """The noise floor as a logarithm: ratios between exp(-reach) and exp(reach) say nothing."""
    stated = case.get("noise")
    if isinstance(stated, dict) and stated.get("floor"):
        return abs(math.log(stated["floor"]))
    found = noise(part, case)
    return found.reach if found else None


def inside_noise(part: Part, case: Part, name: str) -> bool:
    """Whether the ratio's interval reaches into the noise floor: then no difference was seen."""
    found, reach = ratio(case, name), noise_reach(part, case)
    if found is None or reach is None:
        return False
    return math.log(found.low) < reach and math.log(found.high) > -reach


def geometric_means(part: Part) -> dict[str, Interval]:
    """Per contender the geometric mean over the cases that it was timed in; with its interval where known."""
    stated = part.get("geometric_means") or []
    means = {}
    for name in names(part):
        found = interval(stated[0].get(name)) if len(stated) == 1 else None
        logs = [math.log(timed.median) for case in part["cases"] if (timed := ratio(case, name))]
        if found is None and logs:
            found = interval(math.exp(math.fsum(logs) / len(logs)))
        if found is not None:
            means[name] = found
    return means


def case_name(part: Part, case: Part) -> str:
    """``784-128-10, batch 100, sgd``, with what else tells this case from the others."""
    optimizer = case.get("optimizer")
    if isinstance(optimizer, dict):
        optimizer = optimizer.get("name")
    pieces = [formats.layers(case["layer_sizes"]), f"batch {case['batch_size']}", str(optimizer)]
    if case.get("dtype", "float32") != "float32":
        pieces.append(str(case["dtype"]))
    if isinstance(part["threads"], list) and "threads" in case:
        pieces.append(f"{case['threads']} thread{'s' * (case['threads'] != 1)}")
    return ", ".join(pieces)
