"""`backproof numerical`: the textbook's gradient made fast, and MNIST trained by it alone."""

from functools import partial
from typing import TYPE_CHECKING, Annotated, cast

import typer

from backproof.comparisons.commands import options
from backproof.comparisons.commands.finish import begin, command_line, finish

if TYPE_CHECKING:
    from backproof.comparisons.numerical.result import Differences, NumericalResult

MOMENTA = options.Range(0, 0.999)


def register(app: typer.Typer) -> None:
    app.command("numerical", short_help="Train by numerical differentiation alone.")(numerical)


def numerical(
    out: options.Out = options.OUT,
    data: options.Data = "auto",
    data_dir: options.DataDir = None,
    hidden: Annotated[int, options.count("Units of the one hidden layer.")] = 128,
    batch_size: options.BatchSize = 100,
    epochs: Annotated[int | None, options.count("Epochs. [default: 10 on MNIST, 20 on the digits]")] = None,
    steps: Annotated[int | None, options.count("So many steps instead of epochs.")] = None,
    learning_rate: Annotated[
        float, options.positive("RATE", "At first; it falls linearly to zero.", options.RATES)
    ] = 0.1,
    momentum: Annotated[
        float,
        typer.Option(metavar="MU", help="Of the descent; 0 for none.", callback=options.within(MOMENTA)),
    ] = 0.9,
    differences: Annotated[
        str,
        typer.Option(
            metavar="entries|units",
            help="Train by quotients of every parameter, or of every unit, whose weights then follow.",
        ),
    ] = "units",
    step: Annotated[
        float | None,
        options.positive("H", "Step of the training's differences. [default: 2**-30]", options.STEPS),
    ] = None,
    seed: Annotated[int, options.count("For the weights and the batches.", options.AT_LEAST_0)] = 0,
    ladder: Annotated[
        bool, typer.Option("--ladder/--no-ladder", help="Time all methods as networks grow.")
    ] = True,
    forward: Annotated[
        bool, typer.Option("--forward/--no-forward", help="Train by forward gradients, too.")
    ] = True,
    restart: Annotated[bool, typer.Option("--restart", help="Drop the steps of an interrupted run.")] = False,
) -> int:
    """Train by numerical differentiation alone, beside backprop from the same weights on the same batches.

    First it takes one gradient five ways: by the textbook's loop, by the same quotients structured, by
    differences per unit, by a forward gradient (the slope in one random direction), and by backprop. Then it
    trains, by differences and by forward gradients; then it times every method as networks grow (the
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
        momentum=momentum,
        differences=cast("Differences", differences),  # the plan refuses others
        seed=seed,
        step=runner.STEP if step is None else step,
        restart=restart,
        forward=forward,
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
