"""A process that runs code which nobody has read: started, bounded, and ended with all that it started.

Messages go over its standard input and output. What it prints goes to its standard error (its own side sees
to that, `own_streams`), is counted and kept apart. Threads move the bytes, so that no write and no read of
ours waits for it without a limit, on any system.

Time is the process' own: the processor time it uses, and the time in which it does nothing at all (asleep,
stopped, waiting). A process that only waits for a busy machine is given its time. Where the system does not
tell the processor time, the clock on the wall counts.
"""

import atexit
import contextlib
import os
import secrets
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from queue import SimpleQueue
from typing import BinaryIO

from backproof.comparisons.running import limits, threads
from backproof.comparisons.running.outside_text import cleaned

CHUNK = 1 << 16
KEPT_OUTPUT = 20_000  # bytes of what it printed
BUFFERED = 1 << 24  # bytes of an answer held before anybody asks for them
PATIENCE = 20.0  # times the limit: after so long on the wall, a process is late whatever it did
IDLE_SHARE = 0.02  # of a core: below, a process does nothing
_live: "weakref.WeakSet[WorkerProcess]" = weakref.WeakSet()


class Late(Exception):  # noqa: N818 - about the process, not an error of ours
    """It did not answer within its time."""


class Ended(Exception):  # noqa: N818
    """It is gone; `code` as `subprocess` has it."""

    def __init__(self, code: int | None) -> None:
        super().__init__(f"the process ended with {code}")
        self.code = code


class Flooded(Exception):  # noqa: N818
    """It printed more than it may."""


def what_it_did(what: Exception, method: str, seconds: float, output_limit: int) -> tuple[str, str]:
    """In one word and as a sentence: what happened in place of an answer."""
    if isinstance(what, Late):
        return "hang", f"{method} did not return within {seconds:g} s"
    if isinstance(what, Flooded):
        return "output", f"{method} printed more than {output_limit:,} bytes"
    if isinstance(what, Ended):
        name = limits.signal_name(what.code or 0)
        how = f"was killed by {name}" if name else f"exited with code {what.code}"
        return "crash", f"the process {how} in {method}"
    return "crash", f"{method} sent {cleaned(str(what))} in place of an answer"


