"""A clock that is set while a command runs changes no limit and no duration: they are monotonic."""

import ast
import itertools
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from backproof.comparisons.check.session import try_class
from backproof.comparisons.check.trial import Settings
from backproof.comparisons.contenders.loading import parse_target
from backproof.comparisons.results.files import locked, write_atomically
from backproof.comparisons.running import file_lock, temporary
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.zoo.catalogue import default_folder
from backproof.scratch.errors import InputError
from tests.test_import_rule import PACKAGES, ROOT, sources

SET_BY_SOMEBODY = {"time", "time_ns", "localtime", "gmtime", "ctime", "now", "utcnow", "today"}
OWNERS = {"time", "datetime", "date", "datetime.datetime", "datetime.date"}
# What is asked for a date, or compared with the ages of files, which are told by that clock alone.
ALLOWED = {
    "comparisons/running/environment.py",
    "comparisons/report/write.py",
    "comparisons/running/temporary.py",
    "comparisons/results/files.py",
}


def uses_of_the_clock(tree: ast.AST) -> Iterator[str]:
    """Where the time of day is asked for, under whatever name it was imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in SET_BY_SOMEBODY:
            if ast.unparse(node.value) in OWNERS:
                yield ast.unparse(node)
        elif isinstance(node, ast.ImportFrom) and node.module == "time":
            yield from (f"from time import {a.name}" for a in node.names if a.name in SET_BY_SOMEBODY)


@pytest.mark.parametrize(
    "text", ["time.time()", "from time import time", "datetime.now(UTC)", "datetime.date.today()"]
)
def test_the_search_finds_the_time_of_day(text: str) -> None:
    assert list(uses_of_the_clock(ast.parse(text)))


@pytest.mark.parametrize("text", ["time.monotonic()", "from time import perf_counter", "time.sleep(1)"])
def test_the_search_lets_pass_what_nobody_can_set(text: str) -> None:
    assert not list(uses_of_the_clock(ast.parse(text)))


def test_no_limit_and_no_duration_is_taken_by_a_clock_that_can_be_set() -> None:
    paths = [path for folder in PACKAGES for path in sources(folder)]
    found = {
        path.relative_to(ROOT).as_posix()
        for path in paths
        if list(uses_of_the_clock(ast.parse(path.read_text(encoding="utf-8"))))
    }
    assert found == ALLOWED


@pytest.fixture
def jumping(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that is set ten years ahead and back again, by turns."""
    years, real = itertools.cycle((0.0, 3e8, -3e8)), time.time
    monkeypatch.setattr(time, "time", lambda: real() + next(years))


@pytest.mark.usefixtures("jumping")
def test_a_right_class_passes_while_the_clock_jumps() -> None:
    target = parse_target(f"{default_folder() / 'student.py'}:StudentMLP")
    checked = try_class(target, Settings(only=("logits", "gradient"), quick=True))
    assert checked.outcome == Outcome.PASS, checked.causes
    assert 0 <= checked.seconds < 600


@pytest.mark.usefixtures("jumping")
def test_the_second_command_waits_as_long_as_it_was_told_to(tmp_path: Path) -> None:
    begun = time.monotonic()
    with (
        file_lock.held(tmp_path / "lock", "first"),
        pytest.raises(InputError, match="in use by first"),
        file_lock.held(tmp_path / "lock", "second", wait=0.5),
    ):
        pass
    assert 0.5 <= time.monotonic() - begun < 30


@pytest.mark.usefixtures("jumping")
def test_what_is_in_use_is_not_taken_for_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with temporary.folder("backproof-test-") as mine:
        (mine / "work").write_text("half")
        for _ in range(3):
            temporary.remove_left_behind("backproof-test-")
        assert (mine / "work").read_text() == "half"
    with locked(tmp_path, "me"):
        for text in ("one", "two", "three"):
            write_atomically(tmp_path / "file", text)
    assert (tmp_path / "file").read_text() == "three"
