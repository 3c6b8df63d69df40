"""What the page's own network computes with: scikit-learn's digits, a trained network, the start it had.

The network is 64-32-10 with tanh and cross-entropy, trained here by the project's own backprop; everything
follows from SEED. Weights are rounded to six digits, as they are written into the page, so that Python and
the page compute with the same numbers.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from backproof.comparisons.data.dataset import Dataset, load
from backproof.scratch.architecture import Architecture, Array, OptimizerSpec
from backproof.scratch.initializers import initialize
from backproof.scratch.network import Network
from backproof.scratch.training import EpochPlan, Recipe, fit

ARCHITECTURE = Architecture((64, 32, 10), activation="tanh", loss="cross_entropy")
SEED, RATE, EPOCHS, BATCH_SIZE = 0, 0.2, 30, 20
TRAIN = 800  # digits that the page trains on where the number is no choice
LEVELS = "abcdefghijklmnopq"  # ink 0 to 16


@dataclass(frozen=True)
class LabDigits:
    """Flat parameters (n,), and images as one letter a pixel: those from `test` on are never trained on."""

    weights: Array
    start: Array
    images: str
    labels: tuple[int, ...]
    train: int
    test: int
    three: str  # the digit that lies on the drawing board at first


def written(values: Array) -> Array:
    """The numbers as the page holds them: six significant digits."""
    return np.array([float(f"{value:.6g}") for value in values])


def letters(images: Array) -> str:
    """Rows of pixels in [0, 1], a multiple of 1/16 each, as letters."""
    return "".join(LEVELS[round(16 * float(pixel))] for pixel in images.ravel())


def pixels(text: str) -> Array:
    """Letters as rows of 64 pixels (n, 64)."""
    return np.array([LEVELS.index(letter) / 16 for letter in text]).reshape(-1, 64)


@cache
def lab_digits() -> LabDigits:
    """Trained in about a second, once per process."""
    data = load("digits")
    start = written(initialize(ARCHITECTURE, SEED, "glorot_uniform").flat)
    network = fresh(start)
    images = data.train_images.astype(np.float64)
    recipe = Recipe(OptimizerSpec("sgd", learning_rate=RATE))
    fit(network, images, data.train_labels, recipe, EpochPlan(EPOCHS, BATCH_SIZE, SEED))
    labels = np.concatenate([data.train_labels, data.test_labels])
    return LabDigits(
        weights=written(network.parameters.flat),
        start=start,
        images=letters(np.concatenate([data.train_images, data.test_images])),
        labels=tuple(int(label) for label in labels),
        train=TRAIN,
        test=len(data.train_labels),
        three=letters(_first_of(data, 3)),
    )


def fresh(flat: Array) -> Network:
    """The page's network at these parameters."""
    from backproof.scratch.parameters import Parameters

    return Network(ARCHITECTURE, Parameters(ARCHITECTURE, flat.copy()))


def _first_of(data: Dataset, digit: int) -> Array:
    image: Array = data.test_images[int(np.flatnonzero(data.test_labels == digit)[0])]
    return image
