"""The fate of a mutant: tests near it first, then wide ones, then it has survived.

Every fate is written down as soon as it is known, in a file of one JSON object a line, so that a run that was
interrupted goes on where it stopped.
"""

import json
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import Queue

from tests.mutation.covering import FIRST, KEPT, THOROUGH, Covering
from tests.mutation.mutants import Mutant
from tests.mutation.trees import SLOW_TO_IMPORT, SLOWEST_TO_IMPORT, Tree

NEAR, WIDE = 8.0, 20.0  # seconds that the tests of each stage take without a mistake
EQUIVALENT = Path(__file__).with_name("equivalent.toml")
RECORDS = KEPT / "fates.jsonl"


@dataclass(frozen=True)
class Fate:
    """What became of a mutant."""

    mutant: Mutant
    outcome: str  # "killed" | "survived" | "equivalent"
    by: str  # the test that failed, or the proof
    cpu: float = 0.0  # seconds


class Records:
    """The fates known so far, in a file; `first` are those before tests were written for a mutant."""

    def __init__(self, path: Path = RECORDS) -> None:
        self.path = path
        self.known: dict[str, Fate] = {}
        self.first: dict[str, Fate] = {}
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                self._note(_read(line))

    def _note(self, fate: Fate) -> None:
        self.known[fate.mutant.key] = fate
        if fate.cpu:  # else no test was run
            self.first.setdefault(fate.mutant.key, fate)

    def add(self, fate: Fate) -> None:
        self._note(fate)
        self.path.parent.mkdir(exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(fate), ensure_ascii=False) + "\n")


def _read(line: str) -> Fate:
    row = json.loads(line)
    return Fate(**{**row, "mutant": Mutant(**row["mutant"])})


def known_equivalent() -> dict[str, str]:
    """Mutants whose behaviour cannot differ: key -> proof."""
    if not EQUIVALENT.exists():
        return {}
    rows = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8")).get("mutant", [])
    return {row["key"]: row["proof"] for row in rows}


def judged(chosen: Sequence[Mutant], covering: Covering, workers: int, quick: bool = False) -> Iterator[Fate]:
    """The fate of each, in order, as soon as it is known; `quick`: by the tests near it alone."""
    proofs = known_equivalent()
    with tempfile.TemporaryDirectory(prefix="backproof-mutation-") as folder:
        made = [Tree(_folder(folder, i), (*SLOW_TO_IMPORT, *SLOWEST_TO_IMPORT)) for i in range(workers)]
        trees: Queue[Tree] = Queue()
        for tree in made:
            trees.put(tree)

        def fate(mutant: Mutant) -> Fate:
            if mutant.key in proofs:
                return Fate(mutant, "equivalent", proofs[mutant.key])
            tree = trees.get()
            try:
                return fate_in(tree, mutant, covering, quick)
            finally:
                trees.put(tree)

        try:
            with ThreadPoolExecutor(workers) as pool:
                yield from pool.map(fate, chosen)
        finally:
            for tree in made:
                tree.close()


def fate_in(tree: Tree, mutant: Mutant, covering: Covering, quick: bool = False) -> Fate:
    """The fate of a mutant in this copy."""
    cpu = 0.0
    near = covering.near(mutant, NEAR)
    stages = [(near, NEAR, FIRST)]
    if not quick or not near:
        stages.append((covering.wide(mutant, WIDE), WIDE, THOROUGH))
    with tree.with_planted(mutant):
        for tests, seconds, profile in stages:
            if not tests:
                continue
            # Ten times as long as it takes: then it does not end.
            answer = tree.run(tests, int(10 * seconds) + 30, profile)
            cpu += answer["cpu"]
            # 4: under the mistake a test has another name, and the whole file tells; 5: nothing was run.
            if answer["code"] not in (0, 5) and (answer["code"] != 4 or answer["failed"]):
                by = answer["failed"] or f"{tests[0].partition('::')[0]}: did not end"
                return Fate(mutant, "killed", by, cpu)
    return Fate(mutant, "survived", "", cpu)


def _folder(parent: str, i: int) -> Path:
    folder = Path(parent, str(i))
    folder.mkdir()
    return folder
