"""Which data are taken: a named folder is never passed over, and the fallback is said loudly."""

from pathlib import Path

import numpy as np
import pytest

from backproof.comparisons.data import dataset as data
from backproof.comparisons.data import idx, mirrors
from backproof.scratch.errors import InputError
from tests.support.idx_files import serving, small_files, write


@pytest.fixture(autouse=True)
def _nothing_remembered(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    monkeypatch.setattr(data, "_found", {})
    if request.node.get_closest_marker("mnist") is None:
        monkeypatch.delenv(data.ENVIRONMENT_VARIABLE, raising=False)


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


def test_every_digit_keeps_its_label() -> None:
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    label_of = {image.astype(np.uint8).tobytes(): label for image, label in zip(images, labels, strict=True)}
    assert len(label_of) == len(images)  # no two images are the same
    digits = data.load("digits")
    for rows, found in ((digits.train_images, digits.train_labels), (digits.test_images, digits.test_labels)):
        expected = [label_of[(row * 16).astype(np.uint8).tobytes()] for row in rows]
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("what", ["image", "label"])
def test_the_hash_of_the_digits_is_of_images_and_labels(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    import sklearn.datasets

    original = data.load("digits").sha256
    images, labels = sklearn.datasets.load_digits(return_X_y=True)
    if what == "image":
        images[7, 20] = 16 - images[7, 20] + (images[7, 20] == 8)
    else:
        labels[7] = (labels[7] + 1) % 10
    monkeypatch.setattr(sklearn.datasets, "load_digits", lambda return_X_y: (images, labels))
    data._digits.cache_clear()
    try:
        assert data.load("digits").sha256 != original
    finally:
        data._digits.cache_clear()


def test_a_file_of_images_and_its_labels_become_the_same_rows_in_the_same_order(
    tmp_path: Path, small: dict[str, bytes]
) -> None:
    found = data.load("mnist", write(tmp_path, small))
    for split, images, labels in (
        ("train", found.train_images, found.train_labels),
        ("t10k", found.test_images, found.test_labels),
    ):
        names = f"{split}-images-idx3-ubyte", f"{split}-labels-idx1-ubyte"
        pixels = idx.parse_images(small[names[0]], names[0])
        np.testing.assert_array_equal(images, pixels.reshape(len(pixels), 784).astype(np.float32) / 255)
        np.testing.assert_array_equal(labels, idx.parse_labels(small[names[1]], names[1]))


def test_the_brightest_pixel_of_a_file_is_one(tmp_path: Path, small: dict[str, bytes]) -> None:
    images = data.load("mnist", write(tmp_path, small)).train_images
    assert (images.min(), images.max()) == (0.0, 1.0)


def test_a_fifth_of_every_class_of_digits_is_for_testing() -> None:
    digits = data.load("digits")
    in_test = np.bincount(digits.test_labels)
    np.testing.assert_array_equal(in_test, (in_test + np.bincount(digits.train_labels)) // 5)


def test_images_are_rows_in_the_unit_interval() -> None:
    images = data.load("digits").train_images
    assert images.dtype == np.float32
    assert (images.shape[1], images.min(), images.max()) == (64, 0.0, 1.0)


def test_a_feature_is_a_pixel() -> None:
    digits = data.load("digits")
    assert digits.n_features == 64 != len(digits.train_images)


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


@pytest.mark.mnist
def test_the_real_files_are_mnist() -> None:
    dataset = data.load("mnist")
    assert dataset.train_images.shape == (60000, 784)
    # The class counts of the test set, as published with the database.
    np.testing.assert_array_equal(
        np.bincount(dataset.test_labels), [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    )
