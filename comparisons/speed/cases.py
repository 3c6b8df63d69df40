"""What is timed: `SpeedCase`, a network with a batch size and an update rule; and the data it is trained on.

A case's data are images in [0, 1] with labels; its batches are whole shuffled epochs, the short last batch
kept. Batches and first weights follow from a seed: every process makes the same ones, and shows their hash.
"""

import hashlib
import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from backproof.comparisons.data.dataset import N_CLASSES
from backproof.comparisons.drawing import formats
from backproof.comparisons.speed.result import TimedData
from backproof.scratch.architecture import Architecture, Array, DtypeName, OptimizerSpec
from backproof.scratch.errors import InputError

if TYPE_CHECKING:
    from backproof.comparisons.data.dataset import Dataset

# As the anchors were measured: plain SGD at 0.1, Adam at 0.001.
OPTIMIZERS = {
    "sgd": OptimizerSpec("sgd", learning_rate=0.1),
    "momentum": OptimizerSpec("sgd", learning_rate=0.1, momentum=0.9),
    "adam": OptimizerSpec("adam", learning_rate=0.001),
}


@dataclass(frozen=True)
class SpeedCase:
    """784-128-10 in batches of 100 by SGD is ``SpeedCase((784, 128, 10), 100, "sgd")``."""

    layer_sizes: tuple[int, ...]
    batch_size: int
    optimizer: str = "sgd"
    dtype: str = "float32"

    def __post_init__(self) -> None:
        if self.optimizer not in OPTIMIZERS:
            raise InputError(f"cases: expected one of {', '.join(OPTIMIZERS)}; got {self.optimizer!r}")
        if self.batch_size < 1:
            raise InputError(f"cases: expected a batch size of at least 1, got {self.batch_size}")
        try:
            _ = self.architecture
        except (TypeError, ValueError) as error:
            raise InputError(f"cases: {error}") from error

    @cached_property
    def architecture(self) -> Architecture:
        return Architecture(self.layer_sizes, dtype=cast(DtypeName, self.dtype))  # which refuses others

    @property
    def spec(self) -> OptimizerSpec:
        return OPTIMIZERS[self.optimizer]

    @property
    def label(self) -> str:
        """``784-128-10, batch 100, sgd``."""
        dtype = "" if self.dtype == "float32" else f", {self.dtype}"
        return f"{'-'.join(map(str, self.layer_sizes))}, batch {self.batch_size}, {self.optimizer}{dtype}"


# The five networks of the published comparison.
FIVE_CASES = (
    SpeedCase((784, 128, 10), 100, "sgd"),
    SpeedCase((784, 64, 10), 32, "sgd"),
    SpeedCase((784, 256, 256, 10), 256, "adam"),
    SpeedCase((784, 512, 512, 10), 128, "sgd"),
    SpeedCase((784, 50, 10), 100, "sgd"),
)


def parse_case(text: str) -> SpeedCase:
    """``784-128-10/100/sgd`` -> SpeedCase. Raises InputError for anything else."""
    parts = text.strip().split("/")
    if len(parts) not in (2, 3, 4):
        raise InputError(f"cases: expected LAYERS/BATCH/OPTIMIZER such as 784-128-10/100/sgd, got {text!r}")
    try:
        sizes, batch_size = tuple(int(size) for size in parts[0].split("-")), int(parts[1])
    except ValueError as error:
        raise InputError(
            f"cases: expected LAYERS/BATCH/OPTIMIZER such as 784-128-10/100/sgd, got {text!r}"
        ) from error
    return SpeedCase(sizes, batch_size, *parts[2:])


@dataclass(frozen=True)
class CaseData:
    """x (examples, n_inputs) float32 and labels (examples,) int64, and what they are."""

    x: Array
    labels: Array
    data: TimedData


