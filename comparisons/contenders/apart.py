"""A contender of one's own, called through a process of its own: `Apart` is a `Contender` like any other.

A file that exits, hangs, crashes, floods or answers garbage costs its own answers and nothing else: whatever
it does becomes a `FaultError` with one sentence, and its process is ended with all that it started. Plain
data goes over two pipes; a call may take so many seconds of the class's own (`worker_process`). Where there
is a sandbox the process runs inside, unless BACKPROOF_SANDBOX says none; what remains possible is that a
class forges its own answers. A class that has hung or crashed is not asked again.

All instances of a class share its process, so that one for every problem costs no new import. Time is not
taken through the pipes: the speed part has processes of its own, behind the same walls, whose clock runs
inside.
"""

import itertools
import os
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np

from backproof.comparisons.contenders.loading import parse_target, readable, stands_in
from backproof.comparisons.contenders.telling import RECORDS
from backproof.comparisons.running import processes, sandbox
from backproof.comparisons.running.outside_text import cleaned, path_text
from backproof.comparisons.running.plain_data import Garbage, Opaque, pack, unpack
from backproof.comparisons.running.worker_process import (
    Ended,
    Flooded,
    Late,
    TimeLimit,
    WorkerProcess,
    environment,
    what_it_did,
)
from backproof.reference.contender import Checkpoints, NotOffered, checked_batches
from backproof.scratch.architecture import (
    Architecture,
    Array,
    Inputs,
    Logits,
    OptimizerSpec,
    Rows,
    Targets,
    Weights,
)
from backproof.scratch.errors import InputError

START_LIMIT = 60.0  # seconds of its own for importing the file: frameworks are slow to import
CALL_LIMIT = 60.0  # for a call
STEP_LIMIT = 0.25  # beside it for each step of a training: loops in Python over 784 inputs need some of it
SANDBOX = "BACKPROOF_SANDBOX"  # in the environment: auto, none or require
METHODS = ("load", "logits", "loss_and_gradient", "train", "weights")


class FaultError(InputError):
    """What a contender of one's own did in place of answering."""


class AbsentError(InputError):
    """There is no class of this name."""


class Process:
    """The process of one class, started when it is first needed; after a hang or a crash never again.

    `worker` is the module that it runs, `records` what messages to it may hold, and `told` what its answers.
    """

    def __init__(
        self,
        reference: str,
        worker: str = "backproof.comparisons.contenders.apart_worker",
        records: Mapping[str, type] = RECORDS,
        told: Mapping[str, type] | None = None,
    ) -> None:
        self.reference, self.target = reference, parse_target(reference, "contender")
        self.worker_module, self.records, self.told = worker, records, told or {}
        self.methods: frozenset[str] = frozenset()
        self.numbers = itertools.count()
        self.gone: list[int] = []  # instances that nobody has any more
        self._worker: WorkerProcess | None = None
        self._fault = ""

    def fault(self, what: str, *, fatal: bool = False) -> FaultError:
        """The exception to raise; a fatal one ends the process, and is raised by every later call too."""
        said = f"contender: {self.reference}: {what}"
        if fatal:
            self._fault = said
            self.close()
        return FaultError(said)

    def close(self) -> None:
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    def start(self) -> None:
        if self._fault:
            raise FaultError(self._fault)
        if self._worker is not None:
            return
        place = str(Path(self.target.place).resolve()) if self.target.is_file else self.target.place
        command = processes.python("-m", self.worker_module, place, self.target.name)
        ours = environment(int(os.environ.get("OMP_NUM_THREADS", "1")))
        if sandbox.used(mode()):
            command = sandbox.wrapped([*command, "--guarded"], readable(self.target), stands_in(self.target))
            ours = sandbox.environment(ours)
        self._worker = WorkerProcess(command, ours)
        try:
            state, content = self.receive("import", START_LIMIT)
        except FaultError as fault:
            raise InputError(str(fault)) from fault
        if state == "ready" and isinstance(content, list):
            self.methods = frozenset(name for name in content if isinstance(name, str))
            return
        said = cleaned(str(content).replace(place, self.target.place))
        if state == "absent":
            self.close()
            raise AbsentError(f"contender: {said}")
        raise InputError(str(self.fault(f"cannot be imported ({said}); mend it first", fatal=True)))

    def send(self, verb: str, number: int, *arguments: Any) -> None:
        self.start()
        assert self._worker is not None
        self._worker.send(pack([verb, number, *arguments], self.records))

    def receive(self, method: str, seconds: float) -> tuple[str, Any]:
        """(state, content) of its next message. Raises FaultError for whatever is none."""
        worker = self._worker
        if worker is None:
            raise FaultError(self._fault or f"contender: {self.reference}: its process was ended")
        limit = TimeLimit(worker, seconds)
        try:
            message = unpack(lambda n: worker.read(n, limit), self.told)
            if not (isinstance(message, list) and len(message) == 2 and isinstance(message[0], str)):
                raise Garbage("a message of another form")
        except (Late, Ended, Flooded, Garbage) as what:
            _, said = what_it_did(what, method, seconds, worker.output_limit)
            raise self.fault(said, fatal=True) from what
        return message[0], message[1]

    def ask(self, verb: str, number: int, *arguments: Any) -> Any:
        """Its answer. Raises NotOffered where it declines, and FaultError for anything else."""
        for instance in self.gone:
            self.gone = self.gone[1:]
            self.ask("drop", instance)
        self.send(verb, number, *arguments)
        return self.answer(verb, *self.receive(verb, CALL_LIMIT))

    def answer(self, verb: str, state: str, content: Any) -> Any:
        if state == "answer":
            return content
        if state == "declined":
            raise NotOffered(cleaned(str(content)))
        if state == "raised":
            what = "the constructor" if verb == "new" else verb
            raise self.fault(f"{what} raised {cleaned(str(content))}")
        raise self.fault(f"{verb} sent a message of another form in place of an answer", fatal=True)


