"""The campaign for derivatives that frameworks make in a terminal: a line per framework and kind."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from backproof.comparisons.drawing.terminal import heading, verdict_text
from backproof.comparisons.gradients.autodiff_result import AutodiffCampaign, Judgements
from backproof.comparisons.verdicts.outcome import Outcome

COLUMNS = (
    "",  # the framework
    "Derivatives",
    "Cases",
    str(Outcome.PASS),
    str(Outcome.FAIL),
    "Open",
    "Refused",
    "Others",
    "s",
)
MOST = 5  # of each row that are told
WORDS = (
    " Right ones are judged in float64 and float32, first and second order, and must not fail; wrong ones "
    "must not pass. Open: undecided. Refused: the framework has no second derivative. Others: accepted, "
    "of those asked, by gradcheck and gradgradcheck, or by JAX's check_grads, in float64. s: CPU per verdict."
)


def render(campaign: AutodiffCampaign, console: Console) -> None:
    """Print the table, and of every row what was said otherwise than it should be."""
    console.print(heading("Derivatives that frameworks make"))
    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1), pad_edge=False)
    for i, column in enumerate(COLUMNS):
        table.add_column(column, justify="right" if i > 1 else "left", no_wrap=True)
    for framework, row in campaign.rows:
        table.add_row(framework, *_cells(row))
    console.print(table)
    for framework, row in campaign.rows:
        for one in row.told[:MOST]:
            console.print(Text(f"  {framework}, {row.name}: {one}"))
    console.print(verdict_text(campaign.verdict).append(WORDS))


def _cells(row: Judgements) -> list[str]:
    others = f"{row.accepted}/{row.rivals}" if row.rivals else "–"
    seconds = row.cpu_seconds / max(1, row.cases)
    counts = [f"{n:,}" for n in (row.cases, row.passed, row.failed, row.open, row.refused)]
    return [row.name, *counts, others, f"{seconds:.1f}"]
