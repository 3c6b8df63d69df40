"""`backproof numerical`: the textbook's gradient made fast, and MNIST trained by it alone."""

import shlex
import sys
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backproof.comparisons.commands import options
from backproof.comparisons.verdicts.outcome import exit_code

if TYPE_CHECKING:
    from backproof.comparisons.numerical.part import NumericalPlan


def register(app: typer.Typer) -> None:
    app.command("numerical")(numerical)


def numerical(
    out: options.Out = options.OUT,
    data: options.Data = "auto",
    data_dir: options.DataDir = None,
    hidden: Annotated[int, typer.Option(metavar="N", help="Units of the one hidden layer.")] = 50,
    batch_size: options.BatchSize = 100,
    epochs: Annotated[
        int | None, typer.Option(metavar="N", help="Epochs. [default: 3 on MNIST, 20 on the digits]")
    ] = None,
    steps: Annotated[int | None, typer.Option(metavar="N", help="So many steps instead of epochs.")] = None,
    learning_rate: Annotated[float, typer.Option(metavar="RATE", help="Of plain gradient descent.")] = 0.3,
    step: Annotated[
        float | None,
        typer.Option(metavar="H", help="Step of the training's differences. [default: 2**-30]"),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="For the weights and the batches.")] = 0,
    ladder: Annotated[
        bool, typer.Option("--ladder/--no-ladder", help="Time all methods as networks grow.")
    ] = True,
    restart: Annotated[bool, typer.Option("--restart", help="Drop the steps of an interrupted run.")] = False,
) -> int:
    """Train by numerical differentiation alone, beside backprop from the same weights on the same batches.

    First one gradient by the textbook's loop, the same quotients structured, per unit, and by backprop; then
    the training; then the ladder. A run that was stopped with Ctrl-C goes on when started again.
    """
    from backproof.comparisons.running import threads

    print("backproof: loading ...", file=sys.stderr, flush=True)
    threads.limit(1)  # before NumPy is imported: single-threaded figures
    from rich.console import Console

    from backproof.comparisons.numerical import part as runner
    from backproof.comparisons.numerical import terminal as numerical_terminal
    from backproof.comparisons.report.document import look_into
    from backproof.comparisons.running.progress import Terminal

    plan = runner.NumericalPlan(
        data=data,
        data_dir=data_dir,
        hidden=hidden,
        batch_size=batch_size,
        epochs=epochs,
        n_steps=steps,
        learning_rate=learning_rate,
        seed=seed,
        step=runner.STEP if step is None else step,
        restart=restart,
        ladder=ladder,
        out=out,
        command=shlex.join(["backproof", *sys.argv[1:]]),
    )
    with Terminal() as progress:
        before = look_into(plan.out)
        earlier = before.numerical if before is not None else None
        part = runner.run(plan, progress, earlier, partial(_kept, plan))
    numerical_terminal.render(part, out, Console(highlight=False))
    return exit_code([part["verdict"]])


def _kept(plan: "NumericalPlan", part: dict[str, Any]) -> dict[str, Any]:
    """The part as it stands now in the results of plan.out."""
    from backproof.comparisons.report import write

    merged = write.merge(plan.out, plan.command, numerical=part)
    assert merged.numerical is not None
    return merged.numerical
