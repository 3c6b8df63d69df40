"""A trial in the terminal."""

from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from backproof.comparisons.check.results import CheckedClass
from backproof.comparisons.verdicts.outcome import Outcome

STYLES: dict[str, str] = {Outcome.PASS: "green", Outcome.FAIL: "bold red", Outcome.INCONCLUSIVE: "yellow"}


def show(checked: CheckedClass, console: Console) -> None:
    """The table of checks, what was noticed, the first cause's smallest case as code, then the diagnosis."""
    console.print(_table(checked))
    if checked.tried_with:
        console.print(Text(checked.tried_with, style="dim"))
    for note in checked.notes:
        console.print(Text(f"note: {note}"))
    if checked.outcome == Outcome.FAIL:
        _show_failure(checked, console)
        for rank, cause in enumerate(checked.causes, start=1):
            console.print(Text.assemble(f"{rank}. ", (cause.sentence, "bold"), f"  [{cause.certainty}]"))
            if cause.line is not None:
                console.print(Text(f"   probably {cause.line}"))
    for line in checked.advice:
        console.print(Text(line))
    console.print(_closing(checked))


def _table(checked: CheckedClass) -> Table:
    table = Table(
        title=Text(f"backproof check {checked.target}", "italic"), title_justify="left", expand=False
    )
    table.add_column("check", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("what was asked, what was seen")
    for row in checked.checks:
        passed = row.verdict == Outcome.PASS
        verdict = Text(row.verdict, style=STYLES.get(row.verdict, "dim"))
        table.add_row(row.check, verdict, Text(f"{row.question} ({row.text})" if passed else row.text))
    return table


def _show_failure(checked: CheckedClass, console: Console) -> None:
    if checked.code:
        console.print(f"\n{checked.code_shows}, to paste and run:\n", markup=False)
        # Never broken by us: half a comment on the next line would be no comment any more.
        code = Syntax("", "python", background_color="default").highlight(checked.code)
        console.print(code, soft_wrap=True)
    console.print("\nDiagnosis, best supported first:")


def _closing(checked: CheckedClass) -> Text:
    counts = [f"{n} {verdict}" for verdict, n in tally(checked).items() if n]
    style = STYLES.get(checked.outcome, "")
    return Text(f"\n{checked.outcome}: {', '.join(counts)}, in {checked.seconds:.0f} s", style=style)


def tally(checked: CheckedClass) -> dict[str, int]:
    """How many checks came to which verdict."""
    verdicts = [row.verdict for row in checked.checks]
    return {verdict: verdicts.count(verdict) for verdict in dict.fromkeys(verdicts)}
