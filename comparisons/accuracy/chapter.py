"""Same accuracy: the same weights and batches trained by everybody, seed by seed."""

import statistics
from typing import Any

import plotly.graph_objects as go
from markupsafe import Markup

from backproof.comparisons.drawing import figures, formats, markup
from backproof.comparisons.drawing.chapter import Section
from backproof.comparisons.drawing.formats import mean
from backproof.comparisons.results.parts import Part
from backproof.comparisons.speed.ratios import offered, reason


def build(part: Part | None) -> Section | None:
    """None where nothing was trained."""
    if part is None or not part["contenders"]:
        return None
    pieces = [
        _introduction(part),
        _curves(part),
        _seeds(part),
        _differences(part),
        _table(part),
        _trajectories(part),
    ]
    return Section("accuracy", "Same accuracy?", markup.join(pieces), part["verdict"])


def trained(part: Part) -> dict[str, Part]:
    """The contenders that have accuracies to show."""
    return {name: e for name, e in part["contenders"].items() if offered(e) and e.get("test_accuracy")}


def curve(runs: list[list[float | None]] | None) -> list[float]:
    """The mean over the seeds at each epoch; NaN, a gap, where any seed has no finite value."""
    return [mean(values) for values in zip(*(runs or []), strict=False)]


def _introduction(part: Part) -> Markup:
    seeds = len(part["seeds"])
    return Markup(
        "<p>On {data}, {seeds} seed{s}. For each seed, every contender starts from the same weights and sees "
        "the same batches in the same order, so differences are taken in pairs. Two contenders count as "
        "equal when the whole 90 % interval of their mean difference lies inside the margin fixed "
        "beforehand; as different when it lies outside; else it is undecided.{more}</p>"
    ).format(data=formats.dataset(part["dataset"]), seeds=seeds, s="s" * (seeds != 1), more=_more(part))


def _more(part: Part) -> str:
    text = ""
    if part.get("resolution_points"):
        text += f" One test image is worth {part['resolution_points']:.2g} percentage points."
    if part.get("timed") is False:
        text += " These runs shared the machine, so nothing was timed."
    return text


def _curves(part: Part) -> Markup:
    runs = trained(part)
    loss = _curve_figure(runs, "train_loss", "training loss", "Training loss per epoch", 1.0)
    accuracy = _curve_figure(
        runs, "test_accuracy_epochs", "test accuracy, %", "Test accuracy after each epoch", 100.0
    )
    return Markup('<div class="pair">{}{}</div>').format(loss, accuracy)


def _curve_figure(runs: dict[str, Part], key: str, title: str, caption: str, scale: float) -> Markup:
    curves = {name: [scale * value for value in curve(entry.get(key))] for name, entry in runs.items()}
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
    last = formats.listed([f"{formats.label(n)} {formats.scientific(v[-1], 3)}" for n, v in curves.items()])
    return figures.figure_html(
        fig,
        f"{caption}, mean over the seeds. Where curves lie on one another, the contenders agree.",
        f"{caption}, mean over the seeds. At the end: {last}.",
    )


def _seeds(part: Part) -> Markup:
    runs, fig = trained(part), go.Figure()
    spread = [100 * value for entry in runs.values() for value in entry["test_accuracy"] if value is not None]
    if not spread:
        return Markup("")
    for i, seed in enumerate(part["seeds"]):
        fig.add_trace(_seed_line(runs, i, seed))
    fig.update_yaxes(title="test accuracy, %")
    fig.update_xaxes(type="category", range=[-0.5, len(runs) - 0.5])
    fig.update_layout(height=360)
    return figures.figure_html(
        fig,
        "Test accuracy of every seed; a line joins the runs that share weights and batches.",
        f"Dots for {len(part['seeds'])} seeds of {formats.listed([formats.label(name) for name in runs])}, "
        f"between {min(spread):.2f} and {max(spread):.2f} percent.",
    )


def _seed_line(runs: dict[str, Part], i: int, seed: int) -> go.Scatter:
    return go.Scatter(
        x=[figures.plain(formats.label(name)) for name in runs],
        y=[_at(entry["test_accuracy"], i) for entry in runs.values()],
        mode="lines+markers",
        name=f"seed {seed}",
        showlegend=False,
        line={"color": figures.faded(figures.REFERENCE, 0.5), "width": 1},
        marker={
            "color": [figures.colour(name) for name in runs],
            "symbol": [figures.symbol(name) for name in runs],
            "size": 9,
        },
        hovertemplate=f"seed {seed}, %{{x}}: %{{y:.2f}} %<extra></extra>",
    )


