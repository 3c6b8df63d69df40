"""The subject's side of the pipe: loads the class, answers calls, keeps watch over arrays.

Runs as ``python -m ...check.subject.worker READ WRITE`` with two inherited pipe ends. Only plain data goes
back: arrays as they are, anything unexpected as its type and a short repr. Around every call the worker
notes which given arrays were written to, and which arrays returned earlier have changed since.
"""

import inspect
import os
import pickle
import sys
import traceback
from typing import Any, BinaryIO

import numpy as np

from backproof.comparisons.check.subject.messages import Answer, Opaque, laid_out
from backproof.comparisons.contenders.loading import Target, load_class

REMEMBERED_RESULTS = 6  # arrays returned by that many last calls are watched for later changes


class Worker:
    """One instance of the class under trial."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.kind = load_class(target)
        self.subject = self.kind()
        self.remembered: list[tuple[str, Any, Any]] = []

    def methods(self) -> dict[str, list[str]]:
        """Public methods and their parameters."""
        found = {}
        for name, method in inspect.getmembers(self.kind, callable):
            if not name.startswith("_"):
                found[name] = list(inspect.signature(method).parameters)
        return found

    def renew(self) -> None:
        self.subject = self.kind()
        self.remembered = []

    def call(
        self, method: str, arguments: dict[str, Any], checkpoints: tuple[int, ...], layout: str
    ) -> Answer:
        arguments = {name: laid_out(value, layout) for name, value in arguments.items()}
        before = {name: pickle.dumps(value) for name, value in arguments.items()}
        recordings: dict[int, Any] = {}
        extra: dict[str, Any] = {}
        if checkpoints:
            extra["checkpoints"] = {
                step: lambda step=step: recordings.update({step: plain(self.subject.weights())})
                for step in checkpoints
            }
        try:
            value = getattr(self.subject, method)(*arguments.values(), **extra)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it raises is the finding
            return Answer(raised=_describe(error))
        mutated = tuple(name for name, value in arguments.items() if pickle.dumps(value) != before[name])
        changed = tuple(name for name, live, kept in self.remembered if not _same(plain(live), kept))
        kept = plain(value)
        self.remembered = [*self.remembered[-REMEMBERED_RESULTS:], (method, value, _copied(kept))]
        return Answer(value=kept, mutated=mutated, changed=changed, recordings=recordings)

    def scribble(self, method: str, arguments: dict[str, Any]) -> Answer:
        """Call, then overwrite with zeros what the caller owns: what was returned, or what load was given."""
        answer = self.call(method, arguments, (), "")
        if not answer.raised:
            returned = self.remembered.pop()[1]
            _overwrite(arguments["weights"] if method == "load" else returned)
        return answer


def plain(value: Any) -> Any:
    """`value` with everything but arrays, numbers, tuples and lists made `Opaque`."""
    if type(value) is np.ndarray:
        if value.dtype.kind in "fiub" and value.nbytes < 1 << 28:
            return value
        return Opaque(f"numpy.ndarray of dtype {value.dtype}", repr(value)[:80])
    if isinstance(value, bool | int | float | np.floating | np.integer):
        return value
    if isinstance(value, list | tuple):
        if len(value) > 10_000:
            return Opaque(type(value).__name__, f"{len(value)} items")
        return [plain(item) for item in value]
    return Opaque(
        f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins."), repr(value)[:80]
    )


def _copied(value: Any) -> Any:
    if isinstance(value, list):
        return [_copied(item) for item in value]
    return value.copy() if isinstance(value, np.ndarray) else value


def _same(left: Any, right: Any) -> bool:
    return pickle.dumps(_copied(left)) == pickle.dumps(right)


def _overwrite(value: Any) -> None:
    if isinstance(value, list | tuple):
        for item in value:
            _overwrite(item)
    elif isinstance(value, np.ndarray) and value.flags.writeable:
        value[...] = 0


def _describe(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({os.path.basename(frames[-1].filename)}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}"[:300] + where


def _serve(requests: BinaryIO, answers: BinaryIO) -> None:
    def send(message: Any) -> None:
        pickle.dump(message, answers)
        answers.flush()

    try:
        worker = Worker(pickle.load(requests))
    except LookupError as error:
        return send(("absent", str(error)))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever importing it raises is the finding
        return send(("broken", _describe(error)))
    send(("ready", (worker.kind.__name__, worker.methods())))
    while True:
        try:
            verb, *arguments = pickle.load(requests)
        except EOFError:
            return None
        send(getattr(worker, verb)(*arguments))


if __name__ == "__main__":
    read, write = (int(text) for text in sys.argv[1:3])
    with os.fdopen(read, "rb") as requests, os.fdopen(write, "wb") as answers:
        _serve(requests, answers)
