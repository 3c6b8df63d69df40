"""The IDX parser: what is well formed comes through unchanged, everything else is named."""

import gzip
import os
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from backproof.comparisons.data import idx
from backproof.scratch.architecture import Array
from backproof.scratch.errors import InputError
from tests.support.idx_files import checksums, images_file, labels_file, small_files, write

IMAGES = "train-images-idx3-ubyte"
LABELS = "train-labels-idx1-ubyte"


@given(arrays.arrays(np.uint8, st.tuples(*(st.integers(1, 6),) * 3)))
def test_images_come_through_unchanged(images: Array) -> None:
    np.testing.assert_array_equal(idx.parse_images(images_file(images), IMAGES), images)


@given(arrays.arrays(np.uint8, st.integers(1, 20), elements=st.integers(0, 9)))
def test_labels_come_through_unchanged(labels: Array) -> None:
    np.testing.assert_array_equal(idx.parse_labels(labels_file(labels), LABELS), labels)


@given(st.data())
def test_a_file_cut_anywhere_is_refused(data: st.DataObject) -> None:
    whole = images_file(np.arange(24).reshape(2, 3, 4))
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    with pytest.raises(InputError, match=r"truncated|magic"):
        idx.parse_images(cut, IMAGES)


def test_a_cut_file_is_called_truncated_with_both_sizes() -> None:
    with pytest.raises(InputError, match="truncated: expected 40 bytes unpacked, found 39"):
        idx.parse_images(images_file(np.zeros((2, 3, 4)))[:-1], IMAGES)


def test_bytes_after_the_last_value_are_refused() -> None:
    with pytest.raises(InputError, match="too long"):
        idx.parse_labels(labels_file(np.zeros(3)) + b"\0", LABELS)


def test_sizes_whose_product_overflows_32_bits_are_not_believed() -> None:
    header = idx.IMAGES_MAGIC.to_bytes(4, "big") + b"\xff" * 12
    with pytest.raises(InputError, match="truncated"):
        idx.parse_images(header + b"\0" * 100, IMAGES)


def test_an_empty_set_is_refused() -> None:
    with pytest.raises(InputError, match="sizes of at least 1"):
        idx.parse_images(images_file(np.zeros((0, 28, 28))), IMAGES)


def test_a_labels_file_is_not_taken_for_images() -> None:
    with pytest.raises(InputError, match=r"magic 0x00000803.*found 0x00000801"):
        idx.parse_images(labels_file(np.zeros(3)), IMAGES)


def test_signed_bytes_are_not_taken_for_unsigned_ones() -> None:
    with pytest.raises(InputError, match="found 0x00000903"):
        idx.parse_images(images_file(np.zeros((1, 2, 2)), magic=0x903), IMAGES)


def test_a_label_above_nine_is_refused() -> None:
    with pytest.raises(InputError, match=r"labels 0 \.\. 9, found 10"):
        idx.parse_labels(labels_file(np.array([3, 10, 1])), LABELS)


@pytest.mark.parametrize("packed", [True, False])
def test_a_folder_is_read_packed_or_plain(tmp_path: Path, packed: bool) -> None:
    files = small_files()
    (train, test), _ = idx.read_folder(write(tmp_path, files, packed), checksums(files))
    np.testing.assert_array_equal(train, idx.parse_images(files[IMAGES], IMAGES))
    np.testing.assert_array_equal(
        test, idx.parse_images(files["t10k-images-idx3-ubyte"], "t10k-images-idx3-ubyte")
    )


def test_images_and_labels_of_different_length_are_refused(tmp_path: Path) -> None:
    files = {**small_files(), LABELS: labels_file(np.zeros(6))}
    with pytest.raises(InputError, match="holds 7 images but train-labels-idx1-ubyte 6 labels"):
        idx.read_folder(write(tmp_path, files), checksums(files))


@pytest.mark.parametrize("name", idx.SHA256)
def test_one_changed_value_is_noticed_in_each_of_the_four_files(tmp_path: Path, name: str) -> None:
    files = small_files()
    changed = bytearray(files[name])
    changed[-1] = changed[-1] - 1 if changed[-1] else 1  # another pixel, or another label of 0 .. 9
    with pytest.raises(InputError, match=f"{name} is not the original MNIST file"):
        idx.read_folder(write(tmp_path, {**files, name: bytes(changed)}), checksums(files))


@pytest.mark.parametrize("name", idx.SHA256)
def test_each_of_the_four_files_is_wanted(tmp_path: Path, name: str) -> None:
    files = small_files()
    rest = {other: raw for other, raw in files.items() if other != name}
    with pytest.raises(InputError, match=f"has neither {name} nor"):
        idx.read_folder(write(tmp_path, rest), checksums(files))