def _at(values: list[float | None], i: int) -> float | None:
    value = values[i] if i < len(values) else None
    return None if value is None else 100 * value


def _differences(part: Part) -> Markup:
    compared = {n: e for n, e in part["against_scratch"].items() if offered(e) and _finite(e)}
    if not compared:
        return Markup("")
    margin = max(entry["margin_points"] for entry in compared.values())
    fig = go.Figure()
    fig.add_vrect(x0=-margin, x1=margin, fillcolor=figures.faded(figures.GOOD, 0.14), line_width=0)
    fig.add_vline(x=0, line={"color": figures.REFERENCE, "width": 1.5, "dash": "dash"})
    for name, entry in compared.items():
        fig.add_trace(_difference(name, entry))
    reach = 1.25 * max(margin, *(abs(end) for entry in compared.values() for end in entry["ci90"]))
    fig.update_xaxes(title="difference, percentage points", range=[-reach, reach])
    fig.update_yaxes(type="category", range=[len(compared) - 0.4, -0.6])
    fig.update_layout(height=170 + 45 * len(compared))
    said = [
        f"{formats.label(n)} {formats.points(e['difference_points'])} points" for n, e in compared.items()
    ]
    return figures.figure_html(
        fig,
        "Accuracy minus scratch's: the mean paired difference with its 90 % interval. The band is the margin "
        f"of ±{margin:g} percentage points inside which accuracies count as equal.",
        f"Differences to scratch: {formats.listed(said)}; margin plus or minus {margin:g} points.",
    )


def _finite(entry: Part) -> bool:
    return None not in (entry.get("difference_points"), *(entry.get("ci90") or [None]))


def _difference(name: str, entry: Part) -> go.Scatter:
    (low, high), middle, colour = entry["ci90"], entry["difference_points"], figures.colour(name)
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


def _table(part: Part) -> Markup:
    columns = (
        "Contender",
        "Mean accuracy",
        "Spread (sd)",
        "Difference, points",
        "90 % interval",
        "Margin",
        "Training",
        "Verdict",
    )
    rows = [
        _row(name, entry, part["against_scratch"].get(name)) for name, entry in part["contenders"].items()
    ]
    return markup.table(columns, rows, "Accuracy per contender over the seeds", (0, 7))


def _row(name: str, entry: Any, compared: Part | None) -> list[Any]:
    label = formats.label(name)
    if not offered(entry) or not entry.get("test_accuracy"):
        return [label, *[formats.ABSENT] * 6, markup.absent(reason(entry))]
    accuracies = [100 * value for value in entry["test_accuracy"] if value is not None]
    spread = f"{statistics.stdev(accuracies):.2f} points" if len(accuracies) > 1 else formats.ABSENT
    clock = [value for value in entry.get("seconds") or [] if value is not None]
    time = f"{formats.seconds(mean(clock))} per seed" if clock else formats.ABSENT
    return [label, formats.percent(mean(accuracies) / 100), spread, *_comparison(compared, time)]


def _comparison(compared: Part | None, time: str) -> list[Any]:
    """The cells from the difference to the verdict, the training time among them."""
    if compared is None:
        return [*[formats.ABSENT] * 3, time, formats.ABSENT]
    if not offered(compared):
        return [*[formats.ABSENT] * 3, time, markup.absent(reason(compared))]
    return [
        formats.points(compared.get("difference_points")),
        formats.interval(compared.get("ci90")),
        f"±{compared['margin_points']:g}",
        time,
        markup.badge(compared.get("verdict")),
    ]


def _trajectories(part: Part) -> Markup:
    found = {
        name: entry["trajectory"]
        for name, entry in part["against_scratch"].items()
        if isinstance(entry, dict) and entry.get("trajectory")
    }
    if not found:
        return Markup("")
    rows = [_trajectory_row(formats.label(name), entry) for name, entry in found.items()]
    columns = ("Contender", "Largest difference", "Control", "Verdict")
    return Markup(
        "<p>The same training run once more in float64, weights compared along the way. The control is a "
        "framework against itself with the rows of each batch in another order: the same maths, another "
        "order of summation.</p>{}"
    ).format(markup.table(columns, rows, "Scaled difference to scratch's weights", (0, 3)))


def _trajectory_row(label: str, entry: Part) -> list[Any]:
    if not offered(entry):
        return [label, formats.ABSENT, formats.ABSENT, markup.absent(reason(entry))]
    figures_found = [formats.scientific(entry.get(key)) for key in ("max_scaled_difference", "control")]
    return [label, *figures_found, markup.badge(entry.get("verdict"))]
