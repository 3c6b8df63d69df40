"""The folder that torch makes for what it may compile: taken away again where nothing was put into it.

torch makes it in the folder of temporary files as soon as its compiler is imported, which the first step of
any of its optimisers does, in our process and in those that we start. Nothing here compiles. A class under
check may: its folder then holds something, is a cache of torch's own, and stays.
"""

import contextlib
import getpass
import os
import re
import sys
import tempfile
from pathlib import Path

VARIABLE = "TORCHINDUCTOR_CACHE_DIR"  # torch sets it itself when it makes the folder
_MAKERS = ("torch", "backproof.comparisons.running.worker_process")  # without these, there is none of ours


def default() -> Path:
    """Where torch makes it.

    Raises OSError where no folder takes temporary files, KeyError for a user without a name.
    """
    user = re.sub(r'[\\/:*?"<>|]', "_", getpass.getuser())
    return Path(tempfile.gettempdir(), f"torchinductor_{user}")


def remove_empty() -> None:
    """Remove it if it is empty; a folder of the user's own choice stays."""
    if not any(name in sys.modules for name in _MAKERS):
        return
    with contextlib.suppress(OSError, KeyError):  # it is not there, or not empty: then it stays
        if os.environ.get(VARIABLE, str(default())) == str(default()):
            default().rmdir()
