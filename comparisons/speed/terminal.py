"""`backproof speed` in a terminal: per thread count a table of ratios, made for 80 columns."""

import math

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from backproof.comparisons.drawing import formats
from backproof.comparisons.drawing.terminal import heading
from backproof.comparisons.results.cells import offered, reason
from backproof.comparisons.speed import kinds, ratios
from backproof.comparisons.speed.result import CaseResult, Estimate, MeanRatios, NoiseFloor, SpeedResult


def render(part: SpeedResult, console: Console) -> None:
    """Print the speed part of the results, kind of processor by kind."""
    console.print(heading("Speed: time of each / time of scratch, in the same rounds"))
    for number, one in enumerate(kinds.each(part)):
        if number:
            console.print()
        _render_kind(one, console)


def _render_kind(part: SpeedResult, console: Console) -> None:
    if part.kind is not None or part.others:
        console.print(Text(f"On {kinds.words(part.kind)}", "bold" if part.others else ""))
    for number, label in enumerate(_labels(part), start=1):
        console.print(f"  ({number}) {label}", markup=False)
    for means in part.means:
        cases = [case for case in part.cases if case.threads == means.threads]
        console.print(Text(f"\n{ratios.threads(means.threads)}"))
        console.print(_table(part, cases, means))
    for line in _absent(part):
        console.print(Text(line, "dim"))
    console.print(_words(part))
    console.print(Text(_finding(part), "bold"))


def _table(part: SpeedResult, cases: list[CaseResult], means: MeanRatios) -> Table:
    """One row per contender, one column per case, by its number: five of them fit into 80 columns."""
    several = len(cases) > 1
    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1), pad_edge=False)
    table.add_column("", no_wrap=True)
    for number in range(1, len(cases) + 1):
        table.add_column(f"({number})", justify="right", no_wrap=True)
    if several:
        table.add_column("mean", justify="right", no_wrap=True)
    for name in ratios.names(part, everyone=True):
        mean = means.ratios.get(name)
        cells = [_cell(case, name) for case in cases]
        table.add_row(name, *cells, *([_times(mean.ratio if mean else None, "bold")] if several else []))
    table.add_section()
    floors = [Text(_reach(case.noise), "dim") for case in cases]
    products = [_times(case.gemm_floor, "dim") for case in cases]
    for title, cells in (("noise floor", floors), ("scratch / products", products)):
        table.add_row(Text(title, "dim"), *cells, *([""] if several else []))
    return table


def _labels(part: SpeedResult) -> list[str]:
    """The cases in words, once for all thread counts."""
    return list(dict.fromkeys(case.label for case in part.cases))


def _cell(case: CaseResult, name: str) -> Text:
    found = ratios.ratio(case, name)
    return _times(found, "dim" if found is None or ratios.inside_noise(case, name) else "")


def _times(found: Estimate | None, style: str) -> Text:
    return Text(formats.times(found.median) if found else formats.ABSENT, style)


def _reach(noise: NoiseFloor | None) -> str:
    if noise is None or not math.isfinite(noise.floor):
        return formats.ABSENT
    reach = 100 * (noise.floor - 1)
    return f"±{reach:.1f}%" if reach < 100 else "> 100%"


def _absent(part: SpeedResult) -> list[str]:
    """Why a cell has no figure, once per contender and reason."""
    lines = {
        f"{name}: {reason(cell)}"
        for case in part.cases
        for name, cell in case.ratios.items()
        if not offered(cell)
    }
    return sorted(lines)


def _words(part: SpeedResult) -> str:
    settings, kernels = part.settings, part.kernels
    over = f"{settings.launches} launches" if part.unit == "launch" else "those of the only launch"
    text = (
        f"Timed on {formats.listed(ratios.data_names(part))}. Above 1 scratch is faster; mean is geometric. "
        f"Medians over rounds ({settings.rounds} per launch), intervals over {over}; dim: inside the noise "
        "floor, no difference seen."
    )
    if part.interrupted:
        text += "\nStopped early: only launches that were finished are counted."
    if kernels.variables:
        said = ", ".join(f"{name}={value}" for name, value in kernels.variables.items())
        left = {"each library": "left out", "the environment": "kept", "this command": "set"}[
            kernels.chosen_by
        ]
        text += f"\nKernels were chosen by {kernels.chosen_by} ({left}: {said})."
    if others := kinds.not_held(kernels, part.reports):
        text += f"\nNot held: {formats.listed(others)}."
    return text


def _finding(part: SpeedResult) -> str:
    """What was found over all cases, with its interval for every number of threads."""
    if part.finding is None or part.against is None:
        return "No contender could be timed."
    found = [(mean.threads, mean.ratios.get(part.against)) for mean in part.means]
    intervals = [
        f"{ratios.said(mean.ratio)} with {ratios.threads(threads)}" for threads, mean in found if mean
    ]
    said = f"Beside {formats.label(part.against)}{kinds.where(part)}: {ratios.words(part.finding)}"
    return f"{said}; {formats.listed(intervals)}." if intervals else f"{said}."
