"""The accuracy comparison in a terminal: one table of levels, one of error rates."""

from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from backproof.comparisons.accuracy.result import (
    AccuracyResult,
    AgainstScratch,
    ComparedTrajectories,
    ContenderRuns,
    ErrorRates,
    SimulatedCase,
)
from backproof.comparisons.drawing import formats
from backproof.comparisons.drawing.terminal import verdict_text
from backproof.comparisons.results.cells import Absent, Failed, reason


def render(found: AccuracyResult, console: Console) -> None:
    """Print the four levels of every contender, and what the margin and the resolution are."""
    seeds, epochs = len(found.seeds), found.setting.epochs
    console.print(
        f"\n{formats.dataset(found.dataset)}, {seeds} seed{'s' * (seeds != 1)}, {epochs} epochs each; "
        f"margin ±{found.margin_points:g} points\n(one test image counts {found.resolution_points:.2f})\n"
    )
    table = _table("", "accuracy", "minus scratch, points", "90% interval", "verdict")
    for name, cell in found.contenders.items():
        table.add_row(Text(formats.label(name)), *_cells(cell, found.against_scratch.get(name)))
    console.print(table)
    levels = _table("", "equal starts", "one float64 step", "one float64 epoch", "of control")
    for name, against in found.compared.items():
        levels.add_row(Text(formats.label(name)), *_levels(against))
    console.print()
    console.print(levels)
    for line in _notes(found):
        console.print(line)


def _notes(found: AccuracyResult) -> list[Text]:
    """What the tables have no room for."""
    absent = [(name, cell) for name, cell in found.contenders.items() if isinstance(cell, Absent | Failed)]
    lines = [f"{formats.label(name)}: {reason(cell)}" for name, cell in absent]
    lines += [f"{formats.label(name)}: {cell.reason}" for name, cell in found.compared.items() if cell.reason]
    lines += [] if found.timed else ["Nothing was timed: runs went side by side."]
    return [Text(line, "dim") for line in lines]


def _cells(
    cell: ContenderRuns | Absent | Failed, against: AgainstScratch | Absent | Failed | None
) -> list[Any]:
    if isinstance(cell, Absent | Failed):
        return [formats.ABSENT] * 4
    mean = formats.percent(sum(cell.test_accuracy) / len(cell.test_accuracy))
    if not isinstance(against, AgainstScratch):
        return [mean, *[formats.ABSENT] * 3]
    ends = against.ci90
    return [
        mean,
        formats.points(against.difference_points, 3),
        f"{formats.points(ends[0], 3)} to {formats.points(ends[1], 3)}" if ends else formats.ABSENT,
        Text(against.outcome, verdict_text(against.verdict).style),
    ]


def _levels(against: AgainstScratch) -> list[Any]:
    step, course = against.one_step, against.trajectory
    return [
        verdict_text(against.hashes.verdict),
        verdict_text(step.verdict) if step else Text(formats.ABSENT),
        *(
            (verdict_text(course.verdict), formats.times(course.ratio))
            if isinstance(course, ComparedTrajectories)
            else (Text(formats.ABSENT), formats.ABSENT)
        ),
    ]


def render_error_rates(found: ErrorRates, console: Console) -> None:
    """Print the share of each outcome per simulated case; the wrong ones are marked."""
    margin, trials = found.margin_points, formats.count(found.n_trials)
    console.print(
        f"\n{trials} simulated studies per case, margin ±{margin:g} points; a share marked * is of wrong "
        f"verdicts: nominally at most {formats.percent(found.nominal, 0)}\n"
    )
    table = _table("truth", "sd", "seeds", "drawn", "equivalent", "different", "undecided", "holds")
    for case in found.cases:
        table.add_row(*_simulated(case))
    console.print(table)
    console.print(verdict_text(found.verdict))


def _simulated(case: SimulatedCase) -> list[str]:
    shares = [
        formats.percent(share) + (" *" if name in case.wrong else "  ") for name, share in case.shares.items()
    ]
    return [
        f"{case.true_difference:.2f}",
        f"{case.deviation:.2f}",
        str(case.n_seeds),
        "normal" if case.images is None else "images",
        *shares,
        "yes" if case.holds else "NO",
    ]


def _table(*columns: str) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1), pad_edge=False)
    for column in columns:
        table.add_column(column, no_wrap=True, justify="left")
    return table
