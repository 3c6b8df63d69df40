"""The campaign for black boxes in a terminal: one line per group of families, made for 80 columns."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from backproof.comparisons.drawing import formats
from backproof.comparisons.drawing.terminal import heading, verdict_text
from backproof.comparisons.gradients.black_box_mistakes import GROSS
from backproof.comparisons.gradients.black_box_result import FunctionCampaign, FunctionRow

COLUMNS = ("Functions", "Right", "False", "Open", "Gross", "Missed", "1e-4", "Missed", "Resolved", "ms")


def render(campaign: FunctionCampaign, console: Console) -> None:
    """Print the groups, the total and what the other checkers said."""
    ended = ", stopped early" if campaign.interrupted else ""
    console.print(
        heading(
            f"Black boxes: {campaign.totals.right.cases:,} right gradients of {len(campaign.families)} kinds "
            f"of functions in {formats.seconds(campaign.seconds)}{ended}"
        )
    )
    # A space on one side only: ten columns of numbers up to 99,999 stay whole in 80 columns.
    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), pad_edge=False)
    for i, column in enumerate(COLUMNS):
        table.add_column(column, justify="right" if i else "left", no_wrap=True)
    for row in (*campaign.groups, campaign.totals):
        table.add_row(*_cells(row))
    console.print(table)
    for row in campaign.families:
        if row.right.first_failure:
            console.print(Text(f"  false alarm: {row.right.first_failure}"))
    console.print(verdict_text(campaign.verdict).append(words(campaign)))


def _cells(row: FunctionRow) -> list[str]:
    gross, missed = of_kinds(row, GROSS)
    slight, slipped = of_kinds(row, tuple(kind for kind in row.wrong if kind.endswith("1e-4")))
    return [
        row.group or row.family,
        f"{row.right.cases:,}",
        f"{row.right.false_alarms:,}",
        f"{row.right.undecided:,}",
        f"{gross:,}",
        f"{missed:,}",
        f"{slight:,}",
        f"{slipped:,}",
        formats.known(row.median_resolution, 0),
        f"{row.milliseconds:.0f}",
    ]


def of_kinds(row: FunctionRow, kinds: tuple[str, ...]) -> tuple[int, int]:
    """(cases, missed) of these kinds of mistakes together."""
    those = [row.wrong[kind] for kind in kinds if kind in row.wrong]
    return sum(one.cases for one in those), sum(one.missed for one in those)


def words(campaign: FunctionCampaign) -> str:
    """What the columns mean, and the other checkers on the same functions."""
    told = [
        f"{name} rejects {formats.percent(one.rejected / one.right, 0)} of the right ones and accepts "
        f"{formats.percent(one.accepted / max(1, one.wrong), 1)} of the wrong"
        for name, one in campaign.totals.rivals.items()
        if one.right
    ]
    beside = ". Of some of the same gradients, " + "; ".join(told) if told else ""
    return (
        " False: right gradients that failed. Open: undecided. Gross: mistakes of 1e-2 and more, signs, "
        "zeros, transposed. Missed: those that passed. Resolved: median resolution of the right that passed. "
        f"ms: CPU per verdict{beside}."
    )
