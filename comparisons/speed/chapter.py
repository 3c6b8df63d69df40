"""How fast: time of each contender over scratch's in the same rounds, with noise floor and bare products."""

import math
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
from markupsafe import Markup

from backproof.comparisons.drawing import figures, formats, markup
from backproof.comparisons.drawing.chapter import Section
from backproof.comparisons.results.cells import reason
from backproof.comparisons.speed import kinds, ratios
from backproof.comparisons.speed.result import CaseResult, Estimate, NoiseFloor, SpeedResult


def build(part: SpeedResult | None) -> Section | None:
    """None where nothing was timed."""
    if part is None:
        return None
    every = list(kinds.each(part))
    html = markup.join([_introduction(part), _by_kind(every), *(_of_one_kind(one) for one in every)])
    return Section("speed", "How fast?", html, ratios.words(part.finding))


def _introduction(part: SpeedResult) -> Markup:
    return Markup(
        "<p>A ratio is the contender's time divided by scratch's in the same round: above 1, scratch is "
        "faster. Timed on {data}. Rounds interleave all contenders, from the same "
        "weights and over the same batches. The NumPy network is timed twice, under two names; the gap "
        "between the two is the noise floor, and a ratio inside it is not a difference. A ratio holds for "
        "the processor and the kernels that it was measured with.</p>"
    ).format(data=formats.listed(ratios.data_names(part)))


def _by_kind(every: Sequence[SpeedResult]) -> Markup:
    """Where there are several kinds of processors: their geometric means below each other, never mixed."""
    if len(every) < 2:
        return Markup("")
    names = list(dict.fromkeys(name for one in every for name in ratios.names(one)))
    rows: list[list[Any]] = []
    for one in every:
        for counted in ratios.each(one):
            means = ratios.geometric_means(counted)
            threads = formats.listed([str(n) for n in counted.settings.threads])
            cells = [_interval(means.get(name)) for name in names]
            rows.append([kinds.words(one.kind), threads, len(counted.cases), *cells])
    columns = ("Processor, kernels", "Threads", "Cases", *map(formats.label, names))
    said = "Geometric mean of time over scratch's on every kind of processor that was measured"
    return Markup("<h3>Kinds of processors</h3>") + markup.table(columns, rows, said)


def _of_one_kind(part: SpeedResult) -> Markup:
    """Where it was measured, and every case."""
    count = formats.listed([str(n) for n in part.settings.threads])
    title = Markup("<h3>How fast{}</h3>").format(kinds.where(part)) if part.others else Markup("")
    told = Markup("<p>Measured on {kind}; threads: {threads}.{held}</p>").format(
        kind=kinds.words(part.kind), threads=count, held=_held(part)
    )
    return markup.join([title, told, _figure(part), _table(part), _floors(part)])


def _held(part: SpeedResult) -> str:
    """Where this command chose the kernels: that it did, and who did not obey."""
    if part.kernels.chosen_by != "this command":
        return ""
    others = kinds.not_held(part.kernels, part.reports)
    said = f", but {formats.listed(others)} did not obey" if others else ""
    return f" Every library was told to use no kernels of AVX-512{said}."


def _figure(part: SpeedResult) -> Markup:
    cases, names, fig = part.cases, ratios.names(part), go.Figure()
    found = [ratio for case in cases for name in names if (ratio := ratios.ratio(case, name))]
    if not found:
        return Markup('<p class="note">No contender was timed beside scratch.</p>')
    labels = [ratios.case_name(part, case) for case in cases]
    fig.add_vline(x=1, line={"color": figures.REFERENCE, "dash": "dash", "width": 1.5})
    for row, case in enumerate(cases):
        _noise_band(fig, row, case.noise)
    for place, name in enumerate(names):
        fig.add_trace(_dots(cases, labels, name, 0.56 * ((place + 0.5) / len(names) - 0.5)))
    _scale(fig, [1.0, *(end for ratio in found for end in ratios.drawn(ratio))])
    fig.update_yaxes(
        tickvals=list(range(len(cases))), ticktext=_wrapped(labels), range=[len(cases) - 0.4, -0.6]
    )
    fig.update_layout(height=150 + max(60, 22 * len(names)) * len(cases))
    means = [
        f"{formats.label(n)} {formats.times(mean.median)}" for n, mean in ratios.geometric_means(part).items()
    ]
    return figures.figure_html(
        fig,
        "Median ratio with its 95% interval, logarithmic. Right of the dashed line scratch is faster. The "
        "grey band is the noise floor: scratch against itself. "
        f"Timed on {formats.listed(ratios.data_names(part))}.",
        f"Time ratios in {len(cases)} cases; geometric means: {formats.listed(means)}.",
        title=f"Time to train over scratch's, all cases together{ratios.under(part)}: {formats.listed(means)}"
        if means
        else "",
    )