def test_labels_in_another_order_are_not_the_original_ones(tmp_path: Path) -> None:
    files = small_files()
    labels = idx.parse_labels(files[LABELS], LABELS)
    assert len(set(labels.tolist())) > 1
    shuffled = {**files, LABELS: labels_file(np.sort(labels)[::-1])}
    with pytest.raises(InputError, match=f"{LABELS} is not the original"):
        idx.read_folder(write(tmp_path, shuffled), checksums(files))


def test_without_checksums_of_ones_own_those_of_mnist_count(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="train-images-idx3-ubyte is not the original MNIST file"):
        idx.read_folder(write(tmp_path, small_files()))


def test_a_repacked_archive_is_accepted(tmp_path: Path) -> None:
    files = small_files()
    folder = write(tmp_path, files)
    (folder / f"{IMAGES}.gz").write_bytes(gzip.compress(files[IMAGES], compresslevel=1, mtime=7))
    images, _ = idx.read_folder(folder, checksums(files))
    assert len(images[0]) == 7


def test_a_missing_file_is_named_with_its_folder(tmp_path: Path) -> None:
    files = small_files()
    del files[LABELS]
    with pytest.raises(InputError, match=f"{tmp_path} has neither {LABELS} nor {LABELS}.gz"):
        idx.read_folder(write(tmp_path, files), {})


@pytest.mark.parametrize(
    "keep", [0, 5, 12, -9], ids=["empty", "in the header", "at its end", "in the trailer"]
)
def test_a_truncated_archive_is_refused(tmp_path: Path, keep: int) -> None:
    files = small_files()
    path = write(tmp_path, files) / f"{IMAGES}.gz"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match="truncated"):
        idx.read_folder(tmp_path, checksums(files))


def test_what_is_not_gzip_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, small_files()) / f"{IMAGES}.gz"
    path.write_bytes(b"<html>not found</html>")
    with pytest.raises(InputError, match="truncated or not gzip"):
        idx.read_folder(tmp_path, {})


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
@pytest.mark.parametrize("ending", ["", ".gz"])
def test_a_named_pipe_is_refused_and_not_waited_for(tmp_path: Path, ending: str) -> None:
    files = small_files()
    write(tmp_path, {name: raw for name, raw in files.items() if name != IMAGES})
    os.mkfifo(tmp_path / f"{IMAGES}{ending}")
    with pytest.raises(InputError, match=r"no regular file|has neither"):
        idx.read_folder(tmp_path, checksums(files))


@pytest.mark.parametrize("packed", [True, False], ids=["packed", "plain"])
def test_no_more_is_unpacked_than_the_header_asks_for(tmp_path: Path, packed: bool) -> None:
    """300 MB of zeros in a third of a MB: a small archive must not fill the memory."""
    files = small_files()
    bomb = {**files, IMAGES: files[IMAGES] + bytes(300_000_000)}
    write(tmp_path, bomb, packed)
    del bomb
    tracemalloc.start()
    with pytest.raises(InputError, match="too long"):
        idx.read_folder(tmp_path, checksums(files))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000


@pytest.mark.parametrize("more", [1, 2, 3_000_000])
def test_of_a_file_that_is_too_long_one_byte_more_is_read_than_its_header_asks_for(
    tmp_path: Path, more: int
) -> None:
    files = small_files()
    write(tmp_path, {**files, IMAGES: files[IMAGES] + bytes(more)}, packed=False)
    expected = len(files[IMAGES])
    with pytest.raises(
        InputError, match=f"too long: expected {expected} bytes unpacked, found {expected + 1};"
    ):
        idx.read_folder(tmp_path, checksums(files))


def test_a_header_that_asks_for_more_than_there_is_reserves_no_memory_for_it(tmp_path: Path) -> None:
    files = small_files()
    write(tmp_path, {**files, IMAGES: struct.pack(">IIII", idx.IMAGES_MAGIC, 1 << 31, 1 << 10, 1 << 10)})
    tracemalloc.start()
    with pytest.raises(InputError, match="truncated"):
        idx.read_folder(tmp_path, checksums(files))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000


def test_of_a_file_that_is_as_long_as_it_says_no_more_is_read_than_any_data_set_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A header may ask for as much as the file holds, which may be more than the memory."""
    files = small_files()
    write(tmp_path, files, packed=False)
    monkeypatch.setattr(idx, "LARGEST_FILE", 10)
    with pytest.raises(
        InputError, match=f"truncated: expected {len(files[IMAGES])} bytes .*found {16 + 11};"
    ):
        idx.read_folder(tmp_path, checksums(files))
