"""What every terminal table shares: a verdict as a coloured word, and the line above a part."""

from rich.text import Text

from backproof.comparisons.verdicts.outcome import Outcome

STYLES: dict[str, str] = {
    Outcome.PASS: "bold green",
    Outcome.FAIL: "bold red",
    Outcome.INCONCLUSIVE: "bold yellow",
}


def verdict_text(verdict: str | None) -> Text:
    """The verdict as a word in its colour; "not run" for None."""
    return Text("not run", style="dim") if verdict is None else Text(verdict, style=STYLES.get(verdict, ""))


def heading(title: str) -> Text:
    """The line above a part."""
    return Text(f"\n{title}", style="bold")
