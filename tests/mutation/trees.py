"""Copies of the checkout, in which mistakes are planted and tests are run; the checkout is never written to.

A copy is imported through its own `.typing` folder, which stands before the installed package on the path.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from tests.mutation.forking import Answer, Order
from tests.mutation.mutants import Mutant, planted

ROOT = Path(__file__).parents[2]
FORKING = Path(__file__).with_name("forking.py")
# Imported once and not for every mutant.
SLOW_TO_IMPORT = ("numpy", "scipy.stats", "scipy.optimize", "hypothesis", "hypothesis.extra.numpy", "mpmath")
SLOWEST_TO_IMPORT = ("torch", "sklearn.datasets", "sklearn.neural_network")  # worth it for many mutants
_NOT_COPIED = shutil.ignore_patterns(
    *(".git", ".venv", "venv", ".*_cache", ".hypothesis", ".mutation", "*.egg-info", "build", "dist"),
    "backproof-results",
)


class Tree:
    """A copy of the checkout with a process beside it that runs tests there."""

    def __init__(self, folder: Path, preloaded: Sequence[str] = SLOW_TO_IMPORT) -> None:
        self.path = folder / "tree"
        # Compiled files are copied too: a file and its compiled form keep their times.
        shutil.copytree(ROOT, self.path, symlinks=True, ignore=_NOT_COPIED)
        self._log = folder / "log"
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(FORKING), *preloaded],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=_environment(),
        )

    def close(self) -> None:
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()

    def run(self, tests: Sequence[str], seconds: int, profile: str, recording: bool = False) -> Answer:
        """Run these tests in the copy as it is."""
        order = Order(
            tree=str(self.path),
            tests=list(tests),
            profile=profile,
            seconds=seconds,
            log=str(self._log),
            recording=recording,
        )
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return cast(Answer, json.loads(self._process.stdout.readline()))

    def said(self) -> str:
        """What pytest said in the last run."""
        return self._log.read_text(encoding="utf-8", errors="replace") if self._log.exists() else ""

    @contextmanager
    def with_planted(self, mutant: Mutant) -> Iterator[None]:
        """The copy has this mistake for as long as this lasts."""
        source = (self.path / mutant.path).read_text(encoding="utf-8")
        with self.with_text(mutant.path, planted(mutant, source)):
            yield

    @contextmanager
    def with_text(self, path: str, text: str) -> Iterator[None]:
        """The copy's file has this text for as long as this lasts."""
        file = self.path / path
        source, times = file.read_text(encoding="utf-8"), file.stat()
        for compiled in (file.parent / "__pycache__").glob(f"{file.stem}.*"):
            compiled.unlink()  # it might be taken for the new file's, which is as long and as new
        file.write_text(text, encoding="utf-8")
        try:
            yield
        finally:
            file.write_text(source, encoding="utf-8")
            os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))


def _environment() -> dict[str, str]:
    """Nothing of the pytest that may have started this one, no data of the user's; one thread."""
    left_out = ("PYTEST_", "COV_", "BACKPROOF_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    return {**kept, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
