"""The smallest failing case as a short program: paste it beside the class and run it.

It is written from the record of the calls that the failing check made, so it repeats these calls, whatever
check it was. Arrays are written once and named after the argument they were.
"""

import pickle
from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from backproof.comparisons.check.subject.messages import Renamed
from backproof.comparisons.check.subject.subject import Call
from backproof.comparisons.check.trial import CheckResult
from backproof.comparisons.contenders.loading import Target
from backproof.scratch.architecture import Architecture, Array, OptimizerSpec

LAYOUT_CODE = {
    "Fortran order": ["laid_out = np.asfortranarray"],
    "strides": [
        "def laid_out(a):  # every second entry of something larger",
        "    wide = np.full([2 * n for n in a.shape], 7, a.dtype)",
        "    view = wide[(slice(None, None, 2),) * a.ndim]",
        "    view[...] = a",
        "    return view",
    ],
    "read-only": [
        "def laid_out(a):",
        "    a.flags.writeable = False",
        "    return a",
    ],
}
WITH_METHODS = "from backproof.comparisons.contenders.named.adapters import with_methods"
LONGEST_PLAIN = 50  # rows written out; longer arrays are repetitions


def snippet(target: Target, result: CheckResult, by_network: bool = False) -> str:
    """Code that repeats the failing calls and prints what came; empty where there was no call.

    `by_network`: the class has a network in place of methods, which backproof then adds.
    """
    if not result.calls:
        return ""
    program = _Program(target.name, result.calls)
    adding = [f"{target.name} = with_methods({target.name})"] if by_network else []
    imports = [*_imports(target), *([WITH_METHODS] if by_network else [])]
    return "\n".join([*imports, "", *adding, *program.lines(), f"# {_comparison(result)}"])


def _imports(target: Target) -> Iterator[str]:
    module = target.place
    if target.is_file:
        path = Path(target.place).resolve()
        module = path.stem
        yield "import sys"
        yield f"sys.path.insert(0, {str(path.parent)!r})"
    yield "import numpy as np"
    yield "from numpy import array, float32, int64"
    yield "from backproof.scratch.architecture import Architecture, OptimizerSpec"
    if module.replace(".", "_").isidentifier():
        yield f"from {module} import {target.name}"
    else:
        yield f"{target.name} = __import__({module!r}).{target.name}"


class _Program:
    """The calls as code; equal arguments share one variable."""

    def __init__(self, class_name: str, calls: Sequence[Call]) -> None:
        self.class_name, self.calls = class_name, calls
        self.names: dict[bytes, str] = {}
        self.layout = next((call.layout for call in calls if call.layout), "")
        changed = calls[-1].changed
        earlier = [i for i, call in enumerate(calls[:-1]) if call.method in changed]
        self.kept = earlier[-1] if earlier else None  # the call whose result changed later

    def lines(self) -> Iterator[str]:
        yield from LAYOUT_CODE.get(self.layout, [])
        yield "np.set_printoptions(floatmode='unique')"
        if any(isinstance(value, Renamed) for call in self.calls for value in call.arguments.values()):
            yield "from backproof.comparisons.check.subject.messages import Renamed"
        yield f"subject = {self.class_name}()"
        for position, call in enumerate(self.calls):
            arguments = []
            for name, value in call.arguments.items():
                variable, definition = self._variable(name, value)
                yield from definition
                arguments.append(variable)
            yield from self._call(position, call, arguments)
        for name in self.calls[-1].mutated:
            yield f"print({self._variable(name, self.calls[-1].arguments[name])[0]})  # it was written to"
        if self.kept is not None:
            yield "print(kept)  # it changed"

    def _variable(self, name: str, value: Any) -> tuple[str, list[str]]:
        """The variable that holds this argument, and the line that makes it where it is new."""
        if isinstance(value, str | int | float):
            return repr(value), []
        key = name.encode() + pickle.dumps(value)
        if key in self.names:
            return self.names[key], []
        taken = sum(known.startswith(name.encode()) for known in self.names)
        self.names[key] = f"{name}_{taken + 1}" if taken else name
        return self.names[key], [f"{self.names[key]} = {_code(value, bool(self.layout))}"]

    def _call(self, position: int, call: Call, arguments: list[str]) -> Iterator[str]:
        if call.checkpoints:
            seen = ", ".join(f"{n}: lambda: print({n}, subject.weights())" for n in call.checkpoints)
            arguments = [*arguments, f"checkpoints={{{seen}}}"]
        code = f"subject.{call.method}({', '.join(arguments)})"
        if call.overwritten:
            yield from _overwritten(call.method, code)
        elif call.method == "load":
            yield code
        else:
            yield f"kept = {code}\nprint(kept)" if position == self.kept else f"print({code})"


def _overwritten(method: str, code: str) -> Iterator[str]:
    """What was returned, or given to load, belongs to the caller, who writes zeros into it."""
    if method == "load":
        yield code
        yield "for W, b in weights:"
        yield "    W[...] = 0; b[...] = 0"
    elif method == "logits":
        yield f"{code}[...] = 0"
    else:
        yield f"for W, b in {code}{'[1]' if method == 'loss_and_gradient' else ''}:"
        yield "    W[...] = 0; b[...] = 0"


def _comparison(result: CheckResult) -> str:
    found = result.comparison
    if found is not None and found.worst:
        values = f"expected {found.expected!r}, found {found.found!r}"
        return f"{found.worst}: {values} (bound {found.bound:.2g})"
    return " ".join(result.text.split())


def _code(value: Any, laid_out: bool) -> str:
    """An expression for an argument of a contender."""
    if isinstance(value, Architecture):
        return architecture_code(value)
    if isinstance(value, Renamed):
        return f"Renamed({architecture_code(value.architecture)}, {value.activation!r}).made()"
    if isinstance(value, OptimizerSpec):
        return optimizer_code(value)
    if isinstance(value, np.ndarray):
        return f"laid_out({_array(value)})" if laid_out else _array(value)
    inner = ", ".join(_code(item, laid_out) for item in value)
    return f"({inner})" if isinstance(value, tuple) else f"[{inner}]"


def architecture_code(architecture: Architecture) -> str:
    a = architecture
    return f"Architecture({a.layer_sizes}, {a.activation!r}, {a.loss!r}, {a.dtype!r})"


def optimizer_code(optimizer: OptimizerSpec) -> str:
    """Only what differs from the defaults."""
    plain = OptimizerSpec()
    settings = [
        f"{field.name}={getattr(optimizer, field.name)!r}"
        for field in fields(optimizer)
        if getattr(optimizer, field.name) != getattr(plain, field.name)
    ]
    return f"OptimizerSpec({', '.join(settings)})"


def _array(array: Array) -> str:
    if len(array) > LONGEST_PLAIN:
        period = _period(array)
        times = (len(array) // period,) + (1,) * (array.ndim - 1)
        return f"np.tile({_array(array[:period])}, {times})"
    kind = {"float64": "", "int64": ""}.get(str(array.dtype), f", {array.dtype}")
    if array.dtype.kind == "f" or array.size:
        return f"array({array.tolist()}{kind})"
    return f"np.empty({array.shape}, {str(array.dtype)!r})"


def _period(array: Array) -> int:
    """The fewest rows of which the array is a repetition."""
    divisors = (n for n in range(1, len(array) + 1) if len(array) % n == 0)
    return next(n for n in divisors if np.array_equal(array[n:], array[:-n] if n < len(array) else array[n:]))
