"""A row says that everything that was asked for is on the disk."""

from pathlib import Path

import pytest

from backproof.comparisons.check.grading.grades import Grades
from backproof.comparisons.check.grading.pages import INDEX, Pages
from backproof.comparisons.check.grading.rubric import Rubric
from backproof.comparisons.check.grading.table import Table
from backproof.comparisons.check.results import CheckedClass
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.scratch.errors import InputError


def _checked(name: str) -> CheckedClass:
    return CheckedClass(name, Outcome.PASS, 1.0, (), (), (), "")


def _grades(folder: Path, pages: bool = True) -> Grades:
    found = Pages(str(folder / "pages"), "en", Rubric()) if pages else None
    return Grades(Table(str(folder / "grades.csv")), found, Rubric())


def test_a_hand_in_with_its_row_and_its_page_is_done(tmp_path: Path) -> None:
    grades = _grades(tmp_path)
    grades.add("a.py", _checked("a.py"))
    again = _grades(tmp_path)
    assert again.has("a.py")
    assert not again.has("b.py")


def test_a_row_without_the_page_that_is_asked_for_is_not_done(tmp_path: Path) -> None:
    _grades(tmp_path, pages=False).add("a.py", _checked("a.py"))
    assert _grades(tmp_path, pages=False).has("a.py")
    assert not _grades(tmp_path).has("a.py")


def test_a_page_that_cannot_be_written_leaves_no_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grades = _grades(tmp_path)

    def refused(self: Pages, hand_in: str, checked: CheckedClass) -> None:
        raise InputError("out: cannot write")

    monkeypatch.setattr(Pages, "add", refused)
    with pytest.raises(InputError):
        grades.add("a.py", _checked("a.py"))
    assert not _grades(tmp_path, pages=False).has("a.py")


def test_the_index_is_in_the_order_of_the_hand_ins(tmp_path: Path) -> None:
    grades = _grades(tmp_path)
    for name in ("b.py", "a.py"):
        grades.add(name, _checked(name))
    grades.finish(["a.py", "b.py"])
    index = (tmp_path / "pages" / INDEX).read_text(encoding="utf-8")
    assert index.index(">a.py<") < index.index(">b.py<")
