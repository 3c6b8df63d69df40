"""`backproof check my_mlp.py:MyMLP`: somebody's class on trial."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backproof.comparisons.running.errors import Interrupted
from backproof.comparisons.verdicts.outcome import exit_code
from backproof.scratch.errors import InputError

if TYPE_CHECKING:
    from backproof.comparisons.check.results import CheckedClass
    from backproof.comparisons.check.trial import Settings
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
    strict: Annotated[
        bool, typer.Option("--strict", help="Conventions of the class's own are mistakes too.")
    ] = False,
    activation: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this activation; repeatable.")
    ] = None,
    loss: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this loss; repeatable.")
    ] = None,
    layers: Annotated[
        list[int] | None, typer.Option(metavar="N", help="Only this many hidden layers; repeatable.")
    ] = None,
    dtype: Annotated[str | None, typer.Option(metavar="NAME", help="Only float64 or only float32.")] = None,
    json_file: Annotated[
        str | None, typer.Option("--json", metavar="FILE", help="Write the outcome to this file.")
    ] = None,
    csv_file: Annotated[
        str | None, typer.Option("--csv", metavar="FILE", help="One line per class, for grading a folder.")
    ] = None,
    init: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write a skeleton to start from, and stop.")
    ] = None,
    start_from: Annotated[
        str | None,
        typer.Option("--from", metavar="FILE", help="With --init: an adapter for the network in this file."),
    ] = None,
) -> int:
    """Is this class right? Gradients, loss, training, state, dtypes; with a diagnosis where it is not.

    The class is executed, in a process of its own, with your rights. Exit codes: 0 every check PASS,
    1 a FAIL, 2 usage or bad input, 3 INCONCLUSIVE.
    """
    from backproof.comparisons.running import threads as thread_pools

    thread_pools.limit(1)  # before NumPy is imported
    if init is not None:
        return _init(init, start_from)
    for name, value in (("--time-limit", time_limit), ("--call-limit", call_limit)):
        if not 0 < value < float("inf"):
            raise InputError(f"{name}: expected seconds > 0, got {value:g}")
    for option, file in (("--json", json_file), ("--csv", csv_file)):
        if file is not None and not Path(file).absolute().parent.is_dir():
            raise InputError(f"{option}: no folder {Path(file).parent}; make it first")
    from backproof.comparisons.check.trial import Settings

    settings = Settings(
        only=only or [],
        seed=seed,
        quick=quick,
        strict=strict,
        time_limit=time_limit,
        call_limit=call_limit,
        narrow=_narrowing(activation, loss, layers, dtype),
    )
    return _run(targets or [], settings, json_file, csv_file)


def _narrowing(
    activation: list[str] | None, loss: list[str] | None, layers: list[int] | None, dtype: str | None
) -> dict[str, tuple[str | int, ...]]:
    """What was asked for, by the names of `forms.form.SPACE`."""
    from backproof.comparisons.check.forms.form import SPACE

    given: dict[str, tuple[str | int, ...]] = {
        "activation": tuple(activation or ()),
        "loss": tuple(loss or ()),
        "hidden_layers": tuple(layers or ()),
        "dtype": (dtype,) if dtype else (),
    }
    for name, values in given.items():
        option = "--layers" if name == "hidden_layers" else f"--{name}"
        for value in values:
            if value not in SPACE[name]:
                raise InputError(
                    f"{option}: expected one of {', '.join(map(str, SPACE[name]))}; got {value!r}"
                )
    return {name: values for name, values in given.items() if values}


def _init(file: str, start_from: str | None) -> int:
    from backproof.comparisons.check.adapter import adapter
    from backproof.comparisons.check.template import skeleton
    from backproof.comparisons.results.files import write_atomically

    if Path(file).exists():
        raise InputError(f"--init: {file} is there already; choose another name")
    if start_from is None:
        write_atomically(file, skeleton(file))
        print(f"wrote {file}; fill it in, then: backproof check {file}:MyMLP")
        return 0
    if not Path(start_from).is_file():
        raise InputError(f"--from: no file {start_from}")
    text, guesses = adapter(Path(start_from), Path(file))
    write_atomically(file, text)
    print(f"wrote {file}; look at its {guesses} guesses, then: backproof check {file}:Adapter")
    return 0


def _run(texts: list[str], settings: "Settings", json_file: str | None, csv_file: str | None) -> int:
    """Try every class, show each, write what was asked for; of several, an absent one stops no other."""
    from backproof.comparisons.contenders.loading import parse_target

    if not texts:
        raise InputError("target: expected my_mlp.py:MyMLP or package.module:Class, got nothing")
    targets = [parse_target(text) for text in texts]
    rows: list[CheckedClass] = []
    absent = False
    for target in targets:
        try:
            rows.append(_checked(target, settings))
        except KeyboardInterrupt:
            _write(rows, json_file, csv_file)
            raise Interrupted(f"{len(rows)} of {len(targets)} classes checked and kept") from None
        except InputError as error:
            if len(targets) == 1:
                raise
            absent = True
            print(f"backproof: {error}", file=sys.stderr)
    _write(rows, json_file, csv_file)
    return 2 if absent else exit_code([checked.outcome for checked in rows])


def _checked(target: "Target", settings: "Settings") -> "CheckedClass":
    from rich.console import Console

    from backproof.comparisons.check.session import try_class
    from backproof.comparisons.check.terminal import show

    with Console(stderr=True).status(f"checking {target}") as status:

        def show_check(name: str) -> None:
            status.update(f"checking {target}: {name}")

        checked = try_class(target, settings, show_check)
    show(checked, Console())
    return checked


def _write(rows: "list[CheckedClass]", json_file: str | None, csv_file: str | None) -> None:
    import json

    from backproof.comparisons.check.results import CheckPart
    from backproof.comparisons.check.terminal import as_csv
    from backproof.comparisons.results.codec import encode
    from backproof.comparisons.results.files import write_atomically
    from backproof.comparisons.verdicts.outcome import worst

    if json_file is not None:
        part = CheckPart(worst(checked.outcome for checked in rows), tuple(rows))
        write_atomically(json_file, json.dumps(encode(part), indent=2) + "\n")
    if csv_file is not None:
        write_atomically(csv_file, as_csv(rows))
