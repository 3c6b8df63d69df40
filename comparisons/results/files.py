"""Files that are written whole or not at all, and the folder of results.

A regular file is written beside its place, synced to the disk and renamed over it: a reader never sees half
of it, and what was there stays until then. What is no regular file (a device, a pipe) is written to as it is;
a link is followed, and stays; ``-`` is the standard output. What a killed process left half-written is
removed by the next command that writes there.
"""

import contextlib
import os
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from backproof.comparisons.running import file_lock
from backproof.comparisons.running.outside_text import path_text
from backproof.scratch.errors import InputError

DEFAULT_OUT = "backproof-results"
STDOUT = "-"
UNFINISHED = ".unfinished"  # the end of the name of a file that is being written
LOCK = ".backproof.lock"
LEFT_BEHIND = 3600.0  # seconds after which an unfinished file outside a locked folder is nobody's


def prepare_folder(out_dir: str | Path) -> Path:
    """Make the folder and try it. Raises InputError where nothing can be written there."""
    folder = Path(out_dir)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(
            f"out: cannot write to {path_text(folder)} ({reason_of(error)}); choose another folder"
        ) from error
    return folder


def check_folder(out_dir: str | Path) -> None:
    """Raise InputError where one could not write into it.

    For the beginning of a command: it leaves no new folder, so that bad input found later leaves nothing.
    """
    folder = Path(out_dir)
    new = [path for path in (folder, *Path(folder).parents) if not path.exists()]
    try:
        prepare_folder(folder)
    finally:
        for path in new:
            with contextlib.suppress(OSError):  # it was not made after all
                path.rmdir()


@contextlib.contextmanager
def locked(
    folder: str | Path, who: str, say: Callable[[str], None] | None = None, wait: float = file_lock.WAIT
) -> Iterator[None]:
    """Let nobody else write into the folder meanwhile; what killed commands left half-written is removed.

    Raises InputError where somebody else still has it after `wait` seconds, and where it cannot be locked.
    """
    folder = prepare_folder(folder)
    try:
        with file_lock.held(folder / LOCK, who, say or _say, wait):
            remove_unfinished(folder)
            yield
    except OSError as error:
        raise InputError(_cannot(folder, error)) from error


def remove_unfinished(folder: Path, older_than: float = 0.0, name: str = "") -> None:
    """Remove what was being written (to the file `name`, or any) when a process was killed."""
    for path in folder.glob(f".{name}*{UNFINISHED}"):
        with contextlib.suppress(OSError):  # somebody else has just done it
            if time.time() - path.stat().st_mtime >= older_than:
                path.unlink()


def check_file(path: str | Path, option: str) -> None:
    """Raise InputError, naming the option, where a file of this name could not be written later."""
    if str(path) == STDOUT:
        return
    target = Path(path)
    try:
        parent = target.absolute().parent
    except OSError as error:  # the current folder is gone
        raise InputError(f"{option}: {path_text(path)}: {reason_of(error)}") from error
    if target.is_dir():
        raise InputError(f"{option}: {path_text(path)} is a folder; name a file")
    if not parent.is_dir():
        raise InputError(f"{option}: no folder {path_text(parent)}; make it first")
    if not os.access(target if target.exists() else parent, os.W_OK):
        raise InputError(f"{option}: cannot write {path_text(path)} (Permission denied)")


def write_atomically(path: str | Path, text: str | bytes) -> None:
    """Write text, as UTF-8, or bytes to the file `path`: whole, or not at all and what was there stays.

    Raises InputError, with the system's reason, where it cannot be written.
    """
    if str(path) == STDOUT and isinstance(text, str):
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    content = text.encode("utf-8") if isinstance(text, str) else text
    try:
        if Path(path).exists() and not stat.S_ISREG(os.stat(path).st_mode):
            _write_into(Path(path), content)
        else:
            _write_beside_and_rename(Path(os.path.realpath(path)), content)
    except OSError as error:
        raise InputError(_cannot(path, error)) from error


def _write_into(target: Path, content: bytes) -> None:
    """Into something that is no regular file, as it is."""
    # A pipe that nobody reads is refused at once instead of waited for.
    without_waiting = getattr(os, "O_NONBLOCK", 0)
    handle = os.open(target, os.O_WRONLY | without_waiting)
    if without_waiting:
        os.set_blocking(handle, True)
    with os.fdopen(handle, "wb") as file:
        file.write(content)


def _write_beside_and_rename(target: Path, content: bytes) -> None:
    remove_unfinished(target.parent, LEFT_BEHIND, target.name)
    mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o644
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=UNFINISHED)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """The new name on the disk too, on systems where a folder can be synced."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _cannot(path: str | Path, error: OSError) -> str:
    return f"out: cannot write {path_text(path)} ({reason_of(error)}); what was there before is unchanged"


def _say(message: str) -> None:
    print(f"backproof: {message}", file=sys.stderr, flush=True)


def reason_of(error: Exception) -> str:
    """What the system says of an error, without its number."""
    return getattr(error, "strerror", None) or str(error)
