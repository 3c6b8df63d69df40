"""`backproof check my_mlp.py:MyMLP`: somebody's class on trial."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backproof.comparisons.running.errors import Interrupted
from backproof.comparisons.verdicts.outcome import exit_code
from backproof.scratch.errors import InputError

if TYPE_CHECKING:
    from backproof.comparisons.check.battery.battery import Check
    from backproof.comparisons.check.diagnosis.diagnosis import Cause
    from backproof.comparisons.check.trial import Trial
    from backproof.comparisons.contenders.loading import Target


def register(app: typer.Typer) -> None:
    app.command("check")(check)


def check(
    targets: Annotated[
        list[str] | None,
        typer.Argument(metavar="TARGET...", help="my_mlp.py:MyMLP, my_mlp.py or package.module:Class."),
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this check; repeatable.")
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of the cases.")] = 0,
    time_limit: Annotated[
        float, typer.Option(metavar="S", help="Seconds for all checks of one class.")
    ] = 60.0,
    call_limit: Annotated[float, typer.Option(metavar="S", help="Seconds for one call.")] = 10.0,
    quick: Annotated[bool, typer.Option("--quick", help="A quarter of the cases.")] = False,
    json_file: Annotated[
        str | None, typer.Option("--json", metavar="FILE", help="Write the outcome to this file.")
    ] = None,
    csv_file: Annotated[
        str | None, typer.Option("--csv", metavar="FILE", help="One line per class, for grading a folder.")
    ] = None,
    init: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write a skeleton to start from, and stop.")
    ] = None,
) -> int:
    """Is this class right? Gradients, loss, training, state, dtypes; with a diagnosis where it is not.

    The class is executed, in a process of its own, with your rights. Exit codes: 0 every check PASS,
    1 a FAIL, 2 usage or bad input, 3 INCONCLUSIVE.
    """
    from backproof.comparisons.running import threads as thread_pools

    thread_pools.limit(1)  # before NumPy is imported
    if init is not None:
        return _init(init)
    for name, value in (("--time-limit", time_limit), ("--call-limit", call_limit)):
        if not 0 < value < float("inf"):
            raise InputError(f"{name}: expected seconds > 0, got {value:g}")
    for option, file in (("--json", json_file), ("--csv", csv_file)):
        if file is not None and not Path(file).absolute().parent.is_dir():
            raise InputError(f"{option}: no folder {Path(file).parent}; make it first")
    limits = {"time_limit": time_limit, "call_limit": call_limit}
    return _run(targets or [], json_file, csv_file, only=only or [], seed=seed, quick=quick, **limits)


def _init(file: str) -> int:
    from backproof.comparisons.check.template import skeleton
    from backproof.comparisons.results.files import write_atomically

    if Path(file).exists():
        raise InputError(f"--init: {file} is there already; choose another name")
    write_atomically(file, skeleton(file))
    print(f"wrote {file}; fill it in, then: backproof check {file}:MyMLP")
    return 0


def _run(texts: list[str], json_file: str | None, csv_file: str | None, **settings: Any) -> int:
    """Try every class, show each, write what was asked for; of several, an absent one stops no other."""
    from backproof.comparisons.contenders.loading import parse_target

    if not texts:
        raise InputError("target: expected my_mlp.py:MyMLP or package.module:Class, got nothing")
    targets = [parse_target(text) for text in texts]
    rows: list[tuple[Trial, list[Cause]]] = []
    absent = False
    for target in targets:
        try:
            rows.append(_trial(target, **settings))
        except KeyboardInterrupt:
            _write(rows, json_file, csv_file)
            raise Interrupted(f"{len(rows)} of {len(targets)} classes checked and kept") from None
        except InputError as error:
            if len(targets) == 1:
                raise
            absent = True
            print(f"backproof: {error}", file=sys.stderr)
    _write(rows, json_file, csv_file)
    return 2 if absent else exit_code([trial.verdict for trial, _ in rows])


def _trial(target: "Target", **settings: Any) -> "tuple[Trial, list[Cause]]":
    from rich.console import Console

    from backproof.comparisons.check.session import try_class
    from backproof.comparisons.check.terminal import show

    with Console(stderr=True).status(f"checking {target}") as status:

        def show_check(check: "Check") -> None:
            status.update(f"checking {target}: {check.name}")

        trial, causes = try_class(target, on_check=show_check, **settings)
    show(trial, causes, Console())
    return trial, causes


def _write(rows: "list[tuple[Trial, list[Cause]]]", json_file: str | None, csv_file: str | None) -> None:
    import json

    from backproof.comparisons.check.terminal import as_csv, as_json
    from backproof.comparisons.results.codec import encode
    from backproof.comparisons.results.files import write_atomically

    if json_file is not None:
        document = [as_json(trial, causes) for trial, causes in rows]
        write_atomically(json_file, json.dumps(encode(document), indent=2) + "\n")
    if csv_file is not None:
        write_atomically(csv_file, as_csv(rows))
