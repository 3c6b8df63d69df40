"""The subject's side: loads the class, answers calls, keeps watch over arrays.

Runs as ``python -m ...check.subject.worker``, requests on its standard input and answers on its standard
output, which it keeps for itself (`worker_process.own_streams`). Only plain data goes back: arrays as they
are, anything unexpected as its type and a short repr. Around every call the worker notes which given arrays
were written to, which arrays returned earlier have changed since, and what has been imported.
"""

import inspect
import os
import sys
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np

from backproof.comparisons.check.subject.messages import RECORDS, laid_out
from backproof.comparisons.contenders.loading import NotThere, Target, load_class
from backproof.comparisons.contenders.telling import declines, describe, fits, name_of, plain, said_by
from backproof.comparisons.running import limits
from backproof.comparisons.running.copies import CAME_BACK, Copies
from backproof.comparisons.running.plain_data import Fields, pack, unpack
from backproof.comparisons.running.worker_process import own_streams

REMEMBERED_RESULTS = 6  # arrays returned by that many last calls are watched for later changes
NOTED = ("torch", "jax", "tensorflow", "keras", "sklearn", "autograd", "mxnet", "theano", "cupy")
SURE_OF_ITSELF = "--guarded"  # on the command line: something else stands between this process and ours


class Worker:
    """One instance of the class under trial."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.before = frozenset(sys.modules)
        self.kind = load_class(target)
        self.subject = self.kind()
        self.remembered: list[tuple[str, Any, Any]] = []

    def ready(self) -> Fields:
        """What the class is called and offers."""
        return {
            "name": name_of(self.kind),
            "methods": self.methods(),
            "attributes": self.attributes(),
            "imports": self.imports(),
            "ancestors": [f"{base.__module__}.{name_of(base)}" for base in type.mro(self.kind)[1:-1]],
        }

    def methods(self) -> dict[str, list[str]]:
        """Public methods and their parameters."""
        found = {}
        for name, method in inspect.getmembers(self.kind, callable):
            if not name.startswith("_"):
                try:
                    found[name] = list(inspect.signature(method).parameters)
                except (ValueError, TypeError):  # written in C, say
                    found[name] = []
        return found

    def attributes(self) -> Fields:
        """Plain class attributes: words, numbers, and lists, tuples and dictionaries of them."""
        public = {name: value for name, value in inspect.getmembers(self.kind) if not name.startswith("_")}
        return {name: value for name, value in public.items() if _is_data(value)}

    def imports(self) -> list[str]:
        """The frameworks that came in with the class."""
        return [name for name in NOTED if name in sys.modules and name not in self.before]

    def anew(self, verb: str, *arguments: Any) -> Fields:
        """The call on a fresh instance."""
        self.remembered = []
        try:
            self.subject = self.kind()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it raises is the finding
            return {"raised": describe(error, self.target), "of_constructor": True}
        answer: Fields = getattr(self, verb)(*arguments)
        return answer

    def call(self, method: str, arguments: Fields, checkpoints: list[int], layout: str) -> Fields:
        arguments = {name: laid_out(value, layout) for name, value in arguments.items()}
        before = {name: _snapshot(value) for name, value in arguments.items()}
        recordings: list[tuple[int, Any]] = []
        extra: Fields = {}
        if checkpoints:
            extra["checkpoints"] = {
                step: lambda step=step: recordings.append((step, plain(self.subject.weights())))
                for step in checkpoints
            }
        try:
            value = getattr(self.subject, method)(*arguments.values(), **extra)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it raises is the finding
            if declines(error):
                return {"declined": said_by(error)[:300] or type(error).__name__}
            return {"raised": describe(error, self.target)}
        mutated = [name for name, value in arguments.items() if _snapshot(value) != before[name]]
        changed = [name for name, live, kept in self.remembered if _snapshot(plain(live)) != kept]
        told = plain(value)
        self.remembered = [*self.remembered[-REMEMBERED_RESULTS:], (method, value, _snapshot(told))]
        return {"value": told, "mutated": mutated, "changed": changed, "recordings": recordings}

    def scribble(self, method: str, arguments: Fields) -> Fields:
        """Call, then overwrite with zeros what the caller owns: what was returned, or what load was given."""
        answer = self.call(method, arguments, [], "")
        if not answer.get("raised") and not answer.get("declined"):
            returned = self.remembered.pop()[1]
            _overwrite(arguments["weights"] if method == "load" else returned)
        return answer


def _is_data(value: Any) -> bool:
    if type(value) is dict:
        return all(type(key) in (str, int) and _is_data(item) for key, item in value.items())
    if type(value) in (list, tuple):
        return all(map(_is_data, value))
    return value is None or type(value) in (str, float, bool) or (type(value) is int and fits(value))


def _snapshot(value: Any) -> Any:
    """What can be compared later: arrays by their bytes, and everything inside lists and dictionaries."""
    if isinstance(value, np.ndarray):
        return (value.dtype.str, value.shape, value.tobytes())
    if isinstance(value, list | tuple):
        return [_snapshot(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _snapshot(item) for key, item in value.items()}
    return repr(value) if isinstance(value, float) else value  # NaN is what it was


def _overwrite(value: Any) -> None:
    if isinstance(value, list | tuple):
        for item in value:
            _overwrite(item)
    elif isinstance(value, np.ndarray) and value.flags.writeable:
        value[...] = 0


def _serve(requests: BinaryIO, answers: BinaryIO) -> None:
    def read(n: int) -> bytes:
        found = requests.read(n)
        if len(found) < n:
            raise EOFError
        return found

    def send(state: str, detail: Any) -> None:
        answers.write(pack([state, detail]))
        answers.flush()

    try:
        place, name = unpack(read)
        target = Target(place, name)
    except EOFError:
        return None
    try:
        copies, worker = Copies(), Worker(target)
        detail = worker.ready()
    except NotThere as error:
        return send("absent", str(error))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever importing it raises is the finding
        return send("broken", describe(error, target))
    if copies.came_back():
        return send("broken", f"it {CAME_BACK}")
    send("ready", detail)
    while True:
        try:
            verb, *arguments = unpack(read, RECORDS)
        except EOFError:
            return None
        answer = getattr(worker, verb)(*arguments)
        copied = copies.came_back()
        send("answer", {**answer, "copied": copied, "imports": worker.imports()})


def main(arguments: list[str]) -> None:
    """Limits first, then a guard between this process and ours, then the class."""
    limits.restrict(limits.Limits())
    if SURE_OF_ITSELF not in arguments:
        limits.die_with_parent()
        limits.step_aside()
    _serve(*own_streams())
    os._exit(0)  # at once: neither its threads nor what it left to be done at its exit are waited for


if __name__ == "__main__":
    main(sys.argv[1:])
