"""The images of a race as a file: written once by the parent, read by every worker before its clock runs."""

from pathlib import Path

import numpy as np

from backproof.comparisons.data.dataset import Dataset
from backproof.comparisons.race.course import Images
from backproof.scratch.architecture import Array

LARGEST = 255  # a byte


def images_of(dataset: Dataset) -> Images:
    """The training images as the bytes they come from, the test images as they are."""
    return Images(
        as_bytes(dataset.train_images),
        dataset.train_labels,
        dataset.test_images,
        dataset.test_labels,
        dataset.image_shape,
    )


def as_bytes(images: Array) -> Array:
    """[0, 1] as 0 .. 255."""
    found: Array = np.rint(LARGEST * images).astype(np.uint8)
    return found


def write(images: Images, path: Path) -> None:
    """As an .npz."""
    np.savez(
        path,
        train=images.train,
        train_labels=images.train_labels.astype(np.int64),
        test=as_bytes(images.test),
        test_labels=images.test_labels.astype(np.int64),
        shape=np.array(images.image_shape),
    )


def read(path: str | Path) -> Images:
    """What `write` wrote."""
    with np.load(path) as found:
        height, width = (int(size) for size in found["shape"])
        test = np.divide(found["test"], np.float32(LARGEST), dtype=np.float32)
        return Images(found["train"], found["train_labels"], test, found["test_labels"], (height, width))
