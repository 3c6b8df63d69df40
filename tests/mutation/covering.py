"""Which tests run which function, seen once by running them, and so which tests to run for a mutant.

What was seen of a test file is kept in `.mutation/` under the file's own hash, and seen anew when it changes.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.mutation.mutants import Mutant
from tests.mutation.trees import ROOT, Tree

KEPT = ROOT / ".mutation"
# Where the tests are that look at the parts, from near to far.
TESTS = (
    *("tests/scratch", "tests/comparisons/verdicts", "tests/comparisons/accuracy", "tests/comparisons/speed"),
    *("tests/comparisons/data", "tests/comparisons/check", "tests/comparisons/compare", "tests/reference"),
    *("tests/comparisons/gradients", "tests/comparisons/numerical", "tests/comparisons/batches"),
    *("tests/comparisons/api", "tests/comparisons/zoo", "tests/comparisons/race", "tests/comparisons/record"),
)
# Quick feedback first, then as many examples as every change must pass; derandomised both.
FIRST, THOROUGH = "mutation", "mutation_thorough"
RECORDING_SECONDS = 240


@dataclass(frozen=True)
class Seen:
    """A test that passes, what it takes, and what it touches."""

    name: str
    cpu: float
    touched: frozenset[str]  # "path::function"

    @property
    def file(self) -> str:
        return self.name.partition("::")[0]


@dataclass(frozen=True)
class Covering:
    """The tests that were seen."""

    tests: tuple[Seen, ...]

    @classmethod
    def kept(cls) -> "Covering":
        """What has been seen so far of the test files that are still the same."""
        found = [test for path in files_of_tests() if _place(path).exists() for test in _read(_place(path))]
        return cls(tuple(found))

    def near(self, mutant: Mutant, seconds: float) -> list[str]:
        """The tests that run the mutant's function, the nearest and quickest first, for so many seconds.

        Of the module's own file all, if they are quick: what a test file calls as it is imported is not seen.
        """
        own = mirrored(mutant.path)
        touching = [test for test in self.tests if _touches(test, mutant)]
        ordered = sorted(touching, key=lambda test: (test.file != own, _distance(test, mutant), test.cpu))
        chosen = _within(ordered, seconds)
        if (ROOT / own).exists() and (not chosen or self._costs.get(own, 0.0) <= seconds / 2):
            return [own, *_file_by_file([test for test in chosen if test.file != own])]
        return _file_by_file(chosen)

    def wide(self, mutant: Mutant, seconds: float) -> list[str]:
        """All tests of the files in which some test runs the function, or the module where none does."""
        own = mirrored(mutant.path)
        touching = [test for test in self.tests if _touches(test, mutant)]
        touching = touching or [test for test in self.tests if _touches_module(test, mutant)]
        files = {test.file for test in touching} | {own}
        costs = self._costs
        ordered = sorted(files & costs.keys(), key=lambda file: (file != own, costs[file]))
        chosen = [own] if (ROOT / own).exists() and own not in costs else []
        for file in ordered:
            if not chosen or sum(costs.get(one, 0.0) for one in chosen) + costs[file] <= seconds:
                chosen.append(file)
        folder = str(Path(own).parent)
        if not chosen and (ROOT / folder).exists():  # nobody was seen in this module
            return [folder]
        return chosen

    @cached_property
    def _costs(self) -> dict[str, float]:
        costs: dict[str, float] = {}
        for test in self.tests:
            costs[test.file] = costs.get(test.file, 0.0) + test.cpu
        return costs


def mirrored(path: str) -> str:
    """The test file of a module."""
    folder, _, name = path.rpartition("/")
    return f"tests/{folder}/test_{name}"


def files_of_tests() -> list[str]:
    found = [path for folder in TESTS for path in sorted((ROOT / folder).rglob("test_*.py"))]
    return [path.relative_to(ROOT).as_posix() for path in found]


def look(tree: Tree, paths: Sequence[str]) -> Iterator[str]:
    """Run each of these test files and keep what its tests touch; says what came of each."""
    for path in paths:
        if _place(path).exists():
            continue
        answer = tree.run([path], RECORDING_SECONDS, FIRST, recording=True)
        rows = [
            {"name": name, "cpu": cpu, "touched": answer["touched"].get(name, [])}
            for name, cpu in answer["tests"].items()
        ]
        KEPT.mkdir(exist_ok=True)
        if answer["code"] != -1:
            _place(path, tree.path).write_text(json.dumps(rows), encoding="utf-8")
        trouble = f", failed: {answer['failed'] or 'did not end'}" if answer["code"] not in (0, 5) else ""
        yield f"{path}: {len(rows)} tests, {answer['cpu']:.1f} s{trouble}"


def _place(path: str, root: Path = ROOT) -> Path:
    digest = hashlib.sha256((root / path).read_bytes()).hexdigest()[:12]
    return KEPT / f"{path.replace('/', '.')}.{digest}.json"


def _read(place: Path) -> list[Seen]:
    rows = json.loads(place.read_text(encoding="utf-8"))
    return [Seen(row["name"], row["cpu"], frozenset(row["touched"])) for row in rows]


def _touches(test: Seen, mutant: Mutant) -> bool:
    if f"{mutant.path}::{mutant.function}" in test.touched:
        return True
    # The body of a module or of a class: whoever runs anything in it.
    inside = f"{mutant.path}::{mutant.function}." if mutant.function else f"{mutant.path}::"
    body = not mutant.function or mutant.function.rpartition(".")[2][:1].isupper()
    return body and any(one.startswith(inside) for one in test.touched)


def _touches_module(test: Seen, mutant: Mutant) -> bool:
    return any(one.startswith(f"{mutant.path}::") for one in test.touched)


def _distance(test: Seen, mutant: Mutant) -> int:
    """0 in the same folder, else how much else it may be about."""
    return int(Path(test.file).parent != Path("tests", mutant.path).parent)


def _within(tests: Sequence[Seen], seconds: float) -> list[Seen]:
    chosen: list[Seen] = []
    for test in tests:
        if not chosen or sum(one.cpu for one in chosen) + test.cpu <= seconds:
            chosen.append(test)
    return chosen


def _file_by_file(tests: Sequence[Seen]) -> list[str]:
    """In the order of the files' first tests: a file's fixtures are made once."""
    files = list(dict.fromkeys(test.file for test in tests))
    return [test.name for file in files for test in tests if test.file == file]
