"""What is kept of the hand-ins as each is known: its row of the table, and a page where one is wanted."""

from collections.abc import Sequence

from backproof.comparisons.check.grading.pages import Pages
from backproof.comparisons.check.grading.rubric import Rubric
from backproof.comparisons.check.grading.table import Row, Table, row_of
from backproof.comparisons.check.results import CheckedClass


class Grades:
    """The table, and the pages or None, by one rubric."""

    def __init__(self, table: Table, pages: Pages | None, rubric: Rubric) -> None:
        self.table, self.pages, self.rubric = table, pages, rubric

    def has(self, hand_in: str) -> bool:
        """Whether a run before this one has kept everything that is asked for now."""
        return self.table.has(hand_in) is not None and (self.pages is None or self.pages.has(hand_in))

    def add(self, hand_in: str, checked: CheckedClass) -> None:
        """All of it is on the disk when this returns; the row last, since it says that the rest is there."""
        if self.pages is not None:
            self.pages.add(hand_in, checked)
        self.table.add(hand_in, row_of(checked, self.rubric))

    def rows(self, hand_ins: Sequence[str]) -> list[tuple[str, Row]]:
        """The rows there are, in the order of the hand-ins."""
        found = ((name, self.table.rows.get(name) or self.table.has(name)) for name in hand_ins)
        return [(name, row) for name, row in found if row is not None]

    def finish(self, hand_ins: Sequence[str]) -> None:
        """The table whole and in order, and the index of the pages."""
        self.table.finish(hand_ins)
        if self.pages is not None:
            self.pages.finish(self.rows(hand_ins))
