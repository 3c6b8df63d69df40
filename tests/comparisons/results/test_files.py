"""The folder of results: refused in a sentence where it cannot be used, never left half written."""

import os
from pathlib import Path

import pytest

from backproof.comparisons.results import files
from backproof.scratch.errors import InputError


def no_space(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_a_folder_is_made_with_its_parents(tmp_path: Path) -> None:
    folder = files.prepare_folder(tmp_path / "a" / "b")
    assert folder.is_dir()
    assert list(folder.iterdir()) == []


def test_a_file_in_place_of_the_folder_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("not a folder")
    with pytest.raises(InputError, match=r"out: cannot write to .*out \(.+\); choose another folder"):
        files.prepare_folder(tmp_path / "out")


def test_trying_a_folder_leaves_none_behind(tmp_path: Path) -> None:
    files.check_folder(tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []


def test_trying_a_folder_that_is_there_leaves_it(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "kept").write_text("x")
    files.check_folder(tmp_path / "there")
    assert (tmp_path / "there" / "kept").read_text() == "x"


def test_a_bad_folder_is_found_by_trying(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("not a folder")
    with pytest.raises(InputError, match="cannot write"):
        files.check_folder(tmp_path / "out" / "inside")


@pytest.mark.parametrize("text", ["", "a\n", "×−γ ∇ 텐서\n"])
def test_what_is_written_is_what_is_read(tmp_path: Path, text: str) -> None:
    files.write_atomically(tmp_path / "file", text)
    assert (tmp_path / "file").read_bytes() == text.encode("utf-8")


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.write_atomically(tmp_path / "file", "old")
    monkeypatch.setattr(os, "replace", no_space)
    with pytest.raises(OSError, match="No space"):
        files.write_atomically(tmp_path / "file", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "old"


def test_others_may_read_what_was_written(tmp_path: Path) -> None:
    files.write_atomically(tmp_path / "file", "x")
    assert (tmp_path / "file").stat().st_mode & 0o444 == 0o444


@pytest.mark.parametrize(
    ("error", "reason"),
    [(OSError(28, "No space left on device"), "No space left on device"), (ValueError("bad"), "bad")],
)
def test_a_reason_is_what_the_system_says_without_its_number(error: Exception, reason: str) -> None:
    assert files.reason_of(error) == reason
