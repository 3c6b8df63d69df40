"""`backproof report results.json`: draw the report again from what a run found; nothing is computed."""

from typing import Annotated

import typer

from backproof.comparisons.verdicts.outcome import exit_code
from backproof.scratch.errors import InputError


def register(app: typer.Typer) -> None:
    app.command("report")(report)


def report(
    results: Annotated[
        str, typer.Argument(metavar="RESULTS", help="results.json, or the folder it is in.")
    ] = "backproof-results",
    out: Annotated[
        str | None, typer.Option(metavar="DIR", help="Folder for report.html. [default: beside results.json]")
    ] = None,
) -> int:
    """Draw the report again from results.json.

    Nothing is computed. The exit code is that of the verdicts in it.
    """
    from pathlib import Path

    from rich.console import Console

    from backproof.comparisons.report import overview as terminal
    from backproof.comparisons.report.document import all_outcomes, load
    from backproof.comparisons.report.write import draw

    path = Path(results)
    if path.is_dir():
        path /= "results.json"
    loaded = load(path)
    try:
        page = draw(loaded, out if out is not None else path.parent)
        terminal.render(loaded, Console(highlight=False))
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        # The file is whatever somebody made of it; what it lacks shows when it is read that far.
        raise InputError(f"results: {path} cannot be drawn ({error!r}); run backproof again") from error
    print(f"\nReport: {page.resolve().as_uri()}")
    return exit_code(all_outcomes(loaded))