_processes: dict[str, Process] = {}


def mode() -> sandbox.Mode:
    """Which sandbox a contender of one's own goes into: as the environment says, else where there is one."""
    return cast(sandbox.Mode, os.environ.get(SANDBOX, "auto"))


def _process_of(reference: str) -> Process:
    """Running. What another process of ours started is not this one's: workers of joblib fork from nobody."""
    key = f"{os.getpid()} {Path.cwd()} {reference}"
    found = _processes.setdefault(key, Process(reference))
    found.start()
    return found


def methods_of(reference: str) -> frozenset[str]:
    """The public methods of this class, found out in its process; empty where no class has this name.

    Raises InputError where the file cannot be imported.
    """
    try:
        return _process_of(reference).methods
    except AbsentError:
        return frozenset()


def walls(names: Sequence[str]) -> str:
    """What stands between these contenders and us, in a sentence; empty where none is one's own."""
    own = [name for name in names if ":" in name]
    if not own:
        return ""
    return f"{', '.join(map(path_text, own))}: in a process of its own ({sandbox.standing(mode())})"


class Apart:
    """An instance of the class named ``file.py:Class`` or ``package.module:Class``; a `Contender`.

    Raises InputError where it is not there, and `FaultError` (an InputError) for whatever it does wrong.
    """

    def __init__(self, reference: str) -> None:
        self._process = _process_of(reference)
        self._number = next(self._process.numbers)
        self._architecture: Architecture | None = None
        self._process.ask("new", self._number)
        weakref.finalize(self, self._process.gone.append, self._number)
        if "trace" in self._process.methods:
            self.trace = self._trace

    def load(self, architecture: Architecture, weights: Weights) -> None:
        """As `Contender.load`."""
        self._ask("load", architecture, [list(pair) for pair in weights])
        self._architecture = architecture

    def logits(self, x: Inputs) -> Logits:
        """As `Contender.logits`; checked to be an array of the right shape."""
        return self._array("logits", self._ask("logits", x), (len(x), self._loaded.n_outputs))

    def loss_and_gradient(self, x: Inputs, targets: Targets) -> tuple[float, Weights]:
        """As `Contender.loss_and_gradient`; a number, and arrays of the weights' shapes."""
        found = self._ask("loss_and_gradient", x, targets)
        if not (isinstance(found, list) and len(found) == 2):
            raise self._wrong("loss_and_gradient", "a pair (loss, gradient)", found)
        loss, gradient = found
        if isinstance(loss, np.ndarray) and loss.size == 1:
            loss = float(loss.reshape(()))
        if isinstance(loss, bool) or not isinstance(loss, int | float):
            raise self._wrong("loss_and_gradient", "a number as the loss", loss)
        return float(loss), self._layers("loss_and_gradient", gradient)

    def train(
        self,
        x: Inputs,
        targets: Targets,
        batches: Sequence[Rows],
        optimizer: OptimizerSpec,
        checkpoints: Checkpoints | None = None,
    ) -> Sequence[float]:
        """As `Contender.train`; checkpoints are called here, between steps taken there."""
        process, marks = self._process, sorted(checkpoints or {})
        rows = checked_batches(batches, len(x))
        flat = np.concatenate(rows) if rows else np.zeros(0, np.intp)
        sizes = np.array([len(batch) for batch in rows], np.intp)
        self._require("train")
        process.send("train", self._number, x, targets, flat, sizes, optimizer, marks)
        limit = CALL_LIMIT + STEP_LIMIT * len(rows)
        while True:
            state, content = process.receive("train", limit)
            if state != "checkpoint":
                break
            if checkpoints is None or content not in checkpoints:
                raise process.fault(f"train called a checkpoint of another step ({content!r})", fatal=True)
            checkpoints[content]()
            process.send("go on", self._number)
        losses = process.answer("train", state, content)
        if not (isinstance(losses, np.ndarray) and losses.ndim == 1):
            raise self._wrong("train", "a list with the loss of each step", losses)
        return cast(Sequence[float], losses.tolist())

    def weights(self) -> Weights:
        """As `Contender.weights`."""
        return self._layers("weights", self._ask("weights"))

    def _trace(self, x: Inputs, targets: Targets) -> Mapping[str, Array]:
        """What a class with a `trace` shows of a pass: name -> array."""
        found = self._ask("trace", x, targets)
        pairs = [pair for pair in found if isinstance(pair, list) and len(pair) == 2] if found else []
        return {cleaned(str(name)): value for name, value in pairs if isinstance(value, np.ndarray)}

    # -- what came back, checked

    @property
    def _loaded(self) -> Architecture:
        assert self._architecture is not None, "load comes first"
        return self._architecture

    def _require(self, method: str) -> None:
        if method not in self._process.methods:
            raise NotOffered(f"no method {method}")

    def _ask(self, method: str, *arguments: Any) -> Any:
        self._require(method)
        return self._process.ask(method, self._number, *arguments)

    def _wrong(self, method: str, expected: str, found: Any) -> FaultError:
        came = f"{found.type_name} {found.text}" if isinstance(found, Opaque) else _shape(found)
        return self._process.fault(f"{method}: expected {expected}, got {cleaned(came)}")

    def _array(self, method: str, found: Any, shape: tuple[int, ...]) -> Array:
        if not isinstance(found, np.ndarray) or found.shape != shape or found.dtype.kind not in "fiu":
            raise self._wrong(method, f"an array of shape {shape}", found)
        return found

    def _layers(self, method: str, found: Any) -> Weights:
        shapes = self._loaded.layer_shapes
        if not isinstance(found, list) or len(found) != len(shapes):
            raise self._wrong(method, f"{len(shapes)} pairs of arrays", found)
        layers = []
        for pair, shape in zip(found, shapes, strict=True):
            if not (isinstance(pair, list) and len(pair) == 2):
                raise self._wrong(method, "a pair of arrays for each layer", pair)
            layers.append((self._array(method, pair[0], shape), self._array(method, pair[1], shape[1:])))
        return layers


def _shape(found: Any) -> str:
    if isinstance(found, np.ndarray):
        return f"an array of shape {found.shape}"
    return f"a list of {len(found)}" if isinstance(found, list) else repr(found)
