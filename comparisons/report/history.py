"""Accuracies and time ratios of many runs over time, as a page of its own."""

from collections.abc import Sequence
from pathlib import Path

import plotly.graph_objects as go
from markupsafe import Markup

from backproof.comparisons.drawing import figures, formats, markup
from backproof.comparisons.drawing.chapter import Section
from backproof.comparisons.report.answer import Answer
from backproof.comparisons.report.document import FILE, Results, load
from backproof.comparisons.report.runs import Measured, measured
from backproof.scratch.errors import InputError

PAGE = "history.html"
Run = tuple[str, Results]  # what the run is called, and what it found


def collect(folder: str | Path) -> list[Run]:
    """Every results.json in the folder or below it, the oldest first.

    Raises InputError where there are fewer than two, or one cannot be read.
    """
    found = [(str(path.parent), load(path)) for path in sorted(Path(folder).rglob(FILE))]
    dated = [(name, run) for name, run in found if run.environment is not None]
    if len(dated) < 2:
        raise InputError(
            f"history: expected two or more {FILE} below {folder}, found {len(dated)}; "
            "keep each run in a folder of its own"
        )
    return sorted(dated, key=lambda run: _date(run[1]))


def sections(runs: Sequence[Run]) -> list[Section]:
    """One chapter with the figures and the table of all runs."""
    pieces = [
        _figure(runs, "accuracy of ", "test accuracy", 100.0, "%"),
        _figure(runs, "time of ", "time over the NumPy network's", 1.0, "×"),
        _table(runs),
    ]
    return [Section("history", "Run after run", markup.join(pieces))]


def headline(runs: Sequence[Run]) -> Answer:
    """What the page begins with."""
    first, last = _date(runs[0][1])[:10], _date(runs[-1][1])[:10]
    return Answer(
        headline=f"{len(runs)} runs from {first} to {last}.",
        further="",
        context="",
        tiles=(),
        troubles=(),
        banner=None,
        missing="",
    )


def _date(results: Results) -> str:
    assert results.environment is not None  # `collect` leaves out those without
    return results.environment.date


def _figure(runs: Sequence[Run], prefix: str, axis: str, scale: float, unit: str) -> Markup:
    """One line per contender over the dates, with intervals; nothing where no run measured it."""
    series: dict[str, list[tuple[str, str, Measured]]] = {}
    for name, run in runs:
        for quantity, value in measured(run).items():
            if quantity.startswith(prefix):
                who = quantity.removeprefix(prefix).removesuffix(" / NumPy")
                series.setdefault(who, []).append((_date(run), name, value))
    if not series:
        return Markup("")
    fig = go.Figure(layout={"height": 420})
    for i, (who, points) in enumerate(series.items()):
        colour = figures.PALETTE[i % len(figures.PALETTE)]
        fig.add_scatter(
            x=[date for date, _, _ in points],
            y=[scale * value.value for _, _, value in points],
            error_y={"type": "data", "symmetric": False, "array": _ends(points, scale, up=True),
                     "arrayminus": _ends(points, scale, up=False)},
            text=[figures.plain(f"{name}: {value.text}") for _, name, value in points],
            hovertemplate="%{text}<extra></extra>",
            name=figures.plain(who), mode="lines+markers", line={"color": colour},
        )  # fmt: skip
    fig.update_yaxes(title=f"{axis}, {unit}")
    return figures.figure_html(
        fig,
        "One point per run, in the order of their dates; bars are intervals where there are any.",
        f"Lines over {len(runs)} runs: {axis} of {formats.listed(list(series))}.",
        title=f"{axis[:1].upper()}{axis[1:]} from run to run",
    )


def _ends(points: Sequence[tuple[str, str, Measured]], scale: float, *, up: bool) -> list[float]:
    """How far each interval reaches up or down; nothing where there is none."""
    reach = [(m.high - m.value if up else m.value - m.low) if m.has_interval else 0.0 for _, _, m in points]
    return [scale * length for length in reach]


def _table(runs: Sequence[Run]) -> Markup:
    tables = [measured(run) for _, run in runs]
    quantities = dict.fromkeys(name for table in tables for name in table)
    rows = []
    for (name, run), table in zip(runs, tables, strict=True):
        texts = [table[key].text if key in table else formats.ABSENT for key in quantities]
        rows.append((_date(run)[:16].replace("T", " "), name, *texts))
    return markup.table(("Date", "Run", *quantities), rows, "Every run", range(2 + len(quantities)))
