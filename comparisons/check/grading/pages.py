"""A page per hand-in and an index of them, on a screen or on paper: `backproof check --report DIR`.

Each page stands alone: no script, nothing from the network, fonts are the system's. It has the verdict, the
causes with the line of the class' own where one is known, the smallest case, and every check. Whatever comes
from a hand-in is escaped. Pages are in English or in Korean; what has no translation is marked as English.
"""

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from markupsafe import Markup

from backproof.comparisons.check.grading import korean
from backproof.comparisons.check.grading.rubric import Rubric
from backproof.comparisons.check.grading.table import HEADS, Row
from backproof.comparisons.check.results import CheckedClass, CheckRow, SourceLine
from backproof.comparisons.drawing import markup
from backproof.comparisons.results.files import prepare_folder, write_atomically
from backproof.comparisons.running.outside_text import cleaned, cleaned_lines
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.scratch.errors import InputError

PACKAGE = "backproof.comparisons.check.grading"
LANGUAGES = ("en", "ko")
INDEX = "index.html"
AROUND = 2  # lines before and after their own line
LONGEST_CODE = 20_000  # characters
NAME_LENGTH = 60  # characters of a page's name that are the hand-in's


class Pages:
    """The folder of pages, growing. Raises InputError for a folder or a language that cannot be."""

    def __init__(self, folder: str, language: str, rubric: Rubric) -> None:
        self.words, self.rubric = Words(language), rubric
        try:
            self.folder = prepare_folder(folder)
        except InputError as error:
            raise InputError(str(error).replace("out:", "report:", 1)) from error

    def has(self, hand_in: str) -> bool:
        """Whether a run before this one has written its page."""
        return (self.folder / file_name(hand_in)).is_file()

    def add(self, hand_in: str, checked: CheckedClass) -> None:
        """The page of this hand-in; it is on the disk when this returns."""
        write_atomically(self.folder / file_name(hand_in), page(checked, self.rubric, self.words))

    def finish(self, rows: Sequence[tuple[str, Row]]) -> None:
        """The index of these hand-ins, each with its row of the table."""
        pages = {hand_in: file_name(hand_in) if self.has(hand_in) else "" for hand_in, _ in rows}
        write_atomically(self.folder / INDEX, index(rows, pages, self.words))


def file_name(hand_in: str) -> str:
    """``my_mlp-MyMLP-3fa20c11.html``: readable, allowed on every system, of this hand-in alone."""
    place, _, name = hand_in.rpartition(":") if ":" in hand_in else (hand_in, "", "")
    readable = f"{Path(place).name.removesuffix('.py')}-{name}" if name else Path(place).stem
    kept = "".join(c if c.isalnum() or c in "_-" else "-" for c in readable)[:NAME_LENGTH]
    digest = hashlib.sha256(hand_in.encode(errors="surrogatepass")).hexdigest()[:8]
    return f"{kept}-{digest}.html"


class Words:
    """The words of a page in one language. Raises InputError for another one."""

    def __init__(self, language: str) -> None:
        if language not in LANGUAGES:
            raise InputError(f"language: expected one of {', '.join(LANGUAGES)}; got {language!r}")
        self.language = language

    def say(self, key: str, **values: object) -> str:
        """A text of the frame with its <names> filled in."""
        text = _frame()[key][self.language]
        for name, value in values.items():
            text = text.replace(f"<{name}>", str(value))
        return text

    def told(self, text: str, translated: str | None) -> dict[str, object]:
        """A finding: in this language where that can be, else marked as English."""
        if self.language == "en" or translated is None:
            return {"text": text, "lang": Markup("" if self.language == "en" else ' lang="en"')}
        return {"text": translated, "lang": Markup("")}

    def verdict(self, verdict: str) -> Markup:
        """The badge, with the word of this language."""
        known = verdict in tuple(Outcome)
        word = self.say(f"word_{verdict}") if known else self.say(verdict)
        mark = markup.MARKS.get(verdict, "–")
        return Markup('<span class="badge {}"><span aria-hidden="true">{}</span> {}</span>').format(
            verdict.lower() if known else "other", mark, word
        )


@cache
def _frame() -> Mapping[str, Mapping[str, str]]:
    """Every text by its key and its language."""
    return tomllib.loads(files(PACKAGE).joinpath("words.toml").read_text(encoding="utf-8"))