def _dots(cases: Sequence[CaseResult], labels: list[str], name: str, shift: float) -> go.Scatter:
    found = [(row, ratio) for row, case in enumerate(cases) if (ratio := ratios.ratio(case, name))]
    colour, label = figures.colour(name), figures.plain(formats.label(name))
    return go.Scatter(
        x=[ratio.median for _, ratio in found],
        y=[row + shift for row, _ in found],
        mode="markers",
        name=label,
        marker={"color": colour, "symbol": figures.symbol(name), "size": 10},
        error_x={
            "type": "data",
            "array": [ratios.drawn(ratio)[1] - ratio.median for _, ratio in found],
            "arrayminus": [ratio.median - ratios.drawn(ratio)[0] for _, ratio in found],
            "color": colour,
            "thickness": 2,
            "width": 5,
        },
        text=[figures.plain(labels[row]) for row, _ in found],
        hovertemplate="%{text}: %{x:.3g}×<extra>" + label + "</extra>",
    )


def _noise_band(fig: go.Figure, row: int, noise: NoiseFloor | None) -> None:
    if noise is not None and math.isfinite(noise.floor):
        fig.add_shape(
            type="rect", x0=1 / noise.floor, x1=noise.floor, y0=row - 0.42, y1=row + 0.42,
            layer="below", fillcolor=figures.faded(figures.REFERENCE, 0.3), line={"width": 0},
        )  # fmt: skip


def _scale(fig: go.Figure, values: list[float]) -> None:
    """A logarithmic axis over `values`; ticks 1, 2, 5 per decade, finer where they lie close together."""
    low, high = math.log10(min(values)), math.log10(max(values))
    pad = 0.06 + 0.06 * (high - low)
    steps = (1, 2, 5) if high - low > 0.8 else (1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 8)
    fig.update_xaxes(
        type="log",
        title="time / time of scratch",
        range=[low - pad, high + pad],
        tickvals=[round(step * 10.0**power, 6) for power in range(-4, 5) for step in steps],
    )


def _wrapped(labels: list[str]) -> list[str]:
    """The network on one line, the rest below it: the axis stays narrow on a telephone."""
    return ["<br>".join(figures.plain(label).split(", ", 1)) for label in labels]


def _table(part: SpeedResult) -> Markup:
    names = ratios.names(part)
    columns = ("Case", *(formats.label(name) for name in names), "Noise floor", "Scratch / bare products")
    rows: list[list[Any]] = [
        [
            ratios.case_name(part, case),
            *(_cell(case, name) for name in names),
            _interval(case.noise.ratio if case.noise else None),
            _interval(case.gemm_floor),
        ]
        for case in part.cases
    ]
    for one in ratios.each(part) if len(part.cases) > 1 else []:
        means = ratios.geometric_means(one)
        said = f", {ratios.threads(one.means[0].threads)}" if len(part.means) > 1 else ""
        title = Markup("<strong>Geometric mean{}</strong>").format(said)
        rows.append([title, *(_interval(means.get(name)) for name in names), "", ""])
    said = f"Time of each contender over scratch's{kinds.where(part)}, with its 95% interval"
    return markup.table(columns, rows, said)


def _cell(case: CaseResult, name: str) -> Any:
    found = ratios.ratio(case, name)
    if found is None:
        return markup.absent(reason(case.ratios.get(name)))
    if ratios.inside_noise(case, name):
        return _interval(found) + Markup('<br><span class="note">no difference seen</span>')
    return _interval(found)


def _interval(found: Estimate | None) -> Any:
    """The median, and below it, so that the table stays narrow, the interval."""
    if found is None:
        return formats.ABSENT
    return Markup('{}<br><span class="note">{}</span>').format(
        formats.times(found.median), ratios.ends(found)
    )


def _floors(part: SpeedResult) -> Markup:
    found = [(case, case.gemm_floor) for case in part.cases if case.gemm_floor]
    if not found:
        return Markup("")
    said = [f"{formats.times(floor.median)} in {ratios.case_name(part, case)}" for case, floor in found]
    return Markup(
        "<p>Against the floor: no step can take less time than its matrix products alone. Timed in the same "
        "rounds, scratch takes {}.</p>"
    ).format("; ".join(said))
