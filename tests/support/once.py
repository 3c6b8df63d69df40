"""What several tests need and takes long to make is made once a run, also where workers share the tests."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from backproof.comparisons.running import file_lock

MADE = "made"  # a file in the folder: what is there is whole


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """The folder `name` of this run, which `make(folder)` has filled here or in another worker."""
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent  # of all workers of this run
    folder = base / name
    with file_lock.held(base / f"{name}.lock", name):
        if not (folder / MADE).exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            (folder / MADE).touch()
    return folder
