"""A temporary folder is gone at the end, and after a kill with the next command; one in use stays."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from backproof.comparisons.running import temporary

PREFIX = "backproof-test-"
# Whoever started the tests may have had hang-ups ignored (nohup), which a process inherits.
PROGRAM = f"""import signal, time
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
from backproof.comparisons.running import streams, temporary
def command():
    with temporary.folder({PREFIX!r}) as folder:
        (folder / "data").write_text("1")
        print("ready", flush=True)
        time.sleep(600)
raise SystemExit(streams.to_the_end(command))
"""


@pytest.fixture(autouse=True)
def temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@contextmanager
def running() -> Iterator[subprocess.Popen[str]]:
    """Another command that has such a folder."""
    process = subprocess.Popen([sys.executable, "-P", "-c", PROGRAM], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_it_is_there_inside_and_gone_afterwards(tmp_path: Path) -> None:
    with temporary.folder(PREFIX) as folder:
        assert folder.parent == tmp_path
        assert folder.is_dir()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_it_is_gone_after_a_signal(tmp_path: Path, name: str) -> None:
    with running() as process:
        os.kill(process.pid, getattr(signal, name))
        assert process.wait(30) == 128 + getattr(signal, name)
    assert list(tmp_path.iterdir()) == []


def test_what_a_kill_left_is_removed_by_the_next(tmp_path: Path) -> None:
    with running() as process:
        process.kill()
        process.wait()
    left = [path.name for path in tmp_path.iterdir()]
    assert len(left) == 1
    temporary.remove_left_behind(PREFIX, young=0.0)
    assert list(tmp_path.iterdir()) == []


def test_one_that_is_in_use_stays(tmp_path: Path) -> None:
    with running():
        temporary.remove_left_behind(PREFIX, young=0.0)
        assert [path.name for path in next(tmp_path.iterdir()).iterdir()].count("data") == 1


def test_a_young_one_and_one_of_another_kind_stay(tmp_path: Path) -> None:
    for name in (f"{PREFIX}young", "somebody-elses"):
        (tmp_path / name).mkdir()
    old = time.time() - 2 * temporary.YOUNG
    os.utime(tmp_path / "somebody-elses", (old, old))
    temporary.remove_left_behind(PREFIX)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{PREFIX}young", "somebody-elses"]
