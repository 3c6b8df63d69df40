"""The list of mutants: which class, which mistake, which checks are expected to see it.

`catalogue.toml` in the mutants' folder has one [[mutant]] or [[correct]] per class. What the mistake
is says the first paragraph of the class's docstring, which is read without importing the file.
"""

import ast
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backproof.comparisons.check.battery.battery import CHECKS
from backproof.comparisons.check.trial import EXCEPTIONS
from backproof.scratch.errors import InputError

CATALOGUE = "catalogue.toml"


@dataclass(frozen=True)
class Specimen:
    """One class of the zoo. `checks` and `causes` are empty for a correct one."""

    number: str  # of the list of known mistakes; H1 .. H10 for those that were held out
    place: str  # file.py:Class within the folder
    mistake: str  # one sentence
    group: str  # gradient | state | optimizer | data | field | pair | ... | held out | correct
    checks: tuple[str, ...] = ()  # at least one of these is expected to see it
    causes: tuple[str, ...] = ()  # words: of one, in the first diagnosis; of several, among the first three
    strict: bool = False  # tried with --strict
    note: str = ""  # why an entry of the list is turned round here
    blind: str = ""  # held out ones: "killed" or "survived" before any check had been changed for them

    @property
    def name(self) -> str:
        return self.place.partition(":")[2]


def default_folder() -> Path:
    """The mutants that come with backproof."""
    return Path(__file__).parent / "mutants"


def read(folder: Path) -> list[Specimen]:
    """All entries in the file's order. Raises InputError for a folder or a catalogue that is not right."""
    path = folder / CATALOGUE
    if not path.is_file():
        raise InputError(f"mutants: no {CATALOGUE} in {folder}; expected a folder of mutants")
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"mutants: {path} is not TOML: {error}") from error
    mutants = [_entry(folder, row) for row in document.get("mutant", [])]
    return mutants + [_entry(folder, {**row, "group": "correct"}) for row in document.get("correct", [])]


def _entry(folder: Path, row: Mapping[str, Any]) -> Specimen:
    place = str(row.get("place", ""))
    file, _, name = place.partition(":")
    group = str(row.get("group") or file.removesuffix(".py").removesuffix("_mistakes").replace("_", " "))
    checks = tuple(row.get("checks", ()))
    known = {EXCEPTIONS, *(check.name for check in CHECKS)}
    if not set(checks) <= known or not (checks or group == "correct"):
        raise InputError(
            f"mutants: {place}: checks: expected some of {', '.join(sorted(known))}; got {checks}"
        )
    causes = tuple(row.get("causes", (row["cause"],) if row.get("cause") else ()))
    texts = {key: str(row.get(key, "")) for key in ("number", "note", "blind")}
    mistake, strict = _sentence(folder / file, name), bool(row.get("strict", False))
    return Specimen(
        place=place, mistake=mistake, group=group, checks=checks, causes=causes, strict=strict, **texts
    )


def _sentence(file: Path, name: str) -> str:
    """The first paragraph of the class's docstring, without its number."""
    if not file.is_file():
        raise InputError(f"mutants: no file {file}")
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            text = " ".join((ast.get_docstring(node) or "").split("\n\n")[0].split())
            number, separator, rest = text.partition(": ")
            return rest if separator and number[:1].isdigit() | number.startswith("H") else text
    raise InputError(f"mutants: {file} has no class {name!r}")
