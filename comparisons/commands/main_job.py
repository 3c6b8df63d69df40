"""`backproof`: the main job. Same maths? Same accuracy? How fast?"""

from typing import TYPE_CHECKING, Annotated

import typer

from backproof.comparisons.commands import options
from backproof.comparisons.commands.finish import begin, command_line, console, print_address
from backproof.comparisons.verdicts.outcome import Outcome, exit_code
from backproof.scratch.errors import InputError, expect_one_of

if TYPE_CHECKING:
    from backproof.comparisons.experiment import Plan
    from backproof.comparisons.report.document import Results
    from backproof.scratch.architecture import OptimizerSpec

SEEDS = (5, 3)


def register(app: typer.Typer) -> None:
    """Make the main job what happens when no sub-command is named."""
    app.callback(invoke_without_command=True)(main_job)


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(f"backproof {version('backproof')}")
        raise typer.Exit


def main_job(
    context: typer.Context,
    quick: Annotated[bool, typer.Option("--quick", help="A smaller run: about 40 seconds.")] = False,
    out: options.Out = options.OUT,
    data: options.Data = "auto",
    data_dir: options.DataDir = None,
    contender: options.Contenders = None,
    layers: options.Layers = None,
    dtype: Annotated[
        str, typer.Option(metavar="DTYPE", help="float32 or float64, for training.")
    ] = "float32",
    optimizer: options.Optimizer = "sgd",
    learning_rate: options.LearningRate = None,
    batch_size: options.BatchSize = 100,
    epochs: Annotated[int | None, options.count("Epochs per training run. [default: 8, quick 5]")] = None,
    seed: options.FirstSeed = 0,
    seeds: Annotated[int | None, options.count("How many seeds in a row. [default: 5, quick 3]")] = None,
    threads: Annotated[int, options.count("Threads per numerical library.")] = 1,
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version.")
    ] = False,
) -> int:
    """A network from scratch in NumPy beside the frameworks: same maths, same accuracy, how fast?

    Writes one report. Exit codes: 0 all PASS, 1 a FAIL, 2 usage or bad input, 3 INCONCLUSIVE.
    """
    if context.invoked_subcommand is not None:
        _refuse_options_before(context)
        return 0
    begin(threads)
    from backproof.comparisons.experiment import Plan

    plan = Plan(
        contenders=tuple(contender) if contender else ("torch",),
        data=data,
        data_dir=data_dir,
        layer_sizes=parse_layers(layers),
        dtype=dtype,
        seed=seed,
        n_seeds=SEEDS[quick] if seeds is None else seeds,
        epochs=epochs,
        batch_size=batch_size,
        optimizer=choose_optimizer(optimizer, learning_rate),
        threads=threads,
        quick=quick,
        out=out,
        command=command_line(),
    )
    return _run(plan)


def _run(plan: "Plan") -> int:
    from backproof.comparisons import main_job as runner
    from backproof.comparisons.running.progress import Terminal

    with Terminal() as progress:
        results = runner.run(plan, progress)
    return _show(results, plan.out, runner.outcomes(results))


def _show(results: "Results", out: str, outcomes: "list[Outcome]") -> int:
    from backproof.comparisons.report import overview

    overview.render(results, console())
    print_address(out)
    return exit_code(outcomes)


def parse_layers(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    try:
        return tuple(int(size) for size in text.split(","))
    except ValueError as error:
        raise InputError(f"layers: expected whole numbers as in 784,128,10; got {text!r}") from error


def choose_optimizer(name: str, learning_rate: float | None) -> "OptimizerSpec":
    from dataclasses import replace

    from backproof.comparisons.experiment import DEFAULT_OPTIMIZERS

    expect_one_of("optimizer", name, DEFAULT_OPTIMIZERS)
    spec = DEFAULT_OPTIMIZERS[name]
    return spec if learning_rate is None else replace(spec, learning_rate=learning_rate)


def _is_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _refuse_options_before(context: typer.Context) -> None:
    given = [name for name in context.params if _is_given(context, name)]
    if given:
        option = "--" + given[0].replace("_", "-")
        raise InputError(f"{option} belongs to the main job; put options of a command after its name")
