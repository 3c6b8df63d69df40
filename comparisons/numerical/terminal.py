"""The numerical part in a terminal: every way to one gradient, the trainings, the ladder."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from backproof.comparisons.drawing import formats
from backproof.comparisons.drawing.terminal import verdict_text
from backproof.comparisons.numerical.result import (
    DIFFERENCES,
    FORWARD,
    ForwardTraining,
    Ladder,
    NumericalResult,
    OneGradient,
    TwinResult,
)

SHORT_TITLES = {
    "naive": "loop",
    "structured": "structured",
    "unitwise": "per unit",
    "forward": "forward",
    "backprop": "backprop",
}


def render(part: NumericalResult, console: Console) -> None:
    """Print what `numerical.part.run` returned."""
    found = part.gradient
    console.print(
        f"\n{formats.dataset(found.dataset)}, {formats.layers(found.layer_sizes)}, "
        f"{formats.count(found.n_parameters)} parameters, {found.batch_size} examples, float64, "
        "one thread\n"
    )
    console.print(_gradients(found))
    if found.naive_entries < found.n_parameters:
        console.print(f"The loop was timed on {formats.count(found.naive_entries)} entries and scaled.")
    console.print(f"Same quotients, structured and textbook: {found.same.reason}")
    if part.training:
        _render_training(part.training, console)
    if part.forward:
        _render_forward(part.forward, console)
    if part.ladder:
        console.print(_ladder(part.ladder))
        console.print(f"The loop was timed on {part.ladder.sampled_entries} entries each and scaled.")
    console.print("\nVerdict: ", verdict_text(part.verdict), sep="")


def _table(*columns: str) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for k, column in enumerate(columns):
        table.add_column(column, justify="right" if k else "left")
    return table


def _gradients(found: OneGradient) -> Table:
    table = _table("one gradient", "time", "than the loop", "off backprop")
    for rung, title in found.titles.items():
        times = (formats.seconds(found.seconds[rung]), formats.times(found.faster(rung)))
        table.add_row(title, *times, formats.scientific(found.from_backprop.get(rung)))
    return table


def _render_training(training: TwinResult, console: Console) -> None:
    last = training.evaluations[-1] if training.evaluations else None
    console.print(f"\nTraining, {training.steps} of {training.setting.n_steps} steps:")
    table = _table("", "test accuracy", "time in gradients")
    if last is not None:
        for title, accuracy, seconds in (
            (DIFFERENCES[training.setting.differences], last.numerical, training.seconds),
            ("backpropagation", last.backprop, training.backprop_seconds),
        ):
            table.add_row(title, formats.percent(accuracy), formats.seconds(seconds))
    console.print(table)
    console.print(
        f"Their weights are {formats.scientific(training.distance)} apart, by the bound at most "
        f"{formats.scientific(training.bound)}; each went {formats.scientific(training.travelled)}.\n"
        f"{training.reason.capitalize()}."
    )


def _render_forward(trained: Sequence[ForwardTraining], console: Console) -> None:
    console.print(f"\nBy forward gradients, {trained[0].n_steps} steps on the same batches:")
    table = _table("one random direction of", "test accuracy", "time in gradients", "first rate")
    for training in trained:
        last = training.last
        cells = (formats.percent(last.accuracy), formats.seconds(last.seconds), f"{training.learning_rate:g}")
        table.add_row(FORWARD[training.perturbed], *cells)
    console.print(table)


def _ladder(ladder: Ladder) -> Table:
    rungs = [rung.key for rung in ladder.rungs]
    table = _table("layers", *(SHORT_TITLES[rung] for rung in rungs))
    for row in [*ladder.width, *ladder.depth[1:]]:
        cells = (formats.seconds(row.seconds[rung]) for rung in rungs)
        table.add_row(formats.layers(row.layer_sizes), *cells)
    table.add_row("slope", *(f"{ladder.slopes[rung]:.2f}" for rung in rungs))
    return table
