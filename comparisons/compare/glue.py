"""What stands between two layers, when it is wrong: a tensor left out, added, or handed on as it is."""

from collections.abc import Iterator, Mapping

import numpy as np

from backproof.comparisons.verdicts.rounding import Bounded
from backproof.scratch.architecture import Array


def missing_pieces(found: Array, expected: Bounded, pieces: Mapping[str, Array]) -> list[str]:
    """Sentences, each of which explains every entry of what was found."""
    right, allowed = expected.value, 2 * expected.error
    if not right.ndim:
        return []
    fits = [text for text, other in _alternatives(found, right, pieces) if _close(found, other, allowed)]
    if not fits and _same_entries(found, right, expected.error):
        fits = ["it holds the right numbers in another order: axes permuted before a reshape?"]
    return fits


def _alternatives(found: Array, right: Array, pieces: Mapping[str, Array]) -> Iterator[tuple[str, Array]]:
    same = {
        name: value.astype(np.float64).reshape(right.shape)
        for name, value in pieces.items()
        if value.size == right.size and value.ndim and len(value) == len(right)
    }
    for name, value in same.items():
        if value.any():
            yield f"{name} is missing from the sum: a residual that was left out?", right - value
            yield f"{name} is added to it", right + value
    for name, value in same.items():
        if value.any():
            yield f"it is {name} unchanged: what stands between is left out?", value
            yield f"it is the relu of {name} alone: a term is missing?", np.maximum(value, 0)
    factor = float((found * right).sum() / (right * right).sum()) if right.any() else 0.0
    if np.isfinite(factor) and factor not in (0.0, 1.0):
        yield f"it is {factor:.6g} times what it should be", factor * right
    if right.any():
        yield "it is zero", np.zeros_like(right)
    if right.ndim > 1 and right.shape[0] == right.shape[1]:
        yield "it is transposed", right.swapaxes(0, 1)


def _same_entries(found: Array, right: Array, allowed: Array) -> bool:
    """In each example the same numbers, in whatever order."""
    if found.ndim < 2:
        return False
    rows = found.reshape(len(found), -1), right.reshape(len(right), -1)
    off = np.abs(np.sort(rows[0], axis=1) - np.sort(rows[1], axis=1))
    return bool((off <= allowed.max()).all()) and float(np.std(rows[1])) > 10 * float(allowed.max())


def _close(found: Array, other: Array, allowed: Array) -> bool:
    return bool((np.abs(found - other) <= allowed).all())
