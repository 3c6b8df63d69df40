"""The numerical part in a terminal: four ways to one gradient, the training, the ladder."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from backproof.comparisons.drawing import formats
from backproof.comparisons.drawing.terminal import verdict_text
from backproof.comparisons.numerical.result import TITLES, Ladder, NumericalResult, OneGradient, TwinResult

SHORT_TITLES = ("loop", "structured", "per unit", "backprop")


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
    off = {"naive": found.naive_from_backprop, "structured": found.structured_from_backprop}
    for rung, title in TITLES.items():
        times = (formats.seconds(found.seconds[rung]), formats.times(found.faster(rung)))
        table.add_row(title, *times, formats.scientific(off.get(rung)))
    return table


def _render_training(training: TwinResult, console: Console) -> None:
    last = training.evaluations[-1] if training.evaluations else None
    console.print(f"\nTraining, {training.steps} of {training.setting.n_steps} steps:")
    table = _table("", "test accuracy", "time in gradients")
    if last is not None:
        for title, accuracy, seconds in (
            ("central differences alone", last.numerical, training.seconds),
            ("backpropagation", last.backprop, training.backprop_seconds),
        ):
            table.add_row(title, formats.percent(accuracy), formats.seconds(seconds))
    console.print(table)
    console.print(
        f"Their weights are {formats.scientific(training.distance)} apart, by the bound at most "
        f"{formats.scientific(training.bound)}; each went {formats.scientific(training.travelled)}.\n"
        f"{training.reason.capitalize()}."
    )


def _ladder(ladder: Ladder) -> Table:
    table = _table("layers", *SHORT_TITLES)
    for row in [*ladder.width, *ladder.depth[1:]]:
        cells = (formats.seconds(row.seconds[rung]) for rung in TITLES)
        table.add_row(formats.layers(row.layer_sizes), *cells)
    table.add_row("slope", *(f"{ladder.slopes[rung]:.2f}" for rung in TITLES))
    return table
