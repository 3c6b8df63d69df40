"""The processes this project starts: none of them takes a file of the user's for a module of its own.

`python -m` and `python -c` put the current folder first on the import path, so that a file numpy.py there
would be imported in place of NumPy. `-P` leaves that folder out; PYTHONSAFEPATH in the environment does the
same for processes that others start on our behalf (workers of joblib, compilers of frameworks), whose command
line is not ours.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

SAFE_PATH = {"PYTHONSAFEPATH": "1"}  # to be added to a process's environment


def python(*arguments: str) -> list[str]:
    """The command line of this interpreter: ``python("-m", "package.module")``."""
    return [sys.executable, "-P", *arguments]


@contextmanager
def safe_paths() -> Iterator[None]:
    """Every process started inside, by whomever, leaves the current folder off its import path."""
    before = {name: os.environ.get(name) for name in SAFE_PATH}
    os.environ.update(SAFE_PATH)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
