"""Same accuracy: the same weights and batches trained by everybody, seed by seed."""

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from markupsafe import Markup

from backproof.comparisons.accuracy.result import (
    AccuracyResult,
    AgainstScratch,
    ComparedTrajectories,
    ContenderRuns,
)
from backproof.comparisons.contenders.known import SCRATCH
from backproof.comparisons.drawing import figures, formats, markup
from backproof.comparisons.drawing.chapter import Section
from backproof.comparisons.drawing.formats import mean
from backproof.comparisons.results.cells import Absent, Failed, reason


def build(found: AccuracyResult | None) -> Section | None:
    """None where nothing was trained."""
    if found is None or not found.contenders:
        return None
    pieces = [
        _introduction(found),
        _curves(found),
        _seeds(found),
        _differences(found),
        _table(found),
        _trajectories(found),
    ]
    return Section("accuracy", "Same accuracy?", markup.join(pieces), found.verdict)


def curve(runs: Sequence[Sequence[float]]) -> list[float]:
    """The mean over the seeds at each epoch; NaN, a gap, where any seed has no finite value."""
    return [mean(values) for values in zip(*runs, strict=False)]


def _introduction(found: AccuracyResult) -> Markup:
    seeds = len(found.seeds)
    return Markup(
        "<p>On {data}, {seeds} seed{s}. For each seed, every contender starts from the same weights and sees "
        "the same batches in the same order, so differences are taken in pairs. Two contenders count as "
        "equal when the whole 90% interval of their mean difference lies inside the margin fixed "
        "beforehand; as different when it lies outside; else it is undecided.{more}</p>"
    ).format(data=formats.dataset(found.dataset), seeds=seeds, s="s" * (seeds != 1), more=_more(found))


def _more(found: AccuracyResult) -> str:
    text = f" One test image is worth {found.resolution_points:.2g} percentage points."
    if not found.timed:
        text += " These runs shared the machine, so nothing was timed."
    return text


def _curves(found: AccuracyResult) -> Markup:
    runs = found.trained
    losses = {name: curve(cell.train_loss) for name, cell in runs.items()}
    accuracies = {
        name: [100.0 * value for value in curve(cell.test_accuracy_epochs)] for name, cell in runs.items()
    }
    return Markup('<div class="pair">{}{}</div>').format(
        _curve_figure(losses, "training loss", "Training loss per epoch"),
        _curve_figure(_from_scratch(accuracies), "accuracy minus scratch's, points", "Difference per epoch"),
    )


def _from_scratch(curves: Mapping[str, list[float]]) -> dict[str, list[float]]:
    """Each curve minus scratch's: curves that coincide show nothing, their difference does."""
    ours = curves.get(SCRATCH, [])
    return {
        name: [value - own for value, own in zip(values, ours, strict=False)]
        for name, values in curves.items()
        if name != SCRATCH
    }


def _curve_figure(curves: Mapping[str, list[float]], title: str, caption: str) -> Markup:
    curves = {name: values for name, values in curves.items() if values}
    if not curves:
        return Markup("")
    fig = go.Figure()
    for name, values in curves.items():
        fig.add_scatter(
            x=list(range(1, len(values) + 1)), y=values, mode="lines+markers",
            name=figures.plain(formats.label(name)),
            line={"color": figures.colour(name), "dash": figures.dash(name)},
            marker={"symbol": figures.symbol(name), "size": 7},
        )  # fmt: skip
    fig.update_xaxes(title="epoch", dtick=1 if max(map(len, curves.values())) <= 12 else None)
    fig.update_yaxes(title=title)
    fig.update_layout(height=340)
    last = formats.listed([f"{formats.label(n)} {formats.scientific(v[-1], 2)}" for n, v in curves.items()])
    return figures.figure_html(
        fig,
        f"{caption}, mean over the seeds. Where curves coincide, the contenders agree.",
        f"{caption}, mean over the seeds. At the end: {last}.",
        title=f"{caption}: {last} at the end",
    )


