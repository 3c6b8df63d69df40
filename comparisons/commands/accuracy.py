"""`backproof accuracy`: many seeds, several workers, a journal; and the error rates of the verdict itself."""

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from backproof.comparisons.commands import options
from backproof.comparisons.commands.finish import begin, command_line, finish

if TYPE_CHECKING:
    from backproof.comparisons.experiment import Plan


def register(app: typer.Typer) -> None:
    app.command("accuracy", short_help="Train from many seeds: same accuracy?")(accuracy)


def accuracy(
    seeds: Annotated[int, typer.Option(metavar="N", help="How many seeds in a row.")] = 20,
    workers: Annotated[
        int, typer.Option(metavar="N", help="Processes on this machine, one thread each.")
    ] = 2,
    dask: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="A Dask scheduler instead, as tcp://host:port.")
    ] = None,
    contender: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Beside scratch; repeatable. [default: torch, and jax if installed]"
        ),
    ] = None,
    out: Annotated[
        str, typer.Option(metavar="DIR", help="Folder for the journal, results.json and report.html.")
    ] = "backproof-results",
    data: options.Data = "auto",
    data_dir: options.DataDir = None,
    layers: options.Layers = None,
    optimizer: options.Optimizer = "sgd",
    learning_rate: options.LearningRate = None,
    batch_size: options.BatchSize = 100,
    epochs: Annotated[
        int | None, typer.Option(metavar="N", help="Epochs per run. [default: 8 on MNIST, 60 on the digits]")
    ] = None,
    seed: options.FirstSeed = 0,
    margin: Annotated[
        float, typer.Option(metavar="POINTS", help="Accuracies closer than this count as equal.")
    ] = 0.2,
    error_rates: Annotated[
        int | None,
        typer.Option(metavar="N", help="Only simulate N studies per case: how often is the verdict wrong?"),
    ] = None,
) -> int:
    """The same training from many seeds, contender against contender: equivalent, different or undecided?

    Finished runs are kept in DIR/accuracy.jsonl: a run that was stopped, or killed, goes on there.
    """
    begin()
    from backproof.comparisons.commands.main_job import choose_optimizer, parse_layers
    from backproof.comparisons.contenders import registry
    from backproof.comparisons.experiment import Plan

    command = command_line()
    if error_rates is not None:
        return _error_rates(error_rates, margin, seed, out, command)
    names = contender or [name for name in ("torch", "jax") if registry.installed(name)]
    plan = Plan(
        contenders=tuple(names),
        data=data,
        data_dir=data_dir,
        layer_sizes=parse_layers(layers),
        seed=seed,
        n_seeds=seeds,
        epochs=epochs,
        batch_size=batch_size,
        optimizer=choose_optimizer(optimizer, learning_rate),
        margin_points=margin,
        out=out,
        command=command,
    )
    return _run(plan, workers, dask)


def _run(plan: "Plan", workers: int, dask: str | None) -> int:
    from backproof.comparisons.accuracy import many_seeds as sweep
    from backproof.comparisons.accuracy import part as accuracy
    from backproof.comparisons.accuracy import terminal as accuracy_terminal
    from backproof.comparisons.experiment import resolve
    from backproof.comparisons.report.document import look_into
    from backproof.comparisons.running.progress import Terminal

    look_into(plan.out)  # a results.json that cannot be read is said now, not after the work
    with Terminal() as progress:
        experiment = resolve(plan, progress)
        pool = sweep.DaskWorkers(dask) if dask else sweep.JoblibWorkers(workers)
        part = accuracy.run_many(experiment, progress, pool)
    return finish(plan.out, {"accuracy": part}, partial(accuracy_terminal.render, part))


def _error_rates(n_trials: int, margin: float, seed: int, out: str, command: str) -> int:
    from dataclasses import replace

    from backproof.comparisons.accuracy import error_rates
    from backproof.comparisons.accuracy import terminal as accuracy_terminal

    found = error_rates.run(n_trials, margin, seed)
    show = partial(accuracy_terminal.render_error_rates, found)
    return finish(out, {"error_rates": replace(found, command=command)}, show)
