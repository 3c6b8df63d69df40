"""How far the gradient verdicts can be trusted: false alarms and sensitivity, with gradcheck beside them."""

from collections.abc import Iterable
from math import isfinite
from typing import Any

import plotly.graph_objects as go
from markupsafe import Markup

from backproof.comparisons.drawing import figures, formats, markup
from backproof.comparisons.drawing.chapter import Section
from backproof.comparisons.gradients.result import Campaign, CampaignRow, Judged, Sensitivity
from backproof.comparisons.gradients.terminal import failed_share, gradcheck_words
from backproof.comparisons.verdicts.outcome import worst

COLUMNS = (
    "Family",
    "Dtype",
    "Verdicts",
    "False alarms",
    "Undecided entries",
    "Misses",
    "Zeros passed",
    "Median resolution",
    "Worst resolution",
    "Median bound / error of a network",
    "Of all entries",
    "Largest error / bound",
    "ms each",
    "gradcheck fails",
)


def build(campaign: Campaign | None, sensitivity: Sensitivity | None) -> Section | None:
    """None where neither the campaign nor the sensitivity was run."""
    if not campaign and not sensitivity:
        return None
    pieces = [*(_campaign(campaign) if campaign else []), *(_sensitivity(sensitivity) if sensitivity else [])]
    verdict = worst([found.verdict for found in (campaign, sensitivity) if found])
    title = "Can the verdicts be trusted?"
    return Section("campaign", title, markup.join(pieces), verdict, nav="Campaign", under="gradients")


def _campaign(campaign: Campaign) -> list[Markup]:
    early = " It was stopped early; what was finished is shown." if campaign.interrupted else ""
    introduction = Markup(
        "<h3>Correct gradients that are failed</h3><p>{cases} random networks ({per_cell} for each family, "
        "activation and dtype), judged in {time} by {workers}. The gradients of scratch and of "
        "PyTorch are both correct, so every FAIL is a false alarm. Each is checked against the complex step "
        "of the loss in double precision, inside a bound derived for that very case. gradcheck is PyTorch’s "
        "own checker at its defaults, asked about the first {gradcheck} of each cell.{early}</p>"
        "{command}"
    ).format(
        cases=formats.count(campaign.n_cases),
        per_cell=formats.count(campaign.n_per_cell),
        time=formats.seconds(campaign.seconds),
        workers=formats.counted(campaign.workers, "worker"),
        gradcheck=formats.counted(campaign.gradcheck_per_cell, "network"),
        early=early,
        command=markup.command(campaign.command),
    )
    rows = [_row(row) for row in campaign.families]
    rows += [_row(row) for row in (*campaign.dtypes, campaign.totals)]
    cells = [
        [row.activation, *_row(row)]
        for row in campaign.cells
        if any(one.cases for one in row.contenders.values())
    ]
    every = markup.table(("Activation", *COLUMNS), cells, "Every cell of the campaign", (0, 1, 2))
    details = Markup("<details><summary>All {} cells</summary>{}</details>").format(len(cells), every)
    table = markup.table(COLUMNS, rows, "Families of random networks", (0, 1))
    return [introduction, _alarms(campaign), table, details]


def _row(row: CampaignRow) -> list[Any]:
    ours = list(row.contenders.values())
    entries = sum(one.entries for one in ours)
    undecided = sum(one.inconclusive_entries for one in ours) / entries if entries else None
    return [
        row.family,
        row.dtype,
        formats.count(sum(one.cases for one in ours)),
        formats.count(sum(one.false_alarms for one in ours)),
        formats.percent(undecided, 3) if undecided is not None else formats.ABSENT,
        f"{sum(one.missed for one in ours):,} of {sum(one.spoiled for one in ours):,}",
        f"{sum(one.zeros_passed for one in ours):,} of {sum(one.zeros for one in ours):,}",
        formats.scientific(_largest(one.median_resolution for one in ours), 0),
        formats.scientific(_largest(one.worst_resolution for one in ours), 0),
        formats.scientific(_largest(one.median_bound_over_error for one in ours), 0),
        formats.scientific(_largest(one.median_over_entries for one in ours), 0),
        formats.percent(_largest(one.largest_error_over_bound for one in ours), 1),
        _milliseconds(ours),
        failed_share(row.gradcheck),
    ]


def _milliseconds(ours: list[Judged]) -> str:
    cases = sum(one.cases for one in ours)
    return f"{1000 * sum(one.seconds for one in ours) / cases:.1f}" if cases else formats.ABSENT


def _largest(values: Iterable[float]) -> float | None:
    return max(filter(isfinite, values), default=None)


