"""Speed, the rest: every division and thread count, where a step goes, growth, and how it was measured."""

from collections.abc import Iterable, Mapping

import plotly.graph_objects as go
from markupsafe import Markup

from backproof.comparisons.drawing import figures, formats, markup
from backproof.comparisons.drawing.chapter import Section
from backproof.comparisons.speed import kinds, ratios
from backproof.comparisons.speed.result import Comparison, Curve, Library, SpeedResult

# Of one step, in order: what is a matrix product and what is not. Hatching tells them apart without colour.
_SHADES = (
    ("gather", figures.REFERENCE, "/"),
    ("forward: products", figures.SCRATCH, ""),
    ("forward: rest", figures.JAX, "x"),
    ("loss", figures.TENSORFLOW, "\\"),
    ("backward: products", figures.faded(figures.SCRATCH, 0.55), ""),
    ("backward: rest", figures.SKLEARN, "+"),
    ("update", figures.TORCH, "-"),
)


def build(part: SpeedResult | None) -> Section | None:
    """None where `speed` was not run."""
    if part is None:
        return None
    draw = (_means, _where_a_step_goes, _growth, _method)
    pieces = [piece(one) for one in kinds.each(part) for piece in draw]
    html = markup.join(piece for piece in pieces if piece)
    return Section(
        "speed-details", "Speed: divisions, parts of a step, growth", html, nav="Details", under="speed"
    )


def _title(words: str, part: SpeedResult) -> Markup:
    """With the kind of processor, where there are several."""
    return Markup("<h3>{}{}</h3>").format(words, kinds.where(part))


def _means(part: SpeedResult) -> Markup:
    """Geometric means: a row per contender, a column per thread count."""
    if len(part.cases) <= len(part.means):
        return Markup("")
    rows = [
        [
            formats.label(name),
            entrant.division,
            entrant.says,
            *(_said(mean.ratios.get(name)) for mean in part.means),
        ]
        for name, entrant in part.entrants.items()
        if any(mean.ratios.get(name) for mean in part.means)
    ]
    columns = [
        "Contender",
        "Division",
        "What it runs",
        *(ratios.threads(mean.threads) for mean in part.means),
    ]
    said = f"Geometric mean of time over scratch's time{kinds.where(part)}, with its 95% interval"
    return _title("Over all cases", part) + markup.table(columns, rows, said, (0, 1, 2))


def _said(mean: Comparison | None) -> str:
    return ratios.said(mean.ratio) if mean else formats.ABSENT


def _where_a_step_goes(part: SpeedResult) -> Markup:
    timed = [(case, case.parts) for case in part.cases if case.parts]
    if not timed:
        return Markup("")
    fig = go.Figure()
    labels = ["<br>".join(figures.plain(ratios.case_name(part, case)).split(", ", 1)) for case, _ in timed]
    shares = [_shares(parts) for _, parts in timed]
    for name, colour, pattern in _SHADES:
        fig.add_trace(
            go.Bar(
                y=labels,
                x=[100 * share[name] for share in shares],
                name=name,
                orientation="h",
                marker={"color": colour, "pattern": {"shape": pattern, "size": 6}},
                hovertemplate="%{x:.1f}%<extra>" + name + "</extra>",
            )
        )
    fig.update_layout(barmode="stack", height=190 + 62 * len(timed))
    fig.update_xaxes(title="share of one step, %", range=[0, 100])
    fig.update_yaxes(autorange="reversed")
    products = [share["forward: products"] + share["backward: products"] for share in shares]
    return _title("Where a step goes", part) + figures.figure_html(
        fig,
        "One training step of scratch: plain bars are matrix products, hatched ones everything else. The "
        "products are timed apart in the same process, directly after each step.",
        f"Matrix products take {formats.percent(min(products), 0)} to "
        f"{formats.percent(max(products), 0)} of a step.",
        title=f"Matrix products take {formats.percent(min(products), 0)} to "
        f"{formats.percent(max(products), 0)} of a step",
    )


def _shares(parts: Mapping[str, float]) -> dict[str, float]:
    """Of the step's time. Products timed apart may come out longer than their part: then no rest is left."""
    forward = min(parts["forward products"], parts["forward"])
    backward = min(parts["backward products"], parts["backward"])
    step = sum(parts[name] for name in ("gather", "forward", "loss", "backward", "update"))
    pieces = {
        "gather": parts["gather"],
        "forward: products": forward,
        "forward: rest": parts["forward"] - forward,
        "loss": parts["loss"],
        "backward: products": backward,
        "backward: rest": parts["backward"] - backward,
        "update": parts["update"],
    }
    return {name: value / step for name, value in pieces.items()}


