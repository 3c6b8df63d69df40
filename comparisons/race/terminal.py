"""The race in a terminal: per target a line for everybody who ran, and what the ratio to scratch says."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from backproof.comparisons.contenders.known import SCRATCH
from backproof.comparisons.drawing import formats
from backproof.comparisons.drawing.terminal import verdict_text
from backproof.comparisons.race.recipes import Target
from backproof.comparisons.race.result import Candidate, RaceResult, Runner, TargetResult
from backproof.comparisons.results import cells
from backproof.comparisons.speed import kinds
from backproof.comparisons.speed.ratios import ends


def render(found: RaceResult, console: Console) -> None:
    """Print a table per target."""
    for result in found.targets.values():
        console.print()
        console.print(_table(result))
        console.print(goal(result), verdict_text(result.verdict))
        if result.kind is not None:
            console.print(Text(f"On {kinds.words(result.kind)}", "dim"))
        for name, cell in result.runners.items():
            if not cells.offered(cell):
                console.print(Text(f"{formats.label(name)}: {cells.reason(cell)}", "dim"))


def title(target: Target) -> str:
    """``99% with distortions``."""
    return f"{target.name}%{' with distortions' if target.recipe.distortion else ''}"


def _table(result: TargetResult) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1), pad_edge=False)
    table.add_column(title(result.target))
    for column in ("median", "least to most", "accuracy", "time / scratch"):
        table.add_column(column, justify="right")
    for name, runner in result.finished.items():
        median, least, most = runner.seconds
        ratio = result.ratios.get(name)
        table.add_row(
            Text(formats.label(name)),
            formats.seconds(median),
            f"{formats.seconds(least)} to {formats.seconds(most)}",
            accuracy(runner),
            "" if ratio is None else f"{formats.times(ratio.ratio.median)} {ends(ratio.ratio)}",
        )
    return table


def accuracy(runner: Runner) -> str:
    """The mean of the final accuracies, and their standard deviation where there is one."""
    text = formats.percent(runner.mean_accuracy)
    return text if len(runner.runs) < 2 else f"{text} ±{100 * runner.deviation:.2f}"


def goal(result: TargetResult) -> str:
    """What scratch reached, in how many seconds, beside what was meant."""
    target, scratch = result.target, result.finished.get(SCRATCH)
    if scratch is None:
        return f"Mean accuracy of {target.name}%:"
    median, *_ = scratch.seconds
    return (
        f"Mean of {formats.counted(len(scratch.runs), 'run')}: {accuracy(scratch)} in "
        f"{formats.seconds(median)}, {formats.counted(result.threads, 'thread')}; goal "
        f"{formats.percent(target.accuracy, 1)} in {target.seconds:g} s:"
    )


def render_choice(target: Target, rows: Sequence[Candidate], console: Console) -> None:
    """Print the candidates of a target, best on the held-out images first."""
    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1), pad_edge=False)
    table.add_column(title(target))
    for column in ("held-out accuracy", "seconds"):
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(Text(row.name), formats.percent(row.mean), f"{row.seconds:.3g}")
    console.print()
    console.print(table)
