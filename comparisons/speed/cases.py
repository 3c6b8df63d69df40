"""What is timed: `Case`, a network with a batch size and an update rule; and the data it is trained on.

A case's data are images in [0, 1] with labels; its batches are whole shuffled epochs, the short last batch
kept. Batches and first weights follow from a seed: every process makes the same ones, and shows their hash.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

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
class Case:
    """784-128-10 in batches of 100 by SGD is ``Case((784, 128, 10), 100, "sgd")``."""

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
    Case((784, 128, 10), 100, "sgd"),
    Case((784, 64, 10), 32, "sgd"),
    Case((784, 256, 256, 10), 256, "adam"),
    Case((784, 512, 512, 10), 128, "sgd"),
    Case((784, 50, 10), 100, "sgd"),
)


def parse_case(text: str) -> Case:
    """``784-128-10/100/sgd`` -> Case. Raises InputError for anything else."""
    parts = text.strip().split("/")
    if len(parts) not in (2, 3, 4):
        raise InputError(f"cases: expected LAYERS/BATCH/OPTIMIZER such as 784-128-10/100/sgd, got {text!r}")
    try:
        sizes, batch_size = tuple(int(size) for size in parts[0].split("-")), int(parts[1])
    except ValueError as error:
        raise InputError(
            f"cases: expected LAYERS/BATCH/OPTIMIZER such as 784-128-10/100/sgd, got {text!r}"
        ) from error
    return Case(sizes, batch_size, *parts[2:])


@dataclass(frozen=True)
class CaseData:
    """x (examples, n_inputs) float32, labels (examples,) int64, and where they are from."""

    x: Array
    labels: Array
    source: str


def synthetic(n_examples: int, n_inputs: int, n_outputs: int, seed: int = 0) -> CaseData:
    """Uniform images and labels: where a case's inputs are not MNIST's. Their values cost no time."""
    rng = np.random.default_rng(seed)
    x = rng.random((n_examples, n_inputs), dtype=np.float32)
    return CaseData(x, rng.integers(0, n_outputs, n_examples), f"uniform random images, seed {seed}")


class CaseStore:
    """The data of every case as a file that the workers read; one file per width of the input."""

    def __init__(self, folder: Path, dataset: "Dataset | None", n_examples: int) -> None:
        self._folder, self._dataset, self._n_examples = folder, dataset, n_examples
        self.sources: dict[str, str] = {}

    def path(self, case: Case) -> Path:
        n_inputs, n_outputs = case.layer_sizes[0], case.layer_sizes[-1]
        path = self._folder / f"{n_inputs}-{n_outputs}.npz"
        if not path.exists():
            data = self._data(n_inputs, n_outputs)
            np.savez(path, x=data.x, labels=data.labels)
            self.sources[f"{n_inputs} inputs"] = data.source
        return path

    def _data(self, n_inputs: int, n_outputs: int) -> CaseData:
        dataset = self._dataset
        if dataset is not None and dataset.n_features == n_inputs and n_outputs >= 10:
            kept = slice(self._n_examples)
            return CaseData(dataset.train_images[kept], dataset.train_labels[kept], dataset.source)
        return synthetic(self._n_examples, n_inputs, n_outputs)


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
