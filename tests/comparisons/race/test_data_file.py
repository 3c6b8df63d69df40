"""The images of a race: bytes to learn from, the very test images, through a file and back."""

from pathlib import Path

import numpy as np

from backproof.comparisons.race.course import as_floats
from backproof.comparisons.race.data_file import as_bytes, images_of, read, write
from tests.support.small_records import dataset


def test_every_byte_comes_back_as_itself() -> None:
    pixels = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(as_bytes(as_floats(pixels)), pixels)


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    images = images_of(dataset())
    write(images, tmp_path / "images.npz")
    found = read(tmp_path / "images.npz")
    np.testing.assert_array_equal(found.train, images.train)
    np.testing.assert_array_equal(found.train_labels, images.train_labels)
    np.testing.assert_array_equal(found.test_labels, images.test_labels)
    np.testing.assert_allclose(found.test, images.test, atol=0.5 / 255)  # to the nearest byte
    assert found.test.dtype == np.float32
    assert found.image_shape == (28, 28)
