"""Learning by numerical differentiation alone: one gradient five ways, the trainings, the ladder."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from markupsafe import Markup

from backproof.comparisons.drawing import figures, formats, markup
from backproof.comparisons.drawing.chapter import Section
from backproof.comparisons.numerical.result import (
    DIFFERENCES,
    FORWARD,
    ForwardTraining,
    Ladder,
    NumericalResult,
    OneGradient,
    TwinResult,
)
from backproof.comparisons.results.codec import Foreign

COLOURS = {
    "naive": figures.TENSORFLOW,
    "structured": figures.SCRATCH,
    "unitwise": figures.JAX,
    "forward": figures.REFERENCE,
    "backprop": figures.TORCH,
}
RUNGS_OF_DIFFERENCES = {"entries": "structured", "units": "unitwise"}
WINDOW = 20  # batches that a point of the loss curve averages
SYMBOLS = {
    "naive": "x",
    "structured": "circle",
    "unitwise": "square",
    "forward": "triangle-up",
    "backprop": "diamond",
}


def build(part: NumericalResult | None) -> Section | None:
    """None where `backproof numerical` was not run into this folder."""
    if part is None:
        return None
    pieces = [_gradients(part.gradient)]
    if part.training:
        pieces.append(_training(part.training, part.gradient.seconds["naive"], part.forward))
    if part.ladder:
        pieces.append(_ladder(part.ladder))
    title = "Can a network learn by numerical differentiation alone?"
    return Section("numerical", title, markup.join(pieces), part.verdict, nav="Numerical differentiation")


def _gradients(found: OneGradient) -> Markup:
    rows = [
        [
            title,
            formats.seconds(found.seconds[rung]),
            formats.times(found.faster(rung)),
            formats.scientific(found.from_backprop.get(rung)),
        ]
        for rung, title in found.titles.items()
    ]
    table = markup.table(
        ("One gradient", "Time", "Faster than the loop", "Off backprop, of the largest entry"),
        rows,
        "One gradient by every method",
    )
    return Markup(
        "<p>The textbook's numerical gradient runs two whole forward passes for every parameter. The same "
        "central differences, taken without redoing what one moved parameter cannot change, are "
        "<strong>{speedup} faster</strong> here ({where}).</p>{table}<p>{sample}Structured against textbook: "
        "{same}. The two differ by rounding alone, and less of it is in the structured quotients: each "
        "example's change is computed as a change, before anything is rounded to the size of the loss.</p>"
    ).format(
        speedup=formats.times(found.speedup),
        where=_where(found),
        table=table,
        sample=_sampled(found),
        same=found.same.reason,
    )


def _where(found: OneGradient) -> str:
    return (
        f"{formats.layers(found.layer_sizes)}, {formats.count(found.n_parameters)} parameters, "
        f"{found.batch_size} examples of {formats.dataset(found.dataset)}, float64, one thread"
    )


def _sampled(found: OneGradient) -> str:
    if found.naive_entries == found.n_parameters:
        return ""
    timed = formats.count(found.naive_entries)
    return f"The loop was timed on {timed} of its entries and scaled to all of them. "


def _training(training: TwinResult, naive_seconds: float, forward: Sequence[ForwardTraining]) -> Markup:
    return Markup("<h3>The training</h3><p>{}</p>{}{}{}{}").format(
        _summary(training, naive_seconds),
        _error_against_clock(training, forward),
        _by_forward_gradients(training, forward) if forward else "",
        _learning(training),
        _distance(training),
    )


def _twins(training: TwinResult) -> Mapping[str, tuple[str, str]]:
    """Either twin's rung of the ladder, and what it is called."""
    differences = training.setting.differences
    return {
        "numerical": (RUNGS_OF_DIFFERENCES[differences], DIFFERENCES[differences]),
        "backprop": ("backprop", "backpropagation"),
    }


def _by_forward_gradients(training: TwinResult, forward: Sequence[ForwardTraining]) -> Markup:
    rows = [
        [
            FORWARD[trained.perturbed],
            f"{trained.learning_rate:g}",
            formats.percent(trained.last.accuracy),
            formats.seconds(trained.last.seconds),
        ]
        for trained in forward
    ]
    columns = ("One random direction of", "First rate", "Test accuracy", "Time in gradients")
    return Markup(
        "<p>A <strong>forward gradient</strong> needs no way back either: with v a random direction and J v "
        "the slope along it, which comes with the forward pass, g = (J v) v is the gradient on average. One "
        "draw is off by the square root of how many numbers v has, times the gradient’s length, so the rate "
        "must be small. What that costs in accuracy, from the same weights on the same {steps} batches on "
        "which backpropagation reaches {backprop}, stands below. Directions of the units of every example "
        "are fewer numbers to guess, and the guesses of a batch average.</p>{table}"
    ).format(
        steps=formats.count(forward[0].n_steps),
        backprop=formats.percent(training.evaluations[-1].backprop if training.evaluations else None),
        table=markup.table(columns, rows, "Trained by forward gradients"),
    )


