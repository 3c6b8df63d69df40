from pathlib import Path

import pytest

from tests.support.once import made_once


def test_a_folder_is_made_by_whoever_asks_first(tmp_path_factory: pytest.TempPathFactory) -> None:
    asked: list[int] = []

    def make(folder: Path) -> None:
        asked.append(1)
        (folder / "it").write_text("whole")

    first, second = (made_once(tmp_path_factory, "asked twice", make) for _ in range(2))
    assert first == second
    assert (first / "it").read_text() == "whole"
    assert asked == [1]


def test_what_was_left_half_made_is_made_anew(tmp_path_factory: pytest.TempPathFactory) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").touch()
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        made_once(tmp_path_factory, "left half made", fail)
    folder = made_once(tmp_path_factory, "left half made", lambda folder: None)
    assert [path.name for path in folder.iterdir()] == ["made"]


def test_workers_of_one_run_share_what_is_made(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bases = iter((tmp_path / "popen-gw0", tmp_path / "popen-gw1"))
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
    monkeypatch.setattr(tmp_path_factory, "getbasetemp", lambda: next(bases))
    found = [made_once(tmp_path_factory, "shared", lambda folder: None) for _ in range(2)]
    assert found == [tmp_path / "shared"] * 2
