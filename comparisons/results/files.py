"""The folder of results: tried before the work, written whole or not at all."""

import contextlib
import os
import tempfile
from pathlib import Path

from backproof.scratch.errors import InputError

DEFAULT_OUT = "backproof-results"


def prepare_folder(out_dir: str | Path) -> Path:
    """Make the folder and try it. Raises InputError where nothing can be written there."""
    folder = Path(out_dir)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(
            f"out: cannot write to {folder} ({reason_of(error)}); choose another folder"
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


def write_atomically(path: str | Path, text: str) -> None:
    """Write a temporary file beside `path`, then rename it: a reader never sees half a file."""
    path = Path(path)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def reason_of(error: Exception) -> str:
    """What the system says of an error, without its number."""
    return getattr(error, "strerror", None) or str(error)