class WorkerProcess:
    """One such process. Whoever makes one closes it: it is a context manager."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], output_limit: int = 10_000_000
    ) -> None:
        self.token = secrets.token_hex(16)
        self.output_limit = output_limit
        self.idle_seconds = 0.0
        self._cpu_before = 0.0
        self._printed, self._output = 0, bytearray()
        self._answers, self._ended = bytearray(), False
        self._arrived = threading.Condition()
        self._requests: SimpleQueue[bytes | None] = SimpleQueue()
        self._process = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env={**environment, limits.GROUP_VARIABLE: self.token},
            **limits.new_group(),
        )
        self._pids = [self._process.pid]
        self._closed = False
        _live.add(self)
        self._threads = [
            threading.Thread(target=target, args=(stream,), daemon=True)
            for target, stream in (
                (self._write, self._process.stdin),
                (self._read, self._process.stdout),
                (self._drain, self._process.stderr),
            )
        ]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> "WorkerProcess":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def own_seconds(self) -> float:
        """Processor time of the process and what it started, and the time in which it did nothing."""
        return (self.cpu() or 0.0) + self.idle_seconds

    @property
    def output(self) -> str:
        """The beginning of what it printed."""
        return bytes(self._output).decode(errors="replace")

    def send(self, message: bytes) -> None:
        """Hand the message to a thread; whether it was taken shows in the answer."""
        self._requests.put(message)

    def read(self, n: int, limit: "TimeLimit") -> bytes:
        """The next `n` bytes of its answers. Raises Late, Ended or Flooded."""
        parts: list[bytes] = []
        while n > 0:
            with self._arrived:
                if self._answers:
                    taken = bytes(self._answers[:n])
                    del self._answers[: len(taken)]
                    n -= len(taken)
                    parts.append(taken)
                    self._arrived.notify_all()
                    continue
                if self._ended:
                    raise self._end()
                self._arrived.wait(limit.step)
            limit.look()  # also where bytes keep arriving, one by one
            if not self._answers:
                self._look()
        return b"".join(parts)

    def _look(self) -> None:
        """Nothing has come: is it still there?"""
        if self._printed > self.output_limit:
            raise Flooded
        if self._process.poll() is not None:
            with self._arrived:
                if not self._answers and not self._ended:
                    self._arrived.wait(0.2)  # what it wrote last may still be on its way
            if not self._answers:
                raise self._end()

    def _end(self) -> Exception:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1.0)
        return Flooded() if self._printed > self.output_limit else Ended(self._process.poll())

    def cpu(self, everyone: bool = False) -> float | None:
        """Processor time so far; None where the system does not say.

        Of the processes known to belong to it; with `everyone`, the group is looked through for new ones.
        """
        if everyone and self._process.poll() is None:
            self._pids = limits.pids_of_group(self._process.pid) or self._pids
        found = limits.cpu_seconds(self._pids)
        if found is None:
            return None
        self._cpu_before = max(self._cpu_before, found)  # those that have ended are no longer counted
        return self._cpu_before

    def close(self) -> None:
        """End it with all that it started, at once."""
        if self._closed:
            return
        self._closed = True
        self.cpu()
        limits.kill_group(self._process, self.token)
        self._requests.put(None)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5.0)
        with self._arrived:
            self._ended = True
            self._arrived.notify_all()
        for thread in self._threads:
            thread.join(1.0)  # longer only where something escaped and holds the other end
        _live.discard(self)

    # -- the threads; each closes its own stream

    def _write(self, stream: BinaryIO) -> None:
        with contextlib.suppress(OSError, ValueError), stream:
            while (message := self._requests.get()) is not None:
                view = memoryview(message)
                while view:
                    view = view[os.write(stream.fileno(), view[:CHUNK]) :]

    def _read(self, stream: BinaryIO) -> None:
        with contextlib.suppress(OSError, ValueError), stream:
            while chunk := os.read(stream.fileno(), CHUNK):
                with self._arrived:
                    while len(self._answers) > BUFFERED and not self._ended:
                        self._arrived.wait(1.0)
                    self._answers += chunk
                    self._arrived.notify_all()
        with self._arrived:
            self._ended = True
            self._arrived.notify_all()

    def _drain(self, stream: BinaryIO) -> None:
        with contextlib.suppress(OSError, ValueError), stream:
            while chunk := os.read(stream.fileno(), CHUNK):
                self._printed += len(chunk)
                self._output += chunk[: max(0, KEPT_OUTPUT - len(self._output))]
                if self._printed > self.output_limit:
                    limits.kill_group(self._process, self.token)


class TimeLimit:
    """So many seconds of a process' own for one answer."""

    def __init__(self, worker: WorkerProcess, seconds: float) -> None:
        self.worker, self.seconds = worker, seconds
        self.step = min(0.5, max(0.02, seconds / 8))
        self.started = self.looked = time.monotonic()
        self.used, self.cpu = 0.0, worker.cpu()

    def look(self) -> None:
        """Count what has passed since the last look. Raises Late where it was too much."""
        now = time.monotonic()
        passed = now - self.looked
        if passed < self.step / 2:
            return
        self.looked, before, self.cpu = now, self.cpu, self.worker.cpu(everyone=True)
        if self.cpu is None or before is None:  # nobody says: all of it
            self.used += passed
        else:
            active = self.cpu - before
            idle = passed if active < IDLE_SHARE * passed else 0.0
            self.worker.idle_seconds += idle
            self.used += active + idle
        if self.used > self.seconds or now - self.started > PATIENCE * self.seconds:
            raise Late


def environment(n_threads: int = 1) -> dict[str, str]:
    """Of a worker: ours, its libraries on so many threads, nothing written beside the code it imports."""
    return {
        **os.environ,
        **threads.variables(n_threads),
        "PYTHONSAFEPATH": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONIOENCODING": "utf-8:backslashreplace",
    }


def own_streams() -> tuple[BinaryIO, BinaryIO]:
    """On the worker's side: (requests, answers), for itself alone.

    Whatever is printed from now on goes to the standard error, and whatever is read from the standard input
    is at its end. The two are not handed on to programs that the worker starts.
    """
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    sys.stdout.flush()
    os.dup2(2, 1)
    return requests, answers


@atexit.register
def _close_all() -> None:
    for worker in list(_live):
        worker.close()