def _alarms(campaign: Campaign) -> Markup:
    """Bars: the share of correct gradients that each checker fails."""
    rows = [row for row in campaign.families if row.contenders["scratch"].cases]
    if not rows:
        return Markup("")
    labels = [f"{row.family}, {row.dtype}" for row in rows]
    ours = [
        100 * sum(one.false_alarms for one in row.contenders.values())
        / sum(one.cases for one in row.contenders.values())
        for row in rows
    ]  # fmt: skip
    theirs = [
        100 * row.gradcheck.failed / row.gradcheck.cases if row.gradcheck.cases else None for row in rows
    ]
    fig = go.Figure()
    for name, shares, colour in (("backproof", ours, figures.SCRATCH), ("gradcheck", theirs, figures.TORCH)):
        fig.add_bar(
            y=labels,
            x=shares,
            name=name,
            orientation="h",
            marker={"color": colour},
            text=[formats.ABSENT if share is None else f"{share:.1f}%" for share in shares],
            textposition="outside",
            cliponaxis=False,
        )
    fig.update_xaxes(title="correct gradients failed, %", range=[0, 125], tickvals=[0, 50, 100])
    fig.update_yaxes(autorange="reversed")
    fig.update_layout(height=120 + 34 * len(rows), barmode="group")
    return figures.figure_html(
        fig,
        "False alarms: the share of correct gradients that fail, for the verdicts of this project and for "
        "PyTorch’s gradcheck at its defaults, which expect double precision: in float32 it fails nearly all.",
        "Bars per family and dtype. backproof: "
        + formats.listed([f"{x:.1f}%" for x in ours])
        + "; gradcheck: "
        + formats.listed([formats.ABSENT if x is None else f"{x:.1f}%" for x in theirs])
        + ".",
        title=_alarm_takeaway(campaign),
    )


def _alarm_takeaway(campaign: Campaign) -> str:
    judged = campaign.totals.contenders.values()
    alarms, cases = sum(one.false_alarms for one in judged), sum(one.cases for one in judged)
    text = f"{formats.count(alarms)} of {formats.count(cases)} correct gradients are failed"
    theirs = campaign.totals.gradcheck
    if not theirs.cases:
        return text
    return f"{text}; gradcheck fails {failed_share(theirs)} of {formats.count(theirs.cases)}"


def _sensitivity(sensitivity: Sensitivity) -> list[Markup]:
    early = " It was stopped early; what was finished is shown." if sensitivity.interrupted else ""
    introduction = Markup(
        "<h3>Slightly wrong gradients that are caught</h3><p>One tensor of a correct gradient is scaled by "
        "1 + r or shifted by r times its largest entry. Tensors whose gradient is zero "
        "are left out and counted. gradcheck is asked only where it accepts the correct gradient.{early}</p>"
        "{command}"
    ).format(early=early, command=markup.command(sensitivity.command))
    columns = ("Dtype", "Family", "Draws", "Zero tensors", "Target r", "Caught at target",
               "Smallest r caught", "gradcheck: smallest r caught")  # fmt: skip
    rows = [
        [
            row.dtype,
            row.family,
            formats.count(row.draws),
            formats.count(row.zero_gradients),
            formats.scientific(row.target, 0),
            formats.percent(row.caught_at_target) if row.draws else formats.ABSENT,
            formats.scientific(row.smallest_caught, 0),
            gradcheck_words(row, lambda value: formats.scientific(value, 0)),
        ]
        for row in sensitivity.rows
    ]
    note = f"Relative errors caught in at least {formats.percent(sensitivity.target_share, 0)} of the draws"
    return [introduction, _curves(sensitivity), markup.table(columns, rows, note, (0, 1))]


def _curves(sensitivity: Sensitivity) -> Markup:
    fig = go.Figure()
    totals = {row.dtype: row for row in sensitivity.rows if row.family == "all"}
    for dtype, dash in (("float64", "solid"), ("float32", "dot")):
        row = totals[dtype]
        for name, shares, n, colour in (
            ("backproof", row.caught, row.draws, figures.SCRATCH),
            ("gradcheck", row.gradcheck_caught, row.gradcheck_draws, figures.TORCH),
        ):
            if n:
                fig.add_scatter(
                    x=sensitivity.relative_errors,
                    y=[100 * share for share in shares],
                    name=f"{name}, {dtype}",
                    mode="lines+markers",
                    line={"color": colour, "dash": dash, "width": 2},
                )
    fig.update_xaxes(type="log", autorange="reversed", title="relative error r of one tensor")
    fig.update_yaxes(title="caught, %", range=[-4, 104])
    fig.update_layout(height=420)
    smallest = [f"{dtype} {formats.scientific(row.smallest_caught, 0)}" for dtype, row in totals.items()]
    return figures.figure_html(
        fig,
        "How wrong a gradient must be to be caught. Further right is more sensitive.",
        f"Share of wrong gradients caught against their relative error; 99% are caught down to "
        f"{formats.listed(smallest)} by backproof.",
        title=f"Relative errors down to {formats.listed(smallest)} are caught",
    )
