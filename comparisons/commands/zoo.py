"""`backproof zoo`: classes with one mistake each on trial, and the suite with them."""

import shlex
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backproof.comparisons.commands import options
from backproof.comparisons.running.errors import Interrupted
from backproof.comparisons.verdicts.outcome import exit_code
from backproof.scratch.errors import InputError

if TYPE_CHECKING:
    from backproof.comparisons.zoo.catalogue import Entry


def register(app: typer.Typer) -> None:
    app.command("zoo")(zoo)


def zoo(
    only: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this class or number; repeatable.")
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of the cases.")] = 0,
    workers: Annotated[int | None, typer.Option(metavar="N", help="Processes. [default: all cores]")] = None,
    mutants: Annotated[
        str | None, typer.Option(metavar="DIR", help="Folder with catalogue.toml. [default: ours]")
    ] = None,
    out: options.Out = options.OUT,
) -> int:
    """How good are the checks? The kill matrix: known mistakes x checks, other checkers beside them.

    Exit codes: 0 every mutant killed, every correct class passed, causes named; 1 not so; 2 usage;
    3 INCONCLUSIVE. The classes of the folder are executed.
    """
    from backproof.comparisons.running import threads

    if workers is not None and workers < 1:
        raise InputError(f"workers: expected at least 1, got {workers}")
    if seed < 0:
        raise InputError(f"seed: expected 0 or more, got {seed}")
    print("backproof: loading ...", file=sys.stderr, flush=True)
    threads.limit(1)  # before NumPy is imported
    from pathlib import Path

    from joblib import cpu_count

    from backproof.comparisons.report import document as results
    from backproof.comparisons.running.progress import Terminal
    from backproof.comparisons.zoo import catalogue, matrix

    folder = Path(mutants) if mutants is not None else catalogue.default_folder()
    entries = _chosen(catalogue.read(folder), only or [])
    results.look_into(out)  # a corrupt one stops here
    with Terminal() as progress:
        part = matrix.run(entries, folder, seed=seed, workers=workers or int(cpu_count()), progress=progress)
    return _finish({**part, "command": shlex.join(["backproof", *sys.argv[1:]])}, out)


def _chosen(entries: "list[Entry]", only: list[str]) -> "list[Entry]":
    known = {entry.name for entry in entries} | {entry.number for entry in entries if entry.number}
    for name in only:
        if name not in known:
            raise InputError(f"only: expected a class of the zoo or its number, got {name!r}")
    return [entry for entry in entries if not only or entry.name in only or entry.number in only]


def _finish(part: dict[str, Any], out: str) -> int:
    from pathlib import Path

    from rich.console import Console

    from backproof.comparisons.report import write
    from backproof.comparisons.zoo.terminal import show

    write.merge(out, part["command"], zoo=part)
    show(part, Console(highlight=False))
    print(f"\nReport: {(Path(out) / 'report.html').resolve().as_uri()}")
    if part["interrupted"]:
        raise Interrupted(f"the classes finished until then are kept in {out}")
    return exit_code([part["verdict"]])
