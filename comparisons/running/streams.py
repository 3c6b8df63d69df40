"""How a command ends, whatever happens to its streams, its memory or its disk: a sentence and an exit code.

    0 1 3     what the command found
    2         bad input, a full disk, no memory, a folder that is gone
    130       interrupted (Ctrl-C), also before its first line ran
    143, 129  ended by SIGTERM, SIGHUP: as by Ctrl-C; what is finished is kept, what it started is ended, and
              what is half-written is removed
    141       nobody reads its output any more (``backproof report | head -1``), as other tools end

Output goes to a stream of any encoding: what it has no character for is replaced.
"""

import contextlib
import errno
import os
import signal
import sys
from collections.abc import Callable, Iterator
from types import FrameType

from backproof.comparisons.running.encodings import tolerate

INTERRUPTED = 130
UNREAD = 141  # 128 + SIGPIPE


def to_the_end(command: Callable[[], int]) -> int:
    """Run the command, and turn what the system does to it into a sentence and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        tolerate(stream)
    with ended_by_signals() as received:
        try:
            code = command()
            sys.stdout.flush()
        except KeyboardInterrupt:
            code = _ended("interrupted", INTERRUPTED)
        except BrokenPipeError:
            _forget_stdout()
            return UNREAD
        except SystemExit as ending:  # of somebody else's: a command of ours returns its code
            if isinstance(ending.__context__, BrokenPipeError):  # click has made it of one
                _forget_stdout()
                return UNREAD
            return _ended(
                f"a contender ended the program (SystemExit: {ending.code!r}) where it was called", 2
            )
        except MemoryError:
            return _ended("not enough memory for that; choose smaller layers or fewer examples", 2)
        except OSError as error:
            return _ended(_sentence(error), 2)
        return 128 + received[0] if received and code == INTERRUPTED else code


@contextlib.contextmanager
def ended_by_signals() -> Iterator[list[int]]:
    """Inside, SIGTERM and SIGHUP interrupt as Ctrl-C does: one way to keep what is finished and to clean up.

    Yields the numbers of those that have come.
    """
    received: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        received.append(number)
        raise KeyboardInterrupt

    kept = {}
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        with contextlib.suppress(ValueError):  # only the main thread may
            if number is not None and signal.getsignal(number) == signal.SIG_DFL:
                kept[number] = signal.signal(number, interrupt)
    try:
        yield received
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


def _sentence(error: OSError) -> str:
    reason = error.strerror or str(error)
    where = error.filename if isinstance(error.filename, str) else ""
    if where:
        return f"{where}: {reason}"
    return f"the output could not be written: {reason}" if _is_full(error) else f"the system says: {reason}"


def _is_full(error: OSError) -> bool:
    return error.errno in (errno.ENOSPC, errno.EIO, errno.EDQUOT)


def _ended(sentence: str, code: int) -> int:
    with contextlib.suppress(OSError, ValueError):
        print(f"backproof: {sentence}", file=sys.stderr, flush=True)
    if code != INTERRUPTED:
        _forget_stdout()  # what is still in its buffer cannot be written either
    return code


def _forget_stdout() -> None:
    """So that Python does not try once more, and complain, when it ends."""
    with contextlib.suppress(OSError, ValueError):
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, sys.stdout.fileno())
        os.close(nothing)
