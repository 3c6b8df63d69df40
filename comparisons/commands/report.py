"""`backproof report`: draw a report again, hold runs beside each other, or draw them over time."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backproof.comparisons.verdicts.outcome import exit_code
from backproof.scratch.errors import InputError

if TYPE_CHECKING:
    from backproof.comparisons.report.document import Results


def register(app: typer.Typer) -> None:
    app.command("report", short_help="Draw a report again, or compare runs.")(report)


def report(
    results: Annotated[
        list[str] | None,
        typer.Argument(metavar="RESULTS", help="results.json, or the folder it is in; several are compared."),
    ] = None,
    out: Annotated[
        str | None, typer.Option(metavar="DIR", help="Folder for report.html. [default: beside results.json]")
    ] = None,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print a table in Markdown instead, for a pull request.")
    ] = False,
    history: Annotated[
        str | None, typer.Option(metavar="DIR", help="Draw history.html of every run below this folder.")
    ] = None,
) -> int:
    """Draw the report again from results.json, or compare several runs: what changed, with intervals.

    Nothing is computed. The exit code is that of the verdicts in the last of them.
    """
    from backproof.comparisons.report.document import all_outcomes

    if history is not None:
        return _history(history)
    names = results or ["backproof-results"]
    runs = [_load(name) for name in names]
    if markdown:
        from backproof.comparisons.report.runs import as_markdown

        print(as_markdown(names, runs))
    elif len(runs) > 1:
        _compare(names, runs)
    else:
        _draw(runs[0], out if out is not None else str(_file(names[0]).parent))
    return exit_code(all_outcomes(runs[-1]))


def _file(name: str) -> Path:
    path = Path(name)
    return path / "results.json" if path.is_dir() else path


def _load(name: str) -> "Results":
    from backproof.comparisons.report.document import load

    return load(_file(name))


def _draw(loaded: "Results", folder: str) -> None:
    from backproof.comparisons.commands.finish import console, print_address
    from backproof.comparisons.report import overview
    from backproof.comparisons.report.write import draw

    draw(loaded, folder)
    overview.render(loaded, console())
    print_address(folder)


def _compare(names: list[str], runs: "list[Results]") -> None:
    """Each run beside the one before it."""
    from backproof.comparisons.commands.finish import console
    from backproof.comparisons.report.runs_terminal import render

    for i in range(1, len(runs)):
        render((names[i - 1], names[i]), (runs[i - 1], runs[i]), console())


def _history(folder: str) -> int:
    from backproof.comparisons.report.write import draw_history

    if not Path(folder).is_dir():
        raise InputError(f"history: no folder {folder}")
    print(f"History: {draw_history(folder).resolve().as_uri()}")
    return 0
