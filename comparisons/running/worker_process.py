"""A process that runs code which nobody has read: started, bounded, and ended with all that it started.

Messages go over its standard input and output. What it prints goes to its standard error (its own side sees
to that, `own_streams`), is counted and kept apart. No write and no read of ours waits for it without a limit,
on any system (`pipes`).

Time is the process' own: the processor time it uses, and the time in which it does nothing at all (asleep,
stopped, waiting). A process that only waits for a busy machine is given its time. Where the system does not
tell the processor time, the clock on the wall counts.
"""

import atexit
import contextlib
import math
import os
import secrets
import subprocess
import sys
import time
import weakref
from collections.abc import Mapping, Sequence
from typing import BinaryIO

from backproof.comparisons.running import limits, threads
from backproof.comparisons.running.outside_text import cleaned
from backproof.comparisons.running.pipes import pipes_of

PATIENCE = 20.0  # times the limit: after so long on the wall, a process is late whatever it did
LATELY = 0.1  # seconds for which a processor time is taken to be today's
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
        self._cpu_before, self._cpu_asked = 0.0, -math.inf  # what it had used, and when that was asked
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
        self._pipes = pipes_of(self._process, self._printing)
        _live.add(self)

    def __enter__(self) -> "WorkerProcess":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def own_seconds(self) -> float:
        """Processor time of the process and what it started, and the time in which it did nothing."""
        return (self.cpu_lately(LATELY) or 0.0) + self.idle_seconds

    @property
    def output(self) -> str:
        """The beginning of what it printed."""
        return bytes(self._pipes.output).decode(errors="replace")

    def send(self, message: bytes) -> None:
        """Hand the message on; whether it was taken shows in the answer."""
        self._pipes.send(message)

    def read(self, n: int, limit: "TimeLimit") -> bytes:
        """The next `n` bytes of its answers. Raises Late, Ended or Flooded."""
        parts: list[bytes] = []
        while n > 0:
            taken = self._pipes.take(n, limit.step)
            if taken == b"":
                limit.look()
                taken = self._last(n)
            elif taken is not None and len(taken) < n:
                limit.look()  # also where bytes keep arriving, one by one
            if taken is None:
                raise self._end()
            n -= len(taken)
            parts.append(taken)
        return b"".join(parts)

    def _last(self, n: int) -> bytes | None:
        """Nothing has come: b"" while it is there, else what it wrote last, which may be on its way."""
        if self._pipes.printed > self.output_limit:
            raise Flooded
        return b"" if self._process.poll() is None else self._pipes.take(n, 0.2) or None

    def _end(self) -> Exception:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1.0)
        return Flooded() if self._pipes.printed > self.output_limit else Ended(self._process.poll())

    def _printing(self, n_bytes: int) -> None:
        if n_bytes > self.output_limit:
            limits.kill_group(self._process, self.token)

    def cpu(self, everyone: bool = False) -> float | None:
        """Processor time so far; None where the system does not say.

        Of the processes known to belong to it; with `everyone`, the group is looked through for new ones.
        """
        if everyone and self._process.poll() is None:
            self._pids = limits.pids_of_group(self._process.pid) or self._pids
        found = limits.cpu_seconds(self._pids)
        if found is None:
            return None
        self._cpu_asked = time.monotonic()
        self._cpu_before = max(self._cpu_before, found)  # those that have ended are no longer counted
        return self._cpu_before

    def cpu_lately(self, seconds: float) -> float | None:
        """As `cpu`, now or at most so many seconds ago: asking the system costs more than many an answer."""
        return self._cpu_before if time.monotonic() - self._cpu_asked <= seconds else self.cpu()

    def close(self) -> None:
        """End it with all that it started, at once."""
        if self._closed:
            return
        self._closed = True
        self.cpu()
        limits.kill_group(self._process, self.token)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5.0)
        self._pipes.finish()
        _live.discard(self)


class TimeLimit:
    """So many seconds of a process' own for one answer."""

    def __init__(self, worker: WorkerProcess, seconds: float) -> None:
        self.worker, self.seconds = worker, seconds
        self.step = min(0.5, max(0.02, seconds / 8))
        self.started = self.looked = time.monotonic()
        self.used, self.cpu = 0.0, worker.cpu_lately(self.step / 2)

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
    is at its end. The two are not handed on to programs that the worker starts, nor to copies that it forks:
    a copy that comes back to where requests are read finds their end, and what it answers goes nowhere.
    """
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    sys.stdout.flush()
    os.dup2(2, 1)

    def cut_off() -> None:
        for stream in (requests, answers):
            os.dup2(nothing, stream.fileno(), inheritable=False)

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=cut_off)
    return requests, answers


@atexit.register
def _close_all() -> None:
    for worker in list(_live):
        worker.close()
