"""`backproof zoo`: classes with one mistake each on trial, and the suite with them."""

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from backproof.comparisons.commands import options
from backproof.comparisons.commands.finish import begin, command_line, finish
from backproof.scratch.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from backproof.comparisons.zoo.catalogue import Specimen


def register(app: typer.Typer) -> None:
    app.command("zoo", short_help="Known mistakes: which check sees them?")(zoo)


def zoo(
    only: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this class or number; repeatable.")
    ] = None,
    seed: Annotated[int, options.count("Seed of the cases.", options.AT_LEAST_0)] = 0,
    seeds: Annotated[int, options.count("Seeds tried on every correct class, from --seed on.")] = 3,
    workers: options.Workers = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a run that was stopped: keep the rows in --out.")
    ] = False,
    mutants: Annotated[
        str | None, typer.Option(metavar="DIR", help="Folder with catalogue.toml. [default: ours]")
    ] = None,
    out: options.Out = options.OUT,
) -> int:
    """How good are the checks? The kill matrix: known mistakes x checks, other checkers beside them.

    Exit codes: 0 every mutant killed, every correct class passed, causes named; 1 not so; 2 usage;
    3 INCONCLUSIVE. The classes of the folder are executed.
    """
    begin()
    from pathlib import Path

    from joblib import cpu_count

    from backproof.comparisons.report import document as results
    from backproof.comparisons.running.progress import Terminal
    from backproof.comparisons.zoo import catalogue, matrix
    from backproof.comparisons.zoo.terminal import show

    folder = Path(mutants) if mutants is not None else catalogue.default_folder()
    entries = _chosen(catalogue.read(folder), only or [])
    found_before = results.look_into(out)  # a corrupt one stops here
    plan = matrix.Plan(folder, seed, seeds)
    before = matrix.kept(found_before.zoo if found_before and resume else None, entries, plan)
    with Terminal() as progress:
        part = matrix.run(
            entries, plan, workers=workers or int(cpu_count()), progress=progress, before=before
        )
    found = replace(part, command=command_line())
    return finish(
        out, {"zoo": found}, partial(show, found), stopped="the classes" if found.interrupted else ""
    )


def _chosen(entries: "list[Specimen]", only: list[str]) -> "list[Specimen]":
    known = {entry.name for entry in entries} | {entry.number for entry in entries if entry.number}
    for name in only:
        if name not in known:
            hint = did_you_mean(name, known)
            raise InputError(f"only: expected a class of the zoo or its number, got {name!r}{hint}")
    return [entry for entry in entries if not only or entry.name in only or entry.number in only]
