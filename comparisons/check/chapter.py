"""A checked class on the page: its verdict, what may be wrong and where, the smallest case, every check."""

from collections.abc import Sequence

from markupsafe import Markup

from backproof.comparisons.check.results import Cause, CheckedClass, CheckPart, CheckRow
from backproof.comparisons.drawing import formats, markup
from backproof.comparisons.drawing.chapter import Section
from backproof.comparisons.verdicts.outcome import Outcome

CERTAINTIES = {
    "explains": "it predicts every answer seen, right and wrong",
    "fits": "it predicts every wrong answer of its kind",
    "describes": "a description of what was seen, no more",
}
COLUMNS = ("Check", "Verdict", "Question", "Seen", "Cases", "Undecided")


def build(part: CheckPart | None) -> Section | None:
    """None where no class was checked."""
    if part is None or not part.classes:
        return None
    one = len(part.classes) == 1
    pieces = [] if one else [_overview(part.classes)]
    pieces += [_named(checked) for checked in part.classes]
    title = f"Is {_short(part.classes[0])} right?" if one else "Are these classes right?"
    return Section("check", title, markup.join(pieces), part.verdict, nav="Checked classes")


def body(checked: CheckedClass) -> Markup:
    """All that was found about one class, to stand below a heading."""
    pieces = [_answer(checked), _causes(checked), _smallest(checked), _notes(checked), _rows(checked.checks)]
    return markup.join(pieces)


def _short(checked: CheckedClass) -> str:
    """The name alone; of a whole file the file's."""
    place, _, name = checked.target.rpartition(":")
    return name if place else checked.target


def _named(checked: CheckedClass) -> Markup:
    """Its whole name, since a page may have several, and its verdict."""
    return Markup("<h3>{} {}</h3>{}").format(checked.target, markup.badge(checked.outcome), body(checked))


def _overview(classes: Sequence[CheckedClass]) -> Markup:
    rows = [
        (c.target, markup.badge(c.outcome), c.causes[0].sentence if c.causes else formats.ABSENT)
        for c in classes
    ]
    return markup.table(("Class", "Verdict", "First diagnosis"), rows, "The classes checked", range(3))


def _answer(checked: CheckedClass) -> Markup:
    """One sentence with the counts, and the networks it was tried with."""
    verdicts = [row.verdict for row in checked.checks]
    counts = formats.listed([f"{verdicts.count(v)} {v}" for v in dict.fromkeys(sorted(verdicts, key=_rank))])
    seconds = formats.seconds(checked.seconds)
    tried = f" {checked.tried_with[:1].upper()}{checked.tried_with[1:]}." if checked.tried_with else ""
    said = f"Of {len(verdicts)} checks: {counts}; in {seconds}." if verdicts else "No check was run."
    return Markup("<p>{}{}</p>").format(said, tried)


def _causes(checked: CheckedClass) -> Markup:
    if not checked.causes:
        return Markup("")
    items = markup.join(map(_cause, checked.causes))
    return Markup("<h4>What may be wrong, best supported first</h4><ol>{}</ol>").format(items)


def _cause(cause: Cause) -> Markup:
    grounds = CERTAINTIES.get(cause.certainty, cause.certainty)
    line = Markup("")
    if cause.line is not None:
        line = Markup("<br>Probably line {} of {}: <code>{}</code>").format(
            cause.line.number, cause.line.file, cause.line.text
        )
    return Markup('<li><strong>{}</strong> <span class="note">({}: {})</span>{}</li>').format(
        cause.sentence, cause.certainty, grounds, line
    )


def _smallest(checked: CheckedClass) -> Markup:
    """The program; it is long where arrays are, so the page shows it on demand."""
    if not checked.code:
        return Markup("")
    return Markup(
        "<details open><summary>{}, as a program to paste and run</summary>"
        "<pre><code>{}</code></pre></details>"
    ).format(checked.code_shows, checked.code)


def _notes(checked: CheckedClass) -> Markup:
    told = [*checked.notes, *checked.advice]
    if not told:
        return Markup("")
    items = markup.join(Markup("<li>{}</li>").format(one) for one in told)
    return Markup("<h4>Noticed</h4><ul>{}</ul>").format(items)


def _rows(rows: Sequence[CheckRow]) -> Markup:
    """What failed first, then what is open, the others in their order."""
    ordered = sorted(rows, key=lambda row: _rank(row.verdict))
    cells = [(*_words(row), formats.count(row.cases), formats.count(row.undecided)) for row in ordered]
    return markup.table(COLUMNS, cells, "Every check and what was seen", range(4)) if cells else Markup("")


def _words(row: CheckRow) -> tuple[str, Markup, str, str]:
    return row.check, markup.badge(row.verdict), row.question, row.text


def _rank(verdict: str) -> int:
    """FAIL first; what has no outcome last."""
    return Outcome(verdict).rank if verdict in list(Outcome) else len(Outcome)
