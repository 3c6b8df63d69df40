"""The table of grades: one row per hand-in, on the disk as soon as it is known, readable by any spreadsheet.

A run that was stopped resumes where its table ends: whole rows are kept, a torn last one is dropped, hand-ins
that have a row are not tried again. At the end the table is written once more, whole, in the order in which
the hand-ins were named; rows of hand-ins that were not named this time follow.
"""

import csv
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from backproof.comparisons.check.battery.battery import CHECKS
from backproof.comparisons.check.grading.rubric import Rubric
from backproof.comparisons.check.results import CheckedClass
from backproof.comparisons.check.trial import EXCEPTIONS, NOT_JUDGED
from backproof.comparisons.results.files import STDOUT, check_file, write_atomically
from backproof.comparisons.running.outside_text import csv_cell
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.scratch.errors import InputError

HEADS = ("class", "verdict", "passed", "failed", "points", "diagnosis", "further causes", "notes")
NAMES = (*(check.name for check in CHECKS), EXCEPTIONS)
Row = tuple[str, ...]


def header() -> Row:
    return (*HEADS, *NAMES)


def row_of(checked: CheckedClass, rubric: Rubric) -> Row:
    """The cells of one hand-in, none of which a spreadsheet takes for a formula."""
    verdicts = {row.check: row.verdict for row in checked.checks}
    causes = [cause.sentence for cause in checked.causes]
    judged = list(verdicts.values())
    cells = [
        checked.target,
        checked.outcome,
        judged.count(Outcome.PASS),
        judged.count(Outcome.FAIL),
        f"{rubric.points(checked):g}",
        "".join(causes[:1]),
        "; ".join(causes[1:]),
        "; ".join(checked.notes),
        *(verdicts.get(name, "" if name == EXCEPTIONS else "not run") for name in NAMES),
    ]
    return tuple(map(csv_cell, cells))


def was_tried(row: Row) -> bool:
    """Whether there was a class to try: else the row says why not."""
    return not row[HEADS.index("diagnosis")].startswith(f"{NOT_JUDGED}: ")


def as_csv(rows: Sequence[Row]) -> str:
    """The whole table."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header(), *rows])
    return text.getvalue()


class Table:
    """The table in a file, growing. Without a path, rows are kept and nothing is written.

    Raises InputError for a file that cannot be written, and for one that holds something else.
    """

    def __init__(self, path: str | None, again: bool = False) -> None:
        self.path = path
        self.kept: list[Row] = []
        self.rows: dict[str, Row] = {}  # by the hand-in as it was named
        if path is None:
            return
        check_file(path, "csv")
        self.grows = path == STDOUT or not Path(path).exists() or Path(path).is_file()
        if path != STDOUT and Path(path).is_file() and not again:
            self.kept = _read(Path(path))
        if self.grows:
            self._begin()

    def has(self, hand_in: str) -> Row | None:
        """The row that a run before this one has written for it."""
        cell = csv_cell(hand_in)
        found = (row for row in self.kept if row[0] == cell or row[0].startswith(f"{cell}:"))
        return next(found, None)

    def add(self, hand_in: str, row: Row) -> None:
        """One more row; it is on the disk when this returns."""
        self.rows[hand_in] = row
        if self.path is not None and self.grows:
            self._append([row])

    def finish(self, hand_ins: Sequence[str]) -> None:
        """The table whole, in the order of the hand-ins; into a device or a pipe, only now."""
        if self.path is None or self.path == STDOUT:
            return
        rows = [self.rows.get(name) or self.has(name) for name in hand_ins]
        named = [row for row in rows if row is not None]
        others = [row for row in self.kept if row[0] not in {row[0] for row in named}]
        write_atomically(self.path, as_csv([*named, *others]))

    def _begin(self) -> None:
        if self.path == STDOUT:
            self._append([header()])
        elif self.path is not None:
            write_atomically(self.path, as_csv(self.kept))

    def _append(self, rows: Sequence[Row]) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        if self.path == STDOUT:
            sys.stdout.write(text.getvalue())
            sys.stdout.flush()
            return
        assert self.path is not None
        try:
            with Path(self.path).open("a", encoding="utf-8", newline="") as file:
                file.write(text.getvalue())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise InputError(
                f"csv: cannot write {self.path} ({error.strerror}); rows until now stand there"
            ) from error


def _read(path: Path) -> list[Row]:
    """The whole rows of a table of ours."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"csv: cannot read {path}; name another file, or use --again") from error
    if not text:
        return []
    whole = text[: text.rfind("\n") + 1]  # a row holds no line break: cells are cleaned
    try:
        lines = [tuple(row) for row in csv.reader(io.StringIO(whole))]
    except csv.Error:
        lines = []
    if not lines or lines[0] != header():
        raise InputError(f"csv: {path} is no table of this version's; name another file, or use --again")
    return [row for row in lines[1:] if len(row) == len(lines[0])]
