"""One process at a time: a file that is locked while somebody works, and says who that is.

The lock is the operating system's, so it ends with its holder, however that ends. The file is removed by
whoever leaves.
"""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from backproof.comparisons.running.outside_text import cleaned
from backproof.scratch.errors import InputError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

WAIT = 600.0  # seconds until a second command gives up
STEP = 0.2


@contextlib.contextmanager
def held(
    path: Path, who: str, say: Callable[[str], None] = lambda message: None, wait: float = WAIT
) -> Iterator[None]:
    """Hold the lock file `path` in the name of `who`; wait for others, and `say` once for whom.

    Raises InputError where somebody still holds it after `wait` seconds, naming them.
    """
    started, said = time.monotonic(), False
    while (file := _taken(path)) is None:
        holder = _holder(path)
        if time.monotonic() - started > wait:
            raise InputError(
                f"out: {path.parent} is in use by {holder}; wait for it or choose another folder"
            )
        if not said:
            say(f"waiting for {holder}, which writes to {path.parent}")
            said = True
        time.sleep(STEP)
    with file:
        file.truncate(0)
        file.write(f"{who}, process {os.getpid()}\n".encode())
        file.flush()
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                path.unlink()


def is_free(path: Path) -> bool:
    """Whether nobody holds this lock now. A lock file that was not there is removed again."""
    file = _taken(path)
    if file is None:
        return False
    with file:
        path.unlink(missing_ok=True)
    return True


def _taken(path: Path) -> IO[bytes] | None:
    """The locked file; None where somebody else has it."""
    file = path.open("a+b")
    try:
        _lock(file)
    except OSError:
        file.close()
        return None
    # Whoever had it may have removed it while it was being opened here: then it is another file by now.
    try:
        same = os.fstat(file.fileno()).st_ino == path.stat().st_ino
    except OSError:
        same = False
    if not same:
        file.close()
        return None
    return file


def _lock(file: IO[bytes]) -> None:
    if sys.platform == "win32":
        file.seek(1 << 30)  # a byte that nobody writes, so that the name can be read
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


def _holder(path: Path) -> str:
    try:
        return cleaned(path.read_text(encoding="utf-8", errors="replace").strip()) or "another command"
    except OSError:
        return "another command"
