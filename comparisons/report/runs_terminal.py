"""Two runs in a terminal: every number of both, what changed, and what else differs between them."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from backproof.comparisons.drawing import formats
from backproof.comparisons.drawing.terminal import heading
from backproof.comparisons.report.document import Results
from backproof.comparisons.report.runs import changes, other_conditions


def render(names: tuple[str, str], runs: tuple[Results, Results], console: Console) -> None:
    """Made for 80 columns: names wrap, numbers stay whole."""
    console.print(heading(f"{names[0]} -> {names[1]}"))
    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1), pad_edge=False)
    for title in ("", "Before", "After", ""):
        table.add_column(title, overflow="fold")
    for change in changes(*runs):
        cells = (change.before, change.after)
        texts = [formats.ABSENT if cell is None else cell.text for cell in cells]
        words = Text(change.words, style="bold yellow" if change.words == "changed" else "dim")
        table.add_row(Text(change.name), Text(texts[0]), Text(texts[1]), words)
    console.print(table)
    for line in other_conditions(*runs):
        console.print(Text(f"  {line}", style="dim"))
