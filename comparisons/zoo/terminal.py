"""The kill matrix in the terminal: one line per class, one sign per check; then the diagnoses."""

from string import ascii_letters

from rich.console import Console
from rich.table import Table
from rich.text import Text

from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.zoo.known_rivals import RIVALS
from backproof.comparisons.zoo.result import Counts, RivalCount, Row, Zoo

SIGNS: dict[str, tuple[str, str]] = {
    Outcome.FAIL: ("x", "bold red"),
    Outcome.PASS: ("·", "dim"),
    Outcome.INCONCLUSIVE: ("?", "yellow"),
}


def show(part: Zoo, console: Console) -> None:
    """Matrix, legend, diagnoses, counts."""
    letters = dict(zip(part.checks, ascii_letters, strict=False))
    console.print(_matrix(part, letters))
    console.print(_legend(letters), style="dim")
    console.print(_diagnoses(part))
    notes = [f"{row.number or row.name}: {row.note}" for row in part.rows if row.note]
    if notes:
        console.print("\nNotes")
        for note in notes:
            console.print(Text(f"  {note}"))
    console.print()
    for line in sentences(part.summary):
        console.print(line)


def _matrix(part: Zoo, letters: dict[str, str]) -> Table:
    table = Table(title="The kill matrix: x is a FAIL", title_justify="left", padding=(0, 1, 0, 0), box=None)
    table.add_column("", no_wrap=True)
    table.add_column("class", overflow="ellipsis", no_wrap=True)
    table.add_column("".join(letters.values()), no_wrap=True)
    for rival in RIVALS:
        table.add_column(rival.short, no_wrap=True)
    for row in part.rows:
        rivals = [_rival(row.rivals[rival.key].accepts) for rival in RIVALS]
        table.add_row(row.number, row.name, _signs(row, letters), *rivals)
    return table


def _signs(row: Row, letters: dict[str, str]) -> Text:
    found = [row.outcomes.get(check, "") for check in letters]
    return Text.assemble(*(SIGNS.get(word, (" ", "")) for word in found))


def _rival(accepts: bool | None) -> Text:
    if accepts is None:
        return Text("")
    return Text("·", "dim") if accepts else Text("x", "bold red")


def _legend(letters: dict[str, str]) -> str:
    named = ", ".join(f"{letter} {check}" for check, letter in letters.items())
    others = ", ".join(f"{rival.short} {rival.label}" for rival in RIVALS)
    return f"{named}; {others}. x FAIL, · PASS, ? INCONCLUSIVE, blank not offered or not asked"


def _diagnoses(part: Zoo) -> Table:
    table = Table(title="\nThe first diagnosis of each", title_justify="left", box=None, padding=(0, 1, 0, 0))
    table.add_column("", no_wrap=True)
    table.add_column("class", overflow="fold")
    table.add_column("diagnosis", overflow="fold")
    table.add_column("cause", no_wrap=True)
    for row in part.rows:
        named = {True: Text("named", "green"), False: Text("missed", "yellow"), None: Text("")}
        if row.diagnosis:
            table.add_row(row.number, row.name, Text(row.diagnosis[0]), named[row.cause_named])
    return table


def sentences(counts: Counts) -> list[str]:
    """What the matrix comes to."""
    total = counts.mutants
    lines = [
        f"Killed by a check expected to see it: {counts.killed_as_expected} of {total} mutants.",
        f"Correct classes that pass: {counts.correct_passed} of {counts.correct}.",
        f"The first diagnosis names the cause of {counts.causes_named} of {counts.with_cause} mistakes; "
        f"of two at once both are among the first three in {counts.pairs_named} of {counts.pairs}. "
        f'False causes that "explain": {counts.misled}.',
    ]
    lines += [_of_rival(rival.label, counts.rivals[rival.key]) for rival in RIVALS]
    if counts.held_out:
        lines.append(
            f"Of {counts.held_out} mistakes set aside before the checks were written, "
            f"{counts.held_out_killed_blind} were killed at first sight, {counts.held_out_killed} now."
        )
    return lines


def _of_rival(label: str, count: RivalCount) -> str:
    if not count.asked and not count.asked_correct:
        return f"Beside it, {label}: {count.note}."
    text = f"Beside it, {label} rejects {count.killed} of {count.asked} mutants"
    return f"{text}" + (
        f" and {count.alarms} of {count.asked_correct} correct classes." if count.asked_correct else "."
    )
