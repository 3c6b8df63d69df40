"""`Subject`: the class on trial, called through a process of its own.

Whatever it does there becomes a `Misbehaviour` with one sentence: an exception, an exit, a crash, a call
that does not end, a flood of output, an answer that is none, a value of the wrong type or shape. The process
is started again when it died. Where there is a sandbox the process runs inside (`sandbox`); what remains
possible everywhere is that a class forges its own answers: they are all that is ever seen of it.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from backproof.comparisons.check.subject.messages import (
    RECORDS,
    Answer,
    Ready,
    answer_from,
    names_of,
)
from backproof.comparisons.contenders.loading import Target, readable, stands_in
from backproof.comparisons.running import processes, sandbox
from backproof.comparisons.running.copies import CAME_BACK
from backproof.comparisons.running.outside_text import cleaned
from backproof.comparisons.running.plain_data import Fields, Garbage, pack, unpack
from backproof.comparisons.running.sandbox import Mode
from backproof.comparisons.running.worker_process import (
    Ended,
    Flooded,
    Late,
    TimeLimit,
    WorkerProcess,
    environment,
    what_it_did,
)
from backproof.scratch.errors import InputError

OUTPUT_LIMIT = 10_000_000  # bytes the class may print before it is stopped
PATIENCE_LEFT = 0.25  # of the time limit, for a method that has hung before
START_LIMIT = 60.0  # seconds for importing the file: frameworks are slow to import
GUARDED = "--guarded"  # tells the worker that a sandbox stands between it and us


class Misbehaviour(Exception):  # noqa: N818 - a finding about the subject, not an error of ours
    """`kind` is one word; `text` a sentence. `fatal` when trying again would only cost time."""

    def __init__(self, kind: str, text: str, *, fatal: bool = False) -> None:
        super().__init__(text)
        self.kind = kind
        self.text = text
        self.fatal = fatal


@dataclass(frozen=True)
class Call:
    """One call of a method of the class, as it can be repeated."""

    method: str
    arguments: Fields
    checkpoints: tuple[int, ...] = ()
    layout: str = ""
    overwritten: bool = False  # what it returned was then overwritten by its owner
    mutated: tuple[str, ...] = ()  # as in `Answer`
    changed: tuple[str, ...] = ()


class Subject:
    """A class that lives elsewhere: `methods` maps what it offers to the parameters' names."""

    def __init__(self, target: Target, time_limit: float = 10.0, sandbox_mode: Mode = "auto") -> None:
        self.target = target  # as it is shown: with the name that was found, cleaned
        self._asked = target
        self.time_limit = time_limit  # of one call, in seconds of the class' own
        self.sandbox = sandbox_mode
        self.last = Answer()  # of the last call: what it wrote to and what it changed
        self.layout = ""  # of the arrays given from now on, one of LAYOUTS; until renewed
        self.calls: list[Call] = []  # since it was renewed
        self.methods: dict[str, list[str]] = {}
        self.attributes: Fields = {}  # plain class attributes: what it says of itself
        self.printed = ""  # the beginning of what it printed, as it came
        self._worker: WorkerProcess | None = None
        self._used_up = False  # the instance: the next call is of a fresh one
        self._spent = 0.0  # by processes that are gone
        self._hung: set[str] = set()  # methods that did not return in time
        self._imports: set[str] = set()
        self._ancestors: tuple[str, ...] = ()
        self._start()

    def call(self, method: str, checkpoints: tuple[int, ...] = (), **arguments: Any) -> Answer:
        """One call, its arguments by position. Raises `Misbehaviour` for whatever is not an answer."""
        self.calls.append(Call(method, arguments, checkpoints, self.layout))
        answer = answer_from(self._ask("call", method, arguments, checkpoints, self.layout))
        return self._judge(method, answer)

    def scribble(self, method: str, **arguments: Any) -> None:
        """Call `method` and overwrite what it returned (for load: what it was given), as its owner may."""
        self.calls.append(Call(method, arguments, overwritten=True))
        self._judge(method, answer_from(self._ask("scribble", method, arguments)))

    def renew(self) -> None:
        """A fresh instance, without anything loaded: made when it is next asked for something."""
        self.layout = ""
        self.calls = []
        self._used_up = True

    def offers(self, *methods: str) -> bool:
        return all(method in self.methods for method in methods)

    def close(self) -> None:
        """End its process, with everything that it started."""
        if self._worker is not None:
            self._worker.close()
            self._spent += self._worker.own_seconds
            self.printed = self.printed or self._worker.output
            self._worker = None

    @property
    def own_seconds(self) -> float:
        """The time that the class itself has taken so far: see `worker_process`."""
        return self._spent + (self._worker.own_seconds if self._worker else 0.0)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know of the class, in sentences: what it computes with, what it subclasses."""
        libraries = [f"computes with {name}, or imports it" for name in sorted(self._imports)]
        return (*self._ancestors, *libraries)

    # -- the process

    def _start(self) -> None:
        self._worker, self._used_up = WorkerProcess(*self._command(), OUTPUT_LIMIT), False
        place = str(Path(self.target.place).resolve()) if self.target.is_file else self.target.place
        self._worker.send(pack([place, self._asked.name]))
        state, detail = self._receive("import", START_LIMIT)
        if state == "absent":
            self.close()
            raise InputError(f"target: {cleaned(str(detail).replace(place, self.target.place))}")
        if state != "ready":
            self.close()
            raise Misbehaviour("import", f"the class could not be made: {cleaned(str(detail))}", fatal=True)
        ready = Ready.checked(detail)
        self.methods, self.attributes = ready.methods, ready.attributes
        self._imports |= ready.imports
        self._ancestors = tuple(
            f"subclasses {name}" for name in ready.ancestors if name.startswith("backproof")
        )
        self.target = replace(self.target, name=ready.name)

    def _command(self) -> tuple[list[str], dict[str, str]]:
        """How the worker is started, and its environment."""
        command = processes.python("-m", "backproof.comparisons.check.subject.worker")
        if not sandbox.used(self.sandbox):
            return command, environment()
        return sandbox.wrapped(
            [*command, GUARDED], readable(self.target), stands_in(self.target)
        ), sandbox.environment(environment())

    def _receive(self, method: str, seconds: float) -> tuple[str, Any]:
        """(state, detail) of its next message. All else that happens is a finding, and ends its process."""
        worker = self._worker
        assert worker is not None
        limit = TimeLimit(worker, seconds)
        try:
            message = unpack(lambda n: worker.read(n, limit))
            if not (isinstance(message, list) and len(message) == 2 and isinstance(message[0], str)):
                raise Garbage("a message of another form")
            return message[0], message[1]
        except (Late, Ended, Flooded, Garbage) as what:
            self.close()
            if isinstance(what, Late) and method != "import":
                self._hung.add(method)
                seconds = self.time_limit  # as it was waited for the first time
            raise _finding(what, method, seconds) from what

    def _ask(self, verb: str, *arguments: Any) -> Fields:
        if self._worker is None:
            self._start()
        assert self._worker is not None
        words = ["anew", verb, *arguments] if self._used_up else [verb, *arguments]
        self._used_up = False
        self._worker.send(pack(words, RECORDS))
        method = str(arguments[0])
        _, detail = self._receive(method, self.time_limit * (PATIENCE_LEFT if method in self._hung else 1.0))
        if not isinstance(detail, dict):
            self.close()
            raise _finding(Garbage("a message of another form"), method, self.time_limit)
        self._imports.update(names_of(detail.get("imports")))
        if detail.get("copied"):
            self.close()
            raise Misbehaviour("copies", f"{method} {CAME_BACK}", fatal=True)
        if detail.get("of_constructor"):
            raise Misbehaviour("raised", f"the constructor raised {answer_from(detail).raised}")
        return detail

    def _judge(self, method: str, answer: Answer) -> Answer:
        self.last = answer
        self.calls[-1] = replace(self.calls[-1], mutated=answer.mutated, changed=answer.changed)
        if answer.declined:
            raise Misbehaviour("declined", answer.declined)
        if answer.raised:
            raise Misbehaviour("raised", f"{method} raised {answer.raised}")
        return answer


def _finding(what: Exception, method: str, seconds: float) -> Misbehaviour:
    """What the process did, as a finding about the class."""
    kind, text = what_it_did(what, method, seconds, OUTPUT_LIMIT)
    return Misbehaviour(kind, text, fatal=True)
