"""`backproof speed` in a terminal: per thread count a table of ratios, made for 80 columns."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from backproof.comparisons.drawing import formats
from backproof.comparisons.drawing.terminal import heading, verdict_text
from backproof.comparisons.results.parts import Part
from backproof.comparisons.speed import ratios


def render(part: Part, console: Console) -> None:
    """Print the speed part of the results."""
    console.print(heading("Speed: time of each / time of scratch, in the same rounds"))
    for number, label in enumerate(_labels(part), start=1):
        console.print(f"  ({number}) {label}", markup=False)
    for threads in part["settings"]["threads"]:
        cases = [case for case in part["cases"] if case["threads"] == threads]
        means = next(m for m in part["geometric_means"] if m["threads"] == threads)
        console.print(Text(f"\n{threads} thread{'s' * (threads != 1)}"))
        console.print(_table(part, cases, means))
    for line in _absent(part):
        console.print(Text(line, "dim"))
    console.print(_words(part))
    console.print(verdict_text(part["verdict"]))


def _table(part: Part, cases: list[Part], means: Part) -> Table:
    """One row per contender, one column per case, by its number: five of them fit into 80 columns."""
    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1), pad_edge=False)
    table.add_column("", no_wrap=True)
    for number in range(1, len(cases) + 1):
        table.add_column(f"({number})", justify="right", no_wrap=True)
    if len(cases) > 1:
        table.add_column("mean", justify="right", no_wrap=True)
    for name in ratios.names(part, everyone=True):
        cells = [_cell(part, case, name) for case in cases]
        mean = ratios.interval(means.get(name))
        table.add_row(name, *cells, *([_bold(mean)] if len(cases) > 1 else []))
    table.add_section()
    for title, key in (("noise floor", "noise"), ("scratch / products", "gemm_floor")):
        cells = [Text(_floor(case, key), "dim") for case in cases]
        table.add_row(Text(title, "dim"), *cells, *([""] if len(cases) > 1 else []))
    return table


def _labels(part: Part) -> list[str]:
    """The cases in words, once for all thread counts."""
    return list(dict.fromkeys(case["label"] for case in part["cases"]))


def _cell(part: Part, case: Part, name: str) -> Text:
    found = ratios.ratio(case, name)
    if found is None:
        return Text(formats.ABSENT, "dim")
    return Text(formats.times(found.median), "dim" if ratios.inside_noise(part, case, name) else "")


def _bold(mean: ratios.Interval | None) -> Text:
    return Text(formats.times(mean.median) if mean else formats.ABSENT, "bold")


def _floor(case: Part, key: str) -> str:
    entry = case.get(key)
    if not entry:
        return formats.ABSENT
    if key == "noise":
        reach = 100 * (entry["floor"] - 1) if entry.get("floor") else None
        if reach is None:
            return formats.ABSENT
        return f"±{reach:.1f} %" if reach < 100 else "> 100 %"
    return formats.times(entry["median"])


def _absent(part: Part) -> list[str]:
    """Why a cell has no figure, once per contender and reason."""
    lines = {
        f"{name}: {ratios.reason(entry)}"
        for case in part["cases"]
        for name, entry in case["ratios"].items()
        if not ratios.offered(entry)
    }
    return sorted(lines)


def _words(part: Part) -> str:
    settings = part["settings"]
    over = f"{settings['launches']} launches" if part["unit"] == "launch" else "those of the only launch"
    text = (
        f"Above 1 scratch is faster; mean is geometric. Medians over rounds ({settings['rounds']} per "
        f"launch), intervals over {over}; dim: inside the noise floor, no difference seen."
    )
    variables = part.get("kernels", {}).get("variables") or {}
    if variables:
        said = ", ".join(f"{name}={value}" for name, value in variables.items())
        left = "left out" if part["kernels"]["chosen_by"] == "each library" else "kept"
        text += f"\nKernels were chosen by {part['kernels']['chosen_by']} ({left}: {said})."
    return text
