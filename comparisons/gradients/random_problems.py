"""Random networks for the campaign: the numbers, and the shapes, that break gradient checkers.

Of 1 to 3 layers of 1 to 6 units, with batches of 1 to 6, each uniform:

    normal      weights, biases and inputs N(0, 1)
    integer     weights, biases and inputs uniform in {-2, ..., 2}: sums are exact, kinks are hit exactly
    wide        each tensor N(0, 1) at its own scale, log-uniform in 1e-6 .. 1e3
    saturated   normal, with the weights of one layer multiplied by a factor log-uniform in 10 .. 100, so
                that its sigmoid, tanh or softmax saturates
    tiny        everything N(0, 1) times one scale, log-uniform in 1e-9 .. 1e-2
    offset      normal, with inputs or biases shifted by 10^2 .. 10^6 units of their spread
    cancelling  normal, each weight twice with opposite signs but for 1e-6 .. 1e-1, on equal inputs
    kinks       normal, with biases that put a pre-activation of one example within a few roundings of zero
    subnormal   normal, with a part of the weights and inputs below the smallest normal number
    zeros       normal, with rows and columns of zeros in inputs and weights
    extreme     each tensor N(0, 1) at its own scale, log-uniform in 1e-150 .. 1e150 (float32: 1e-18 .. 1e18)

And beyond those shapes:

    deep        10 to 20 layers of 2 to 32 units, at He's scale, batches of 1 to 8
    broad       one or two hidden layers of 64 to 2,000 units in all, at He's scale, batches of 1 to 4
    crowded     batches of 100 to 1,000, a part of the examples equal; 1 to 3 layers of 1 to 12 units

The loss is any of the four.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from backproof.scratch.architecture import LOSSES, ActivationName, Architecture, Array, DtypeName
from backproof.scratch.errors import InputError
from backproof.scratch.network import Network
from backproof.scratch.problem import Problem

LARGEST_SIZE = 6
SHARE = 0.3  # of numbers that a family makes zero, subnormal or equal


def float64_shadow(problem: Problem) -> tuple[Network, Array, Array]:
    """The from-scratch network in float64 at the numbers that the problem's dtype holds, with its batch."""
    wide = problem.astype("float64")
    return Network.at(wide), wide.x, wide.targets


@dataclass
class _Draft:
    """Numbers in double precision, before they are rounded to the dtype."""

    rng: np.random.Generator
    dtype: DtypeName
    weights: list[tuple[Array, Array]]
    x: Array


def draw(rng: np.random.Generator, family: str, activation: ActivationName, dtype: DtypeName) -> Problem:
    """A problem of this family. Raises ValueError for an unknown family."""
    if family not in FAMILIES:
        raise InputError(f"family: expected one of {', '.join(FAMILIES)}; got {family!r}")
    sizes, batch = _SHAPES.get(family, _small)(rng)
    loss = LOSSES[rng.choice(len(LOSSES))]
    architecture = Architecture(sizes, activation, loss, dtype)
    weights = [(_tensor(rng, family, s), _tensor(rng, family, s[1:])) for s in architecture.layer_shapes]
    draft = _Draft(rng, dtype, weights, _tensor(rng, family, (batch, sizes[0])))
    _CHANGES.get(family, _nothing)(draft)
    with np.errstate(over="ignore", under="ignore"):
        typed = [(W.astype(dtype), b.astype(dtype)) for W, b in draft.weights]
        x = draft.x.astype(dtype)
    return Problem(architecture, typed, x, _targets(rng, family, architecture, batch))


def _small(rng: np.random.Generator) -> tuple[tuple[int, ...], int]:
    sizes = tuple(int(size) for size in rng.integers(1, LARGEST_SIZE + 1, rng.integers(2, 5)))
    return sizes, int(rng.integers(1, LARGEST_SIZE + 1))


def _deep(rng: np.random.Generator) -> tuple[tuple[int, ...], int]:
    width, depth = int(rng.integers(2, 33)), int(rng.integers(10, 21))
    return (int(rng.integers(2, 17)), *[width] * (depth - 1), int(rng.integers(1, 11))), int(
        rng.integers(1, 9)
    )


def _broad(rng: np.random.Generator) -> tuple[tuple[int, ...], int]:
    n_hidden = int(rng.integers(1, 3))
    widest = 2000 if n_hidden == 1 else 200
    hidden = [int(2 ** rng.uniform(6, np.log2(widest))) for _ in range(n_hidden)]
    return (int(rng.integers(2, 21)), *hidden, int(rng.integers(1, 11))), int(rng.integers(1, 5))


def _crowded(rng: np.random.Generator) -> tuple[tuple[int, ...], int]:
    sizes = tuple(int(size) for size in rng.integers(1, 13, rng.integers(2, 5)))
    return sizes, int(10 ** rng.uniform(2, 3))


