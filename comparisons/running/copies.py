"""Copies of this process that code on trial forks, and that come back from its method as if they were asked.

`os.fork` returns twice, and so does a method that calls it and does not end the copy: whoever called the
method goes on twice. The process that was asked waits until a copy says that it is back, until all of them
have ended, or until those that are left do nothing, however busy the machine is. Copies that are made by
`multiprocessing` never come back, and are not waited for.
"""

import contextlib
import os
import select
import sys

from backproof.comparisons.running import limits

STEP = 0.05  # seconds between two looks
AT_REST = 4  # looks in a row that find all of them asleep: they stay, as helpers do
CAME_BACK = "returned in a copy of the process too: end what os.fork makes with os._exit, or do not fork"
_ENDS_ITS_OWN = "multiprocessing.popen_fork"


class Copies:
    """Of the process that makes it."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self._pipe: tuple[int, int] | None = None  # since a copy was made: where one says that it is back
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(before=self._expect)

    def came_back(self) -> bool:
        """Whether one came back from what was called since the last time. In a copy: say so, and end."""
        if os.getpid() != self.owner:
            self._say_so()
        if self._pipe is None:
            return False
        (back, own), self._pipe = self._pipe, None
        with (
            contextlib.suppress(OSError),
            os.fdopen(back, "rb", buffering=0),
        ):  # it may have closed everything
            os.close(own)
            return _one_is_back(back)
        return False

    def _expect(self) -> None:
        """Before a fork: whoever forks is the frame below."""
        if self._pipe is None and sys._getframe(1).f_globals.get("__name__") != _ENDS_ITS_OWN:
            with contextlib.suppress(OSError):  # no more files can be opened
                self._pipe = os.pipe()

    def _say_so(self) -> None:
        with contextlib.suppress(OSError):  # nobody listens any more
            if self._pipe is not None:
                os.write(self._pipe[1], b".")
        os._exit(0)


def _one_is_back(back: int) -> bool:
    at_rest = 0
    while at_rest < AT_REST:
        if select.select([back], [], [], STEP)[0]:
            return os.read(back, 1) != b""
        at_rest = 0 if limits.others_run() else at_rest + 1
    return False
