"""MNIST from the four original IDX files, or scikit-learn's bundled digits where MNIST cannot be had.

An IDX file is big-endian: two zero bytes, a type code (0x08: unsigned bytes), the number of dimensions, their
sizes as 32-bit integers, then the values (LeCun, Cortes, Burges: the MNIST database). The files may be plain
or gzipped. What is verified is the *unpacked* content: mirrors repack the archives.

`load` looks, in this order, in the folder named by the argument, in the one named by BACKPROOF_DATA, in the
cache, and on the mirrors. A named folder must hold good files: it is never passed over for the digits.
"""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from backproof.comparisons.data import idx, mirrors
from backproof.scratch.architecture import Array
from backproof.scratch.errors import InputError

KINDS = ("auto", "mnist", "digits")
ENVIRONMENT_VARIABLE = "BACKPROOF_DATA"
N_CLASSES = 10

_found: dict[str, "Dataset"] = {}  # by kind, so that one process asks the mirrors once


@dataclass(frozen=True)
class Dataset:
    """Images as rows in [0, 1], labels 0 .. 9. Read-only arrays: every contender gets the same ones."""

    name: str  # "mnist" | "digits"
    train_images: Array  # (examples, features) float32
    train_labels: Array  # (examples,) int64
    test_images: Array
    test_labels: Array
    image_shape: tuple[int, int]
    source: str  # a sentence for the reader
    sha256: str  # of the unpacked content, in hexadecimal

    @property
    def n_features(self) -> int:
        return int(self.train_images.shape[1])


def load(
    kind: str = "auto", data_dir: str | Path | None = None, say: Callable[[str], None] | None = None
) -> Dataset:
    """The data to run on; read once per process. `say` gets a line before anything slow and for a fallback.

    "mnist" fails rather than falls back; "digits" looks nowhere else; "auto" takes MNIST where it can be had
    and else the digits, and says so. Raises InputError for an unknown kind, a named folder with missing,
    truncated or changed files, and for "mnist" where it cannot be had.
    """
    if kind not in KINDS:
        raise InputError(f"data: expected one of {', '.join(KINDS)}; got {kind!r}")
    if kind == "digits":
        if data_dir is not None:
            raise InputError("data: digits come with scikit-learn; drop --data-dir, or ask for --data mnist")
        return _digits("asked for")
    folder = data_dir or os.environ.get(ENVIRONMENT_VARIABLE)
    say = say or (lambda message: None)
    if folder:
        return _mnist(Path(folder).expanduser().resolve())
    if kind not in _found:
        _found[kind] = _fetched(kind, say)
    return _found[kind]


def _fetched(kind: str, say: Callable[[str], None]) -> Dataset:
    """From the cache or the mirrors; else the digits, where `kind` allows it."""
    try:
        return _mnist(mirrors.fetch(say))
    except mirrors.Unreachable as error:
        remedy = f"name a folder with the four files: --data-dir DIR, or {ENVIRONMENT_VARIABLE}=DIR"
        if kind == "mnist":
            raise InputError(f"data: MNIST could not be downloaded ({error}); {remedy}") from error
        instead = f"USING SCIKIT-LEARN'S DIGITS INSTEAD. For MNIST, {remedy}."
        say(f"MNIST could not be downloaded ({error}). {instead}")
        return _digits(f"MNIST could not be downloaded: {error}")


@lru_cache(maxsize=1)
def _mnist(folder: Path) -> Dataset:
    images, labels = idx.read_folder(folder)
    train_images, test_images = (_unit_interval(part, 255) for part in images)
    train_labels, test_labels = (_frozen(part.astype(np.int64)) for part in labels)
    where = "the cache" if folder == mirrors.cache_folder() else str(folder)
    return Dataset(
        name="mnist",
        train_images=train_images,
        train_labels=train_labels,
        test_images=test_images,
        test_labels=test_labels,
        image_shape=(28, 28),
        source=f"MNIST (LeCun, Cortes, Burges), the four original files, checksums verified, from {where}",
        sha256=_combined_hash(),
    )


def _combined_hash() -> str:
    """One figure for the four verified files: the hash of their hashes in name order."""
    return hashlib.sha256("".join(idx.SHA256[name] for name in sorted(idx.SHA256)).encode()).hexdigest()


@lru_cache(maxsize=2)
def _digits(why: str) -> Dataset:
    """1,797 images of 8 x 8. Of each class every fifth example is for testing: fixed and stratified."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    test = np.zeros(len(labels), bool)
    for digit in range(N_CLASSES):
        test[np.flatnonzero(labels == digit)[4::5]] = True
    content = images.astype(np.uint8).tobytes() + labels.astype(np.uint8).tobytes()
    return Dataset(
        name="digits",
        train_images=_unit_interval(images[~test], 16),
        train_labels=_frozen(labels[~test].astype(np.int64)),
        test_images=_unit_interval(images[test], 16),
        test_labels=_frozen(labels[test].astype(np.int64)),
        image_shape=(8, 8),
        source=f"scikit-learn's bundled digits, 8 x 8, every fifth of each class for testing ({why})",
        sha256=hashlib.sha256(content).hexdigest(),
    )


def _unit_interval(images: Array, largest: int) -> Array:
    """(examples, ...) counts 0 .. largest -> (examples, features) float32 in [0, 1]."""
    rows = images.reshape(len(images), -1).astype(np.float32)
    rows /= largest
    return _frozen(rows)


def _frozen(array: Array) -> Array:
    array.flags.writeable = False
    return array