_SHAPES: dict[str, Callable[[np.random.Generator], tuple[tuple[int, ...], int]]] = {
    "deep": _deep,
    "broad": _broad,
    "crowded": _crowded,
}


def _tensor(rng: np.random.Generator, family: str, shape: tuple[int, ...]) -> Array:
    if family == "integer":
        return rng.integers(-2, 3, shape).astype(np.float64)
    values: Array = rng.standard_normal(shape)
    return values * 10.0 ** rng.uniform(-6.0, 3.0) if family == "wide" else values


def _nothing(draft: _Draft) -> None:
    """Leave the numbers as they are."""


def _saturate(draft: _Draft) -> None:
    factor, layer = 10.0 ** draft.rng.uniform(1.0, 2.0), int(draft.rng.integers(len(draft.weights)))
    W, b = draft.weights[layer]
    draft.weights[layer] = W * factor, b * factor


def _shrink(draft: _Draft) -> None:
    scale = 10.0 ** draft.rng.uniform(-9.0, -2.0)
    draft.weights = [(W * scale, b * scale) for W, b in draft.weights]
    draft.x = draft.x * scale


def _shift(draft: _Draft) -> None:
    offset = 10.0 ** draft.rng.uniform(2.0, 6.0)
    if draft.rng.integers(2):
        draft.x = draft.x + offset
    else:
        layer = int(draft.rng.integers(len(draft.weights)))
        W, b = draft.weights[layer]
        draft.weights[layer] = W, b + offset


def _cancel(draft: _Draft) -> None:
    """Every second input is the one before it, and its weights are nearly the opposite."""
    closeness = 10.0 ** draft.rng.uniform(-6.0, -1.0)
    n = draft.x.shape[1] // 2 * 2
    draft.x[:, 1:n:2] = draft.x[:, 0:n:2]
    for W, _ in draft.weights:
        m = len(W) // 2 * 2
        W[1:m:2] = -W[0:m:2] + closeness * W[1:m:2]


def _approach_kinks(draft: _Draft) -> None:
    """Biases of the first layer that put one example's pre-activation next to zero, unit by unit."""
    W, b = draft.weights[0]
    row = draft.x[int(draft.rng.integers(len(draft.x)))].astype(draft.dtype)
    z = row @ W.astype(draft.dtype)
    chosen = draft.rng.random(len(b)) < 0.5
    b[chosen] = (-z + draft.rng.integers(-3, 4, len(b)) * np.spacing(np.abs(z)))[chosen]


def _sink(draft: _Draft) -> None:
    """A part of the numbers falls below the smallest normal one."""
    tiny = float(np.finfo(draft.dtype).smallest_normal)
    arrays = [draft.x, *(part for pair in draft.weights for part in pair)]
    for array in arrays:
        chosen = draft.rng.random(array.shape) < SHARE
        array[chosen] *= tiny


def _erase(draft: _Draft) -> None:
    """Rows and columns of zeros."""
    for array in [draft.x, *(W for W, _ in draft.weights)]:
        array[draft.rng.random(len(array)) < SHARE] = 0.0
        array[:, draft.rng.random(array.shape[1]) < SHARE] = 0.0


def _stretch(draft: _Draft) -> None:
    far = 150.0 if draft.dtype == "float64" else 18.0

    def scaled(array: Array) -> Array:
        return np.asarray(array * 10.0 ** draft.rng.uniform(-far, far))

    draft.weights = [(scaled(W), scaled(b)) for W, b in draft.weights]


def _at_he_scale(draft: _Draft) -> None:
    draft.weights = [(W * np.sqrt(2.0 / len(W)), 0.1 * b) for W, b in draft.weights]


def _repeat(draft: _Draft) -> None:
    """A part of the examples is the first one, again."""
    _at_he_scale(draft)
    draft.x[draft.rng.random(len(draft.x)) < SHARE] = draft.x[0]


_CHANGES: dict[str, Callable[[_Draft], None]] = {
    "saturated": _saturate,
    "tiny": _shrink,
    "offset": _shift,
    "cancelling": _cancel,
    "kinks": _approach_kinks,
    "subnormal": _sink,
    "zeros": _erase,
    "extreme": _stretch,
    "deep": _at_he_scale,
    "broad": _at_he_scale,
    "crowded": _repeat,
}
ORDINARY = ("normal", "integer", "wide", "saturated")
FAMILIES = (*ORDINARY, *(family for family in _CHANGES if family not in ORDINARY))


def _targets(rng: np.random.Generator, family: str, architecture: Architecture, batch: int) -> Array:
    shape = (batch, architecture.n_outputs)
    if architecture.loss == "cross_entropy":
        return rng.integers(0, architecture.n_outputs, batch)
    if architecture.loss == "binary_cross_entropy":
        return rng.integers(0, 2, shape).astype(architecture.dtype)
    return _tensor(rng, family, shape).astype(architecture.dtype)
