"""`Subject`: the class on trial, called through a process of its own.

Whatever it does there becomes a `Misbehaviour` with one sentence: an exception, an exit, a crash, a call
that does not end, a flood of output, a value of the wrong type or shape. The process is started again when
it died. Code under test is executed with the user's rights: this is isolation against accidents, not a
sandbox.
"""

import contextlib
import os
import pickle
import select
import signal
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from backproof.comparisons.check.subject.messages import Answer, Opaque
from backproof.comparisons.contenders.loading import Target
from backproof.comparisons.running import processes
from backproof.scratch.architecture import Architecture, Array, OptimizerSpec, Weights
from backproof.scratch.errors import InputError

OUTPUT_LIMIT = 10_000_000  # bytes the class may print before it is stopped
START_LIMIT = 60.0  # seconds for importing the file: frameworks are slow to import


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
    arguments: dict[str, Any]
    checkpoints: tuple[int, ...] = ()
    layout: str = ""
    overwritten: bool = False  # what it returned was then overwritten by its owner
    mutated: tuple[str, ...] = ()  # as in `Answer`
    changed: tuple[str, ...] = ()


class Subject:
    """A contender that lives elsewhere. `methods` maps what it offers to the parameters' names."""

    architecture: Architecture

    def __init__(self, target: Target, time_limit: float = 10.0) -> None:
        self.target = target
        self.time_limit = time_limit
        self.last = Answer()  # of the last call: what it wrote to and what it changed
        self.layout = ""  # of the arrays given from now on, one of LAYOUTS; until renewed
        self.calls: list[Call] = []  # since it was renewed
        self._process: subprocess.Popen[bytes] | None = None
        self.methods: dict[str, list[str]] = {}
        self._start()

    # -- the contender's methods

    def load(self, architecture: Architecture, weights: Weights) -> None:
        self.architecture = architecture
        self._call("load", architecture=architecture, weights=weights)

    def logits(self, x: Array) -> Array:
        shape = (len(x), self.architecture.n_outputs)
        return _expect_array("logits", self._call("logits", x=x).value, shape)

    def loss_and_gradient(self, x: Array, targets: Array) -> tuple[float, Weights]:
        value = self._call("loss_and_gradient", x=x, targets=targets).value
        if not isinstance(value, list) or len(value) != 2:
            raise _wrong("loss_and_gradient", "a pair (loss, gradient)", value)
        return _expect_number("loss", value[0]), self._expect_weights("gradient", value[1])

    def train(
        self, x: Array, targets: Array, batches: Sequence[Array], optimizer: OptimizerSpec
    ) -> Sequence[float]:
        answer = self._call("train", x=x, targets=targets, batches=batches, optimizer=optimizer)
        return self._expect_losses(answer, len(batches))

    def train_recording(
        self,
        x: Array,
        targets: Array,
        batches: Sequence[Array],
        optimizer: OptimizerSpec,
        steps: tuple[int, ...],
    ) -> tuple[Sequence[float], dict[int, Weights]]:
        """Train with checkpoints at `steps`; also the weights seen at each."""
        answer = self._call("train", steps, x=x, targets=targets, batches=batches, optimizer=optimizer)
        recorded = {
            step: self._expect_weights("weights at a checkpoint", value)
            for step, value in answer.recordings.items()
        }
        return self._expect_losses(answer, len(batches)), recorded

    def weights(self) -> Weights:
        return self._expect_weights("weights", self._call("weights").value)

    # -- beyond the contender

    def call(self, method: str, **arguments: Any) -> Any:
        """Any other method, by position; its value is not checked here."""
        return self._call(method, **arguments).value

    def weights_from(self, method: str, **arguments: Any) -> Weights:
        """The weights that `method` returns, for the architecture set before."""
        return self._expect_weights(method, self.call(method, **arguments))

    def scribble(self, method: str, **arguments: Any) -> None:
        """Call `method` and overwrite what it returned (for load: what it was given), as its owner may."""
        self.architecture = arguments.get("architecture") or self.architecture
        self.calls.append(Call(method, arguments, overwritten=True))
        self._judge(method, self._ask("scribble", method, arguments))

    def renew(self) -> None:
        """A fresh instance, without anything loaded."""
        self.layout = ""
        self.calls = []
        if self._process is None:
            self._start()
        else:
            self._ask("renew")

    def offers(self, *methods: str) -> bool:
        return all(method in self.methods for method in methods)

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for stream in (self._requests, self._answers):
                with contextlib.suppress(OSError):
                    stream.close()
            self._reader.join()
            self._process = None

    # -- the pipe

    def _start(self) -> None:
        there, requests = os.pipe()
        answers, back = os.pipe()
        environment = dict(os.environ, OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", PYTHONUNBUFFERED="1")
        self._process = subprocess.Popen(
            processes.python("-m", "backproof.comparisons.check.subject.worker", str(there), str(back)),
            pass_fds=(there, back),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
        )
        os.close(there)
        os.close(back)
        self._requests, self._answers = os.fdopen(requests, "wb"), os.fdopen(answers, "rb")
        self._printed = 0
        self._reader = threading.Thread(target=self._drain, args=(self._process,), daemon=True)
        self._reader.start()
        self._send(self.target)
        state, detail = self._receive("import", START_LIMIT)
        if state == "absent":
            self.close()
            raise InputError(f"target: {detail}")
        if state == "broken":
            self.close()
            raise Misbehaviour("import", f"the class could not be made: {detail}", fatal=True)
        name, self.methods = detail
        self.target = replace(self.target, name=name)

    def _drain(self, process: subprocess.Popen[bytes]) -> None:
        """Read and forget what the class prints, so that it never blocks; stop it when it floods."""
        assert process.stdout is not None
        with process.stdout as stream:
            while chunk := os.read(stream.fileno(), 1 << 16):
                self._printed += len(chunk)
                if self._printed > OUTPUT_LIMIT:
                    process.kill()

    def _send(self, message: Any) -> None:
        with contextlib.suppress(BrokenPipeError):  # it died: _receive says how
            pickle.dump(message, self._requests)
            self._requests.flush()

    def _receive(self, method: str, limit: float) -> Any:
        assert self._process is not None
        if not select.select([self._answers], [], [], limit)[0]:
            self.close()
            raise Misbehaviour("hang", f"{method} did not return within {limit:g} s", fatal=True)
        try:
            return pickle.load(self._answers)
        except EOFError:
            code, printed = self._process.wait(), self._printed
            self.close()
        if printed > OUTPUT_LIMIT:
            raise Misbehaviour("output", f"{method} printed more than {OUTPUT_LIMIT:,} bytes", fatal=True)
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"exited with code {code}"
        raise Misbehaviour("crash", f"the process {how} in {method}", fatal=True)

    def _ask(self, verb: str, *arguments: Any) -> Any:
        if self._process is None:
            self._start()
        self._send((verb, *arguments))
        return self._receive(str(arguments[0]) if arguments else verb, self.time_limit)

    def _call(self, method: str, checkpoints: tuple[int, ...] = (), **arguments: Any) -> Answer:
        self.calls.append(Call(method, arguments, checkpoints, self.layout))
        return self._judge(method, self._ask("call", method, arguments, checkpoints, self.layout))

    def _judge(self, method: str, answer: Answer) -> Answer:
        self.last = answer
        self.calls[-1] = replace(self.calls[-1], mutated=answer.mutated, changed=answer.changed)
        if answer.raised:
            raise Misbehaviour("raised", f"{method} raised {answer.raised}")
        return answer

    # -- what comes back

    def _expect_weights(self, what: str, value: Any) -> Weights:
        shapes = self.architecture.layer_shapes
        if not isinstance(value, list) or len(value) != len(shapes):
            raise _wrong(what, f"{len(shapes)} pairs (weight, bias)", value)
        pairs = []
        for layer, (pair, (fan_in, fan_out)) in enumerate(zip(value, shapes, strict=True), start=1):
            if not isinstance(pair, list) or len(pair) != 2:
                raise _wrong(f"{what} of layer {layer}", "a pair (weight, bias)", pair)
            weight = _expect_array(f"{what} W{layer}", pair[0], (fan_in, fan_out))
            pairs.append((weight, _expect_array(f"{what} b{layer}", pair[1], (fan_out,))))
        return pairs

    def _expect_losses(self, answer: Answer, n_steps: int) -> Sequence[float]:
        value = answer.value.tolist() if isinstance(answer.value, np.ndarray) else answer.value
        if not isinstance(value, list) or len(value) != n_steps:
            raise _wrong("train", f"{n_steps} losses, one per batch", value)
        return [_expect_number("a loss of train", loss) for loss in value]


def _wrong(what: str, expected: str, value: Any) -> Misbehaviour:
    return Misbehaviour("value", f"{what}: expected {expected}, got {_name(value)}")


def _name(value: Any) -> str:
    if isinstance(value, Opaque):
        return "None" if value.type_name == "NoneType" else f"{value.type_name} {value.text}"
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    return f"a list of {len(value)}" if isinstance(value, list) else f"{type(value).__name__} {value!r}"


def _expect_array(what: str, value: Any, shape: tuple[int, ...]) -> Array:
    if not isinstance(value, np.ndarray):
        raise _wrong(what, f"a numpy array of shape {shape}", value)
    if value.shape != shape:
        raise _wrong(what, f"shape {shape}", value)
    return value


def _expect_number(what: str, value: Any) -> float:
    if isinstance(value, np.ndarray) and value.shape == ():
        value = value.item()
    if not isinstance(value, int | float | np.floating | np.integer):
        raise _wrong(what, "a number", value)
    return float(value)
