"""The table of grades: every row on the disk when it is known, nothing lost, nothing a formula."""

import csv
import io
from pathlib import Path

import pytest

from backproof.comparisons.check.grading.rubric import Rubric
from backproof.comparisons.check.grading.table import Row, Table, as_csv, header, row_of
from backproof.comparisons.check.results import Cause, CheckedClass, CheckRow
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.scratch.errors import InputError


def row(name: str, cause: str = "") -> Row:
    causes = (Cause(cause, "explains"),) if cause else ()
    checks = (CheckRow("gradient", "?", "PASS", "", 1, 0, 0.0, None),)
    return row_of(CheckedClass(name, Outcome.PASS, 1.0, checks, causes, (), ""), Rubric())


def read(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))[1:]


def classes(path: Path) -> list[str]:
    return [cells[0] for cells in read(path)]


def test_a_row_is_on_the_disk_when_it_is_added(tmp_path: Path) -> None:
    table = Table(str(tmp_path / "g.csv"))
    table.add("a.py", row("a.py:A"))
    assert classes(tmp_path / "g.csv") == ["a.py:A"]


def test_the_end_is_in_the_order_of_the_hand_ins(tmp_path: Path) -> None:
    table = Table(str(tmp_path / "g.csv"))
    for name in ("b.py", "a.py"):
        table.add(name, row(f"{name}:X"))
    table.finish(["a.py", "b.py"])
    assert classes(tmp_path / "g.csv") == ["a.py:X", "b.py:X"]


@pytest.mark.parametrize("named", ["a.py", "a.py:A"])
def test_a_run_goes_on_where_the_table_ends(tmp_path: Path, named: str) -> None:
    Table(str(tmp_path / "g.csv")).add(named, row("a.py:A"))
    table = Table(str(tmp_path / "g.csv"))
    assert table.has(named) == row("a.py:A")
    assert table.has("aa.py") is None


def test_a_row_torn_anywhere_is_dropped_and_those_before_it_stay(tmp_path: Path) -> None:
    path = tmp_path / "g.csv"
    table = Table(str(path))
    table.add("a.py", row("a.py:A", 'quoted, "twice"'))
    whole = path.read_bytes()
    table.add("b.py", row("b.py:B", "한국어"))
    both = path.read_bytes()
    for length in range(len(whole), len(both) - 1):
        path.write_bytes(both[:length])
        try:
            found = Table(str(path))
        except InputError:  # cut inside a character
            continue
        assert (found.has("a.py") is None, found.has("b.py")) == (False, None)
        assert path.read_bytes() == whole


def test_again_begins_anew(tmp_path: Path) -> None:
    Table(str(tmp_path / "g.csv")).add("a.py", row("a.py:A"))
    assert Table(str(tmp_path / "g.csv"), again=True).has("a.py") is None


def test_rows_of_hand_ins_that_are_not_named_stay(tmp_path: Path) -> None:
    Table(str(tmp_path / "g.csv")).add("a.py", row("a.py:A"))
    table = Table(str(tmp_path / "g.csv"))
    table.add("b.py", row("b.py:B"))
    table.finish(["b.py"])
    assert classes(tmp_path / "g.csv") == ["b.py:B", "a.py:A"]


@pytest.mark.parametrize("text", ["name,grade\nx,3\n", "not a table"])
def test_a_file_that_holds_something_else_is_not_touched(tmp_path: Path, text: str) -> None:
    path = tmp_path / "g.csv"
    path.write_text(text)
    with pytest.raises(InputError, match="is no table of this version's; name another file, or use --again"):
        Table(str(path))
    assert path.read_text() == text


def test_no_cell_begins_a_formula_and_no_row_a_second_line() -> None:
    found = row("=1+cmd(1).py:A", "+2\n\x1b[2J")
    cells = next(csv.reader(io.StringIO(as_csv([found]).split("\n", 1)[1])))
    assert cells[0] == "'=1+cmd(1).py:A"
    assert cells[header().index("diagnosis")] == r"'+2\n\x1b[2J"


def test_the_standard_output_is_written_row_by_row(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table("-")
    assert capsys.readouterr().out.startswith("class,verdict")
    table.add("a.py", row("a.py:A"))
    assert capsys.readouterr().out.startswith("a.py:A,PASS")
    table.finish(["a.py"])
    assert capsys.readouterr().out == ""


def test_without_a_file_rows_are_kept_and_nothing_is_written(tmp_path: Path) -> None:
    table = Table(None)
    table.add("a.py", row("a.py:A"))
    table.finish(["a.py"])
    assert list(table.rows) == ["a.py"]
