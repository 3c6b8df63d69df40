"""Numbers as people read them: rounded to what they carry, with their unit."""

import math
from collections.abc import Sequence

from backproof.comparisons.contenders.known import KNOWN

_SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_DATASETS = {"mnist": "MNIST", "digits": "scikit-learn's digits"}

Number = float | int | None
ABSENT = "–"
_NBSP = "\u00a0"  # a number and its unit stay on one line


def label(contender: str) -> str:
    """A contender's name in prose: ``torch`` is PyTorch, ``file.py:MyMLP`` is MyMLP."""
    if contender in KNOWN:
        return KNOWN[contender].label
    return contender.rpartition(":")[2] or contender


def dataset(name: str) -> str:
    """A data set's name in prose."""
    return _DATASETS.get(name, name)


def listed(names: list[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _finite(value: Number) -> str | None:
    """What stands in place of a value that is no finite number; None for one that is."""
    if value is None:
        return ABSENT
    if math.isnan(value):
        return "NaN"
    return None if math.isfinite(value) else ("∞" if value > 0 else "−∞")


def scientific(value: Number, digits: int = 1) -> str:
    """1.3e-12 as ``1.3×10⁻¹²``; numbers between 0.01 and 10,000 as they are."""
    if (special := _finite(value)) is not None:
        return special
    assert value is not None
    if value == 0:
        return "0"
    if 0.01 <= abs(value) < 10_000:
        decimals = max(0, digits - math.floor(math.log10(abs(value))))
        return f"{value:,.{decimals}f}".replace("-", "−")
    mantissa, exponent = f"{value:.{digits}e}".split("e")
    return f"{mantissa}×10{str(int(exponent)).translate(_SUPERSCRIPTS)}".replace("-", "−")


def known(value: Number, digits: int = 1) -> str:
    """The same, and a dash for what is no finite number: a bound of infinity is none."""
    return scientific(value if value is not None and math.isfinite(value) else None, digits)


def percent(fraction: Number, digits: int = 2) -> str:
    """0.97812 as ``97.81%``."""
    return _finite(fraction) or f"{100 * (fraction or 0.0):.{digits}f}%"


def points(value: Number, digits: int = 2) -> str:
    """A difference in percentage points with its sign: ``+0.04``, ``−0.10``, ``0.00``."""
    if (special := _finite(value)) is not None:
        return special
    text = f"{value:+.{digits}f}"
    return text[1:] if float(text) == 0 else text.replace("-", "−")


def interval(ends: Sequence[Number] | None) -> str:
    """The ends of an interval of points: ``[−0.10, +0.04]``."""
    return f"[{points(ends[0])}, {points(ends[1])}]" if ends and None not in ends else ABSENT


def times(value: Number) -> str:
    """A ratio to three figures: ``1.92×``, ``0.870×``, ``0.0625×``, ``12.0×``, ``1,331×``."""
    if (special := _finite(value)) is not None:
        return special
    assert value is not None
    decimals = 0 if value == 0 else min(9, max(0, 2 - math.floor(math.log10(abs(value)))))
    return f"{value:,.{decimals}f}×"


def seconds(value: Number) -> str:
    """A duration in the unit that suits it: ``1.2 µs``, ``34 ms``, ``5.6 s``, ``2 min 5 s``."""
    if (special := _finite(value)) is not None:
        return special
    assert value is not None
    if value >= 3600:
        hours, rest = divmod(round(value / 60), 60)
        return f"{hours:,}{_NBSP}h {rest}{_NBSP}min"
    if value >= 99.95:
        minutes, rest = divmod(round(value), 60)
        return f"{minutes}{_NBSP}min {rest}{_NBSP}s"
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= 0.9995 * scale:
            return f"{value / scale:.3g}{_NBSP}{unit}"
    return f"0{_NBSP}s" if value == 0 else f"{value / 1e-9:.3g}{_NBSP}ns"


def count(value: int) -> str:
    """60000 as ``60,000``."""
    return f"{value:,}"


def counted(value: int, noun: str, plural: str = "") -> str:
    """A number with its noun: ``1 seed``, ``60,000 images``; `plural` where an s is not enough."""
    return f"{count(value)} {noun if value == 1 else plural or noun + 's'}"


def layers(sizes: Sequence[int]) -> str:
    """[784, 128, 10] as ``784-128-10``."""
    return "-".join(str(size) for size in sizes)


def mean(values: Sequence[float | None]) -> float:
    """The arithmetic mean; NaN of nothing, and where a value is not a number (null in results.json)."""
    if not values or None in values:
        return math.nan
    return math.fsum(value for value in values if value is not None) / len(values)
