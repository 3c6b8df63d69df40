"""A trial in the terminal, as JSON, and as a row of a CSV of grades."""

import csv
import io
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from backproof.comparisons.check.battery.battery import CHECKS
from backproof.comparisons.check.diagnosis.diagnosis import Cause
from backproof.comparisons.check.snippet import snippet
from backproof.comparisons.check.trial import CheckResult, Trial
from backproof.comparisons.verdicts.outcome import Outcome

STYLES: dict[str, str] = {Outcome.PASS: "green", Outcome.FAIL: "bold red", Outcome.INCONCLUSIVE: "yellow"}


def show(trial: Trial, causes: Sequence[Cause], console: Console) -> None:
    """The table of checks, then the first failure as code, then the diagnosis."""
    console.print(_table(trial))
    failed = trial.failed()
    if failed:
        _show_failure(trial, failed[0], console)
        for rank, cause in enumerate(causes, start=1):
            console.print(Text.assemble(f"{rank}. ", (cause.sentence, "bold"), f"  [{cause.certainty}]"))
    console.print(_closing(trial))


def _table(trial: Trial) -> Table:
    table = Table(title=f"backproof check {trial.target}", title_justify="left", expand=False)
    table.add_column("check", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("what was asked, what was seen")
    for outcome in trial.outcomes:
        seen = outcome.check.question if outcome.verdict == Outcome.PASS else outcome.text
        verdict = Text(outcome.verdict, style=STYLES.get(outcome.verdict, "dim"))
        tail = f" ({outcome.text})" if outcome.verdict == Outcome.PASS else ""
        table.add_row(outcome.check.name, verdict, Text(seen + tail))
    return table


def _show_failure(trial: Trial, outcome: CheckResult, console: Console) -> None:
    code = snippet(trial.target, outcome)
    if code:
        console.print(f"\nThe smallest case found for [bold]{outcome.check.name}[/bold], to paste and run:\n")
        # Never broken by us: half a comment on the next line would be no comment any more.
        console.print(Syntax("", "python", background_color="default").highlight(code), soft_wrap=True)
    console.print("\nDiagnosis, best supported first:")


def _closing(trial: Trial) -> Text:
    counts = [f"{n} {verdict}" for verdict, n in tally(trial).items() if n]
    style = STYLES.get(trial.verdict, "")
    return Text(f"\n{trial.verdict}: {', '.join(counts)}, in {trial.seconds:.0f} s", style=style)


def tally(trial: Trial) -> dict[str, int]:
    """How many checks came to which verdict."""
    verdicts = [outcome.verdict for outcome in trial.outcomes]
    return {verdict: verdicts.count(verdict) for verdict in dict.fromkeys(verdicts)}


def as_json(trial: Trial, causes: Sequence[Cause]) -> dict[str, Any]:
    """Plain types, one entry per check."""
    return {
        "target": str(trial.target),
        "verdict": trial.verdict,
        "seconds": round(trial.seconds, 3),
        "checks": [_outcome_json(trial, outcome) for outcome in trial.outcomes],
        "diagnosis": [{"cause": cause.sentence, "support": cause.certainty} for cause in causes],
    }


def _outcome_json(trial: Trial, outcome: CheckResult) -> dict[str, Any]:
    return {
        "check": outcome.check.name,
        "question": outcome.check.question,
        "verdict": outcome.verdict,
        "text": outcome.text,
        "cases": outcome.n_cases,
        "undecided": outcome.n_undecided,
        "comparison": outcome.comparison.as_json() if outcome.comparison else None,
        "code": snippet(trial.target, outcome) or None,
    }


def as_csv(rows: Sequence[tuple[Trial, Sequence[Cause]]]) -> str:
    """One line per class: verdict, passed and failed counts, the first cause, then every check."""
    names = [check.name for check in CHECKS]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["class", "verdict", "passed", "failed", "diagnosis", *names])
    for trial, causes in rows:
        verdicts = {outcome.check.name: outcome.verdict for outcome in trial.outcomes}
        counts = tally(trial)
        first = causes[0].sentence if causes else ""
        cells = [verdicts.get(name, "not run") for name in names]
        writer.writerow(
            [
                trial.target,
                trial.verdict,
                counts.get(Outcome.PASS, 0),
                counts.get(Outcome.FAIL, 0),
                first,
                *cells,
            ]
        )
    return text.getvalue()
