"""The lock: one at a time, who has it is said, and it ends with its holder however that ends."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from backproof.comparisons.running import file_lock, processes
from backproof.scratch.errors import InputError

HOLDER = """
import sys, time
from pathlib import Path
from backproof.comparisons.running import file_lock
with file_lock.held(Path(sys.argv[1]), "backproof speed"):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


def holder(path: Path, seconds: float) -> "subprocess.Popen[bytes]":
    """Another process that has the lock when this returns."""
    command = processes.python("-c", HOLDER, str(path), str(seconds))
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    process.stdout.close()
    return process


def test_a_lock_is_left_without_a_trace(tmp_path: Path) -> None:
    with file_lock.held(tmp_path / "lock", "me"):
        assert "me, process" in (tmp_path / "lock").read_text()
    assert list(tmp_path.iterdir()) == []


def test_a_lock_is_left_where_the_work_fails(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="mine"), file_lock.held(tmp_path / "lock", "me"):
        raise RuntimeError("mine")
    assert list(tmp_path.iterdir()) == []


def test_the_second_waits_and_says_for_whom(tmp_path: Path) -> None:
    said: list[str] = []
    process = holder(tmp_path / "lock", 1.0)
    with file_lock.held(tmp_path / "lock", "me", said.append):
        assert process.wait() == 0
    assert len(said) == 1
    assert f"waiting for backproof speed, process {process.pid}" in said[0]


def test_the_second_gives_up_after_a_while_and_says_to_whom(tmp_path: Path) -> None:
    process = holder(tmp_path / "lock", 60.0)
    try:
        with (
            pytest.raises(InputError, match=r"is in use by backproof speed, process \d+; wait for it"),
            file_lock.held(tmp_path / "lock", "me", wait=0.3),
        ):
            pass
    finally:
        process.kill()
        process.wait()


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    process = holder(tmp_path / "lock", 60.0)
    process.kill()
    process.wait()
    started = time.monotonic()
    with file_lock.held(tmp_path / "lock", "me", wait=5.0):
        assert time.monotonic() - started < 4.0
    assert list(tmp_path.iterdir()) == []


def test_many_at_once_are_one_after_another(tmp_path: Path) -> None:
    """Each adds a line only if the number of lines has not changed while it had the lock."""
    code = """
import sys, time
from pathlib import Path
from backproof.comparisons.running import file_lock
folder = Path(sys.argv[1])
for _ in range(5):
    with file_lock.held(folder / "lock", "x", wait=60.0):
        log = folder / "log"
        before = log.read_text() if log.exists() else ""
        time.sleep(0.01)
        log.write_text(before + "line\\n")
"""
    workers = [subprocess.Popen(processes.python("-c", code, str(tmp_path))) for _ in range(3)]
    assert [worker.wait() for worker in workers] == [0, 0, 0]
    assert (tmp_path / "log").read_text().count("line") == 15
    assert sys.platform == "win32" or not (tmp_path / "lock").exists()
