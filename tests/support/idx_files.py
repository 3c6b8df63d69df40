"""IDX files made by hand, good and bad, for the tests of the data and of the command line."""

import gzip
import hashlib
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np

from backproof.comparisons.data import idx
from backproof.scratch.architecture import Array


def images_file(images: Array, magic: int = idx.IMAGES_MAGIC) -> bytes:
    """The bytes of an IDX file of images (n, rows, columns) uint8."""
    return struct.pack(">IIII", magic, *images.shape) + images.astype(np.uint8).tobytes()


def labels_file(labels: Array, magic: int = idx.LABELS_MAGIC) -> bytes:
    """The bytes of an IDX file of labels (n,) uint8."""
    return struct.pack(">II", magic, *labels.shape) + labels.astype(np.uint8).tobytes()


def small_files(seed: int = 0) -> dict[str, bytes]:
    """Four matching files with a handful of 28 x 28 images: well formed, but not MNIST."""
    rng = np.random.default_rng(seed)
    files = {}
    for split, n in (("train", 7), ("t10k", 3)):
        files[f"{split}-images-idx3-ubyte"] = images_file(rng.integers(0, 256, (n, 28, 28)))
        files[f"{split}-labels-idx1-ubyte"] = labels_file(rng.integers(0, 10, n))
    return files


def write(folder: Path, files: dict[str, bytes], packed: bool = True) -> Path:
    """Write the files, gzipped or plain, into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, raw in files.items():
        path = folder / (f"{name}.gz" if packed else name)
        path.write_bytes(gzip.compress(raw) if packed else raw)
    return folder


def checksums(files: dict[str, bytes]) -> dict[str, str]:
    """What the unpacked content of these files hashes to."""
    return {name: hashlib.sha256(raw).hexdigest() for name, raw in files.items()}


def serving(files: dict[str, bytes], asked: list[str]) -> Callable[[str, Path], None]:
    """A download that needs no network; it writes down the addresses asked for."""

    def download(url: str, path: Path) -> None:
        asked.append(url)
        name = path.stem
        if name not in files:
            raise ConnectionError("no route")
        write(path.parent, {name: files[name]})

    return download
