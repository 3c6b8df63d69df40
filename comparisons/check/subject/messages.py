"""What travels through the pipe, and how the worker lays arrays out in memory.

Pickling makes a strided array contiguous and a read-only one writeable, so a layout is asked for by name and
made on the other side.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Opaque:
    """Something that is not an array or a number: what it was."""

    type_name: str
    text: str


@dataclass(frozen=True)
class Answer:
    """What one call did: a value or an error, and what it changed that was not its own."""

    value: Any = None
    raised: str = ""  # "ValueError: ..." with the line it came from
    mutated: tuple[str, ...] = ()  # arguments written to
    changed: tuple[str, ...] = ()  # earlier results that changed
    recordings: dict[int, Any] = field(default_factory=dict)  # checkpoint -> weights there


def _strided(array: NDArray[Any]) -> NDArray[Any]:
    """Every second entry, along every axis, of an array twice as long; between them lies something else."""
    wide = np.full([2 * n for n in array.shape], 7, array.dtype)
    view = wide[(slice(None, None, 2),) * array.ndim]
    view[...] = array
    return view


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    copy = array.copy()
    copy.flags.writeable = False
    return copy


LAYOUTS: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "Fortran order": np.asfortranarray,
    "strides": _strided,
    "read-only": _read_only,
}


def laid_out(value: Any, layout: str) -> Any:
    """Every array of `value` in this layout; in C order as it came for an empty name."""
    if isinstance(value, np.ndarray):
        return LAYOUTS[layout](value) if layout else value
    if isinstance(value, list | tuple):
        return type(value)(laid_out(item, layout) for item in value)
    return value
