"""What every terminal table shares: a verdict as a coloured word, and the line above a part."""

from rich.text import Text

STYLES = {"PASS": "bold green", "FAIL": "bold red", "INCONCLUSIVE": "bold yellow"}


def verdict_text(verdict: str | None) -> Text:
    """The verdict as a word in its colour; "not run" for None."""
    return Text("not run", style="dim") if verdict is None else Text(verdict, style=STYLES.get(verdict, ""))


def heading(title: str) -> Text:
    """The line above a part."""
    return Text(f"\n{title}", style="bold")
