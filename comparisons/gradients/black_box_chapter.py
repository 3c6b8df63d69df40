"""The campaign for black boxes on the page: groups, families, kinds of mistakes, the other checkers."""

from collections.abc import Iterable
from typing import Any

from markupsafe import Markup

from backproof.comparisons.drawing import formats, markup
from backproof.comparisons.drawing.chapter import Section
from backproof.comparisons.gradients.black_box_mistakes import GROSS
from backproof.comparisons.gradients.black_box_result import FunctionCampaign, FunctionRow
from backproof.comparisons.gradients.black_box_terminal import of_kinds
from backproof.comparisons.verdicts.outcome import Outcome

COLUMNS = (
    "Functions",
    "Right gradients",
    "False alarms",
    "Undecided",
    "Gross mistakes",
    "Missed",
    "Mistakes of 1e-4",
    "Missed",
    "Median resolution",
    "Worst resolution",
    "CPU ms",
)


def build(campaign: FunctionCampaign | None) -> Section | None:
    """None where the campaign was not run."""
    if campaign is None:
        return None
    groups = [_row(row, row.group) for row in campaign.groups]
    groups.append(_row(campaign.totals, "all"))
    families = [[row.group, *_row(row, row.family)] for row in campaign.families]
    every = markup.table(("Group", *COLUMNS), families, "Every kind of function", (0, 1))
    pieces = [
        _introduction(campaign),
        markup.table(COLUMNS, groups, "Right and wrong gradients by groups of functions", (0,)),
        *_alarms(campaign),
        _mistakes(campaign),
        *_rivals(campaign),
        Markup("<details><summary>All {} kinds of functions</summary>{}</details>").format(
            len(families), every
        ),
    ]
    title = "Can a verdict on any function be trusted?"
    return Section(
        "functions", title, markup.join(pieces), campaign.verdict, nav="Functions", under="gradients"
    )


def _introduction(campaign: FunctionCampaign) -> Markup:
    early = " It was stopped early; what was finished is shown." if campaign.interrupted else ""
    return Markup(
        "<p><code>check_gradient</code> knows nothing of a function but its values: it estimates. "
        "{kinds} kinds of functions whose gradients are known, {each} of each, were judged in {time} by "
        "{workers} workers: smooth, kinked, narrow, oscillating, badly scaled, offset, in float32 and below, "
        "rounded, noisy, with NaN nearby, drawn anew at every call. A right gradient that fails is a false "
        "alarm, a wrong one that passes a miss; gross mistakes are those of 1e-2 and more, signs, zeros, "
        "transposed matrices.{early}</p>{command}"
    ).format(
        kinds=len(campaign.families),
        each=formats.count(campaign.n_per_family),
        time=formats.seconds(campaign.seconds),
        workers=campaign.workers,
        early=early,
        command=markup.command(campaign.command),
    )


def _row(row: FunctionRow, name: str) -> list[Any]:
    slight = tuple(kind for kind in row.wrong if kind.endswith("1e-4"))
    counts = (
        row.right.cases,
        row.right.false_alarms,
        row.right.undecided,
        *of_kinds(row, GROSS),
        *of_kinds(row, slight),
    )
    return [
        name,
        *(formats.count(count) for count in counts),
        formats.known(row.median_resolution, 0),
        formats.known(row.worst_resolution, 0),
        f"{row.milliseconds:.1f}",
    ]


def _alarms(campaign: FunctionCampaign) -> Iterable[Markup]:
    told = [row.right.first_failure for row in campaign.families if row.right.first_failure]
    if told:
        yield Markup("<p>Right gradients that failed:</p><ul>{}</ul>").format(
            markup.join(Markup("<li>{}</li>").format(one) for one in told)
        )


def _mistakes(campaign: FunctionCampaign) -> Markup:
    rows = [
        [kind, formats.count(one.cases), formats.count(one.found), formats.count(one.missed)]
        for kind, one in campaign.totals.wrong.items()
        if one.cases
    ]
    columns = ("Mistake", "Gradients", Outcome.FAIL, f"{Outcome.PASS} (missed)")
    return markup.table(
        columns, rows, "Every kind of mistake, over all functions; the rest is undecided", (0,)
    )


def _rivals(campaign: FunctionCampaign) -> Iterable[Markup]:
    rows = [
        [
            name,
            formats.count(one.right),
            formats.percent(one.rejected / one.right, 1) if one.right else formats.ABSENT,
            formats.count(one.wrong),
            formats.percent(one.accepted / one.wrong, 1) if one.wrong else formats.ABSENT,
        ]
        for name, one in campaign.totals.rivals.items()
    ]
    if rows:
        caption = f"Other checkers at their defaults, on the first {campaign.rivals_per_family} of each kind"
        columns = ("Checker", "Right gradients", "Rejected", "Gross mistakes", "Accepted")
        yield markup.table(columns, rows, caption, (0,))
