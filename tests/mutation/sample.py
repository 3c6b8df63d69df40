"""The forty mistakes that every run of the suite plants, each with the one test that must fail.

They stand in sample.toml, drawn from mutants that were killed: of every part and every kind, by quick tests.
"""

import json
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.mutation.covering import FIRST, Covering
from tests.mutation.mutants import MovedError, Mutant
from tests.mutation.run import Fate
from tests.mutation.trees import Tree

SAMPLE = Path(__file__).with_name("sample.toml")
SIZE = 40
QUICK = 0.4  # seconds of the test that kills
SECONDS = 60  # that the test may take under the mistake
REDRAW = "python -m tests.mutation --sample-for-ci"
_HEAD = f"""# Mistakes that every run of the suite plants, each with the one test that must then fail.
# Where an entry's lines or its test have changed: {REDRAW}

"""


@dataclass(frozen=True)
class Entry:
    """A mistake and the test that sees it."""

    part: str
    mutant: Mutant
    test: str


def read(path: Path = SAMPLE) -> list[Entry]:
    if not path.exists():
        return []
    rows = tomllib.loads(path.read_text(encoding="utf-8"))["entry"]
    return [Entry(row.pop("part"), test=row.pop("test"), mutant=Mutant(**row)) for row in rows]


def written(entries: Sequence[Entry]) -> str:
    """The text of sample.toml."""
    return _HEAD + "\n".join(_row(entry) for entry in entries)


def trouble(tree: Tree, entry: Entry) -> str:
    """Why an entry no longer holds; empty where its test fails, as it must."""
    try:
        with tree.with_planted(entry.mutant):
            answer = tree.run([entry.test], SECONDS, FIRST)
    except (MovedError, FileNotFoundError):
        return "the lines that it changes are no longer there"
    if answer["failed"] == entry.test or answer["code"] == -1:
        return ""
    if answer["code"] == 0:
        return "its test passes with the mistake"
    return f"its test was not run ({answer['failed'] or 'it is no longer there'})"


def redrawn(
    kept: Sequence[Entry], killed: dict[str, list[Fate]], covering: Covering, holds: Callable[[Entry], bool]
) -> Iterator[Entry]:
    """Those that are kept, and others for the missing ones: of the part and the kind that has the fewest."""
    yield from kept
    parts, kinds = Counter(entry.part for entry in kept), Counter(entry.mutant.operator for entry in kept)
    tests, quick = {entry.test for entry in kept}, {test.name for test in covering.tests if test.cpu <= QUICK}
    waiting = {part: [fate for fate in fates if fate.by in quick] for part, fates in killed.items()}
    while sum(parts.values()) < SIZE and any(waiting.values()):
        part = min((one for one in waiting if waiting[one]), key=lambda one: parts[one])
        fate = min(waiting[part], key=lambda one: (kinds[one.mutant.operator], one.by in tests))
        waiting[part].remove(fate)
        entry = Entry(part, fate.mutant, fate.by)
        if fate.by not in tests and holds(entry):
            parts[part] += 1
            kinds[fate.mutant.operator] += 1
            tests.add(fate.by)
            yield entry


def _row(entry: Entry) -> str:
    m = entry.mutant
    values = {"part": entry.part, "path": m.path, "function": m.function, "operator": m.operator}
    values |= {"what": m.what, "old": m.old, "new": m.new, "test": entry.test}
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in values.items()]
    return "\n".join(["[[entry]]", *lines, *([f"nth = {m.nth}"] if m.nth else [])]) + "\n"
