"""The few kinds of traces that the lessons draw, as Plotly's JSON, rounded to what a screen can show."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from backproof.comparisons.drawing.figures import (
    BAD,
    GOOD,
    INK,
    JAX,
    REFERENCE,
    SCRATCH,
    SKLEARN,
    TENSORFLOW,
    TORCH,
)
from backproof.comparisons.lessons.frame import Json
from backproof.scratch.architecture import Array

__all__ = [
    "AMOUNT", "BAD", "CLASSES", "COLOURS", "DASHES", "GOOD", "INK", "JAX", "REFERENCE", "SCRATCH", "SIGNED",
    "SYMBOLS", "TENSORFLOW", "TORCH", "axes", "heatmap", "images", "line", "points", "rounded", "vertical",
]  # fmt: skip

COLOURS = (SCRATCH, TORCH, JAX, TENSORFLOW, SKLEARN, REFERENCE, INK, GOOD, BAD)
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "x", "cross")
CLASSES = [[0.0, "rgba(11,99,206,0.30)"], [0.5, "rgba(128,128,128,0.05)"], [1.0, "rgba(194,72,10,0.35)"]]
SIGNED = [[0.0, SCRATCH], [0.5, "#f4f4f4"], [1.0, TORCH]]
AMOUNT = [[0.0, "#f4f6f9"], [1.0, SCRATCH]]


def rounded(values: Any, digits: int = 5) -> list[Any]:
    """Numbers with `digits` significant digits, as (nested) lists; None (a gap) for what is not finite."""
    array = np.asarray(values, dtype=float)
    if array.ndim > 1:
        return [rounded(row, digits) for row in array]
    return [float(f"{value:.{digits}g}") if np.isfinite(value) else None for value in array]


def line(
    name: str, x: Any, y: Any, colour: str = SCRATCH, dash: str = "solid", markers: bool = False, **more: Any
) -> Json:
    """A curve; `markers` puts a point at every value."""
    return {
        "type": "scatter",
        "mode": "lines+markers" if markers else "lines",
        "name": name,
        "x": rounded(x),
        "y": rounded(y),
        "line": {"color": colour, "dash": dash, "width": 2},
        **more,
    }


def points(
    name: str, x: Any, y: Any, colour: str = SCRATCH, symbol: str = "circle", size: int = 9, **more: Any
) -> Json:
    """Single points."""
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": rounded(x),
        "y": rounded(y),
        "marker": {"color": colour, "symbol": symbol, "size": size},
        **more,
    }


def vertical(name: str, x: float, low: float, high: float, colour: str = REFERENCE) -> Json:
    """A vertical line at x from low to high."""
    return line(name, [x, x], [low, high], colour, "dash")


def heatmap(
    z: Any, x: Any = None, y: Any = None, scale: Sequence[Sequence[Any]] = AMOUNT, **more: Any
) -> Json:
    """A map of z (rows, columns): row 0 at the bottom, unless the layout turns the axis."""
    trace: Json = {
        "type": "heatmap",
        "z": rounded(z, 4),
        "colorscale": [list(stop) for stop in scale],
        **more,
    }
    trace.setdefault("showscale", False)
    for key, values in (("x", x), ("y", y)):
        if values is not None:
            trace[key] = [v if isinstance(v, str) else float(f"{v:.5g}") for v in values]
    return trace


def images(
    maps: Sequence[Array], titles: Sequence[str], columns: int, scale: Any, **more: Any
) -> tuple[list[Json], Json]:
    """Small images side by side, each (rows, columns): traces and layout. `more` goes into every heatmap."""
    rows = -(-len(maps) // columns)
    traces: list[Json] = []
    layout: Json = {"height": 60 + 165 * rows, "annotations": [], "margin": {"l": 8, "r": 8, "t": 24, "b": 8}}
    for i, (image, title) in enumerate(zip(maps, titles, strict=True)):
        row, column = divmod(i, columns)
        suffix = "" if i == 0 else str(i + 1)
        width, height = 1 / columns, 1 / rows
        left, top = column * width, 1 - row * height
        traces.append(heatmap(image, scale=scale, xaxis=f"x{suffix}", yaxis=f"y{suffix}", name=title, **more))
        hidden = {"visible": False, "fixedrange": True}
        layout[f"xaxis{suffix}"] = hidden | {
            "domain": [left + 0.06 * width, left + 0.94 * width],
            "anchor": f"y{suffix}",
            "constrain": "domain",
        }
        layout[f"yaxis{suffix}"] = hidden | {
            "domain": [top - 0.94 * height, top - 0.16 * height],
            "anchor": f"x{suffix}",
            "autorange": "reversed",
            "scaleanchor": f"x{suffix}",
            "constrain": "domain",
        }
        layout["annotations"].append(
            {
                "text": title,
                "x": left + width / 2,
                "y": top - 0.15 * height,
                "xref": "paper",
                "yref": "paper",
                "xanchor": "center",
                "yanchor": "bottom",
                "showarrow": False,
                "font": {"size": 12},
            }
        )
    return traces, layout


def axes(x: str, y: str, x_log: bool = False, y_log: bool = False, height: int = 400, **more: Any) -> Json:
    """A layout with titled axes; `more` is merged into it."""
    layout: Json = {"height": height, "xaxis": {"title": {"text": x}}, "yaxis": {"title": {"text": y}}}
    if x_log:
        layout["xaxis"]["type"] = "log"
    if y_log:
        layout["yaxis"]["type"] = "log"
    for key, value in more.items():
        layout[key] = layout[key] | value if isinstance(layout.get(key), dict) else value
    return layout
