"""Mistakes written by a person: texts to plant, and the test that each of them makes fail.

python -m tests.mutation.by_hand              plants all of `by_hand.toml`, each alone, and runs its test
python -m tests.mutation.by_hand NAME ...     those whose names begin so
"""

import argparse
import ast
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.mutation.covering import THOROUGH
from tests.mutation.trees import ROOT, Tree

FILE = Path(__file__).with_name("by_hand.toml")
SECONDS = 120  # of the CPU, for the tests of one mistake


@dataclass(frozen=True)
class Mistake:
    """One text in the place of another; or, with a reason, none that could be planted or seen."""

    name: str
    path: str = ""
    old: str = ""
    new: str = ""
    killed_by: str = ""  # a test's node
    gone: str = ""  # why the computation is no longer there
    equivalent: str = ""  # the proof that no behaviour differs

    def planted(self, source: str) -> str:
        """The source with this mistake; AssertionError where `old` does not stand in it exactly once."""
        times = source.count(self.old)
        assert times == 1, f"{self.name}: {self.path} has {times} times {self.old!r}"
        return source.replace(self.old, self.new)


def mistakes() -> list[Mistake]:
    """All of the file, in its order."""
    rows = tomllib.loads(FILE.read_text(encoding="utf-8"))["mistake"]
    return [Mistake(**row) for row in rows]


def tests_of(path: str) -> set[str]:
    """The names of the tests in a file."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def failing(tree: Tree, mistake: Mistake) -> str:
    """What fails of the test that the mistake names, once it is planted; empty where nothing does."""
    source = (tree.path / mistake.path).read_text(encoding="utf-8")
    with tree.with_text(mistake.path, mistake.planted(source)):
        return run(tree, [mistake.killed_by])


def run(tree: Tree, tests: Sequence[str]) -> str:
    """The first of the tests that fails; in other words what kept them from being run."""
    answer = tree.run(tests, SECONDS, THOROUGH)
    if answer["code"] in (0, 1):
        return answer["failed"]
    lines = tree.said().splitlines()
    return f"not run: {lines[-1] if lines else 'it did not end'}"


def is_killed(mistake: Mistake, failed: str) -> bool:
    """Whether what failed is the test that the mistake names."""
    return failed.partition("[")[0] == mistake.killed_by.partition("[")[0]


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutation.by_hand", description="Plant mistakes, run the test of each."
    )
    parser.add_argument("name", nargs="*", help="the names of some, or how they begin; by default all")
    names = tuple(parser.parse_args().name)
    chosen = [one for one in mistakes() if one.killed_by and one.name.startswith(names or "")]
    survived = 0
    with tempfile.TemporaryDirectory(prefix="backproof-by-hand-") as folder:
        tree = Tree(Path(folder))
        trouble = run(tree, sorted({one.killed_by for one in chosen}))
        print(f"without a mistake: {trouble or 'all tests pass'}", flush=True)
        for mistake in chosen:
            failed = failing(tree, mistake)
            killed = is_killed(mistake, failed)
            survived += not killed
            print("killed  " if killed else "SURVIVED", mistake.name, "" if killed else failed, flush=True)
        tree.close()
    print(f"{len(chosen) - survived} of {len(chosen)} killed")
    return int(survived > 0 or bool(trouble))


if __name__ == "__main__":
    raise SystemExit(main())