def _seeds(found: AccuracyResult) -> Markup:
    runs, fig = found.trained, go.Figure()
    spread = [100 * value for cell in runs.values() for value in cell.test_accuracy if math.isfinite(value)]
    if not spread:
        return Markup("")
    for i, seed in enumerate(found.seeds):
        fig.add_trace(_seed_line(runs, i, seed))
    fig.update_yaxes(title="test accuracy, %")
    fig.update_xaxes(type="category", range=[-0.5, len(runs) - 0.5])
    fig.update_layout(height=360)
    return figures.figure_html(
        fig,
        "Test accuracy of every seed; a line joins the runs that share weights and batches.",
        f"Dots for {len(found.seeds)} seeds of {formats.listed([formats.label(name) for name in runs])}, "
        f"between {min(spread):.2f} and {max(spread):.2f} percent.",
        title=f"Seeds differ by {max(spread) - min(spread):.2f} points: more than the contenders do"
        if max(spread) - min(spread) > _widest(found)
        else f"All runs lie between {min(spread):.2f} and {max(spread):.2f}%",
    )


def _widest(found: AccuracyResult) -> float:
    """The largest mean difference between a contender and scratch, in points."""
    differences = [abs(cell.difference_points) for cell in found.compared.values()]
    return max((size for size in differences if math.isfinite(size)), default=math.inf)


def _seed_line(runs: Mapping[str, ContenderRuns], i: int, seed: int) -> go.Scatter:
    return go.Scatter(
        x=[figures.plain(formats.label(name)) for name in runs],
        y=[_at(cell.test_accuracy, i) for cell in runs.values()],
        mode="lines+markers",
        name=f"seed {seed}",
        showlegend=False,
        line={"color": figures.faded(figures.REFERENCE, 0.5), "width": 1},
        marker={
            "color": [figures.colour(name) for name in runs],
            "symbol": [figures.symbol(name) for name in runs],
            "size": 9,
        },
        hovertemplate=f"seed {seed}, %{{x}}: %{{y:.2f}}%<extra></extra>",
    )


def _at(values: Sequence[float], i: int) -> float | None:
    value = values[i] if i < len(values) else math.nan
    return 100 * value if math.isfinite(value) else None


def _differences(found: AccuracyResult) -> Markup:
    shown = {name: cell for name, cell in found.compared.items() if _interval(cell)}
    if not shown:
        return Markup("")
    margin = max(cell.margin_points for cell in shown.values())
    fig = go.Figure()
    fig.add_vrect(x0=-margin, x1=margin, fillcolor=figures.faded(figures.GOOD, 0.14), line_width=0)
    fig.add_vline(x=0, line={"color": figures.REFERENCE, "width": 1.5, "dash": "dash"})
    for name, cell in shown.items():
        fig.add_trace(_difference(name, cell))
    reach = 1.25 * max(margin, *(abs(end) for cell in shown.values() for end in _interval(cell)))
    fig.update_xaxes(title="difference, percentage points", range=[-reach, reach])
    fig.update_yaxes(type="category", range=[len(shown) - 0.4, -0.6])
    fig.update_layout(height=170 + 45 * len(shown))
    said = [f"{formats.label(n)} {formats.points(c.difference_points)} points" for n, c in shown.items()]
    return figures.figure_html(
        fig,
        "Accuracy minus scratch's: the mean paired difference with its 90% interval. The band is the margin "
        f"of ±{margin:g} percentage points inside which accuracies count as equal.",
        f"Differences to scratch: {formats.listed(said)}; margin plus or minus {margin:g} points.",
        title=_takeaway(shown, margin),
    )


def _takeaway(shown: Mapping[str, AgainstScratch], margin: float) -> str:
    equal = [formats.label(name) for name, cell in shown.items() if cell.outcome == "equivalent"]
    if len(equal) == len(shown):
        return f"Every interval lies inside ±{margin:g} points: the accuracies count as equal"
    others = [formats.label(name) for name in shown if formats.label(name) not in equal]
    return f"Not inside ±{margin:g} points: {formats.listed(others)}"


