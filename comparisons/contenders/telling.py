"""What a process that runs a stranger's class tells of it: values as plain data, exceptions as a line.

Nothing that the class has written decides what is sent: names are read from the types themselves, a
subclass of a number is sent as that number, and whatever else comes out is its type and a short repr.
"""

import os
import traceback
from typing import Any

import numpy as np

from backproof.comparisons.contenders.loading import Target
from backproof.comparisons.running.plain_data import Opaque
from backproof.scratch.architecture import Architecture, OptimizerSpec

RECORDS: dict[str, type] = {"Architecture": Architecture, "OptimizerSpec": OptimizerSpec}
TOLD_ITEMS = 100_000  # entries of lists that are told one by one; the rest is `Opaque`


def name_of(kind: type) -> str:
    """Its own name, whatever its metaclass says."""
    return str(type.__dict__["__name__"].__get__(kind))


def declines(error: BaseException) -> bool:
    """`NotOffered` of any package, so that a class need not import ours."""
    names = {name_of(kind) for kind in type.mro(type(error))}
    return bool(names & {"NotOffered", "NotImplementedError"})


def fits(value: int) -> bool:
    """Whether a message has room for it."""
    return -(1 << 63) <= value < 1 << 63


def plain(value: Any, most: int = TOLD_ITEMS) -> Any:
    """`value` with everything but arrays, numbers and lists made `Opaque`."""
    return _plain(value, [most], 0)


def _plain(value: Any, left: list[int], depth: int) -> Any:
    left[0] -= 1
    if type(value) is np.ndarray:
        if value.dtype.kind in "fiub" and value.nbytes < 1 << 28:
            return value
        return Opaque(f"numpy.ndarray of dtype {value.dtype}", _repr(value))
    if isinstance(value, np.floating | np.integer | np.bool_):
        value = np.generic.item(value)
    if isinstance(value, bool):
        return value
    if isinstance(value, int):  # a subclass (an enumeration, say) as the number that it is
        number = int.__index__(value)
        return number if fits(number) else Opaque("int", f"of {number.bit_length()} bits")
    if isinstance(value, float):
        return float.__float__(value)
    if isinstance(value, list | tuple) and depth < 8:
        if len(value) > left[0]:
            return Opaque(type(value).__name__, f"{len(value)} items")
        return [_plain(item, left, depth + 1) for item in [*value]]
    kind = type(value)
    return Opaque(f"{kind.__module__}.{name_of(kind)}".removeprefix("builtins."), _repr(value))


def _repr(value: Any) -> str:
    try:
        return str(repr(value))[:80]
    except Exception as error:  # noqa: BLE001 - it is the class' own repr
        return f"without a repr: {name_of(type(error))}"


def said_by(error: BaseException) -> str:
    """Its message."""
    try:
        return str(error)
    except Exception as second:  # noqa: BLE001 - it is the class' own __str__
        return f"an exception without words: {name_of(type(second))}"


def describe(error: BaseException, target: Target) -> str:
    """Type, message, and the last line of the class's own file on the way there."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if target.is_file and _same_file(frame.filename, target.place)]
    frame = own[-1] if own else frames[-1] if frames else None
    text = f"{name_of(type(error))}: {said_by(error)}"[:300]
    if frame is None or (isinstance(error, SyntaxError) and not own):  # which names its own line
        return text
    line = f": {frame.line}" if frame.line else ""
    return f"{text} ({os.path.basename(frame.filename)}, line {frame.lineno}{line})"


def _same_file(left: str, right: str) -> bool:
    return os.path.realpath(left) == os.path.realpath(right)