def _summary(training: TwinResult, naive_seconds: float) -> str:
    last = training.evaluations[-1] if training.evaluations else None
    accuracies = (
        f"After {formats.count(last.step)} steps the network trained by {_of(training)} alone has "
        f"{formats.percent(last.numerical)} of the test images right, and its twin trained by "
        f"backpropagation from the same weights on the same batches {formats.percent(last.backprop)}. "
        if last
        else ""
    )
    stopped = "" if training.finished else f"The run was stopped: {training.reason}. "
    distance, travelled, bound = (
        formats.scientific(value) for value in (training.distance, training.travelled, training.bound)
    )
    return (
        f"{accuracies}{stopped}Their gradients took {formats.seconds(training.seconds)} and "
        f"{formats.seconds(training.backprop_seconds)}; the textbook's loop would have taken "
        f"{formats.seconds(naive_seconds * training.steps)}. The weights end {distance} apart, after each "
        f"moved {travelled} away from its start; the bound allows {bound}."
    )


def _of(training: TwinResult) -> str:
    return DIFFERENCES[training.setting.differences]


def _error_against_clock(training: TwinResult, forward: Sequence[ForwardTraining]) -> Markup:
    fig, evaluations = go.Figure(), [e for e in training.evaluations if e.step]
    curves = training.curves
    for twin, (rung, label) in _twins(training).items():
        # The curves may be thinned out: a step between two kept ones is interpolated.
        seconds = np.interp([e.step for e in evaluations], curves.step, getattr(curves, f"{twin}_seconds"))
        fig.add_scatter(
            x=seconds.tolist(), y=[100 * (1 - getattr(e, twin)) for e in evaluations], **_style(rung, label),
            hovertemplate="%{x:.3g} s: %{y:.2f}% wrong<extra>" + label + "</extra>",
        )  # fmt: skip
    for trained in forward:
        label = f"forward gradients of {FORWARD[trained.perturbed]}"
        reached = [one for one in trained.evaluations if one.step]
        fig.add_scatter(
            x=[one.seconds for one in reached], y=[100 * (1 - one.accuracy) for one in reached],
            **_style("forward", label, dash="dot" if trained.perturbed == "units" else "dashdot"),
            hovertemplate="%{x:.3g} s: %{y:.2f}% wrong<extra>" + label + "</extra>",
        )  # fmt: skip
    fig.update_xaxes(title="seconds spent in gradients and updates", type="log")
    fig.update_yaxes(title="test error, %", type="log")
    return figures.figure_html(
        fig,
        "Test error against the clock. Both go through the same errors: numerical differentiation learns the "
        "same, only later.",
        "Test error falls alike for both methods; the numerical one needs more seconds for each error.",
        title="The same errors, reached later",
    )


def _learning(training: TwinResult) -> Markup:
    """Loss and accuracy by step: the twins' curves lie on each other."""
    losses, accuracies, steps = go.Figure(), go.Figure(), training.curves.step
    evaluations = [e for e in training.evaluations if e.step]
    for twin, (rung, label) in _twins(training).items():
        style = _style(rung, label)
        smooth = _smoothed(getattr(training.curves, f"{twin}_loss"))
        losses.add_scatter(x=steps, y=smooth, **{**style, "mode": "lines"})
        right = [100 * getattr(e, twin) for e in evaluations]
        accuracies.add_scatter(x=[e.step for e in evaluations], y=right, **style)
    losses.update_yaxes(title="training loss", type="log")
    accuracies.update_yaxes(title="test accuracy, %")
    said = "The dashed curve lies on the full one."
    shown = (
        (losses, f"Loss by step, mean of {WINDOW} batches", "Training loss falls", "the losses coincide"),
        (accuracies, "Test accuracy by step", "Test accuracy rises", "the accuracies coincide"),
    )
    pair = []
    for fig, caption, seen, title in shown:
        fig.update_xaxes(title="step")
        alt = f"{seen}; the curves of the two methods coincide."
        pair.append(figures.figure_html(fig, f"{caption}. {said}", alt, title=f"Step by step, {title}"))
    return Markup('<div class="pair">{}{}</div>').format(*pair)


def _smoothed(losses: Sequence[float]) -> list[float]:
    """The mean of the last WINDOW values at each place: single batches scatter."""
    total = np.cumsum([0.0, *losses])
    ends = np.arange(1, len(losses) + 1)
    starts = np.maximum(ends - WINDOW, 0)
    means: list[float] = ((total[ends] - total[starts]) / (ends - starts)).tolist()
    return means


