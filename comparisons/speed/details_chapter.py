"""Speed, the rest: every division and thread count, where a step goes, growth, and how it was measured."""

from collections.abc import Iterable
from typing import Any

import plotly.graph_objects as go
from markupsafe import Markup

from backproof.comparisons.drawing import figures, formats, markup
from backproof.comparisons.drawing.chapter import Section
from backproof.comparisons.results.parts import Part
from backproof.comparisons.speed import ratios

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


def build(part: Part | None) -> Section | None:
    """None where `speed` was not run, or has nothing beyond its ratios."""
    if part is None or "entries" not in part:
        return None
    pieces = [_means(part), _where_a_step_goes(part), _growth(part), _method(part)]
    html = markup.join(piece for piece in pieces if piece)
    return Section(
        "speed-details", "Speed: divisions, parts of a step, growth", html, nav="Details", under="speed"
    )


def _means(part: Part) -> Markup:
    """Geometric means: a row per contender, a column per thread count."""
    means = part["geometric_means"]
    if len(part["cases"]) <= len(means):
        return Markup("")
    names = [name for name in part["entries"] if any(mean.get(name) for mean in means)]
    rows = [
        [
            formats.label(name),
            part["entries"][name]["division"],
            part["entries"][name]["says"],
            *(_said(mean.get(name)) for mean in means),
        ]
        for name in names
    ]
    columns = ["Contender", "Division", "What it runs", *(_threads(mean["threads"]) for mean in means)]
    return Markup("<h3>Over all cases</h3>") + markup.table(
        columns, rows, "Geometric mean of time over scratch's time, with its 95 % interval", (0, 1, 2)
    )


def _said(mean: Any) -> str:
    found = ratios.interval(mean)
    return str(found) if found else formats.ABSENT


def _threads(n: int) -> str:
    return f"{n} thread{'s' * (n != 1)}"


def _where_a_step_goes(part: Part) -> Markup:
    cases = [case for case in part["cases"] if case.get("parts")]
    if not cases:
        return Markup("")
    fig = go.Figure()
    labels = ["<br>".join(figures.plain(ratios.case_name(part, case)).split(", ", 1)) for case in cases]
    shares = [_shares(case["parts"]) for case in cases]
    for name, colour, pattern in _SHADES:
        fig.add_trace(
            go.Bar(
                y=labels,
                x=[100 * share[name] for share in shares],
                name=name,
                orientation="h",
                marker={"color": colour, "pattern": {"shape": pattern, "size": 6}},
                hovertemplate="%{x:.1f} %<extra>" + name + "</extra>",
            )
        )
    fig.update_layout(barmode="stack", height=190 + 62 * len(cases))
    fig.update_xaxes(title="share of one step, %", range=[0, 100])
    fig.update_yaxes(autorange="reversed")
    products = [share["forward: products"] + share["backward: products"] for share in shares]
    return Markup("<h3>Where a step goes</h3>") + figures.figure_html(
        fig,
        "One training step of scratch: plain bars are matrix products, hatched ones everything else. The "
        "products are timed apart in the same process, directly after each step.",
        f"Matrix products take {formats.percent(min(products), 0)} to "
        f"{formats.percent(max(products), 0)} of a step.",
    )


def _shares(parts: dict[str, float]) -> dict[str, float]:
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


def _growth(part: Part) -> Markup:
    growth = part.get("growth")
    if not growth:
        return Markup("")
    curves = (
        (
            "batch",
            "batch size",
            "784-128-10",
            "Small batches show the cost of a step itself, large ones arithmetic.",
        ),
        ("width", "width of the hidden layer", "784-w-10, batch 100", "Wide layers are all arithmetic."),
    )
    drawn = [_curve(growth, *curve) for curve in curves]
    return Markup("<h3>Growth</h3>") + markup.join(drawn)


def _curve(growth: Part, key: str, title: str, network: str, remark: str) -> Markup:
    curve, fig = growth[key], go.Figure()
    for name, rates in curve["images_per_second"].items():
        label = figures.plain(formats.label(name))
        fig.add_trace(
            go.Scatter(
                x=curve["x"],
                y=[float("nan") if rate is None else rate for rate in rates],
                mode="lines+markers",
                name=label,
                line={"color": figures.colour(name), "dash": figures.dash(name), "width": 2},
                marker={"symbol": figures.symbol(name), "size": 8},
                hovertemplate=f"{title} %{{x}}: %{{y:,.0f}} images per second<extra>{label}</extra>",
            )
        )
    ticks = curve["x"]
    fig.update_xaxes(type="log", title=title, tickvals=ticks, ticktext=[f"{tick:,}" for tick in ticks])
    fig.update_yaxes(type="log", title="images per second")
    fig.update_layout(height=420)
    best = {name: max(_known(rates), default=0.0) for name, rates in curve["images_per_second"].items()}
    peaks = [f"{formats.label(name)} {rate:,.0f}" for name, rate in best.items()]
    return figures.figure_html(
        fig,
        f"Images per second while training {network}, {_threads(growth['threads'])}, against the {title}; "
        f"both axes logarithmic. {remark}",
        f"Highest rates in images per second: {formats.listed(peaks)}.",
    )


def _known(rates: Iterable[float | None]) -> list[float]:
    return [rate for rate in rates if rate is not None]


def _method(part: Part) -> Markup:
    settings, log = part["settings"], part["log"]
    fault = log["columns"].index("fault")
    faulty = sum(row[fault] is not None for row in log["rows"])
    said = Markup(
        "<h3>How it was measured</h3><p>{launches} launches of one process per contender, {rounds} rounds of "
        "every case in each, in an order in which everybody stands in every place and after everybody else "
        "equally often; {turns} turns in all, {faulty} of them not counted. Every turn trains the same "
        "steps, from the same weights and over the same batches; the fastest takes about {seconds}. The loss "
        "of the first batch must lie within the rounding bound of its value in double precision. Intervals "
        "are over the {unit}.</p>"
    ).format(
        launches=settings["launches"],
        rounds=settings["rounds"],
        turns=formats.count(len(log["rows"])),
        faulty=formats.count(faulty),
        seconds=formats.seconds(settings["round_seconds"]),
        unit="launches" if part["unit"] == "launch" else "rounds of the only launch",
    )
    rows = [
        [name, _pairs(report["threads"]), _pairs(report["kernels"])]
        for name, report in part["reports"].items()
    ]
    table = markup.table(
        ("Process, threads", "Threads found in it", "Kernels chosen"),
        rows,
        "What each process saw",
        (0, 1, 2),
    )
    return said + _kernels(part) + table


def _pairs(found: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in found.items()) or formats.ABSENT


def _kernels(part: Part) -> Markup:
    kernels = part.get("kernels") or {}
    variables = kernels.get("variables") or {}
    if not variables:
        return Markup("")
    verb = "were left out for" if kernels["chosen_by"] == "each library" else "were kept, and chose for"
    return Markup(
        "<p>Variables that tie a library to another processor's kernels {verb} the measured processes: "
        "{names}.</p>"
    ).format(verb=verb, names=", ".join(f"{name}={value}" for name, value in variables.items()))
