"""Gradients made wrong: by a factor, in one entry, in sign, to zero, transposed."""

from collections.abc import Callable

import numpy as np

from backproof.comparisons.gradients.black_box_families import BlackBox
from backproof.scratch.architecture import Array

Change = Callable[[Array, np.random.Generator], Array]

ALIVE = 1e-3  # entries of at least this share of the largest are made wrong one at a time


def _factor(size: float) -> Change:
    return lambda g, rng: g * (1 + rng.choice([-1, 1]) * size)


def _entry(change: Callable[[float, np.random.Generator], float]) -> Change:
    def changed(g: Array, rng: np.random.Generator) -> Array:
        flat = g.ravel().copy()
        alive = np.flatnonzero(np.abs(flat) > ALIVE * np.abs(flat).max())
        if alive.size:
            chosen = int(rng.choice(alive))
            flat[chosen] = change(float(flat[chosen]), rng)
        return flat.reshape(g.shape)

    return changed


def _one_entry(size: float) -> Change:
    return _entry(lambda value, rng: value * (1 + rng.choice([-1, 1]) * size))


def _transposed(g: Array, rng: np.random.Generator) -> Array:
    """A square matrix transposed, anything else reversed."""
    return g.T.copy() if g.ndim == 2 and g.shape[0] == g.shape[1] else g.ravel()[::-1].reshape(g.shape).copy()


CHANGES: dict[str, Change] = {
    **{f"scaled by 1e-{k}": _factor(10.0**-k) for k in range(1, 9)},
    **{f"one entry by 1e-{k}": _one_entry(10.0**-k) for k in (1, 2, 4)},
    "sign": lambda g, rng: -g,
    "sign of one entry": _entry(lambda value, rng: -value),
    "zero": lambda g, rng: np.zeros_like(g),
    "one entry zero": _entry(lambda value, rng: 0.0),
    "transposed": _transposed,
}
# Mistakes of 1e-2 and more: none of these may ever pass.
GROSS = tuple(kind for kind in CHANGES if not kind.endswith(("1e-3", "1e-4", "1e-5", "1e-6", "1e-7", "1e-8")))


def mistaken(box: BlackBox, kind: str, rng: np.random.Generator) -> Array | None:
    """The gradient with this mistake in it; None where that changes it by less than it says.

    At a kink what still lies between the one-sided slopes is no mistake, and a matrix that is nearly
    symmetric is not transposed by much.
    """
    right = np.asarray(box.gradient)
    wrong = CHANGES[kind](right, rng).astype(right.dtype)
    largest = float(np.abs(right).max())
    slight = kind == "transposed" and float(np.abs(wrong - right).max()) < 0.1 * largest
    return None if box.is_right(wrong) or slight else wrong
