"""Dataclasses as JSON and back, every value checked on its way in.

A field's annotation is its format, all the way down:

    str, bool, int      themselves
    float               a number; NaN and the infinities become null, for which JSON has no other word,
                        and null is read as NaN
    X | None            null, or X
    Literal, StrEnum    one of these words
    tuple[X, ...]       a list                        tuple[X, Y]  a list of two
    Mapping[str, X]     an object
    Foreign             an object of another program, as it is
    a dataclass         an object with exactly its fields; one with a default may be missing
    A | B               where both are dataclasses: the first whose fields are all there

>>> @dataclass(frozen=True)
... class Point:
...     name: str
...     x: float
>>> encode(Point("a", math.inf))
{'name': 'a', 'x': None}
>>> decode(Point, {"name": "a", "x": "1"})
Traceback (most recent call last):
backproof.scratch.errors.InputError: x: expected a number, found '1'
"""

import math
import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import StrEnum
from functools import cache
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from backproof.scratch.errors import InputError

T = TypeVar("T")
Foreign = dict[str, Any]  # an object whose form is another program's, as Plotly's traces: kept as it is
Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


def encode(value: object) -> Json:
    """Plain Python all the way down. Raises TypeError for what has no form in JSON."""
    if hasattr(value, "tolist"):  # NumPy's scalars and arrays
        value = value.tolist()
    if isinstance(value, StrEnum):
        return value.value
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: encode(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): encode(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [encode(item) for item in value]
    raise TypeError(f"results: {type(value).__name__} has no form in JSON")


def decode(kind: type[T], document: object) -> T:
    """The value of this type that `document`, read from JSON, describes.

    Raises InputError, naming the place (``contenders.torch.seconds[3]``), where it does not fit.
    """
    return cast(T, _decoded(kind, document, ""))


@dataclass(frozen=True)
class _Place:
    """Where in the document an error is."""

    path: str

    def refuse(self, expected: str, found: object) -> InputError:
        shown = (
            f"an object with {', '.join(map(str, found)) or 'nothing'}" if isinstance(found, dict) else None
        )
        shown = shown or (f"a list of {len(found)}" if isinstance(found, list) else repr(found))
        return InputError(f"{self.path or 'the document'}: expected {expected}, found {shown[:200]}")


def _decoded(kind: Any, value: Any, path: str) -> Any:
    origin, arguments, place = get_origin(kind), get_args(kind), _Place(path)
    if kind is Any:
        return value
    if kind == Foreign:
        return dict(_object(value, place))
    if origin in (Union, types.UnionType):
        return _one_of(arguments, value, path)
    if origin is Literal:
        return _word(arguments, value, place)
    if is_dataclass(kind):
        return _instance(cast(type, kind), value, path)
    if origin is tuple:
        return _tuple(arguments, value, path)
    if origin is list or (isinstance(origin, type) and issubclass(origin, Sequence)):
        return [_decoded(arguments[0], item, f"{path}[{i}]") for i, item in enumerate(_list(value, place))]
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {key: _decoded(arguments[1], item, _joined(path, key)) for key, item in _object(value, place)}
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return kind(_word(tuple(word.value for word in kind), value, place))
    return _plain(kind, value, place)


def _plain(kind: Any, value: Any, place: _Place) -> Any:
    if kind is float:
        if value is None:
            return math.nan
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        raise place.refuse("a number", value)
    names = {int: "a whole number", str: "text", bool: "true or false", type(None): "null"}
    if kind not in names:
        raise TypeError(f"{place.path}: the codec knows no {kind!r}")
    if type(value) is not kind:
        raise place.refuse(names[kind], value)
    return value


def _word(words: tuple[Any, ...], value: Any, place: _Place) -> Any:
    if value not in words:
        raise place.refuse(f"one of {', '.join(map(str, words))}", value)
    return value


def _list(value: Any, place: _Place) -> list[Any]:
    if not isinstance(value, list):
        raise place.refuse("a list", value)
    return value


def _object(value: Any, place: _Place) -> list[tuple[str, Any]]:
    if not isinstance(value, dict):
        raise place.refuse("an object", value)
    return list(value.items())


def _tuple(kinds: tuple[Any, ...], value: Any, path: str) -> tuple[Any, ...]:
    items = _list(value, _Place(path))
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        kinds = kinds[:1] * len(items)
    if len(items) != len(kinds):
        raise _Place(path).refuse(f"a list of {len(kinds)}", value)
    pairs = zip(kinds, items, strict=True)
    return tuple(_decoded(kind, item, f"{path}[{i}]") for i, (kind, item) in enumerate(pairs))


def _one_of(kinds: tuple[Any, ...], value: Any, path: str) -> Any:
    """The first kind that fits. Where one dataclass is meant, its own complaint is the one that is told."""
    if value is None and type(None) in kinds:
        return None
    rest = [kind for kind in kinds if kind is not type(None)]
    if isinstance(value, dict):
        named = [kind for kind in rest if is_dataclass(kind) and set(value) >= _required(cast(type, kind))]
        rest = named[:1] or rest
    refusals: list[InputError] = []
    for kind in rest:
        try:
            return _decoded(kind, value, path)
        except InputError as error:
            refusals.append(error)
    raise refusals[0]


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


@cache
def _required(kind: type) -> frozenset[str]:
    return frozenset(
        field.name for field in fields(kind) if field.default is MISSING and field.default_factory is MISSING
    )


def _instance(kind: type, value: Any, path: str) -> Any:
    given = dict(_object(value, _Place(path)))
    known = [field.name for field in fields(kind)]
    if missing := [name for name in known if name in _required(kind) and name not in given]:
        raise InputError(f"{path or 'the document'}: lacks {', '.join(missing)}")
    if unknown := [name for name in given if name not in known]:
        raise InputError(f"{path or 'the document'}: unknown {', '.join(map(str, unknown))}")
    hints = _hints(kind)
    return kind(**{name: _decoded(hints[name], item, _joined(path, name)) for name, item in given.items()})


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
