"""Files: whole or not at all, over regular files alone, and nothing half-written stays."""

import os
import stat
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from backproof.comparisons.results import files
from backproof.comparisons.results.files import (
    UNFINISHED,
    check_file,
    locked,
    remove_unfinished,
    write_atomically,
)
from backproof.scratch.errors import InputError

posix = pytest.mark.skipif(sys.platform == "win32", reason="devices and pipes of POSIX")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_written_and_nothing_beside_it(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a.json", "손실 1")
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == "손실 1"
    assert names(tmp_path) == ["a.json"]


def test_a_file_that_is_there_is_replaced_and_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    path.chmod(0o600)
    write_atomically(path, "new")
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("call", ["fsync", "chmod", "replace", "fdopen"])
def test_a_failure_anywhere_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    path = tmp_path / "a.json"
    write_atomically(path, "old")

    def fails(*arguments: object, **options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(f"backproof.comparisons.results.files.os.{call}", fails)
    with pytest.raises(InputError, match=r"cannot write .*a\.json \(No space left on device\)"):
        write_atomically(path, "new")
    monkeypatch.undo()
    assert (names(tmp_path), path.read_text()) == (["a.json"], "old")


def test_the_file_is_synced_before_it_is_renamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []

    def noted(name: str) -> Callable[..., object]:
        real = getattr(os, name)

        def call(*arguments: object) -> object:
            order.append(name)
            return real(*arguments)

        return call

    for name in ("fsync", "replace"):
        monkeypatch.setattr(os, name, noted(name))
    write_atomically(tmp_path / "a.json", "x")
    assert order[:2] == ["fsync", "replace"]


@posix
def test_a_link_stays_and_what_it_points_to_is_written(tmp_path: Path) -> None:
    (tmp_path / "real.csv").write_text("old")
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    write_atomically(tmp_path / "link.csv", "new")
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text() == "new"


@posix
def test_a_device_is_written_to_and_stays_a_device(tmp_path: Path) -> None:
    (tmp_path / "null").symlink_to("/dev/null")
    write_atomically(tmp_path / "null", "x" * 1000)
    write_atomically("/dev/null", "x" * 1000)
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


@posix
def test_a_full_device_is_refused_in_one_sentence() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    with pytest.raises(InputError, match=r"cannot write /dev/full \(No space left on device\)"):
        write_atomically("/dev/full", "x")


@posix
def test_a_named_pipe_is_written_to_whoever_reads_it(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    time.sleep(0.2)
    write_atomically(pipe, "through")
    reader.join(10)
    assert read == ["through"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@posix
def test_a_named_pipe_that_nobody_reads_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="cannot write"):
        write_atomically(tmp_path / "pipe", "x")


@posix
def test_a_process_substitution_is_written_to() -> None:
    reading, writing = os.pipe()
    write_atomically(f"/dev/fd/{writing}", "through")
    os.close(writing)
    assert os.read(reading, 100) == b"through"
    os.close(reading)


def test_a_hyphen_is_the_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    write_atomically("-", "a,b\n")
    assert capsys.readouterr().out == "a,b\n"


def test_what_a_killed_command_left_is_removed_once_it_is_old(tmp_path: Path) -> None:
    old, young, other = (tmp_path / f".{name}.x{UNFINISHED}" for name in ("a.json", "a.json.young", "b.json"))
    for path in (old, young, other):
        path.write_text("half")
    os.utime(old, (0, 0))
    write_atomically(tmp_path / "a.json", "x")
    assert names(tmp_path) == sorted([young.name, other.name, "a.json"])


def test_in_a_locked_folder_everything_half_written_is_nobodys(tmp_path: Path) -> None:
    (tmp_path / f".a.json.x{UNFINISHED}").write_text("half")
    (tmp_path / "keep.txt").write_text("mine")
    with locked(tmp_path, "backproof"):
        pass
    assert names(tmp_path) == ["keep.txt"]


def test_removing_twice_is_removing_once(tmp_path: Path) -> None:
    remove_unfinished(tmp_path)
    remove_unfinished(tmp_path)
    assert names(tmp_path) == []


@pytest.mark.parametrize(("make", "said"), [
    (lambda f: f, "is a folder; name a file"),
    (lambda f: f / "none" / "a.csv", "no folder .*none; make it first"),
])  # fmt: skip
def test_a_file_that_could_not_be_written_is_refused_beforehand(
    tmp_path: Path, make: Callable[[Path], Path], said: str
) -> None:
    with pytest.raises(InputError, match=f"^--csv: .*{said}"):
        check_file(make(tmp_path), "--csv")


@posix
@pytest.mark.parametrize("path", ["-", "/dev/null"])
def test_the_standard_output_and_devices_are_accepted(path: str) -> None:
    check_file(path, "--csv")


def test_the_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"^out: cannot write to .*choose another folder"):
        files.prepare_folder(tmp_path / "file" / "out")
