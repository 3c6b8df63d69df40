"""Step sizes in a terminal: every scheme's default step, its error there, and the slopes of its two arms."""

from rich.box import SIMPLE_HEAD
from rich.table import Table

from backproof.comparisons.drawing import formats
from backproof.comparisons.gradients.result import Curve, Slope, StepSizes

COLUMNS = ("Scheme", "Step", "Error", "Rounding", "Truncation", "Step", "Error")


def table(part: StepSizes) -> Table:
    """One row per scheme, made for 80 columns: float64 with its slopes, then float32."""
    out = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1), pad_edge=False)
    for i, column in enumerate(COLUMNS):
        out.add_column(column, justify="left" if i == 0 else "right", no_wrap=True)
    out.add_row("", "float64", "", "slope", "slope", "float32", "")
    curves = {(curve.method, curve.dtype): curve for curve in part.curves}
    for method in dict.fromkeys(curve.method for curve in part.curves):
        double, single = curves[method, "float64"], curves[method, "float32"]
        out.add_row(
            method.removesuffix("_difference"),
            *_optimum(double),
            _slope(double.slopes.rounding),
            _slope(double.slopes.truncation),
            *_optimum(single),
        )
    out.add_row(
        "backprop", "", _short(part.backprop["float64"]), "", "", "", _short(part.backprop["float32"])
    )
    return out


def _optimum(curve: Curve) -> tuple[str, str]:
    return _short(curve.optimum.step), _short(curve.optimum.error)


def _short(value: float) -> str:
    return f"{value:.0e}"


def _slope(slope: Slope | None) -> str:
    """Measured, in brackets predicted."""
    if slope is None:
        return formats.ABSENT
    measured = slope.measured
    found = formats.ABSENT if measured is None else f"{round(measured, 2) + 0.0:.2f}"
    return f"{found} ({slope.predicted:.0f})"
