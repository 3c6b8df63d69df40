"""Figures of the page: one theme, one colour and one marker per contender, light and dark.

A figure is written into the page as data; the page's own script draws it (`templates/page.js`), so that
plotly.js is there once and no figure carries code. Every colour below stands for a pair: where the reader's
screen is dark, the script replaces the light one by its partner in `DARK`. Use these names, not own colours.

The palette keeps hues apart for the three common kinds of colour blindness (after Okabe, Ito 2008, with
lightness moved until each colour has a contrast of at least 4.5 to its background); markers and dashes
differ as well, so that no figure depends on colour alone.
"""

import math
from typing import Any

import numpy as np
import plotly.graph_objects as go
from markupsafe import Markup

from backproof.comparisons.contenders.known import KNOWN, family
from backproof.comparisons.drawing import formats
from backproof.scratch.errors import InputError

INK, MUTED, GRID, PAPER = "#1b2430", "#5b6675", "#dfe4ea", "#ffffff"
GOOD, BAD, UNSURE = "#1a7f4e", "#b42318", "#8a6100"
SCRATCH, TORCH, JAX, TENSORFLOW, SKLEARN = (
    KNOWN[name].appearance.light for name in ("scratch", "torch", "jax", "tensorflow", "sklearn")
)
REFERENCE = "#6b7280"  # bounds, floors, controls: what a curve is checked against

DARK = {
    INK: "#e6eaf0", MUTED: "#a2adbb", GRID: "#2c3542", PAPER: "#151a21",
    GOOD: "#4cc38a", BAD: "#ff8a80", UNSURE: "#e5b94e",
    REFERENCE: "#98a2b0", **{known.appearance.light: known.appearance.dark for known in KNOWN.values()},
}  # fmt: skip

PALETTE = tuple(known.appearance.light for known in KNOWN.values())


def colour(contender: str) -> str:
    """The contender's colour; ``torch.compile`` or ``torch fused`` share torch's. Unknown names are grey."""
    known = family(contender)
    return known.appearance.light if known else REFERENCE


def symbol(contender: str) -> str:
    """The contender's marker."""
    known = family(contender)
    return known.appearance.marker if known else "x"


def dash(contender: str) -> str:
    """The contender's line style."""
    known = family(contender)
    return known.appearance.dash if known else "longdashdot"


def faded(hex_colour: str, alpha: float = 0.18) -> str:
    """The colour, transparent: for bands and areas. Changes with the theme as the colour itself does."""
    return f"{hex_colour}{round(255 * alpha):02x}"


def plain(text: str) -> str:
    """Text that plotly shows as it stands: its labels know a few HTML tags and read ``<`` as their start."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _theme() -> go.layout.Template:
    axis = {
        "gridcolor": GRID, "linecolor": MUTED, "zerolinecolor": GRID, "tickcolor": MUTED, "ticks": "outside",
        "showline": True, "automargin": True, "title": {"standoff": 10}, "exponentformat": "power",
    }  # fmt: skip
    return go.layout.Template(
        layout={
            "font": {"family": "system-ui, sans-serif", "size": 13, "color": INK},
            "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)", "colorway": list(PALETTE),
            "margin": {"l": 56, "r": 16, "t": 24, "b": 48},
            "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom"},
            "hoverlabel": {"bgcolor": PAPER, "bordercolor": MUTED, "font": {"color": INK}},
            "hovermode": "closest",
            "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": MUTED, "activecolor": INK},
            "xaxis": axis,
            "yaxis": axis,
        }
    )  # fmt: skip


def figure_html(fig: go.Figure, caption: str, alt: str, title: str = "") -> Markup:
    """The figure below its `title`, what it shows in one sentence; its caption says how to read it.

    `alt` describes it to those who cannot see it. NaN becomes a gap in a curve. The figure's own
    ``layout.height`` (pixels, 400 unless set) is reserved before it is drawn; its width follows the page.
    Raises InputError where caption or alt is empty: a figure without words says nothing.
    """
    for name, text in (("caption", caption), ("alt", alt)):
        if not text.strip():
            raise InputError(f"{name}: expected a sentence on what the figure shows, got {text!r}")
    themed = go.Figure(fig)
    themed.layout.template = _theme()
    _space_logarithmic_ticks(themed)
    heading = Markup('<p class="takeaway">{}</p>').format(title) if title else ""
    return Markup(
        '<figure class="plot-figure">{heading}<div class="plot" role="img" aria-label="{alt}" '
        'style="height: {height}px"></div><script type="application/json" class="plot-data">{data}</script>'
        "<figcaption>{caption}</figcaption></figure>"
    ).format(
        heading=heading,
        alt=alt,
        height=int(themed.layout.height or 400),
        data=inside_script(themed.to_json(engine="json")),
        caption=caption,
    )


def _space_logarithmic_ticks(fig: go.Figure) -> None:
    """Label whole decades only, and as few of them as stay apart: plotly would label 2 to 9 as well.

    Over little more than a decade 1, 2 and 5 are labelled in full (plotly writes a bare 2 for 20); over less
    than a factor of two the axis is linear, which looks the same there and has round labels.
    """
    for axis in (*fig.select_xaxes(), *fig.select_yaxes()):
        if axis.type != "log" or axis.dtick is not None or axis.tickvals is not None:
            continue
        letter, number = axis.plotly_name[0], axis.plotly_name[5:]
        values = [
            float(value)
            for trace in fig.data
            if (getattr(trace, f"{letter}axis", None) or letter) == f"{letter}{number}"
            for value in (trace[letter] if letter in trace and trace[letter] is not None else ())
            if isinstance(value, int | float | np.number) and 0 < value < math.inf
        ]
        if axis.range is None and values:
            low, high = math.log10(min(values)), math.log10(max(values))
        else:
            low, high = sorted(axis.range or (0.0, 1.0))
        if high - low < math.log10(2.0) and axis.range is None:
            axis.type = "linear"
        elif high - low < 1.2:
            _label_ones_twos_and_fives(axis, math.floor(low), math.ceil(high))
        else:
            axis.dtick = max(1, math.ceil((high - low) / 9))


def _label_ones_twos_and_fives(axis: Any, lowest: int, highest: int) -> None:
    """Over these decades, and one more to each side."""
    ticks = [step * 10.0**power for power in range(lowest - 1, highest + 2) for step in (1, 2, 5)]
    axis.update(tickvals=ticks, ticktext=[formats.scientific(tick, 0) for tick in ticks])


def inside_script(json_text: str) -> Markup:
    """JSON that may stand inside a script element: no ``<`` is left in it that could end the element."""
    return Markup(json_text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))
