"""Which data are taken: a named folder is never passed over, and the fallback is said loudly."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from backproof.comparisons.data import dataset as data
from backproof.comparisons.data import idx, mirrors
from backproof.scratch.errors import InputError
from tests.support.idx_files import checksums, small_files, write


@pytest.fixture(autouse=True)
def _nothing_remembered(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    monkeypatch.setattr(data, "_found", {})
    if request.node.get_closest_marker("mnist") is None:
        monkeypatch.delenv(data.ENVIRONMENT_VARIABLE, raising=False)


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty cache folder in place of the user's."""
    monkeypatch.setattr(mirrors, "cache_folder", lambda: tmp_path / "cache")
    return tmp_path / "cache"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Small files that count as the original ones."""
    files = small_files()
    monkeypatch.setattr(idx, "SHA256", checksums(files))
    return files


def serving(files: dict[str, bytes], asked: list[str]) -> Callable[[str, Path], None]:
    """A download that needs no network; it writes down the addresses asked for."""

    def download(url: str, path: Path) -> None:
        asked.append(url)
        name = path.stem
        if name not in files:
            raise ConnectionError("no route")
        write(path.parent, {name: files[name]})

    return download


def test_the_digits_are_split_the_same_way_every_time() -> None:
    first = data.load("digits")
    data._digits.cache_clear()
    second = data.load("digits")
    np.testing.assert_array_equal(first.test_images, second.test_images)
    np.testing.assert_array_equal(first.train_labels, second.train_labels)


def test_no_digit_is_in_both_splits_and_none_is_lost() -> None:
    from sklearn.datasets import load_digits

    digits = data.load("digits")
    together = np.concatenate([digits.train_images, digits.test_images]).astype(np.float64) * 16
    original = load_digits().data
    np.testing.assert_array_equal(
        together[np.lexsort(together.T)], original[np.lexsort(original.T)], err_msg="rows, in sorted order"
    )


def test_a_fifth_of_every_class_of_digits_is_for_testing() -> None:
    digits = data.load("digits")
    in_test = np.bincount(digits.test_labels)
    np.testing.assert_array_equal(in_test, (in_test + np.bincount(digits.train_labels)) // 5)


def test_images_are_rows_in_the_unit_interval() -> None:
    images = data.load("digits").train_images
    assert images.dtype == np.float32
    assert (images.shape[1], images.min(), images.max()) == (64, 0.0, 1.0)


def test_the_arrays_cannot_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        data.load("digits").train_images[0, 0] = 1.0


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(InputError, match="expected one of auto, mnist, digits; got 'cifar'"):
        data.load("cifar")


def test_digits_with_a_folder_is_a_contradiction(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="drop --data-dir"):
        data.load("digits", tmp_path)


@pytest.mark.parametrize("kind", ["auto", "mnist"])
def test_a_damaged_file_in_a_named_folder_is_an_error_and_no_reason_to_fall_back(
    tmp_path: Path, kind: str
) -> None:
    with pytest.raises(InputError, match="not the original MNIST"):
        data.load(kind, write(tmp_path, small_files()))


def test_the_folder_in_the_environment_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    monkeypatch.setenv(data.ENVIRONMENT_VARIABLE, str(tmp_path / "missing"))
    with pytest.raises(InputError, match="missing has neither"):
        data.load("auto")


def test_without_files_or_network_the_digits_are_used_and_said_loudly(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirrors, "_download", serving({}, []))
    said: list[str] = []
    dataset = data.load("auto", say=said.append)
    assert dataset.name == "digits"
    assert any("USING SCIKIT-LEARN'S DIGITS INSTEAD" in line and "--data-dir" in line for line in said)


def test_mnist_fails_rather_than_falls_back(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirrors, "_download", serving({}, []))
    with pytest.raises(InputError, match="--data-dir DIR, or BACKPROOF_DATA=DIR"):
        data.load("mnist")


def test_one_process_asks_the_mirrors_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(mirrors, "_download", serving({}, asked))
    data.load("auto")
    before = len(asked)
    data.load("auto")
    assert len(asked) == before


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


@pytest.mark.mnist
def test_the_real_files_are_mnist() -> None:
    dataset = data.load("mnist")
    assert dataset.train_images.shape == (60000, 784)
    # The class counts of the test set, as published with the database.
    np.testing.assert_array_equal(
        np.bincount(dataset.test_labels), [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    )
