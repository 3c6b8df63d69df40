"""The far side of a contender of one's own: loads the class, answers the five methods as plain data.

Runs as ``python -m ...contenders.apart_worker``, requests on its standard input, answers on its standard
output. A request is [verb, instance, ...]; an answer [state, content] with one of these states:

    ready       the class was made; content: its public methods
    absent      no such file, module or class; content: the sentence
    broken      importing it raised
    answer      what the method returned
    declined    NotOffered or NotImplementedError, with its message
    raised      any other exception
    checkpoint  content: steps taken. What follows is answered from inside `train`, until "go on"
"""

import inspect
import os
import sys
from typing import Any

import numpy as np

from backproof.comparisons.contenders.loading import NotThere, Target, load_class
from backproof.comparisons.contenders.telling import RECORDS, declines, describe, name_of, plain, said_by
from backproof.comparisons.running import limits
from backproof.comparisons.running.plain_data import pack, unpack
from backproof.comparisons.running.worker_process import own_streams

GUARDED = "--guarded"  # a sandbox stands between this process and ours
MOST_LOSSES = 100_000_000  # of one training: one number a step
GO_ON = "go on"


class Server:
    """The class, and its instances by number."""

    def __init__(self, target: Target) -> None:
        self.target = target
        requests, self.answers = own_streams()
        self.requests = requests
        self.instances: dict[int, Any] = {}
        self.kind: type | None = None

    def read(self, n: int) -> bytes:
        found = self.requests.read(n)
        if len(found) < n:
            os._exit(0)  # nobody asks any more, whatever the class is doing
        return found

    def send(self, state: str, content: Any = None) -> None:
        self.answers.write(pack([state, content]))
        self.answers.flush()

    def start(self) -> bool:
        """Whether the class is there."""
        try:
            self.kind = load_class(self.target)
            names = [name for name, _ in inspect.getmembers(self.kind, callable) if not name.startswith("_")]
        except NotThere as error:
            self.send("absent", str(error))
            return False
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever importing it raises is told
            self.send("broken", describe(error, self.target))
            return False
        self.send("ready", names)
        return True

    def serve(self, resume: str = "") -> None:
        """Answer requests until nobody asks, or until `resume`."""
        while True:
            verb, number, *arguments = unpack(self.read, RECORDS)
            if verb == resume:
                return
            try:
                answer = self.answer(verb, number, arguments)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it raises is told
                if declines(error):
                    self.send("declined", said_by(error)[:300] or name_of(type(error)))
                else:
                    self.send("raised", describe(error, self.target))
            else:
                self.send("answer", answer)

    def answer(self, verb: str, number: int, arguments: list[Any]) -> Any:
        if verb == "new":
            assert self.kind is not None
            self.instances[number] = self.kind()
            return None
        if verb == "drop":
            self.instances.pop(number, None)
            return None
        instance = self.instances[number]
        if verb == "train":
            return self.train(instance, *arguments)
        value = getattr(instance, verb)(*arguments)
        if verb == "trace":  # a dictionary of arrays
            return [[str(name), plain(np.asarray(item))] for name, item in dict(value).items()]
        return plain(value)

    def train(
        self, instance: Any, x: Any, targets: Any, rows: Any, sizes: Any, optimizer: Any, marks: list[int]
    ) -> Any:
        """`rows` are the batches one after another, `sizes` how many of them each has."""
        batches = np.split(rows, np.cumsum(sizes)[:-1]) if len(sizes) else []
        for batch in batches:
            batch.flags.writeable = False

        def visit(step: int) -> None:
            self.send("checkpoint", step)
            self.serve(GO_ON)

        if not marks:
            losses = instance.train(x, targets, batches, optimizer)
        else:
            checkpoints = {step: lambda step=step: visit(step) for step in marks}
            losses = instance.train(x, targets, batches, optimizer, checkpoints)
        told = plain(losses, MOST_LOSSES)
        try:
            return np.array(told, float)
        except (TypeError, ValueError):
            return told


def main(arguments: list[str]) -> None:
    """Limits first, then a guard between this process and ours, then the class."""
    limits.restrict(limits.Limits())
    if GUARDED not in arguments:
        limits.die_with_parent()
        limits.step_aside()
    place, name = arguments[0], arguments[1]
    server = Server(Target(place, name))
    if server.start():
        server.serve()


if __name__ == "__main__":
    main(sys.argv[1:])
