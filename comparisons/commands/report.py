"""`backproof report results.json`: draw the report again from what a run found; nothing is computed."""

from typing import Annotated

import typer

from backproof.comparisons.verdicts.outcome import exit_code


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

    from backproof.comparisons.commands.finish import console, print_address
    from backproof.comparisons.report import overview
    from backproof.comparisons.report.document import all_outcomes, load
    from backproof.comparisons.report.write import draw

    path = Path(results)
    if path.is_dir():
        path /= "results.json"
    loaded = load(path)
    folder = out if out is not None else str(path.parent)
    draw(loaded, folder)
    overview.render(loaded, console())
    print_address(folder)
    return exit_code(all_outcomes(loaded))
