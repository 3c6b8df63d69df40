"""The three pipes to a process that nobody trusts: no write and no read of ours waits for it without a limit.

`Polled` asks the system which pipe is ready, and needs no thread: a question and its answer are three calls
of the system. `Threaded` has a thread for each pipe, for systems where pipes cannot be polled (Windows).
"""

import contextlib
import os
import select
import subprocess
import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import BinaryIO, Protocol, cast

CHUNK = 1 << 16
KEPT_OUTPUT = 20_000  # bytes of what it printed
BUFFERED = 1 << 24  # bytes of an answer held before anybody asks for them
LONGEST_END = 1 << 22  # bytes of its last output that are read after its end


class Pipes(Protocol):
    """What it is sent, what it answers, and what it prints beside."""

    printed: int  # bytes so far
    output: bytearray  # the beginning of them

    def send(self, message: bytes) -> None:
        """Take the message, however much of it goes out now; whether it arrived shows in the answer."""

    def take(self, n: int, seconds: float) -> bytes | None:
        """At most `n` bytes of its answers: b"" where none came in this time, None after the last."""

    def finish(self) -> None:
        """Its process is gone: nothing more is read, and the pipes are closed."""


def pipes_of(process: "subprocess.Popen[bytes]", printing: Callable[[int], None]) -> Pipes:
    """Those of this process; `printing` is told how much it has printed whenever that has grown."""
    kind = Polled if hasattr(select, "poll") else Threaded
    return kind(process, printing)


def _streams(process: "subprocess.Popen[bytes]") -> tuple[BinaryIO, BinaryIO, BinaryIO]:
    return (
        cast(BinaryIO, process.stdin),
        cast(BinaryIO, process.stdout),
        cast(BinaryIO, process.stderr),
    )


class Polled:
    """Without threads. What it prints is read when its answers are waited for, and at the end."""

    def __init__(self, process: "subprocess.Popen[bytes]", printing: Callable[[int], None]) -> None:
        self.printed, self.output = 0, bytearray()
        self._printing = printing
        self._requests, self._answers, self._prints = _streams(process)
        self._unsent: deque[memoryview] = deque()
        self._arrived, self._ended = bytearray(), False
        self._turn = threading.Lock()  # closed by another thread than the one that waits, it may be
        self._poll = select.poll()
        for stream in (self._requests, self._answers, self._prints):
            os.set_blocking(stream.fileno(), False)
        self._poll.register(self._answers, select.POLLIN)
        self._poll.register(self._prints, select.POLLIN)

    def send(self, message: bytes) -> None:
        with self._turn:
            if not self._ended:
                self._unsent.append(memoryview(message))
                self._push()
                if self._unsent:
                    self._poll.register(self._requests, select.POLLOUT)

    def take(self, n: int, seconds: float) -> bytes | None:
        with self._turn:
            if not self._arrived and not self._ended:
                self._look(seconds)
            if self._arrived:
                taken = bytes(self._arrived[:n])
                del self._arrived[: len(taken)]
                return taken
            return None if self._ended else b""

    def finish(self) -> None:
        if not self._turn.acquire(timeout=2.0):
            return  # somebody waits for something that escaped: the pipes go with this process
        try:
            if not self._requests.closed:
                left = LONGEST_END
                while left > 0 and (chunk := self._read(self._prints)):
                    self._note(chunk)
                    left -= len(chunk)
            self._ended = True
            self._unsent.clear()
            for stream in (self._requests, self._answers, self._prints):
                with contextlib.suppress(OSError):
                    stream.close()
        finally:
            self._turn.release()

    def _look(self, seconds: float) -> None:
        """Whatever can be read or written within this time."""
        for handle, _ in self._poll.poll(1000 * seconds):
            if handle == self._requests.fileno():
                self._push()
                if not self._unsent:
                    self._poll.unregister(self._requests)
            elif handle == self._answers.fileno():
                chunk = self._read(self._answers)
                self._arrived += chunk or b""
                self._ended = chunk == b""
            else:
                chunk = self._read(self._prints)
                if chunk == b"":
                    self._poll.unregister(self._prints)
                self._note(chunk or b"")

    def _push(self) -> None:
        """Write as much as fits."""
        try:
            while self._unsent:
                written = os.write(self._requests.fileno(), self._unsent[0])
                rest = self._unsent.popleft()[written:]
                if rest:
                    self._unsent.appendleft(rest)
        except BlockingIOError:
            pass
        except OSError:  # nobody reads them any more
            self._unsent.clear()

    @staticmethod
    def _read(stream: BinaryIO) -> bytes | None:
        """What is there, b"" at the end; None where nothing is."""
        try:
            return os.read(stream.fileno(), CHUNK)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def _note(self, chunk: bytes) -> None:
        if chunk:
            self.printed += len(chunk)
            self.output += chunk[: max(0, KEPT_OUTPUT - len(self.output))]
            self._printing(self.printed)


class Threaded:
    """A thread moves the bytes of each pipe; each closes its own."""

    def __init__(self, process: "subprocess.Popen[bytes]", printing: Callable[[int], None]) -> None:
        self.printed, self.output = 0, bytearray()
        self._printing = printing
        self._arrived, self._ended = bytearray(), False
        self._news = threading.Condition()
        self._unsent: SimpleQueue[bytes | None] = SimpleQueue()
        targets = (self._write, self._read, self._drain)
        self._threads = [
            threading.Thread(target=target, args=(stream,), daemon=True)
            for target, stream in zip(targets, _streams(process), strict=True)
        ]
        for thread in self._threads:
            thread.start()

    def send(self, message: bytes) -> None:
        self._unsent.put(message)

    def take(self, n: int, seconds: float) -> bytes | None:
        with self._news:
            if not self._arrived and not self._ended:
                self._news.wait(seconds)
            if self._arrived:
                taken = bytes(self._arrived[:n])
                del self._arrived[: len(taken)]
                self._news.notify_all()
                return taken
            return None if self._ended else b""

    def finish(self) -> None:
        self._unsent.put(None)
        with self._news:
            self._ended = True
            self._news.notify_all()
        for thread in self._threads:
            thread.join(1.0)  # longer only where something escaped and holds the other end

    def _write(self, stream: BinaryIO) -> None:
        with contextlib.suppress(OSError, ValueError), stream:
            while (message := self._unsent.get()) is not None:
                view = memoryview(message)
                while view:
                    view = view[os.write(stream.fileno(), view[:CHUNK]) :]

    def _read(self, stream: BinaryIO) -> None:
        with contextlib.suppress(OSError, ValueError), stream:
            while chunk := os.read(stream.fileno(), CHUNK):
                with self._news:
                    while len(self._arrived) > BUFFERED and not self._ended:
                        self._news.wait(1.0)
                    self._arrived += chunk
                    self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    def _drain(self, stream: BinaryIO) -> None:
        with contextlib.suppress(OSError, ValueError), stream:
            while chunk := os.read(stream.fileno(), CHUNK):
                self.printed += len(chunk)
                self.output += chunk[: max(0, KEPT_OUTPUT - len(self.output))]
                self._printing(self.printed)
