"""The numerical part in a terminal: four ways to one gradient, the training, the ladder."""

from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from backproof.comparisons.drawing import formats
from backproof.comparisons.drawing.terminal import verdict_text
from backproof.comparisons.results.parts import Part

RUNG_TITLES = {
    "naive": "textbook loop",
    "structured": "structured differences",
    "unitwise": "differences per unit",
    "backprop": "backpropagation",
}
SHORT_TITLES = ("loop", "structured", "per unit", "backprop")


def render(part: Part, out: str, console: Console) -> None:
    """Print what `numerical.part.run` returned."""
    console.print(
        f"\n{formats.dataset(part['dataset'])}, {formats.layers(part['layer_sizes'])}, "
        f"{formats.count(part['n_parameters'])} parameters, {part['batch_size']} examples, float64, "
        "one thread\n"
    )
    console.print(_gradients(part))
    if part["naive_entries"] < part["n_parameters"]:
        console.print(f"The loop was timed on {formats.count(part['naive_entries'])} entries and scaled.")
    console.print(f"Same quotients, structured and textbook: {part['same']['reason']}")
    if part.get("training"):
        _render_training(part["training"], console)
    if part.get("ladder"):
        console.print(_ladder(part["ladder"]))
        console.print(f"The loop was timed on {part['ladder']['sampled_entries']} entries each and scaled.")
    console.print("\nVerdict: ", verdict_text(part["verdict"]), sep="")
    console.print(f"Report: {(Path(out) / 'report.html').resolve().as_uri()}", soft_wrap=True)


def _table(*columns: str) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for k, column in enumerate(columns):
        table.add_column(column, justify="right" if k else "left")
    return table


def _gradients(part: Part) -> Table:
    table = _table("one gradient", "time", "than the loop", "off backprop")
    off = {"naive": part["naive_from_backprop"], "structured": part["structured_from_backprop"]}
    for rung, title in RUNG_TITLES.items():
        seconds = part[f"{rung}_seconds"]
        faster = formats.times(part["naive_seconds"] / seconds)
        table.add_row(title, formats.seconds(seconds), faster, formats.scientific(off.get(rung)))
    return table


def _render_training(training: Part, console: Console) -> None:
    last = training["evaluations"][-1] if training["evaluations"] else None
    console.print(f"\nTraining, {training['steps']} of {training['n_steps']} steps:")
    table = _table("", "test accuracy", "time in gradients")
    if last is not None:
        for title, key, seconds in (
            ("central differences alone", "numerical", training["seconds"]),
            ("backpropagation", "backprop", training["backprop_seconds"]),
        ):
            table.add_row(title, formats.percent(last[key]), formats.seconds(seconds))
    console.print(table)
    console.print(
        f"Their weights are {formats.scientific(training['distance'])} apart, by the bound at most "
        f"{formats.scientific(training['bound'])}; each went {formats.scientific(training['travelled'])}.\n"
        f"{training['reason'].capitalize()}."
    )


def _ladder(ladder: Part) -> Table:
    table = _table("layers", *SHORT_TITLES)
    for row in [*ladder["width"], *ladder["depth"][1:]]:
        cells = (formats.seconds(row[rung]) for rung in RUNG_TITLES)
        table.add_row(formats.layers(row["layer_sizes"]), *cells)
    table.add_row("slope", *(f"{ladder['slopes'][rung]:.2f}" for rung in RUNG_TITLES))
    return table