def _distance(training: TwinResult) -> Markup:
    fig, curves = go.Figure(), training.curves
    for key, label, colour, dash in (
        ("distance", "distance", figures.SCRATCH, "solid"),
        ("bound", "bound", figures.REFERENCE, "dash"),
    ):
        # Zero (nothing rounded yet) has no place on a logarithmic axis: a gap.
        values = [value if value > 0 else None for value in getattr(curves, key)]
        fig.add_scatter(x=curves.step, y=values, name=label, line={"color": colour, "dash": dash})
    fig.update_xaxes(title="step")
    fig.update_yaxes(title="distance of the weight vectors", type="log")
    figure = figures.figure_html(
        fig,
        "How far the two weight vectors are apart after each step, and how far they could be.",
        f"The distance ends at {formats.scientific(training.distance)}, "
        f"its bound at {formats.scientific(training.bound)}.",
        title=f"The weights end {formats.scientific(training.distance)} apart; up to "
        f"{formats.scientific(training.bound)} is allowed",
    )
    return Markup(
        "{}<p>The bound grows from step to step. Each step adds the learning rate times the most that the "
        "two gradients may differ by there: truncation (h²/6 times a third cumulant), rounding, and the "
        "whole slope where a relu may cross its kink inside the stencil. What was there before, of weights "
        "and velocities, is amplified by the measured factor by which one step of backpropagation "
        "moves the two apart. The step of the differences is {} of the scale of what moves: structured "
        "quotients hardly round, so it can be that small, and kinks are then hardly ever met.</p>"
    ).format(figure, formats.scientific(training.setting.step))


def _ladder(ladder: Ladder) -> Markup:
    said = markup.join(
        Markup("<li><strong>{}</strong> leaves out {}.</li>").format(rung.title.capitalize(), rung.saves)
        for rung in ladder.rungs
    )
    return Markup(
        "<h3>The ladder</h3><p>Seconds per gradient as relu networks grow, {} examples. Each rung leaves out "
        "what the one above does again and again:</p><ol>{}</ol>{}{}<p>The textbook loop does the same for "
        "every entry, so it was timed on {} entries of each network and scaled; the other times are whole "
        "gradients.</p>"
    ).format(ladder.batch_size, said, _ladder_figure(ladder), _ladder_table(ladder), ladder.sampled_entries)


def _ladder_figure(ladder: Ladder) -> Markup:
    fig = go.Figure()
    titles = {rung.key: rung.title for rung in ladder.rungs}
    for rung, title in titles.items():
        label = f"{title}: slope {ladder.slopes[rung]:.2f}"
        rows = ladder.width
        sizes = [formats.layers(row.layer_sizes) for row in rows]
        fig.add_scatter(
            x=[row.n_parameters for row in rows], y=[row.seconds[rung] for row in rows],
            **_style(rung, label),
            customdata=sizes, hovertemplate="%{customdata}: %{y:.3g} s<extra>" + title + "</extra>",
        )  # fmt: skip
        deeper = ladder.depth
        fig.add_scatter(
            x=[row.n_parameters for row in deeper], y=[row.seconds[rung] for row in deeper], mode="markers",
            showlegend=False, marker={**_style(rung, label)["marker"], "symbol": SYMBOLS[rung] + "-open"},
            customdata=[formats.layers(row.layer_sizes) for row in deeper],
            hovertemplate="%{customdata}: %{y:.3g} s<extra>" + title + "</extra>",
        )  # fmt: skip
    fig.update_xaxes(title="parameters", type="log")
    fig.update_yaxes(title="seconds per gradient", type="log")
    fig.update_layout(height=460)
    slopes = [f"{title} {ladder.slopes[rung]:.2f}" for rung, title in titles.items()]
    return figures.figure_html(
        fig,
        "Seconds per gradient against the number of parameters. Curves: one hidden layer of 8 to 512 units, "
        "with the slope of each (2: twice the parameters take four times as long). Open marks: one to four "
        "hidden layers of 64.",
        f"Rising curves far apart on logarithmic axes; slopes: {formats.listed(slopes)}.",
        title="Each rung does less work per parameter than the one before",
    )


def _ladder_table(ladder: Ladder) -> Markup:
    rows = [
        [formats.layers(row.layer_sizes), formats.count(row.n_parameters)]
        + [formats.seconds(row.seconds[rung.key]) for rung in ladder.rungs]
        for row in [*ladder.width, *ladder.depth]
    ]
    columns = ("Network", "Parameters", *(rung.title.capitalize() for rung in ladder.rungs))
    return markup.table(columns, rows, "Seconds per gradient, rung by rung")


def _style(rung: str, label: str, dash: str | None = None) -> Foreign:
    return {
        "name": label,
        "mode": "lines+markers",
        "line": {"color": COLOURS[rung], "dash": dash or ("dash" if rung == "backprop" else "solid")},
        "marker": {"color": COLOURS[rung], "symbol": SYMBOLS[rung], "size": 8},
    }
