"""The cache is filled from the first mirror that answers, with verified bytes or with nothing."""

import errno
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from backproof.comparisons.data import idx, mirrors
from tests.support.idx_files import serving, small_files, write


def test_the_first_mirror_that_works_fills_the_cache(
    cache: Path, monkeypatch: pytest.MonkeyPatch, small: dict[str, bytes]
) -> None:
    asked: list[str] = []
    serve = serving(small, asked)

    def first_mirror_is_down(url: str, path: Path) -> None:
        if url.startswith(mirrors.URLS[0]):
            raise ConnectionError("down")
        serve(url, path)

    monkeypatch.setattr(mirrors, "_download", first_mirror_is_down)
    assert mirrors.fetch(lambda line: None) == cache
    assert sorted(path.name for path in cache.iterdir()) == sorted(f"{name}.gz" for name in small)
    assert all(url.startswith(mirrors.URLS[1]) for url in asked)


def test_what_is_in_the_cache_is_not_fetched_again(
    cache: Path, monkeypatch: pytest.MonkeyPatch, small: dict[str, bytes]
) -> None:
    asked: list[str] = []
    write(cache, small)
    monkeypatch.setattr(mirrors, "_download", serving({}, asked))
    mirrors.fetch(lambda line: None)
    assert asked == []


def test_a_damaged_file_in_the_cache_is_fetched_again(
    cache: Path, monkeypatch: pytest.MonkeyPatch, small: dict[str, bytes]
) -> None:
    damaged = next(iter(small))
    write(cache, {**small, damaged: b"damaged"})
    asked: list[str] = []
    monkeypatch.setattr(mirrors, "_download", serving(small, asked))
    mirrors.fetch(lambda line: None)
    assert asked == [f"{mirrors.URLS[0]}{damaged}.gz"]
    idx.check_content(idx.unpacked(cache, damaged), damaged, idx.SHA256[damaged])


def test_a_mirror_that_serves_other_bytes_leaves_nothing_behind(
    cache: Path, monkeypatch: pytest.MonkeyPatch, small: dict[str, bytes]
) -> None:
    other = small_files(seed=1)
    monkeypatch.setattr(mirrors, "_download", serving(other, []))
    with pytest.raises(mirrors.Unreachable, match="not the original"):
        mirrors.fetch(lambda line: None)
    assert list(cache.iterdir()) == []


def test_two_downloads_at_once_fill_the_cache_once_and_leave_nothing_else(
    cache: Path, monkeypatch: pytest.MonkeyPatch, small: dict[str, bytes]
) -> None:
    """Both find it empty, both fetch every file, and both end with the four."""
    both = threading.Barrier(2, timeout=30)
    asked: list[str] = []
    found: list[Path] = []
    serve = serving(small, asked)

    def together(url: str, path: Path) -> None:
        both.wait()
        serve(url, path)

    monkeypatch.setattr(mirrors, "_download", together)
    commands = [
        threading.Thread(target=lambda: found.append(mirrors.fetch(lambda line: None))) for _ in range(2)
    ]
    for command in commands:
        command.start()
    for command in commands:
        command.join()
    assert found == [cache, cache]
    assert len(asked) == 8
    assert sorted(path.name for path in cache.iterdir()) == sorted(f"{name}.gz" for name in small)
    for name in small:
        idx.check_content(idx.unpacked(cache, name), name, idx.SHA256[name])


def test_of_a_cache_that_is_partly_filled_only_what_is_missing_or_damaged_is_fetched(
    cache: Path, monkeypatch: pytest.MonkeyPatch, small: dict[str, bytes]
) -> None:
    torn, absent, *good = small
    write(cache, {name: small[name] for name in (torn, *good)})
    whole = (cache / f"{torn}.gz").read_bytes()
    (cache / f"{torn}.gz").write_bytes(whole[: len(whole) // 2])
    asked: list[str] = []
    monkeypatch.setattr(mirrors, "_download", serving(small, asked))
    mirrors.fetch(lambda line: None)
    assert sorted(asked) == sorted(f"{mirrors.URLS[0]}{name}.gz" for name in (torn, absent))


@pytest.mark.parametrize("call", ["mkdir", "replace"])
@pytest.mark.parametrize("error", [errno.EACCES, errno.EROFS, errno.ENOSPC])
def test_a_cache_that_cannot_be_written_to_is_one_sentence(
    cache: Path, monkeypatch: pytest.MonkeyPatch, small: dict[str, bytes], call: str, error: int
) -> None:
    def refused(*given: object, **options: object) -> None:
        raise OSError(error, os.strerror(error))

    cache.mkdir()
    monkeypatch.setattr(mirrors, "_download", serving(small, []))
    monkeypatch.setattr(os, call, refused)
    with pytest.raises(mirrors.Unreachable, match=f"cache folder .* {os.strerror(error)}"):
        mirrors.fetch(lambda line: None)
    monkeypatch.undo()
    assert list(cache.glob("*.gz")) == []


def test_a_file_that_another_command_has_put_there_first_is_taken(
    cache: Path, monkeypatch: pytest.MonkeyPatch, small: dict[str, bytes]
) -> None:
    """Windows lets nobody rename over a file that somebody reads."""

    def put_there_already(source: str, target: Path) -> None:
        write(cache, {Path(target).stem: small[Path(target).stem]})
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(mirrors, "_download", serving(small, []))
    monkeypatch.setattr(os, "replace", put_there_already)
    assert mirrors.fetch(lambda line: None) == cache


def test_a_file_that_no_mirror_gives_is_told_with_every_host_and_why(
    cache: Path, monkeypatch: pytest.MonkeyPatch, small: dict[str, bytes]
) -> None:
    first, second, third = (url.split("/")[2] for url in mirrors.URLS)

    def the_first_is_down_and_the_others_change_bytes(url: str, path: Path) -> None:
        if first in url:
            raise ConnectionError("reset by peer")
        serving(small_files(seed=1), [])(url, path)

    monkeypatch.setattr(mirrors, "_download", the_first_is_down_and_the_others_change_bytes)
    expected = rf"^no mirror gave {next(iter(small))}: ConnectionError from {first}; "
    with pytest.raises(mirrors.Unreachable, match=f"{expected}.*not the original.* from {second}, {third}$"):
        mirrors.fetch(lambda line: None)


@pytest.mark.parametrize(("seconds", "asked_for"), [(4.0, 3), (6.0, 2), (11.0, 1)])
def test_without_a_file_for_ten_seconds_no_other_mirror_is_asked(
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    small: dict[str, bytes],
    seconds: float,
    asked_for: int,
) -> None:
    now, asked = [1000.0], 0

    def slow_and_in_vain(url: str, path: Path) -> None:
        nonlocal asked
        asked += 1
        now[0] += seconds
        raise ConnectionError("timed out")

    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(mirrors, "_download", slow_and_in_vain)
    with pytest.raises(mirrors.Unreachable):
        mirrors.fetch(lambda line: None)
    assert asked == asked_for


def test_a_mirror_is_asked_with_a_time_limit_for_connecting_and_for_each_packet(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import pooch

    asked: list[tuple[object, str, str]] = []

    def downloader(timeout: object) -> Callable[[str, str, object], None]:
        return lambda url, path, pooch_itself: asked.append((timeout, url, path))

    monkeypatch.setattr(pooch, "HTTPDownloader", downloader)
    mirrors._download("https://a.b/c", tmp_path)
    assert asked == [((3.0, 15.0), "https://a.b/c", str(tmp_path))]
