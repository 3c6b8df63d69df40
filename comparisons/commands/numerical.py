"""`backproof numerical`: the textbook's gradient made fast, and MNIST trained by it alone."""

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from backproof.comparisons.commands import options
from backproof.comparisons.commands.finish import begin, command_line, finish

if TYPE_CHECKING:
    from backproof.comparisons.numerical.result import NumericalResult


def register(app: typer.Typer) -> None:
    app.command("numerical", short_help="Train by numerical differentiation alone.")(numerical)


def numerical(
    out: options.Out = options.OUT,
    data: options.Data = "auto",
    data_dir: options.DataDir = None,
    hidden: Annotated[int, options.count("Units of the one hidden layer.")] = 50,
    batch_size: options.BatchSize = 100,
    epochs: Annotated[int | None, options.count("Epochs. [default: 3 on MNIST, 20 on the digits]")] = None,
    steps: Annotated[int | None, options.count("So many steps instead of epochs.")] = None,
    learning_rate: Annotated[
        float, options.positive("RATE", "Of plain gradient descent.", options.RATES)
    ] = 0.3,
    step: Annotated[
        float | None,
        options.positive("H", "Step of the training's differences. [default: 2**-30]", options.STEPS),
    ] = None,
    seed: Annotated[int, options.count("For the weights and the batches.", options.AT_LEAST_0)] = 0,
    ladder: Annotated[
        bool, typer.Option("--ladder/--no-ladder", help="Time all methods as networks grow.")
    ] = True,
    restart: Annotated[bool, typer.Option("--restart", help="Drop the steps of an interrupted run.")] = False,
) -> int:
    """Train by numerical differentiation alone, beside backprop from the same weights on the same batches.

    First it takes one gradient four ways: by the textbook's loop, by the same quotients structured, by
    differences per unit, and by backprop. Then it trains; then it times every method as networks grow (the
    ladder). A run that was stopped with Ctrl-C goes on when started again.
    """
    begin(1)  # single-threaded figures
    from backproof.comparisons.numerical import part as runner
    from backproof.comparisons.numerical import terminal
    from backproof.comparisons.report.document import look_into
    from backproof.comparisons.report.write import merge
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
        command=command_line(),
    )

    def keep(found: "NumericalResult") -> None:
        merge(out, plan.command, numerical=found)

    with Terminal() as progress:
        before = look_into(out)
        part = runner.run(plan, progress, before.numerical if before is not None else None, keep)
    return finish(out, {"numerical": part}, partial(terminal.render, part))
