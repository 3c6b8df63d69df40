"""A lesson in the terminal: what it says, what it found, a small picture, what to try."""

import re

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.padding import Padding
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text as RichText

from backproof.comparisons.lessons import catalogue
from backproof.comparisons.lessons.course import CHAPTERS, LESSONS
from backproof.comparisons.lessons.mathml import to_text
from backproof.comparisons.lessons.result import ToldClaim, ToldFigure, ToldLesson, ToldTable
from backproof.comparisons.lessons.sketch import sketch, sparkline
from backproof.comparisons.verdicts.outcome import Outcome

_STYLES = {Outcome.PASS: "green", Outcome.FAIL: "red", Outcome.INCONCLUSIVE: "yellow"}


def say(key: str, language: str, **values: str) -> str:
    """A word of the frame."""
    return catalogue.filled(catalogue.text("frame", key), values)[language]


def plain(sentence: str) -> str:
    """A sentence without its marks: formulas in Unicode, code as it is."""
    return re.sub(r"\$([^$]+)\$", lambda match: to_text(match.group(1)), sentence).replace("`", "")


def listing(console: Console, language: str) -> None:
    """All lessons, chapter by chapter."""
    for i, chapter in enumerate(CHAPTERS, start=1):
        name = catalogue.text("frame", "chapters", chapter)[language]
        console.print(f"[bold]{i}  {escape(name)}[/bold]")
        for lesson in (lesson for lesson in LESSONS if lesson.chapter == chapter):
            title = catalogue.text(lesson.key, "title")[language]
            console.print(f"   [cyan]{lesson.name:<22}[/cyan] {escape(title)}")


def render(lesson: ToldLesson, console: Console, language: str, code: bool = False) -> None:
    """One lesson. Narrow terminals wrap; nothing is cut."""
    style = _STYLES[lesson.verdict]
    console.print()
    console.rule(f"[bold]{escape(lesson.title[language])}[/bold]", align="left")
    console.print(plain(lesson.intent[language]), markup=False)
    console.print()
    for formula in lesson.formulas:
        console.print(f"    {to_text(formula)}", markup=False, style="cyan")
    console.print()
    if lesson.figures:
        _picture(lesson.figures[0], console, language)
    for table in lesson.tables:
        _table(table, console, language)
    _claims(lesson, console, language)
    if code:
        for part in lesson.code:
            console.print(part.where, style="dim", markup=False)
            console.print(Syntax(part.text, "python", background_color="default", word_wrap=True))
    for hint in lesson.hints:
        console.print(f"{say('try', language)}: {hint.command}", markup=False, style="bold")
        console.print(Padding(RichText(plain(hint.says[language])), (0, 0, 0, 4)))
    words = say(f"verdict_{lesson.verdict}", language)
    console.print(f"[{style}]{lesson.verdict}[/{style}]: {words}; "
                  f"{say('seconds', language, seconds=str(round(lesson.seconds, 1)))}")  # fmt: skip


def _picture(figure: ToldFigure, console: Console, language: str) -> None:
    for line in sketch(figure.data, figure.layout, width=max(20, min(64, console.width - 14))):
        console.print(line, markup=False, highlight=False, no_wrap=True)
    console.print(Padding(RichText(plain(figure.caption[language]), style="italic"), (0, 0, 1, 0)))


def _table(table: ToldTable, console: Console, language: str) -> None:
    drawn = Table(title=plain(table.caption[language]), title_justify="left", title_style="italic")
    for cell in table.header:
        drawn.add_column(RichText(cell[language]), overflow="fold")
    for row in table.rows:
        drawn.add_row(*(RichText(cell[language]) for cell in row))
    console.print(drawn)


def _claims(lesson: ToldLesson, console: Console, language: str) -> None:
    for claim in lesson.claims:
        _one(claim, console, language, claim.holds)
    for correction in lesson.corrections:
        source = correction.source
        who = say("belief", language) if source == "belief" else say("text_says", language, source=source)
        console.print()
        console.print(f"{who}: {plain(correction.says[language])}", markup=False, style="yellow")
        _one(correction.as_written, console, language, not correction.as_written.holds, refuted=True)
        _one(correction.right, console, language, correction.right.holds)
    for open_claim in lesson.unjudged:
        console.print(
            f"? {plain(open_claim[language])} ({say('unjudged', language)})", markup=False, style="yellow"
        )
    console.print()


def _one(claim: ToldClaim, console: Console, language: str, good: bool, refuted: bool = False) -> None:
    """✓ or ✗: what is claimed; and below: expected, found. A refuted sentence is good when it fails."""
    mark = "✗" if refuted or not good else "✓"
    text = plain(claim.says[language])
    figures = f"{say('expected', language)} {claim.expected}, {say('found', language)} {claim.found}"
    if refuted and good:
        figures += f": {say('fails_as_shown', language)}"
    elif not good:
        figures += f": {say('fails', language)}" if not refuted else f": {say('holds', language)} !"
    style = "yellow" if refuted and good else "green" if good else "bold red"
    console.print(RichText.assemble((f"{mark} ", style), text))
    console.print(Padding(RichText(figures, style="dim" if good else "bold red"), (0, 0, 0, 4)))


class LiveCurves:
    """Curves of loss and accuracy that grow while a lesson trains; on stderr, gone when it is done."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, transient=True, refresh_per_second=8)
        self._curves: dict[str, list[tuple[int, float, float | None]]] = {}

    def __enter__(self) -> "LiveCurves":
        self._live.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._live.stop()

    def watch(self, contender: str, step: int, loss: float, accuracy: float | None) -> None:
        """A point of a contender's curve."""
        self._curves.setdefault(contender, []).append((step, loss, accuracy))
        self._live.update(Group(*(self._line(name) for name in self._curves)))

    def _line(self, name: str) -> RichText:
        points = self._curves[name]
        step, loss, accuracy = points[-1]
        parts = [f"{name:<18} {step:>6}"]
        if loss == loss:  # an epoch may come without its loss
            parts.append(f" loss {loss:8.4f} {sparkline([point[1] for point in points], 24)}")
        if accuracy is not None:
            parts.append(
                f" acc {100 * accuracy:6.2f} % {sparkline([p[2] for p in points if p[2] is not None], 24)}"
            )
        return RichText("".join(parts), no_wrap=True, overflow="crop")
