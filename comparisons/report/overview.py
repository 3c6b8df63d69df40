"""`render`: the results in a terminal: the sentence, what went wrong, three answers, a table per part.

Made for 80 columns and wider: tables have few, narrow columns; words wrap, numbers and verdicts never do.
"""

from collections.abc import Iterable, Iterator, Sequence
from math import isfinite

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, JustifyMethod, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from backproof.comparisons.accuracy.result import AccuracyResult, AgainstScratch, ContenderRuns
from backproof.comparisons.drawing import formats
from backproof.comparisons.drawing.formats import mean
from backproof.comparisons.drawing.terminal import heading, verdict_text
from backproof.comparisons.gradients.result import Check, Gradients, NotCompared
from backproof.comparisons.gradients.words import compared, ordered, share
from backproof.comparisons.report.answer import Tile, answer
from backproof.comparisons.report.document import Results, outcome_of
from backproof.comparisons.report.protocol_chapter import commands
from backproof.comparisons.report.trouble import Trouble
from backproof.comparisons.results import cells
from backproof.comparisons.results.cells import Absent, Failed
from backproof.comparisons.speed import kinds, ratios
from backproof.comparisons.speed.result import CaseResult, SpeedResult
from backproof.comparisons.verdicts.outcome import Outcome

SHOWN = 5  # gradient checks in the table, more where some did not pass:
SHOWN_TROUBLED = 10  # the page lists them all
NAME_WIDTH = 34  # of a name beside two columns of figures; longer ones end in an ellipsis
NARROW = 12  # of a name beside five

Row = Sequence[str | Text]


def render(results: Results, console: Console) -> None:
    """Print the report. Colours only where the console shows them; every verdict is a word."""
    said = answer(results)
    console.print()
    console.print(Text(said.sentence, style="bold"))
    if said.context:
        console.print(Text(said.context, style="dim"))
    if said.banner:
        console.print(Text(f"NOT MNIST. {said.banner}", style="bold yellow"))
    for trouble in said.troubles:
        console.print(_trouble(trouble))
    console.print()
    console.print(_answers(said.tiles))
    if said.missing:
        console.print(Text(said.missing, style="bold yellow"))
    for part in (_gradients(results.gradients), _accuracy(results.accuracy), _speed(results.speed)):
        for piece in part:
            console.print(piece)
    console.print(_further(results), end="")


def _trouble(trouble: Trouble) -> RenderableType:
    """The title, a line of facts, what is known of it, and the command that shows it again."""
    title = Text("\n").append_text(verdict_text(Outcome.FAIL)).append(f" {trouble.title}", "bold")
    lines = [Text(", ".join(f"{name} {value}" for name, value in trouble.facts))]
    lines += [Text(trouble.explanation)] if trouble.explanation else []
    lines.append(Text(f"{trouble.advice}: ").append(trouble.command, "bold"))
    return Group(title, Padding(Group(*lines), (0, 0, 0, 2)))


