"""The V: step size against error for every difference scheme, with the optimum and the slopes derived."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from markupsafe import Markup

from backproof.comparisons.drawing import figures, formats, markup
from backproof.comparisons.drawing.chapter import Section
from backproof.comparisons.gradients.result import Curve, Slope, StepSizes

LABELS = {
    "forward_difference": "forward",
    "central_difference": "central",
    "five_point": "five-point",
    "complex_step": "complex step",
    "richardson": "Richardson",
    "unitwise_difference": "unit-wise central",
}
# Colour, marker and dash: no curve is told from another by colour alone.
LOOKS = {
    "forward_difference": (figures.TORCH, "circle"),
    "central_difference": (figures.SCRATCH, "square"),
    "five_point": (figures.JAX, "diamond"),
    "complex_step": (figures.TENSORFLOW, "triangle-up"),
    "richardson": (figures.SKLEARN, "cross"),
    "unitwise_difference": (figures.REFERENCE, "x"),
}
DTYPES = ("float64", "float32")
SHOWN = {"float64": (-16, 0.5), "float32": (-8, 0.5)}  # decades of steps; the complex step goes on, flat
COLUMNS = (
    "Scheme",
    "Dtype",
    "Default step",
    "Error there",
    "Least error measured",
    "Slope of rounding",
    "Slope of truncation",
)


def build(part: StepSizes | None) -> Section | None:
    """None where no step size was varied."""
    if part is None:
        return None
    html = markup.join([_introduction(part), _figure(part), _table(part), _reading(part)])
    return Section(
        "step-sizes", "Why numerical gradients are never exact", html, nav="Step sizes", under="gradients"
    )


def _introduction(part: StepSizes) -> Markup:
    return Markup(
        "<p>A long step misses the curvature of the loss (truncation), a short one drowns in the rounding of "
        "two nearly equal losses: the error of every difference quotient is a V, and its lowest point can be "
        "derived. Measured on a {layers} {activation} network with {loss}, {batch} examples: the largest "
        "error of an entry relative to the largest entry, against the step. The thin dashed lines are "
        "not fitted: they are the error terms C h<sup>p</sup> M + A e / h, with e = eps |L| and the "
        "derivatives M of this very loss. Stars are the steps that the methods take by "
        "default, known before anything is measured.</p>"
    ).format(
        layers="-".join(str(size) for size in part.layer_sizes),
        activation=part.activation,
        loss=part.loss.replace("_", " "),
        batch=part.batch_size,
    )


def _figure(part: StepSizes) -> Markup:
    """A figure per dtype, side by side where there is room and one below the other where there is not."""
    return Markup('<div class="pair">{}</div>').format(
        markup.join(_of_dtype(part, dtype, shown) for dtype, shown in SHOWN.items())
    )


def _of_dtype(part: StepSizes, dtype: str, shown: tuple[float, float]) -> Markup:
    fig, level = go.Figure(), part.backprop[dtype]
    curves = [curve for curve in part.curves if curve.dtype == dtype]
    for curve in curves:
        fig.add_traces(_traces(curve))
    fig.add_hline(y=level, line={"color": figures.INK, "width": 1, "dash": "dot"})
    fig.add_annotation(
        text="backprop", x=-1, y=math.log10(level), xanchor="right", yanchor="top",
        showarrow=False, font={"size": 11},
    )  # fmt: skip
    fig.update_xaxes(type="log", dtick=4 if dtype == "float64" else 2, title="relative step h", range=shown)
    fig.update_yaxes(type="log", dtick=2, range=[-17, 2], title="relative error")
    fig.update_layout(height=560)
    best = min(curves, key=_least)
    title = f"{dtype}: no step makes a difference quotient exact"
    return figures.figure_html(fig, _caption(dtype), _description(dtype, curves, best), title=title)


def _traces(curve: Curve) -> list[Any]:
    name, (colour, symbol) = LABELS[curve.method], LOOKS[curve.method]
    hover = f"{name}<br>h = %{{x:.1e}}<br>error %{{y:.1e}}<extra></extra>"
    traces = [
        go.Scatter(
            x=curve.steps, y=curve.errors, name=name, legendgroup=name,
            mode="lines+markers", line={"color": colour, "width": 1.5}, hovertemplate=hover,
            marker={"symbol": symbol, "size": 5},
        ),
        go.Scatter(
            x=[curve.optimum.step], y=[curve.optimum.error], name=name, legendgroup=name,
            showlegend=False, mode="markers", hovertemplate=f"{name}: default step<br>" + hover,
            marker={"symbol": "star", "size": 14, "color": colour, "line": {"color": figures.INK}},
        ),
    ]  # fmt: skip
    if curve.truncation is not None and curve.rounding is not None:
        model = [t + r for t, r in zip(curve.truncation, curve.rounding, strict=True)]
        traces.append(
            go.Scatter(
                x=curve.steps, y=model, name=name, legendgroup=name, showlegend=False, mode="lines",
                line={"color": colour, "width": 1, "dash": "dash"}, hoverinfo="skip",
            )
        )  # fmt: skip
    return traces


def _caption(dtype: str) -> str:
    return (
        f"Relative error of every numerical gradient against its relative step, in {dtype} "
        f"(eps = {np.finfo(dtype).eps:.1e}), both axes logarithmic; for Richardson the step is the largest "
        "of its tableau. Stars: default steps (that of the complex step, 1e-20, lies off the left edge). "
        "Dashes: derived errors."
    )


def _description(dtype: str, curves: Sequence[Curve], best: Curve) -> str:
    least = formats.listed([f"{LABELS[c.method]} {_least(c):.0e}" for c in curves])
    return f"V-shaped curves; the least errors in {dtype} are {least}; {LABELS[best.method]} comes closest."


def _least(curve: Curve) -> float:
    return min(float(error) for error in curve.errors if error is not None)


def _table(part: StepSizes) -> Markup:
    curves = sorted(part.curves, key=lambda c: DTYPES.index(c.dtype))
    rows = [
        (
            LABELS[curve.method],
            curve.dtype,
            formats.scientific(curve.optimum.step),
            formats.scientific(curve.optimum.error),
            formats.scientific(_least(curve)),
            _slope(curve.slopes.rounding),
            _slope(curve.slopes.truncation),
        )
        for curve in curves
    ]
    return markup.table(COLUMNS, rows, "Default steps, errors and slopes", (0, 1))


def _slope(slope: Slope | None) -> str:
    """Predicted and measured: ``2 predicted, 2.00 found``."""
    if slope is None:
        return formats.ABSENT
    measured = slope.measured
    found = formats.ABSENT if measured is None else f"{round(measured, 2) + 0.0:.2f}"
    return f"{slope.predicted:.0f} predicted, {found} found".replace("-", "−")


def _reading(part: StepSizes) -> Markup:
    return Markup(
        '<p class="note">Read as follows. Halving a long step divides the error by 2<sup>p</sup>, halving a '
        "short one doubles it. A scheme of higher order has its optimum at a longer step with a smaller "
        "error. The complex step subtracts nothing: its left arm is flat, and it is as good as backprop "
        "({} in float64). In float32 the best central difference keeps about four digits, which is why "
        "gradients of float32 networks are checked in float64 at the same weights. A dash: too few points "
        "between the two arms to fit a slope, or none predicted.</p>"
    ).format(formats.scientific(part.backprop["float64"]))
