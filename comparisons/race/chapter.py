"""The race on the page: per target the times, and accuracy against the clock."""

from collections.abc import Sequence

import plotly.graph_objects as go
from markupsafe import Markup

from backproof.comparisons.drawing import figures, formats, markup
from backproof.comparisons.drawing.chapter import Section
from backproof.comparisons.race.recipes import RaceRecipe
from backproof.comparisons.race.result import CurvePoint, RaceResult, Runner, TargetResult
from backproof.comparisons.race.terminal import accuracy, goal, title
from backproof.comparisons.results import cells
from backproof.comparisons.speed import kinds
from backproof.comparisons.speed.ratios import ends

OUTLINED = 5  # runs of each whose curves are drawn


def build(found: RaceResult | None) -> Section | None:
    """None where no race was run."""
    if not found:
        return None
    pieces = [_introduction(), *map(_target, found.targets.values())]
    return Section(
        "race",
        "Seconds to a test accuracy",
        markup.join(pieces),
        found.verdict,
        nav="The race",
        under="speed",
    )


def _introduction() -> Markup:
    return Markup(
        "<p>How long until a network has so many of MNIST’s test images right? Everybody follows the same "
        "recipe from the same first weights on the same batches; recipe and number of epochs were chosen on "
        "images held out of the training images. The clock runs from the first touch of the training images "
        "to the weights that count, distortions included; not counted are imports, the first steps of a "
        "process (compilation) and evaluation. A target counts as reached where the mean over at least ten "
        "runs reaches it.</p>"
    )


def _target(result: TargetResult) -> Markup:
    return Markup("<h3>{} {}</h3><p>{} {}</p>{}{}<p>Made with {}{}</p>").format(
        title(result.target),
        markup.badge(result.verdict),
        goal(result).rstrip(":") + ".",
        recipe(result.target.recipe),
        _times(result),
        _curves(result),
        markup.command(result.command),
        f", on {kinds.words(result.kind)}" if result.kind is not None else "",
    )


def recipe(used: RaceRecipe) -> str:
    """The recipe in one sentence."""
    spec = used.optimizer
    said = [
        f"{formats.counted(used.epochs, 'epoch')} in batches of {used.batch_size}",
        f"{spec.name} at {spec.learning_rate:g} on one cycle",
    ]
    if used.label_smoothing:
        said.append(f"label smoothing {used.label_smoothing:g}")
    if used.adversarial:
        said.append(f"every example moved {used.adversarial:g} towards a larger loss before each step")
    if used.distortion:
        said.append("random distortions")
    return f"784-{formats.layers(used.hidden)}-10: {', '.join(said)}."


def _times(result: TargetResult) -> Markup:
    rows = []
    for name, cell in result.runners.items():
        if not isinstance(cell, Runner) or not cell.runs:
            why = cells.reason(cell) if not isinstance(cell, Runner) else "no run was finished"
            rows.append([formats.label(name), markup.absent(why), "", "", "", ""])
            continue
        median, least, most = cell.seconds
        ratio = result.ratios.get(name)
        rows.append(
            [
                formats.label(name),
                formats.seconds(median),
                f"{formats.seconds(least)} to {formats.seconds(most)}",
                accuracy(cell),
                "" if ratio is None else f"{formats.times(ratio.ratio.median)} {ends(ratio.ratio)}",
                formats.seconds(cell.warm_up_seconds),
            ]
        )
    columns = ("Contender", "Median", "Least to most", "Test accuracy", "Time / scratch", "First steps")
    return markup.table(columns, rows, f"Seconds to {title(result.target)}")


def _curves(result: TargetResult) -> Markup:
    fig = go.Figure()
    for name, runner in result.finished.items():
        label, style = formats.label(name), {"color": figures.colour(name), "dash": figures.dash(name)}
        for number, run in enumerate(runner.runs[:OUTLINED]):
            fig.add_scatter(
                x=[point.seconds for point in run.curve],
                y=_errors(run.curve),
                mode="lines+markers",
                marker={"symbol": figures.symbol(name), "size": 5},
                line={**style, "width": 1.2},
                name=figures.plain(label),
                legendgroup=name,
                showlegend=number == 0,
                hovertemplate="%{x:.3g} s: %{y:.2f}% wrong<extra></extra>",
            )
    target = 100 * (1 - result.target.accuracy)
    fig.add_hline(y=target, line={"color": figures.REFERENCE, "dash": "dash", "width": 1})
    fig.update_xaxes(title="seconds on the clock", rangemode="tozero")
    fig.update_yaxes(title="test error, %", type="log")
    fig.update_layout(height=360)
    return figures.figure_html(
        fig,
        "Test error against the clock, which stands still while the error is taken. The dashed line is the "
        f"target. Up to {OUTLINED} runs of each; the rate of the one cycle is lowest at the end of a run, "
        "and so is the error.",
        f"Test error falls towards {target:g} percent.",
        title=_takeaway(result),
    )


def _errors(curve: Sequence[CurvePoint]) -> list[float]:
    return [100 * (1 - point.accuracy) for point in curve]


def _takeaway(result: TargetResult) -> str:
    said = [
        f"{formats.label(name)} {formats.seconds(runner.seconds[0])}"
        for name, runner in result.finished.items()
    ]
    return f"To the end of the recipe: {formats.listed(said)}"