def _answers(tiles: Iterable[Tile]) -> Table:
    """The three questions: each with its answer, its verdict, and below what that rests on."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for tile in tiles:
        text = Text(tile.value, "bold")
        if tile.verdict:
            text.append("  ").append_text(verdict_text(tile.verdict))
        table.add_row(tile.question, text)
        table.add_row("", Text(tile.detail))
    return table


def _table(
    columns: Sequence[str], rows: Iterable[Row], fixed: Sequence[int] = (), numbers: Sequence[int] = ()
) -> Table:
    """`fixed` columns do not wrap; `numbers` neither, and align right. Everything else wraps at words."""
    table = Table(box=SIMPLE_HEAD, show_header=any(columns), show_edge=False, padding=(0, 1), pad_edge=False)
    for i, title in enumerate(columns):
        align: JustifyMethod = "right" if i in numbers else "left"
        table.add_column(Text(title), justify=align, no_wrap=i in numbers or i in fixed, overflow="fold")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    return table


def _notes(found: Iterable[tuple[str, str]]) -> list[Text]:
    """Why something has no figures: a line each, below the table, whose columns are too narrow for it."""
    return [Text(f"{name}: {why}", "dim") for name, why in dict(found).items()]


def _name(text: str, width: int = NAME_WIDTH) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


# --- one function per part ---------------------------------------------------------------------------------


def _gradients(part: Gradients | None) -> list[RenderableType]:
    if part is None or not part.checks:
        return []
    checks = ordered(part.compared)
    troubled = [check for check in checks if check.verdict != Outcome.PASS]
    shown = checks[: max(SHOWN, min(len(troubled), SHOWN_TROUBLED))]
    title = f"Gradients: {len(checks)} check{'s' * (len(checks) != 1)}"
    if len(shown) < len(checks):
        title += f", {len(troubled)} not passed" if troubled else ""
        title += f"; the {len(shown)} {'worst' if troubled else 'closest to their bound'}"
    columns = ("Verdict", "Compared", "Error", "Bound", "Of bound", "Worst entry")
    table = _table(columns, map(_check_row, shown), fixed=(0,), numbers=(2, 3, 4))
    return [heading(title), table, *_notes(_absent_checks(part.absent))]


def _absent_checks(absent: list[NotCompared]) -> list[tuple[str, str]]:
    """One line per reason: a contender without a gradient has none in every check."""
    groups: dict[tuple[str, str], list[NotCompared]] = {}
    for check in absent:
        groups.setdefault((compared(check), f"not offered: {check.not_offered}"), []).append(check)
    return [
        (_subject(group[0]) if len(group) == 1 else f"{who}, {len(group)} checks", why)
        for (who, why), group in groups.items()
    ]


def _subject(check: Check | NotCompared) -> str:
    return f"{compared(check)}: {check.architecture}"


def _check_row(check: Check) -> Row:
    who = _subject(check) + (f"; {check.reason}" if check.reason else "")
    numbers = (_short(check.max_error), _short(check.bound), share(check.used))
    return (verdict_text(check.verdict), who, *numbers, check.worst or formats.ABSENT)


def _short(value: float) -> str:
    """1.2e-12: what every terminal font can show in a narrow column."""
    return formats.ABSENT if not isfinite(value) else f"{value:.1e}" if value else "0"


def _accuracy(found: AccuracyResult | None) -> list[RenderableType]:
    if found is None or not found.contenders:
        return []
    seeds = len(found.seeds)
    title = f"Accuracy: {formats.dataset(found.dataset)}, {seeds} seed{'s' * (seeds != 1)}"
    rows = [_accuracy_row(name, runs, found.compared.get(name)) for name, runs in found.trained.items()]
    columns = ("Contender", "Accuracy", "Difference", "90% interval", "Margin", "Verdict")
    notes = _notes(_why_not(found))
    return [heading(title), _table(columns, rows, fixed=(0, 5), numbers=(1, 2, 3, 4)), *notes]


def _why_not(found: AccuracyResult) -> Iterator[tuple[str, str]]:
    """(contender, reason) of what has no figures, or figures that do not decide."""
    for name, runs in found.contenders.items():
        cell = runs if isinstance(runs, Absent | Failed) else found.against_scratch.get(name)
        if isinstance(cell, Absent | Failed):
            yield formats.label(name), cells.reason(cell)
        elif cell is not None and cell.reason:
            yield formats.label(name), cell.reason


def _accuracy_row(name: str, runs: ContenderRuns, against: AgainstScratch | None) -> Row:
    row = (_name(formats.label(name), NARROW), formats.percent(mean(runs.test_accuracy)))
    if against is None:
        return (*row, "", "", "", "")
    difference, margin = formats.points(against.difference_points), f"±{against.margin_points:g}"
    return (*row, difference, formats.interval(against.ci90), margin, verdict_text(against.verdict))


def _speed(part: SpeedResult | None) -> list[RenderableType]:
    """Below each case one row per contender: so any number of contenders fits into 80 columns."""
    if part is None:
        return []
    rows = [row for case in part.cases for row in _case_rows(part, case)]
    if len(part.cases) > 1:
        rows += _mean_rows(part)
    table = _table(("Case", "Ratio", "95% interval", ""), rows, fixed=(0,), numbers=(1, 2))
    absent = [
        (f"{formats.label(name)}, {ratios.case_name(part, case)}", cells.reason(entry))
        for case in part.cases
        for name, entry in case.ratios.items()
        if not cells.offered(entry)
    ]
    where = [Text(f"On {kinds.words(part.kind)}", "dim")] if part.kind is not None else []
    also = [Text(f"Also measured, in the report: {kinds.words(one.kind)}", "dim") for one in part.others]
    said = heading("Speed: time of each / time of scratch, in the same rounds")
    return [said, *where, table, *_notes(absent), *also]


def _case_rows(part: SpeedResult, case: CaseResult) -> list[Row]:
    rows: list[Row] = [(_name(ratios.case_name(part, case)), "", "", "")]
    for name in ratios.names(part):
        if found := ratios.comparison(case, name):
            ratio, ends = formats.times(found.ratio.median), ratios.ends(found.ratio)
            rows.append((f"  {_name(formats.label(name))}", ratio, ends, ratios.words(found.finding)))
    if case.gemm_floor:
        floor = ("  bare products", formats.times(1 / case.gemm_floor.median), "", "the floor")
        rows.append([Text(cell, "dim") for cell in floor])
    return rows


def _mean_rows(part: SpeedResult) -> list[Row]:
    rows: list[Row] = []
    for one in ratios.each(part):
        means = ratios.geometric_means(one)
        said = f", {ratios.threads(one.means[0].threads)}" if len(part.means) > 1 else ""
        rows += [(f"Geometric mean of the cases{said}", "", "", "")] if means else []
        for name, middle in means.items():
            ratio = Text(formats.times(middle.median), "bold")
            rows.append((f"  {_name(formats.label(name))}", ratio, ratios.ends(middle), ""))
    return rows


def _further(results: Results) -> Text:
    """The verdicts of what other commands added, and how the figures were made."""
    text = Text()
    for title, verdict in _added(results):
        text.append(f"\n{title}: ").append_text(verdict_text(verdict))
    if results.lessons is not None:
        holds = [claim.holds for lesson in results.lessons for claim in lesson.claims]
        text.append(f"\nLessons: {sum(holds)} of {len(holds)} claims hold")
    for names, line, _ in commands(results):
        text.append(f"\nMade by: {line}  ({names})", "dim")
    return text.append("\n") if text else text


def _added(results: Results) -> Iterator[tuple[str, str]]:
    """(title, outcome) of what other commands than the main job have found."""
    for slot, title in _ADDED.items():
        part = getattr(results, slot)
        if part is not None and (outcome := outcome_of(part)) is not None:
            yield title, outcome


_ADDED = {
    "campaign": "Gradients, campaign",
    "sensitivity": "Gradients, sensitivity",
    "zoo": "Gradients, zoo",
    "error_rates": "Accuracy, error rates",
    "record": "Accuracy, record",
    "race": "Speed, race",
    "numerical": "Numerical training",
    "check": "Classes checked",
}