def synthetic(n_examples: int, n_inputs: int, n_outputs: int, seed: int = 0) -> CaseData:
    """Uniform random numbers and labels: for a case whose inputs no images have. Values cost no time."""
    rng = np.random.default_rng(seed)
    x = rng.random((n_examples, n_inputs), dtype=np.float32)
    labels = rng.integers(0, n_outputs, n_examples)
    return CaseData(x, labels, TimedData("random", f"uniform random numbers, seed {seed}"))


def enlarged(images: Array, shape: tuple[int, int], side: int) -> Array:
    """Images (examples, rows * columns) of this shape as (examples, side * side), by bilinear interpolation.

    Along each axis pixel i of n lies at i / (n - 1); with R the interpolation from n points to `side`
    of them, each image X becomes R X R^T. Values stay in [0, 1].
    """
    rows, columns = (_interpolation(n, side) for n in shape)
    square = images.reshape(-1, *shape)
    return np.ascontiguousarray((rows @ square @ columns.T).reshape(len(images), side * side), np.float32)


def _interpolation(n: int, side: int) -> Array:
    """(side, n): each row holds the shares of the two nearest of n points."""
    places = np.linspace(0.0, n - 1.0, side)
    left = np.minimum(places.astype(int), n - 2)
    shares = np.zeros((side, n))
    shares[np.arange(side), left] = 1.0 - (places - left)
    shares[np.arange(side), left + 1] = places - left
    return shares


class CaseStore:
    """The data of every case as a file that the workers read; one file per width of the input.

    Its images are the data set's own where their size is the network's. Where they are smaller and a square
    (the digits, 8 by 8, below networks for MNIST), they are enlarged, and repeated until there are as many
    as asked for: as much memory is walked through as with MNIST. A width of no image gets random numbers.
    """

    def __init__(self, folder: Path, dataset: "Dataset | None", n_examples: int) -> None:
        self._folder, self._dataset, self._n_examples = folder, dataset, n_examples
        self._data: dict[Path, TimedData] = {}

    def path(self, case: SpeedCase) -> Path:
        """The .npz of x and labels."""
        n_inputs, n_outputs = case.layer_sizes[0], case.layer_sizes[-1]
        path = self._folder / f"{n_inputs}-{n_outputs}.npz"
        if path not in self._data:
            found = self._made(n_inputs, n_outputs)
            np.savez(path, x=found.x, labels=found.labels)
            self._data[path] = found.data
        return path

    def data(self, case: SpeedCase) -> TimedData:
        """What the case is trained on."""
        return self._data[self.path(case)]

    def _made(self, n_inputs: int, n_outputs: int) -> CaseData:
        dataset, side = self._dataset, math.isqrt(n_inputs)
        if dataset is None or n_outputs < N_CLASSES:
            return synthetic(self._n_examples, n_inputs, n_outputs)
        name = formats.dataset(dataset.name)
        if dataset.n_features == n_inputs:
            kept = slice(self._n_examples)
            images, labels = dataset.train_images[kept], dataset.train_labels[kept]
            return CaseData(images, labels, TimedData(dataset.name, name))
        if side * side != n_inputs or side < max(dataset.image_shape):
            return synthetic(self._n_examples, n_inputs, n_outputs)
        rows = np.arange(self._n_examples) % len(dataset.train_images)
        x = enlarged(dataset.train_images, dataset.image_shape, side)[rows]
        says = f"{name}, enlarged to {side} by {side} pixels"
        return CaseData(x, dataset.train_labels[rows], TimedData(dataset.name, says))


def batches(n_examples: int, batch_size: int, n_steps: int, seed: int) -> list[Array]:
    """`n_steps` index arrays: one shuffled epoch after another, each with its short last batch."""
    rng = np.random.default_rng(seed)
    result: list[Array] = []
    while len(result) < n_steps:
        order = rng.permutation(n_examples)
        result += [order[start : start + batch_size] for start in range(0, n_examples, batch_size)]
    return result[:n_steps]


def digest(arrays: list[Array]) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of the arrays' bytes."""
    total = hashlib.sha256()
    for array in arrays:
        total.update(np.ascontiguousarray(array).tobytes())
    return total.hexdigest()[:16]
