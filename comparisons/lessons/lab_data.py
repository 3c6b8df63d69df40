"""The data and the starts that the page's other lessons compute with, written as Python's lessons draw them.

Rounded to six digits, as the page holds them, so that what the page finds can be found in Python.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from backproof.comparisons.lessons import linear_regression, logistic_regression, shapes, text_network, xor
from backproof.comparisons.lessons.lab_digits import written
from backproof.scratch.architecture import Architecture, Array
from backproof.scratch.initializers import initialize

SEED = 0
XOR = Architecture((2, 2, 1), activation="tanh", loss="binary_cross_entropy")
DEEP = Architecture((1, 8, 8, 1), activation="relu", loss="mse")
TEXT_SEEDS = (0, 1, 2, 3)
Numbers = tuple[float, ...]


@dataclass(frozen=True)
class Line:
    """Points around a line, and (W, b) of least squares."""

    x: Numbers
    y: Numbers
    best: Numbers


@dataclass(frozen=True)
class Clouds:
    """Two clouds in the plane: coordinates (2 n) and classes (n)."""

    x: Numbers
    t: Numbers


@dataclass(frozen=True)
class TextStart:
    """The text's network at its start: h of one row (all are alike), and W2, row by row."""

    h: Numbers
    w2: Numbers


@dataclass(frozen=True)
class Matrices:
    """Small integers: the inputs (5, 3) and the first layer's weights (3, 4)."""

    inputs: tuple[Numbers, ...]
    weight: tuple[Numbers, ...]


@dataclass(frozen=True)
class LabData:
    line: Line
    clouds: Clouds
    xor: tuple[Numbers, ...]  # starts of the 2-2-1 network
    deep: Numbers  # a 1-8-8-1 network
    text_net: tuple[TextStart, ...]
    shapes: Matrices


@cache
def lab_data() -> LabData:
    """All of it, drawn once per process; every seed is fixed."""
    x, y = linear_regression.data(SEED)
    best = np.linalg.lstsq(np.column_stack([x, np.ones(len(x))]), y[:, 0], rcond=None)[0]
    points, classes = logistic_regression.data(SEED)
    inputs, weight = small_integers()
    return LabData(
        line=Line(numbers(x), numbers(y), numbers(best)),
        clouds=Clouds(numbers(points), numbers(classes)),
        xor=tuple(numbers(initialize(XOR, seed, "normal").flat) for seed in range(xor.STARTS)),
        deep=numbers(initialize(DEEP, SEED, "normal", biases=True).flat),
        text_net=tuple(text_start(seed) for seed in TEXT_SEEDS),
        shapes=Matrices(tuple(map(tuple, inputs.tolist())), tuple(map(tuple, weight.tolist()))),
    )


def numbers(values: Array) -> Numbers:
    """Flat, as the page holds them."""
    return tuple(float(value) for value in written(values.ravel()))


def text_start(seed: int) -> TextStart:
    """h = x W1 of one row, and W2."""
    x, _ = text_network.text_data()
    w1, w2 = text_network.text_weights(seed)
    return TextStart(numbers(x[0] @ w1), numbers(w2))


def small_integers() -> tuple[Array, Array]:
    """The integers of the lesson on shapes: inputs (5, 3) and the first weight (3, 4)."""
    rng = np.random.default_rng(SEED)
    inputs = rng.integers(-3, 4, (5, 3)).astype(int)
    return inputs, rng.integers(-3, 4, shapes.SIZES[:2]).astype(int)
