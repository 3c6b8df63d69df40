"""The cache is filled from the first mirror that answers, with verified bytes or with nothing."""

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
