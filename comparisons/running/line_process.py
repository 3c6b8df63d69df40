"""A process that is asked in lines and answers in lines: how the workers that are timed are spoken to.

One line goes to its standard input, one line comes back from its standard output; what it prints goes to its
standard error. A process that ends or stays silent for too long raises `LineProcessError` with the reason,
the last line that it wrote to its standard error.
"""

import contextlib
import queue
import secrets
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from typing import final

from backproof.comparisons.running import limits
from backproof.comparisons.running.outside_text import cleaned


class LineProcessError(Exception):
    """The process ended or stayed silent; the message says which, for the reader of a report."""


@final
class LineProcess:
    """A running process in a session of its own: Ctrl-C reaches the parent alone, which then ends it."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._token = secrets.token_hex(16)
        self._process = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**environment, limits.GROUP_VARIABLE: self._token},
            **limits.new_group(),
        )
        self._answers: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()
        self._started = False

    def ask(self, line: bytes, timeout: float) -> bytes:
        """Hand a line on and wait for the answer. Raises LineProcessError."""
        if not self._started:  # its first line says that the imports are done
            self._line(timeout)
            self._started = True
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line)
            self._process.stdin.flush()
        except BrokenPipeError:
            raise LineProcessError(self._post_mortem()) from None
        return self._line(timeout)

    def close(self) -> None:
        """End it with all that it started; may be called twice."""
        limits.kill_group(self._process, self._token)
        self._process.wait()
        for stream in (self._process.stdin, self._errors):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):  # unsent requests to a process that is gone
                    stream.close()

    def _line(self, timeout: float) -> bytes:
        try:
            line = self._answers.get(timeout=timeout)
        except queue.Empty:
            self.close()
            raise LineProcessError(f"no answer within {timeout:.0f} s; its process was ended") from None
        if not line:
            raise LineProcessError(self._post_mortem())
        return line

    def _listen(self) -> None:
        """Put every line of its stdout into the queue, and an empty one when there are no more."""
        assert self._process.stdout is not None
        with self._process.stdout as stdout:
            for line in stdout:
                self._answers.put(line)
        self._answers.put(b"")

    def _post_mortem(self) -> str:
        """The last line it wrote to stderr, or how it ended."""
        code = self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
        return f"its process ended ({how}){': ' + cleaned(lines[-1].strip()) if lines else ''}"
