"""The campaign for derivatives that frameworks make on the page: a row for each kind of mistake."""

from collections.abc import Iterable
from typing import Any

from markupsafe import Markup

from backproof.comparisons.drawing import formats, markup
from backproof.comparisons.drawing.chapter import Section
from backproof.comparisons.gradients.autodiff_result import AutodiffCampaign, Judgements
from backproof.comparisons.verdicts.outcome import Outcome

COLUMNS = (
    "Verdict",
    "Derivatives",
    "Cases",
    str(Outcome.PASS),
    str(Outcome.FAIL),
    "Undecided",
    "Refused",
    "Own checker accepts",
    "CPU s",
)


def build(campaign: AutodiffCampaign | None) -> Section | None:
    """None where the campaign was not run."""
    if campaign is None:
        return None
    rows = [_row(framework, row) for framework, row in campaign.rows]
    pieces = [
        _introduction(campaign),
        markup.table(COLUMNS, rows, "Right and wrong derivatives, by framework", (0, 1)),
        *_told(campaign),
    ]
    title = "Can a verdict on a framework's derivatives be trusted?"
    return Section(
        "autodiff", title, markup.join(pieces), campaign.verdict, nav="Derivatives", under="gradients"
    )


def _introduction(campaign: AutodiffCampaign) -> Markup:
    right = sum(row.cases for _, row in campaign.rows if not row.kind)
    wrong = sum(row.cases for _, row in campaign.rows if row.kind)
    return Markup(
        "<p><code>check_autodiff</code> judged {right} right layers, losses and functions of {names}, in "
        "float64 and float32, first and second order, and {wrong} wrong ones, in {time} of CPU. A right one "
        "that fails, or a wrong one that passes, fails its row. Refused: the framework has no second "
        "derivative of it. The frameworks' own checkers (gradcheck, gradgradcheck, check_grads) were asked "
        "the same in float64: of right ones all should be accepted, of wrong ones none.</p>{command}"
    ).format(
        right=formats.count(right),
        names=formats.listed([formats.label(name) for name in campaign.frameworks]),
        wrong=formats.count(wrong),
        time=formats.seconds(sum(row.cpu_seconds for _, row in campaign.rows)),
        command=markup.command(campaign.command),
    )


def _row(framework: str, row: Judgements) -> list[Any]:
    own = f"{row.accepted} of {row.rivals}" if row.rivals else formats.ABSENT
    counts = (row.cases, row.passed, row.failed, row.open, row.refused)
    return [
        markup.badge(row.verdict),
        f"{formats.label(framework)}, {row.name}",
        *(formats.count(count) for count in counts),
        own,
        f"{row.cpu_seconds:.0f}",
    ]


def _told(campaign: AutodiffCampaign) -> Iterable[Markup]:
    """Of every case that was not as it should be, what was said."""
    lines = [
        Markup("<li>{}, {}: {}</li>").format(formats.label(framework), row.name, one)
        for framework, row in campaign.rows
        for one in row.told
    ]
    if lines:
        yield Markup(
            "<details><summary>{} cases that came out otherwise</summary><ul>{}</ul></details>"
        ).format(formats.count(len(lines)), markup.join(lines))
