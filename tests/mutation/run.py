"""Planting the mistakes in copies of the tree and running the tests that cover each file.

A copy is imported through its own `.typing` folder, which stands before the installed package on the path, so
that the checkout is never written to. The tests of a module are those that mirror it, and what the module's
folder names in `COVERED_ALSO`.
"""

import os
import random
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

from tests.mutation.operators import Mutant, mutants, planted

ROOT = Path(__file__).parents[2]
# What each part is made of, as globs below the root.
PARTS = {
    "scratch": ("scratch/*.py",),
    "verdicts": ("comparisons/verdicts/*.py",),
    "statistics": ("comparisons/accuracy/equivalence.py", "comparisons/speed/statistics.py"),
    "speed": ("comparisons/speed/*.py",),
    "data": ("comparisons/data/*.py",),
    "check": ("comparisons/check/battery/*.py", "comparisons/check/diagnosis/*.py"),
}
NOT_COMPUTING = ("__init__.py", "chapter.py", "terminal.py", "details_chapter.py", "result.py")
# Tests that cover a folder beside the mirrored ones.
COVERED_ALSO = {
    "scratch": ("tests/scratch/test_properties.py", "tests/reference/test_contract.py"),
    "comparisons/verdicts": ("tests/comparisons/verdicts",),
    "comparisons/check": ("tests/comparisons/check",),
    "comparisons/speed": ("tests/comparisons/speed",),
}
LIMIT = 600.0  # seconds for the tests of one mutant: one that hangs is killed too
EQUIVALENT = Path(__file__).with_name("equivalent.toml")


@dataclass(frozen=True)
class Fate:
    """What became of a mutant."""

    mutant: Mutant
    outcome: str  # "killed" | "survived" | "equivalent"
    by: str  # the test that failed, or the proof


def files(part: str) -> list[str]:
    """The files of a part that compute something."""
    found = [path for pattern in PARTS[part] for path in sorted(ROOT.glob(pattern))]
    return [str(path.relative_to(ROOT)) for path in found if path.name not in NOT_COMPUTING]


def drawn(paths: Sequence[str], n: int | None, seed: int) -> list[Mutant]:
    """All mutants of these files, or `n` of them: files take turns, so that none is left out."""
    rng = random.Random(seed)
    per_file = [mutants(path, (ROOT / path).read_text(encoding="utf-8")) for path in paths]
    if n is None:
        return [mutant for found in per_file for mutant in found]
    for found in per_file:
        rng.shuffle(found)
    taken: list[Mutant] = []
    while len(taken) < n and any(per_file):
        taken += [found.pop() for found in per_file if found]
    return taken[:n]


def covering(path: str) -> list[str]:
    """The tests to run for a file, the mirrored one first."""
    own = Path("tests", Path(path).parent, f"test_{Path(path).name}")
    more = [test for folder, tests in COVERED_ALSO.items() if path.startswith(folder) for test in tests]
    found = [test for test in (str(own), *more) if (ROOT / test).exists()]
    return list(dict.fromkeys(found)) or ["tests"]


def known_equivalent() -> dict[str, str]:
    """Mutants whose behaviour cannot differ: key -> proof."""
    if not EQUIVALENT.exists():
        return {}
    rows = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8")).get("mutant", [])
    return {row["key"]: row["proof"] for row in rows}


def judged(chosen: Sequence[Mutant], workers: int) -> Iterator[Fate]:
    """The fate of each, in order, as soon as it is known."""
    proofs = known_equivalent()
    with tempfile.TemporaryDirectory(prefix="backproof-mutation-") as folder:
        trees: Queue[Path] = Queue()
        for i in range(workers):
            trees.put(_copy(Path(folder, str(i))))

        def fate(mutant: Mutant) -> Fate:
            if mutant.key in proofs:
                return Fate(mutant, "equivalent", proofs[mutant.key])
            tree = trees.get()
            try:
                return _fate(mutant, tree)
            finally:
                trees.put(tree)

        with ThreadPoolExecutor(workers) as pool:
            yield from pool.map(fate, chosen)


def _copy(tree: Path) -> Path:
    ignored = shutil.ignore_patterns(".git", ".venv", ".*_cache", ".hypothesis", "__pycache__", "*.egg-info")
    shutil.copytree(ROOT, tree, symlinks=True, ignore=ignored)
    return tree


def _fate(mutant: Mutant, tree: Path) -> Fate:
    file = tree / mutant.path
    source = file.read_text(encoding="utf-8")
    file.write_text(planted(mutant, source), encoding="utf-8")
    try:
        for tests in covering(mutant.path):
            by = _failure(tree, tests)
            if by:
                return Fate(mutant, "killed", by)
        return Fate(mutant, "survived", "")
    finally:
        file.write_text(source, encoding="utf-8")


def _failure(tree: Path, tests: str) -> str:
    """The first test that fails in this tree, empty where all pass."""
    command = [
        sys.executable,
        "-P",
        "-m",
        "pytest",
        "-x",
        "-q",
        "--no-header",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
    ]
    environment = {
        **os.environ,
        "PYTHONPATH": f"{tree / '.typing'}{os.pathsep}{tree}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    try:
        done = subprocess.run(
            [*command, tests],
            cwd=tree,
            env=environment,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"{tests}: did not end"
    if done.returncode in (0, 5):  # passed, or nothing was there to run
        return ""
    failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return failed[0].split(" - ")[0].partition(" ")[2] if failed else f"{tests}: exit code {done.returncode}"