def page(checked: CheckedClass, rubric: Rubric, words: Words) -> str:
    """The page of one hand-in as text."""
    name = cleaned(checked.target.rpartition(":")[2] or checked.target)
    verdicts = [row.verdict for row in checked.checks]
    points = words.say("points", points=f"{rubric.points(checked):g}", most=f"{rubric.most:g}")
    body = _template(
        "hand_in.html.j2",
        words,
        called=name,
        target=cleaned(checked.target, 1000),
        outcome=str(checked.outcome),
        points=points,
        passed=verdicts.count(Outcome.PASS),
        failed=verdicts.count(Outcome.FAIL),
        causes=[
            _cause(cause.sentence, cause.certainty, cause.line, checked, words) for cause in checked.causes
        ],
        code=cleaned_lines(checked.code, LONGEST_CODE),
        checks=[_check(row, words) for row in sorted(checked.checks, key=_rank)],
        notes=[cleaned(note) for note in (checked.tried_with, *checked.notes, *checked.advice) if note],
    )
    return _document(words.say("page_title", name=name), body, words)


def index(rows: Sequence[tuple[str, Row]], pages: dict[str, str], words: Words) -> str:
    """The list of all hand-ins as text; `pages` has the file of each, empty where there is none."""
    verdicts = [_cell(row, "verdict") for _, row in rows]
    open_ends = len(rows) - verdicts.count(Outcome.PASS) - verdicts.count(Outcome.FAIL)
    body = _template(
        "index.html.j2",
        words,
        rows=[
            {
                "name": _cell(row, "class"),
                "page": pages.get(hand_in, ""),
                "verdict": _cell(row, "verdict"),
                "points": _cell(row, "points"),
                "cause": words.told(_cell(row, "diagnosis"), korean.sentence(_cell(row, "diagnosis"))),
            }
            for hand_in, row in rows
        ],
        passed=verdicts.count(Outcome.PASS),
        failed=verdicts.count(Outcome.FAIL),
        open=open_ends,
    )
    return _document(words.say("index_title"), body, words)


def _document(title: str, body: Markup, words: Words) -> str:
    style = files(PACKAGE).joinpath("templates", "style.css").read_text(encoding="utf-8")
    return markup.from_template(
        PACKAGE, "frame.html.j2", title=title, body=body, style=Markup(style), language=words.language
    )


def _template(name: str, words: Words, **values: Any) -> Markup:
    return markup.from_template(PACKAGE, name, say=words.say, shown_verdict=words.verdict, **values)


def _cell(row: Row, head: str) -> str:
    return row[HEADS.index(head)]


def _rank(row: CheckRow) -> int:
    """FAIL first, what has no outcome last."""
    return Outcome(row.verdict).rank if row.verdict in tuple(Outcome) else len(Outcome)


def _check(row: CheckRow, words: Words) -> dict[str, object]:
    return {
        "check": cleaned(row.check),
        "verdict": row.verdict,
        "question": words.told(row.question, korean.question(row.check)),
        "seen": words.told(cleaned(row.text, 1000), korean.seen(row.text)),
    }


def _cause(
    sentence: str, certainty: str, line: SourceLine | None, checked: CheckedClass, words: Words
) -> dict[str, object]:
    told = words.told(cleaned(sentence, 1000), korean.sentence(sentence))
    place = checked.target.rpartition(":")[0] or checked.target
    return {
        "sentence": told["text"],
        "lang": told["lang"],
        "certainty": certainty,
        "line": line,
        "excerpt": excerpt(Path(place), line) if line is not None else [],
    }


@dataclass(frozen=True)
class OwnLine:
    """A line of a hand-in; `marked` where it is the one that is spoken of."""

    number: int
    text: str
    marked: bool


def excerpt(place: Path, line: SourceLine) -> list[OwnLine]:
    """This line with those around it, from their file; alone, as it was kept, where the file has changed."""
    alone = [OwnLine(line.number, cleaned(line.text), True)]
    try:
        text = (place.parent / line.file).read_text(encoding="utf-8", errors="replace")
    except (OSError, ValueError):
        return alone
    found = text.splitlines()
    if not 0 < line.number <= len(found) or found[line.number - 1].strip() != line.text.strip():
        return alone
    first, last = max(1, line.number - AROUND), min(len(found), line.number + AROUND)
    return [
        OwnLine(number, cleaned(found[number - 1].expandtabs(4)), number == line.number)
        for number in range(first, last + 1)
    ]
