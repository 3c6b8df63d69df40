"""Plain data through a pipe: None, truth values, numbers, text, lists, dictionaries and arrays. No code.

One message:

    8 bytes   length of the header, big-endian
    header    JSON in UTF-8; an object in it has one key, which says what it stands for:
                  {"f": "nan"}             a float that JSON cannot write
                  {"d": [[key, value], ...]}   a dictionary
                  {"a": ["<f8", [2, 3]]}   an array: its dtype and shape; its bytes follow the header
                  {"o": [type, text]}      something else: what it was (`Opaque`)
                  {"r": [name, fields]}    a record that both sides know by its name
    arrays    their bytes in C order, one after another, as the header lists them

What is read is checked before it is believed: lengths before anything is allocated, dtypes, shapes, depth,
the size of numbers. Anything else is `Garbage`. Text comes back as it was sent: whoever shows it cleans it
(`outside_text`).
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

Fields = dict[str, Any]  # what one message holds, by name: any of the above

HEADER_LIMIT = 16 << 20  # bytes
ARRAYS_LIMIT = 1 << 29  # bytes of all arrays of a message
DEPTH_LIMIT = 12
LENGTH_BYTES = 8
_DTYPE = re.compile(r"^[<>|=][fiub](1|2|4|8|16)$")
_LARGEST = 1 << 63

Read = Callable[[int], bytes]  # exactly so many bytes, or an exception


class Garbage(Exception):  # noqa: N818 - what came, not an error of ours
    """What was read is no message."""


@dataclass(frozen=True)
class Opaque:
    """Something that is not plain data: what it was."""

    type_name: str
    text: str


def pack(value: Any, records: Mapping[str, type] | None = None) -> bytes:
    """The message that says `value`. Raises TypeError for what is not plain data nor one of `records`."""
    arrays: list[NDArray[Any]] = []
    names = {kind: name for name, kind in (records or {}).items()}
    header = json.dumps(_packed(value, arrays, names), allow_nan=False).encode()
    return b"".join(
        [len(header).to_bytes(LENGTH_BYTES, "big"), header, *(array.tobytes() for array in arrays)]
    )


def _packed(value: Any, arrays: list[NDArray[Any]], names: Mapping[type, str]) -> Any:
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, np.ndarray):
        arrays.append(value)
        return {"a": [value.dtype.str, list(value.shape)]}
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        number = float(value)
        return number if math.isfinite(number) else {"f": str(number)}
    if isinstance(value, list | tuple):
        return [_packed(item, arrays, names) for item in value]
    if isinstance(value, Mapping):
        return {"d": [[_packed(part, arrays, names) for part in pair] for pair in value.items()]}
    if isinstance(value, Opaque):
        return {"o": [value.type_name, value.text]}
    if type(value) in names:
        parts = {field.name: getattr(value, field.name) for field in fields(value)}
        return {"r": [names[type(value)], _packed(parts, arrays, names)]}
    raise TypeError(f"message: {type(value).__name__} is no plain data")


def unpack(read: Read, records: Mapping[str, type] | None = None) -> Any:
    """The value of the next message. Raises Garbage for what is none, and whatever `read` raises."""
    length = int.from_bytes(read(LENGTH_BYTES), "big")
    if length > HEADER_LIMIT:
        raise Garbage(f"a header of {length:,} bytes")
    try:
        header = json.loads(read(length).decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise Garbage("a header that is no JSON") from error
    reader = _Reader(read, records or {})
    return reader.value(header, 0)


class _Reader:
    """Turns one header into its value, reading arrays as they come."""

    def __init__(self, read: Read, records: Mapping[str, type]) -> None:
        self.read, self.records, self.left = read, records, ARRAYS_LIMIT

    def value(self, item: Any, depth: int) -> Any:
        if depth > DEPTH_LIMIT:
            raise Garbage("data nested too deeply")
        if isinstance(item, list):
            return [self.value(inner, depth + 1) for inner in item]
        if isinstance(item, dict):
            return self._special(item, depth)
        if isinstance(item, int) and not -_LARGEST <= item < _LARGEST:
            raise Garbage("a number of more than 64 bits")
        if isinstance(item, float) and not math.isfinite(item):
            raise Garbage("a number that JSON has no word for")
        return item

    def _special(self, item: Fields, depth: int) -> Any:
        if len(item) != 1:
            raise Garbage("an object of an unknown kind")
        ((kind, content),) = item.items()
        match kind, content:
            case "f", "nan" | "inf" | "-inf":
                return float(content)
            case "d", list():
                return self._dictionary(content, depth)
            case "a", [str() as dtype, list() as shape]:
                return self._array(dtype, shape)
            case "o", [str() as name, str() as text]:
                return Opaque(name, text)
            case "r", [str() as name, dict() as parts] if name in self.records:
                return self._record(name, parts, depth)
        raise Garbage("an object of an unknown kind")

    def _dictionary(self, content: list[Any], depth: int) -> dict[Any, Any]:
        found = {}
        for pair in content:
            if not (isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str | int)):
                raise Garbage("a dictionary of an unknown kind")
            found[pair[0]] = self.value(pair[1], depth + 1)
        return found

    def _array(self, dtype: str, shape: list[Any]) -> NDArray[Any]:
        sizes = [size for size in shape if type(size) is int and size >= 0]
        if not _DTYPE.match(dtype) or len(sizes) != len(shape) or len(shape) > 16:
            raise Garbage(f"an array of dtype {dtype[:20]!r} and an impossible shape")
        try:
            kind = np.dtype(dtype)
        except TypeError as error:
            raise Garbage(f"an array of dtype {dtype[:20]!r}") from error
        n_bytes = math.prod(sizes) * kind.itemsize
        self.left -= n_bytes
        if self.left < 0 or any(size >= _LARGEST for size in sizes):
            raise Garbage(f"arrays of more than {ARRAYS_LIMIT:,} bytes")
        return np.frombuffer(self.read(n_bytes), kind).reshape(sizes).copy()

    def _record(self, name: str, parts: Fields, depth: int) -> Any:
        kind = self.records[name]
        values = self.value(parts, depth + 1)
        try:
            return cast(Any, kind)(**values)
        except (TypeError, ValueError) as error:
            raise Garbage(f"a {name} that cannot be made") from error
