"""The record in a terminal: per board, where the run stands among the published results."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from backproof.comparisons.drawing import formats
from backproof.comparisons.drawing.terminal import verdict_text
from backproof.comparisons.record.result import BoardResult, Candidate, RecordResult


def render(found: RecordResult, console: Console) -> None:
    """Print one ranking per board, the run's own line in it."""
    for board, entry in found.boards.items():
        table = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1), pad_edge=False)
        table.add_column(board)
        table.add_column("source")
        table.add_column("test error", justify="right", no_wrap=True)
        for what, source, error, ours in ranking(entry):
            style = "bold" if ours else ""
            table.add_row(Text(what, style), Text(source, style), Text(f"{error:.2f}%", style))
        console.print()
        console.print(table)
        console.print(_summary(entry), verdict_text(entry.verdict))


def _summary(entry: BoardResult) -> str:
    test, goal = entry.test, entry.goal
    alone = ", ".join(formats.percent(value) for value in test.members)
    first = f"{formats.percent(test.accuracy)} of {formats.count(test.images)} test images"
    if len(entry.accuracies) > 1:
        first = f"{over_seeds(entry)}; the first seed {first}"
    kept_apart = (
        f"; validation {formats.percent(entry.validation_accuracy)}" if entry.validation_images else ""
    )
    return (
        f"{first} (each network alone: {alone}){kept_apart}; "
        f"{formats.seconds(entry.training_seconds)} of training; goal "
        f"{formats.percent(goal.accuracy)} in {goal.minutes:g} minutes:"
    )


def over_seeds(entry: BoardResult) -> str:
    """``Mean of 5 seeds 98.95% ±0.04 (98.90% to 99.01%)``."""
    found = entry.accuracies
    return (
        f"Mean of {len(found)} seeds {formats.percent(entry.mean)} ±{100 * entry.deviation:.2f} "
        f"({formats.percent(min(found))} to {formats.percent(max(found))})"
    )


def ranking(entry: BoardResult) -> list[tuple[str, str, float, bool]]:
    """(what, source, test error in percent, whether it is this run), largest error first."""
    rows = [(row.what, row.source, row.error_percent, False) for row in entry.published]
    networks, sizes = len(entry.test.members), formats.layers(entry.layer_sizes)
    what = f"{sizes}, mean of {networks} networks" if networks > 1 else sizes
    seeds = len(entry.accuracies)
    source = "scratch, this run" if seeds == 1 else f"scratch, mean of {seeds} seeds"
    rows.append((what, source, 100 * (1 - entry.mean), True))
    return sorted(rows, key=lambda row: -row[2])


def render_choice(board: str, rows: Sequence[Candidate], console: Console) -> None:
    """Print the candidates of a board, best on the validation split first."""
    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1), pad_edge=False)
    for column in (board, "epochs", "validation accuracy"):
        table.add_column(column, justify="left" if column == board else "right")
    for row in rows:
        accuracy = formats.percent(row.validation_accuracy)
        table.add_row(Text(row.name), f"{row.epochs:.1f}", accuracy)
    console.print()
    console.print(table)