def _growth(part: SpeedResult) -> Markup:
    growth = part.growth
    if growth is None:
        return Markup("")
    said = ratios.threads(growth.threads)
    batch = _curve(
        growth.batch,
        "batch size",
        f"784-128-10, {said}",
        "Small batches show the cost of a step itself, large ones arithmetic.",
    )
    width = _curve(
        growth.width,
        "width of the hidden layer",
        f"784-w-10, batch 100, {said}",
        "Wide layers are all arithmetic.",
    )
    return _title("Growth", part) + batch + width


def _curve(curve: Curve, title: str, network: str, remark: str) -> Markup:
    fig = go.Figure()
    for name, rates in curve.images_per_second.items():
        label = figures.plain(formats.label(name))
        fig.add_trace(
            go.Scatter(
                x=curve.x,
                y=[float("nan") if rate is None else rate for rate in rates],
                mode="lines+markers",
                name=label,
                line={"color": figures.colour(name), "dash": figures.dash(name), "width": 2},
                marker={"symbol": figures.symbol(name), "size": 8},
                hovertemplate=f"{title} %{{x}}: %{{y:,.0f}} images per second<extra>{label}</extra>",
            )
        )
    fig.update_xaxes(type="log", title=title, tickvals=curve.x, ticktext=[f"{tick:,}" for tick in curve.x])
    fig.update_yaxes(type="log", title="images per second")
    fig.update_layout(height=420)
    best = {name: max(_known(rates), default=0.0) for name, rates in curve.images_per_second.items()}
    peaks = [f"{formats.label(name)} {rate:,.0f}" for name, rate in best.items()]
    return figures.figure_html(
        fig,
        f"Images per second while training {network}, against the {title}; both axes logarithmic. {remark}",
        f"Highest rates in images per second: {formats.listed(peaks)}.",
        title=f"Highest rates: {formats.listed(peaks)} images per second",
    )


def _known(rates: Iterable[float | None]) -> list[float]:
    return [rate for rate in rates if rate is not None]


def _method(part: SpeedResult) -> Markup:
    settings = part.settings
    faulty = sum(record.fault is not None for record in part.log)
    said = Markup(
        "<p>{launches} of one process per contender, {rounds} of "
        "every case in each, in counterbalanced order: each contender takes every position, and follows "
        "every other, equally often; {turns} runs, {faulty} discarded. Every run trains the same steps, from "
        "the same weights and over the same batches; the fastest takes about {seconds}. The loss "
        "of the first batch must lie within the rounding bound of its value in double precision. Intervals "
        "are over the {unit}.{early}</p>"
    ).format(
        launches=formats.counted(settings.launches, "launch", "launches"),
        rounds=formats.counted(settings.rounds, "round"),
        turns=formats.count(len(part.log)),
        faulty=formats.count(faulty) if faulty else "none",
        seconds=formats.seconds(settings.round_seconds),
        unit="launches" if part.unit == "launch" else "rounds of the only launch",
        early=" It was stopped early: only launches that were finished are counted."
        if part.interrupted
        else "",
    )
    return _title("How it was measured", part) + said + _kernels(part) + _processes(part)


def _processes(part: SpeedResult) -> Markup:
    """What every process said of itself, in all launches: a round with other kernels is discarded."""
    rows = [
        [
            name,
            kinds.pairs(report.threads) or formats.ABSENT,
            kinds.pairs(report.kernels) or formats.ABSENT,
            "; ".join(map(_library, report.libraries)) or formats.ABSENT,
        ]
        for name, report in part.reports.items()
    ]
    columns = ("Process, threads", "Threads found in it", "Kernels chosen", "Libraries loaded")
    where = kinds.words(part.kind)
    return markup.table(columns, rows, f"What each process saw; on {where}", range(len(columns)))


def _library(library: Library) -> str:
    """``openblas 0.3.30, SkylakeX, pthreads (libscipy_openblas.so)``."""
    told = (f"{library.name} {library.version}".strip(), library.architecture, library.threading)
    return f"{', '.join(fact for fact in told if fact)} ({library.file})"


def _kernels(part: SpeedResult) -> Markup:
    kernels = part.kernels
    if not kernels.variables:
        return Markup("")
    verb = {
        "each library": "were left out for",
        "the environment": "were kept, and chose for",
        "this command": "were set, as on a processor without AVX-512, for",
    }[kernels.chosen_by]
    return Markup(
        "<p>Variables that tie a library to another processor's kernels {verb} the measured processes: "
        "{names}.</p>"
    ).format(verb=verb, names=", ".join(f"{name}={value}" for name, value in kernels.variables.items()))
