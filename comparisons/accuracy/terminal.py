"""The accuracy comparison in a terminal: one table of levels, one of error rates."""

from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from backproof.comparisons.drawing import formats
from backproof.comparisons.drawing.terminal import verdict_text
from backproof.comparisons.results.parts import Part
from backproof.comparisons.speed.ratios import offered, reason


def render(part: Part, console: Console) -> None:
    """Print the four levels of every contender, and what the margin and the resolution are."""
    seeds, epochs = len(part["seeds"]), part["setting"]["epochs"]
    console.print(
        f"\n{formats.dataset(part['dataset'])}, {seeds} seed{'s' * (seeds != 1)}, {epochs} epochs each; "
        f"margin ±{part['margin_points']:g} points\n(one test image counts {part['resolution_points']:.2f})\n"
    )
    table = _table("", "accuracy", "minus scratch, points", "90 % interval", "verdict")
    for name, entry in part["contenders"].items():
        table.add_row(formats.label(name), *_cells(entry, part["against_scratch"].get(name)))
    console.print(table)
    levels = _table("", "equal starts", "one float64 step", "one float64 epoch", "of control")
    for name, entry in part["against_scratch"].items():
        if offered(entry):
            levels.add_row(formats.label(name), *_levels(entry))
    console.print()
    console.print(levels)
    for name, entry in part["contenders"].items():
        if not offered(entry):
            console.print(Text(f"{formats.label(name)}: {reason(entry)}", "dim"))
    if not part["timed"]:
        console.print("Nothing was timed: runs went side by side.")


def _cells(entry: Part, compared: Part | None) -> list[Any]:
    if not offered(entry):
        return [formats.ABSENT] * 4
    accuracies = entry["test_accuracy"]
    mean = formats.percent(sum(accuracies) / len(accuracies))
    if compared is None or not offered(compared):
        return [mean, *[formats.ABSENT] * 3]
    ends = compared["ci90"]
    return [
        mean,
        formats.points(compared["difference_points"], 3),
        f"{formats.points(ends[0], 3)} to {formats.points(ends[1], 3)}" if ends else formats.ABSENT,
        Text(compared["outcome"], verdict_text(compared["verdict"]).style),
    ]


def _levels(compared: Part) -> list[Any]:
    found = [_level(compared.get(level)) for level in ("hashes", "one_step", "trajectory")]
    ratio = (compared.get("trajectory") or {}).get("ratio")
    return [*found, formats.times(ratio)]


def _level(found: Part | None) -> Text:
    return Text(formats.ABSENT) if found is None else verdict_text(found["verdict"])


def render_error_rates(found: Part, console: Console) -> None:
    """Print the share of each outcome per simulated case; the wrong ones are marked."""
    margin, trials = found["margin_points"], formats.count(found["n_trials"])
    console.print(
        f"\n{trials} simulated studies per case, margin ±{margin:g} points; a share marked * is of wrong "
        f"verdicts: nominally at most {formats.percent(found['nominal'], 0)}\n"
    )
    table = _table("truth", "sd", "seeds", "drawn", "equivalent", "different", "undecided", "holds")
    for case in found["cases"]:
        shares = [
            formats.percent(share) + (" *" if name in case["wrong"] else "  ")
            for name, share in case["shares"].items()
        ]
        table.add_row(
            f"{case['true_difference']:.2f}",
            f"{case['deviation']:.2f}",
            str(case["n_seeds"]),
            "normal" if case["images"] is None else "images",
            *shares,
            "yes" if case["holds"] else "NO",
        )
    console.print(table)
    console.print(verdict_text(found["verdict"]))


def _table(*columns: str) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1), pad_edge=False)
    for column in columns:
        table.add_column(column, no_wrap=True, justify="left")
    return table
