"""Small records on images made for tests: every digit a bar in a row of its own, learned in moments."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from backproof.comparisons.data.dataset import Dataset
from backproof.comparisons.record import distortion
from backproof.comparisons.record import part as record
from backproof.comparisons.record.distortion import Distortion
from backproof.comparisons.record.recipes import BOARDS, RECIPES, Recipe
from backproof.comparisons.record.result import BoardResult, EpochEnd
from backproof.comparisons.record.training import Budget, Member, train_members
from backproof.comparisons.running.progress import Silent
from backproof.scratch.architecture import Array, OptimizerSpec
from backproof.scratch.regularization import Dropout

SMALL = Recipe(
    board="distortion",
    hidden=(16,),
    optimizer=OptimizerSpec("adam", 0.01),
    batch_size=50,
    dropout=Dropout(0.2, 0.1),
    label_smoothing=0.05,
    averaging=0.9,
    distortion=Distortion(5.0, 0.05, 0.05, 0.5, 0.3, 2.0),
)
TWO_EPOCHS, THREE_EPOCHS = Budget(epochs=2), Budget(epochs=3)


@contextmanager
def small_recipes() -> Iterator[None]:
    """Every board trains SMALL, a hundred images are held out, few distortions are made."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record, "N_VALIDATION", 100)
        patch.setattr(distortion, "N_FIELDS", 16)
        for board in BOARDS:
            patch.setitem(RECIPES, board, replace(SMALL, board=board))
        yield


def dataset(seed: int = 0, n_train: int = 400, n_test: int = 120) -> Dataset:
    """Images of MNIST's shape in which digit k is a bright bar in row 2 k: easy to learn."""
    rng = np.random.default_rng(seed)

    def part(n: int) -> tuple[Array, Array]:
        labels = rng.integers(0, 10, n)
        images = 0.3 * rng.random((n, 28, 28), np.float32)
        images[np.arange(n), 2 * labels, 4:24] = 1.0
        return images.reshape(n, 784), labels

    (train, train_labels), (test, test_labels) = part(n_train), part(n_test)
    return Dataset("mnist", train, train_labels, test, test_labels, (28, 28), "made for tests", "0" * 64)


def board(budget: Budget = THREE_EPOCHS, data: Dataset | None = None) -> BoardResult:
    """The distortion board of a small record."""
    return record.run(data or dataset(), ("distortion",), budget, (0,), Silent()).boards["distortion"]


def trained(
    recipe: Recipe = SMALL,
    budget: Budget = TWO_EPOCHS,
    seed: int = 0,
    report: Callable[[int, EpochEnd], None] = lambda index, end: None,
) -> list[Member]:
    return train_members(recipe, record.validation_split(dataset()), budget, seed, report)
