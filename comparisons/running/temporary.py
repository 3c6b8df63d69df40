"""Folders for temporary files that are removed at the end, or by the next command where that was a kill.

Each holds a lock file of its own, which the system frees when its owner is gone, however that happened: a
folder of the same kind whose lock is free was left behind.
"""

import contextlib
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from backproof.comparisons.running import file_lock

LOCK = ".in-use"
YOUNG = 60.0  # seconds in which a folder may not have its lock yet


@contextlib.contextmanager
def folder(prefix: str) -> Iterator[Path]:
    """A new folder whose name begins so; those that killed commands left behind are removed first."""
    remove_left_behind(prefix)
    with tempfile.TemporaryDirectory(prefix=prefix) as name, file_lock.held(Path(name) / LOCK, prefix):
        yield Path(name)


def remove_left_behind(prefix: str, young: float = YOUNG) -> None:
    """Remove the folders of this kind that nobody uses."""
    for path in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        with contextlib.suppress(OSError):  # another command has just removed it, or it is another user's
            old = time.time() - path.stat().st_mtime >= young
            if old and path.is_dir() and not path.is_symlink() and file_lock.is_free(path / LOCK):
                shutil.rmtree(path)
