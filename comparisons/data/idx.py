"""The IDX format and the four MNIST files: every byte is accounted for before a number is believed.

    magic 0x00000803: images (uint8), sizes n, rows, columns      0x00000801: labels (uint8), size n

Checked in an order that gives the most telling message: can it be unpacked, magic, sizes against the
number of bytes, label range, images against labels, and last the checksum of the unpacked bytes.
"""

import gzip
import hashlib
import math
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from backproof.scratch.architecture import Array
from backproof.scratch.errors import InputError

SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
SPLITS = ("train", "t10k")
IMAGES_MAGIC = 0x00000803
LABELS_MAGIC = 0x00000801
LARGEST_LABEL = 9
PIECE = 1 << 20  # bytes that are read at once
LARGEST_FILE = 1 << 29  # bytes that are read at most: ten times MNIST


def read_folder(
    folder: Path, checksums: Mapping[str, str] | None = None
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """((train, test) images (n, rows, columns) uint8, (train, test) labels (n,) uint8).

    Each file may be plain or have .gz appended; `checksums` are those of the unpacked bytes, MNIST's own
    unless given. Raises InputError naming the file and what is wrong with it.
    """
    checksums = SHA256 if checksums is None else checksums
    images, labels = [], []
    contents: dict[str, bytes] = {}
    for split in SPLITS:
        names = f"{split}-images-idx3-ubyte", f"{split}-labels-idx1-ubyte"
        raw_images, raw_labels = (unpacked(folder, name) for name in names)
        split_images = parse_images(raw_images, names[0])
        split_labels = parse_labels(raw_labels, names[1])
        if len(split_images) != len(split_labels):
            raise InputError(
                f"data: {names[0]} holds {len(split_images)} images but {names[1]} {len(split_labels)} "
                "labels; take both from the same source"
            )
        images.append(split_images)
        labels.append(split_labels)
        contents.update(zip(names, (raw_images, raw_labels), strict=True))
    for name, raw in contents.items():
        check_content(raw, name, checksums[name])
    return (images[0], images[1]), (labels[0], labels[1])


def unpacked(folder: Path, name: str) -> bytes:
    """The bytes of `name` or `name`.gz in `folder`, without the compression."""
    plain, packed = folder / name, folder / f"{name}.gz"
    try:
        if plain.is_file():
            with plain.open("rb") as file:
                return _as_long_as_said(file)
        if packed.exists() and not packed.is_file():  # a pipe would be waited for
            raise InputError(f"data: {packed} is no regular file; name the folder with MNIST's four files")
        with gzip.open(packed, "rb") as file:
            return _as_long_as_said(cast(BinaryIO, file))
    except FileNotFoundError as error:
        raise InputError(
            f"data: {folder} has neither {name} nor {name}.gz; name the folder with MNIST's four files"
        ) from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"data: {packed} is truncated or not gzip ({error}); fetch it again") from error
    except OSError as error:
        raise InputError(f"data: cannot read {name} in {folder} ({error.strerror or error})") from error


def _as_long_as_said(file: BinaryIO) -> bytes:
    """What the header asks for and one byte more, so that a small archive cannot fill the memory."""
    header = file.read(4)
    n_dimensions = header[3] if len(header) == 4 and header[:3] == b"\0\0\x08" else 0
    sizes = file.read(4 * n_dimensions)
    n_values = math.prod(int.from_bytes(sizes[i : i + 4], "big") for i in range(0, len(sizes), 4))
    left, pieces = min(n_values, LARGEST_FILE) + 1, [header, sizes]
    while left > 0 and (piece := file.read(min(left, PIECE))):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def parse_images(raw: bytes, name: str) -> Array:
    """(n, rows, columns) uint8, a read-only view of `raw`."""
    return _parse(raw, name, IMAGES_MAGIC, "images")


def parse_labels(raw: bytes, name: str) -> Array:
    """(n,) uint8 in 0 .. 9, a read-only view of `raw`."""
    labels = _parse(raw, name, LABELS_MAGIC, "labels")
    if labels.size and labels.max() > LARGEST_LABEL:
        raise InputError(
            f"data: {name}: expected labels 0 .. {LARGEST_LABEL}, found {labels.max()}; fetch it again"
        )
    return labels


def check_content(raw: bytes, name: str, sha256: str) -> None:
    """Raise InputError unless the unpacked bytes are the original ones."""
    found = hashlib.sha256(raw).hexdigest()
    if found != sha256:
        raise InputError(
            f"data: {name} is not the original MNIST file: sha256 of the unpacked bytes is {found}, "
            f"expected {sha256}; fetch it again"
        )


def _parse(raw: bytes, name: str, magic: int, what: str) -> Array:
    found = raw[:4]
    n_dimensions = magic & 0xFF
    header = 4 + 4 * n_dimensions
    if len(found) == 4 and int.from_bytes(found, "big") != magic:
        raise InputError(
            f"data: {name}: expected the IDX magic 0x{magic:08x} ({what}), found 0x{found.hex()}; "
            "fetch it again"
        )
    if len(raw) < header:
        raise _wrong_length(name, header, len(raw))
    shape = tuple(int(size) for size in np.frombuffer(raw, ">u4", n_dimensions, offset=4))
    if len(raw) != header + math.prod(shape):
        raise _wrong_length(name, header + math.prod(shape), len(raw))
    if 0 in shape:
        raise InputError(f"data: {name}: expected sizes of at least 1, found {shape}; fetch it again")
    return np.frombuffer(raw, np.uint8, offset=header).reshape(shape)


def _wrong_length(name: str, expected: int, found: int) -> InputError:
    how = "truncated" if found < expected else "too long"
    return InputError(
        f"data: {name} is {how}: expected {expected} bytes unpacked, found {found}; fetch it again"
    )
