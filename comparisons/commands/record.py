"""`backproof record`: the best accuracy the from-scratch network reaches on MNIST within a time budget."""

import signal
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from backproof.comparisons.commands import options
from backproof.comparisons.commands.finish import begin, command_line, finish
from backproof.comparisons.running.errors import Interrupted
from backproof.scratch.errors import InputError

if TYPE_CHECKING:
    from backproof.comparisons.data.dataset import Dataset
    from backproof.comparisons.record.training import Budget
    from backproof.comparisons.running.progress import Progress

DEFAULT_MINUTES = 5.0
SHORTEST = 0.001  # minutes: a shorter budget trains nothing


def register(app: typer.Typer) -> None:
    app.command("record", short_help="Train for the best MNIST accuracy.")(record)


def record(
    minutes: Annotated[
        float | None, typer.Option(metavar="M", help="Training time per board. [default: 5]")
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Train for N epochs instead, whatever the machine's speed.",
        ),
    ] = None,
    board: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="permutation-invariant or distortion. [default: both]"),
    ] = None,
    members: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Networks trained side by side and averaged. [default: the recipe's, 2]"
        ),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Of weights, batches, masks and distortions.")] = 0,
    seeds: Annotated[
        int, options.count("How many seeds in a row, each a training of its own; the mean counts.")
    ] = 1,
    choose: Annotated[
        bool, typer.Option("--choose", help="Compare candidate recipes on the validation split instead.")
    ] = False,
    data_dir: options.DataDir = None,
    out: options.Out = options.OUT,
) -> int:
    """Train scratch for the best MNIST accuracy, on two boards: permutation-invariant, and with distortions.

    Each network uses one core, so that two of them fill two cores. NumPy and SciPy only. With several seeds
    those that are finished are kept when the command is stopped.
    """
    begin()
    from dataclasses import replace

    from backproof.comparisons.data.dataset import load
    from backproof.comparisons.record import part as runner
    from backproof.comparisons.record import terminal
    from backproof.comparisons.record.recipes import BOARDS
    from backproof.comparisons.record.result import RecordResult
    from backproof.comparisons.report.document import look_into
    from backproof.comparisons.report.write import merge
    from backproof.comparisons.running.progress import Terminal

    boards = tuple(dict.fromkeys(board)) if board else BOARDS
    for name in boards:
        if name not in BOARDS:
            raise InputError(f"board: expected one of {', '.join(BOARDS)}; got {name!r}")
    budget = _budget(minutes, epochs)
    if members is not None and not 1 <= members <= 64:
        raise InputError(f"members: expected 1 to 64 networks, got {members}")
    if seed < 0:
        raise InputError(f"seed: expected 0 or more, got {seed}")
    look_into(out)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ended from outside, as by Ctrl-C
    kept: list[RecordResult] = []

    def keep(found: RecordResult) -> None:
        kept.append(found)
        if seeds > 1:
            merge(out, command_line(), record=replace(found, command=command_line()))

    try:
        with Terminal() as progress:
            dataset = load("mnist", data_dir, say=progress.say)
            if choose:
                return _choose(dataset, boards, budget, seed, progress, members)
            found = runner.run(dataset, boards, budget, range(seed, seed + seeds), progress, members, keep)
    except KeyboardInterrupt as interrupt:
        said = f"the trainings finished until then are kept in {out}" if kept else "no training was finished"
        raise Interrupted(f"{said}; an unfinished one does not count") from interrupt
    shown = replace(found, command=command_line())
    return finish(out, {"record": shown}, partial(terminal.render, shown))


def _budget(minutes: float | None, epochs: int | None) -> "Budget":
    from backproof.comparisons.record.training import Budget

    if minutes is not None and epochs is not None:
        raise InputError("minutes, epochs: expected one of them, got both")
    if epochs is not None:
        if epochs < 1:
            raise InputError(f"epochs: expected at least 1, got {epochs}")
        return Budget(epochs=epochs)
    minutes = DEFAULT_MINUTES if minutes is None else minutes
    if not SHORTEST <= minutes <= 1440:
        raise InputError(f"minutes: expected at least {SHORTEST} and at most 1440, got {minutes}")
    return Budget(seconds=60 * minutes)


def _choose(
    dataset: "Dataset",
    boards: tuple[str, ...],
    budget: "Budget",
    seed: int,
    progress: "Progress",
    members: int | None,
) -> int:
    from rich.console import Console

    from backproof.comparisons.record import part as runner
    from backproof.comparisons.record import terminal as record_terminal

    for name in boards:
        rows = runner.choose(dataset, name, budget, seed, progress, members)
        record_terminal.render_choice(name, rows, Console(highlight=False))
    return 0
