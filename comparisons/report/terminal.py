"""`render`: the results in a terminal. The sentence, the three verdicts, then a compact table per part.

Widths from 80 columns up: tables have few, narrow columns; long words wrap, numbers never do.
"""

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from comparisons.report.answer import Answer, answer
from comparisons.results import Results

STYLES = {"PASS": "bold green", "FAIL": "bold red", "INCONCLUSIVE": "bold yellow"}


def render(results: Results, console: Console) -> None:
    """Print the report. Colours only where the console shows them; every verdict is a word."""
    said = answer(results)
    console.print()
    console.print(Text(said.sentence, style="bold"))
    if said.banner:
        console.print(Text(f"NOT MNIST. {said.banner}", style="bold yellow"))
    console.print()
    console.print(Padding(_verdicts(said), (0, 0, 0, 1)))


def verdict_text(verdict: str | None) -> Text:
    """The verdict as a word in its colour; "not run" for None."""
    return Text("not run", style="dim") if verdict is None else Text(verdict, style=STYLES.get(verdict, ""))


def _verdicts(said: Answer) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, style="bold")
    table.add_column()
    for tile in said.tiles:
        table.add_row(tile.question, verdict_text(tile.verdict), tile.value, Text(tile.detail))
    return table
