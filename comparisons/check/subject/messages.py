"""What travels between a class under check and us, and how its side lays arrays out in memory.

Arrays arrive contiguous and writeable, so a layout is asked for by name and made on the other side.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backproof.comparisons.contenders import telling
from backproof.comparisons.running.outside_text import cleaned, identifier
from backproof.comparisons.running.plain_data import Fields, Opaque
from backproof.scratch.architecture import Architecture


@dataclass(frozen=True)
class Renamed:
    """An architecture whose activation is called by a name that ours has not."""

    architecture: Architecture
    activation: str

    def made(self) -> Architecture:
        """The architecture with this name in it, past its own check of names."""
        renamed = replace(self.architecture)
        object.__setattr__(renamed, "activation", self.activation)
        return renamed


RECORDS: dict[str, type] = {  # told to a class
    **telling.RECORDS,
    "Renamed": Renamed,
}


@dataclass(frozen=True)
class Answer:
    """What one call did: a value or an error, and what it changed that was not its own."""

    value: Any = None
    raised: str = ""  # "ValueError: ..." with the user's own line it came from
    declined: str = ""  # what NotOffered or NotImplementedError said: an answer, no error
    mutated: tuple[str, ...] = ()  # arguments written to
    changed: tuple[str, ...] = ()  # earlier results that changed
    recordings: dict[int, Any] = field(default_factory=dict)  # checkpoint -> weights there


@dataclass(frozen=True)
class Ready:
    """What a class says of itself when it has been made, checked and cleaned."""

    name: str
    methods: dict[str, list[str]]
    attributes: Fields
    imports: frozenset[str]
    ancestors: tuple[str, ...]

    @classmethod
    def checked(cls, detail: Any) -> "Ready":
        """From its message; what has another form than ours would send is left out."""
        found = detail if isinstance(detail, dict) else {}
        methods, attributes = found.get("methods"), found.get("attributes")
        return cls(
            name=identifier(str(found.get("name", ""))),
            methods={
                identifier(name): list(names_of(parameters))
                for name, parameters in (methods if isinstance(methods, dict) else {}).items()
                if isinstance(name, str) and isinstance(parameters, list)
            },
            attributes={
                identifier(name): clean(value)
                for name, value in (attributes if isinstance(attributes, dict) else {}).items()
                if isinstance(name, str)
            },
            imports=frozenset(names_of(found.get("imports"))),
            ancestors=names_of(found.get("ancestors")),
        )


def names_of(value: Any) -> tuple[str, ...]:
    """The texts of a list, cleaned; of anything else none."""
    texts = value if isinstance(value, list) else []
    return tuple(identifier(text) for text in texts[:1000] if isinstance(text, str))


def clean(value: Any) -> Any:
    """Plain data with all its texts cleaned."""
    if isinstance(value, str):
        return cleaned(value)
    if isinstance(value, Opaque):
        return Opaque(cleaned(value.type_name), cleaned(value.text))
    if isinstance(value, list):
        return [clean(item) for item in value]
    if isinstance(value, dict):
        return {clean(key): clean(item) for key, item in value.items()}
    return value


def answer_from(detail: Fields) -> Answer:
    """From the message of a call; what has another form than ours would send is left out."""
    recordings = detail.get("recordings")
    listed = recordings if isinstance(recordings, list) else []
    pairs = [pair for pair in listed if isinstance(pair, list) and len(pair) == 2]
    return Answer(
        value=clean(detail.get("value")),
        raised=cleaned(str(detail.get("raised") or "")),
        declined=cleaned(str(detail.get("declined") or "")),
        mutated=names_of(detail.get("mutated")),
        changed=names_of(detail.get("changed")),
        recordings={step: clean(weights) for step, weights in pairs if isinstance(step, int)},
    )


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
    """Every array in this layout, in C order as it came for an empty name; and names made what they name."""
    if isinstance(value, np.ndarray):
        return LAYOUTS[layout](value) if layout else value
    if isinstance(value, Renamed):
        return value.made()
    if isinstance(value, list | tuple):
        return type(value)(laid_out(item, layout) for item in value)
    return value
