"""Small pictures for the terminal: curves and points in braille, maps in shades, without colours.

A braille character is a grid of 2 x 4 dots: `width` x `height` characters hold 2 width x 4 height dots.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

from backproof.comparisons.lessons.frame import Json, number

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # [row][column] of U+2800's bits
_SHADES = " ░▒▓█"


def sketch(data: Sequence[Json], layout: Json, width: int = 60, height: int = 12) -> list[str]:
    """Lines of text: the first map if there is one and no image wall, else the curves and points."""
    maps = [trace for trace in data if trace["type"] == "heatmap"]
    if maps:
        return _shaded(maps[0], layout, width)
    bars = [trace for trace in data if trace["type"] == "bar"]
    if bars:
        return _bars(bars[0], width)
    return _curves([trace for trace in data if trace.get("mode") != "text"], layout, width, height)


def _curves(traces: Sequence[Json], layout: Json, width: int, height: int) -> list[str]:
    logs = tuple(layout.get(axis, {}).get("type") == "log" for axis in ("xaxis", "yaxis"))
    curves = [list(_finite(trace, logs)) for trace in traces]
    everything = [point for curve in curves for point in curve]
    if not everything:
        return []
    low_x, high_x = _range([x for x, _ in everything])
    low_y, high_y = _range([y for _, y in everything], layout.get("yaxis", {}).get("range"))
    columns, rows = 2 * width - 1, 4 * height - 1
    cells = [[0] * width for _ in range(height)]
    for trace, curve in zip(traces, curves, strict=True):
        places = [
            ((x - low_x) / (high_x - low_x) * columns, (high_y - y) / (high_y - low_y) * rows)
            for x, y in curve
        ]
        joined = "lines" in trace.get("mode", "lines")
        for column, row in _walk(places) if joined else places:
            c, r = round(column), round(row)
            if 0 <= c <= columns and 0 <= r <= rows:
                cells[r // 4][c // 2] |= _DOTS[r % 4][c % 2]
    lines = ["".join(chr(0x2800 + cell) for cell in row) for row in cells]
    return _framed(lines, (low_x, high_x), (low_y, high_y), logs, width)


def _finite(trace: Json, logs: tuple[bool, bool]) -> Iterator[tuple[float, float]]:
    for point in zip(trace["x"], trace["y"], strict=True):
        values = []
        for value, log in zip(point, logs, strict=True):
            if value is None or (log and value <= 0):
                break
            values.append(math.log10(value) if log else float(value))
        if len(values) == 2:
            yield values[0], values[1]


def _range(values: Sequence[float], given: Sequence[float] | None = None) -> tuple[float, float]:
    low, high = given or (min(values), max(values))
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _walk(places: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """The places and every dot on the way from one to the next."""
    yield from places[:1]
    for (c0, r0), (c1, r1) in pairwise(places):
        steps = min(1000, max(1, math.ceil(max(abs(c1 - c0), abs(r1 - r0)))))
        for i in range(1, steps + 1):
            yield c0 + (c1 - c0) * i / steps, r0 + (r1 - r0) * i / steps


def _framed(
    lines: list[str], x: tuple[float, float], y: tuple[float, float], logs: tuple[bool, bool], width: int
) -> list[str]:
    def shown(value: float, log: bool) -> str:
        return number(float(f"{10**value if log else value:.3g}"))

    names = [shown(y[1], logs[1]), *[""] * (len(lines) - 2), shown(y[0], logs[1])]
    left, right = shown(x[0], logs[0]), shown(x[1], logs[0])
    margin = max(map(len, names))
    framed = [f"{name:>{margin}} │{line}" for name, line in zip(names, lines, strict=True)]
    return [*framed, f"{'':>{margin}} └{'─' * width}", f"{'':>{margin}}  {left}{right:>{width - len(left)}}"]


def _shaded(trace: Json, layout: Json, width: int) -> list[str]:
    """A map as shades of grey, two characters per cell; row 0 at the bottom unless the axis is reversed."""
    rows = trace["z"]
    upward = "reversed" not in str(layout.get("yaxis", {}).get("autorange", ""))
    rows = rows[::-1] if upward else rows
    step = max(1, math.ceil(len(rows) / 20))
    rows = [row[:: max(1, math.ceil(2 * len(row) / width))] for row in rows[::step]]
    values = [value for row in rows for value in row if value is not None]
    low, high = _range(values)
    return [
        "".join(2 * _SHADES[round((v - low) / (high - low) * 4) if v is not None else 0] for v in row)
        for row in rows
    ]


def _bars(trace: Json, width: int) -> list[str]:
    largest = max(abs(value) for value in trace["y"]) or 1.0
    margin = max(len(name) for name in trace["x"])
    return [
        f"{name:>{margin}} │{'█' * max(1, round(abs(value) / largest * (width - 14)))} {number(value)}"
        for name, value in zip(trace["x"], trace["y"], strict=True)
    ]


def sparkline(values: Sequence[float], width: int = 40) -> str:
    """All values as one line of at most `width` blocks: of many, every so many-th and the last."""
    shown = [value for value in values if math.isfinite(value)]
    if not shown:
        return ""
    places = {round(i * (len(shown) - 1) / (width - 1)) for i in range(width)}
    shown = [shown[place] for place in sorted(places)]
    low, high = _range(shown)
    return "".join("▁▂▃▄▅▆▇█"[round((value - low) / (high - low) * 7)] for value in shown)