def _interval(cell: AgainstScratch) -> tuple[float, ...]:
    """The ends of the interval; () where it cannot be drawn."""
    ends = cell.ci90 or ()
    drawable = all(map(math.isfinite, (cell.difference_points, *ends)))
    return ends if drawable else ()


def _difference(name: str, cell: AgainstScratch) -> go.Scatter:
    (low, high), middle, colour = _interval(cell), cell.difference_points, figures.colour(name)
    return go.Scatter(
        x=[middle],
        y=[figures.plain(formats.label(name))],
        mode="markers",
        showlegend=False,
        marker={"color": colour, "symbol": figures.symbol(name), "size": 11},
        error_x={
            "type": "data",
            "array": [high - middle],
            "arrayminus": [middle - low],
            "color": colour,
            "thickness": 2.5,
            "width": 7,
        },
        hovertemplate="%{y}: %{x:+.3f} points<extra></extra>",
    )


def _table(found: AccuracyResult) -> Markup:
    columns = (
        "Contender",
        "Mean accuracy",
        "Spread (sd)",
        "Difference, points",
        "90% interval",
        "Margin",
        "Training",
        "Verdict",
    )
    rows = [_row(name, cell, found.against_scratch.get(name)) for name, cell in found.contenders.items()]
    table = markup.table(columns, rows, "Accuracy per contender over the seeds", (0, 7))
    return markup.join([table, *_reasons(found)])


def _reasons(found: AccuracyResult) -> list[Markup]:
    """Why an outcome is not what its interval says."""
    return [
        Markup("<p>{}: {}.</p>").format(formats.label(name), cell.reason)
        for name, cell in found.compared.items()
        if cell.reason
    ]


def _row(
    name: str, cell: ContenderRuns | Absent | Failed, against: AgainstScratch | Absent | Failed | None
) -> list[Any]:
    label = formats.label(name)
    if isinstance(cell, Absent | Failed) or not cell.test_accuracy:
        return [label, *[formats.ABSENT] * 6, markup.absent(reason(cell))]
    accuracies = [100 * value for value in cell.test_accuracy if math.isfinite(value)]
    spread = f"{statistics.stdev(accuracies):.2f} points" if len(accuracies) > 1 else formats.ABSENT
    clock = [value for value in cell.seconds if value is not None]
    time = f"{formats.seconds(mean(clock))} per seed" if clock else formats.ABSENT
    return [label, formats.percent(mean(accuracies) / 100), spread, *_comparison(against, time)]


def _comparison(against: AgainstScratch | Absent | Failed | None, time: str) -> list[Any]:
    """The cells from the difference to the verdict, the training time among them."""
    if against is None:
        return [*[formats.ABSENT] * 3, time, formats.ABSENT]
    if isinstance(against, Absent | Failed):
        return [*[formats.ABSENT] * 3, time, markup.absent(reason(against))]
    return [
        formats.points(against.difference_points),
        formats.interval(_interval(against)),
        f"±{against.margin_points:g}",
        time,
        markup.badge(against.verdict),
    ]


def _trajectories(found: AccuracyResult) -> Markup:
    followed = {name: cell.trajectory for name, cell in found.compared.items() if cell.trajectory}
    if not followed:
        return Markup("")
    rows = [_trajectory_row(formats.label(name), cell) for name, cell in followed.items()]
    columns = ("Contender", "Largest difference", "Control", "Verdict")
    return Markup(
        "<p>The same training run once more in float64, weights compared along the way. The control is a "
        "framework against itself with the rows of each batch in another order: the same maths, another "
        "order of summation.</p>{}"
    ).format(markup.table(columns, rows, "Scaled difference to scratch's weights", (0, 3)))


def _trajectory_row(label: str, cell: ComparedTrajectories | Absent | Failed) -> list[Any]:
    if isinstance(cell, Absent | Failed):
        return [label, formats.ABSENT, formats.ABSENT, markup.absent(reason(cell))]
    shown = [formats.scientific(value) for value in (cell.max_scaled_difference, cell.control)]
    return [label, *shown, markup.badge(cell.verdict)]
