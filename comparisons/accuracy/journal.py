"""A JSONL journal of finished units of work: a run that was killed goes on where it stopped.

One line per unit, {"key": {...}, "record": {...}}, written whole, flushed and synced to the disk before the
next one. A process killed in the middle of a write leaves at most one torn line, and it is the last one: it
is cut off when the journal is opened again, and its unit is done again. Units are looked up by their whole
key, so a record made by other code, on another machine or for another plan is never taken for this one.
"""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from backproof.scratch.errors import InputError

Key = Mapping[str, Any]  # JSON-ready


class Journal:
    """The journal in the file `path`, made when the first unit is added.

    Raises InputError where the file cannot be read or written, or a whole line is not one of ours.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._records = {_canonical(line["key"]): line["record"] for line in self._lines()}

    def __len__(self) -> int:
        return len(self._records)

    def get(self, key: Key) -> dict[str, Any] | None:
        """The record of this unit, None where it has not been done."""
        return self._records.get(_canonical(key))

    def add(self, key: Key, record: Mapping[str, Any]) -> None:
        """Append a finished unit; it is on the disk when this returns."""
        line = json.dumps({"key": dict(key), "record": dict(record)}, allow_nan=False)
        with self._opened("ab") as file:
            file.write(line.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self._records[_canonical(key)] = json.loads(line)["record"]

    def _lines(self) -> Iterator[dict[str, Any]]:
        """The units in the file. A torn last line is cut off, in the file too."""
        if not self.path.exists():
            return
        with self._opened("r+b") as file:
            content = file.read()
            whole = content.rfind(b"\n") + 1
            if whole < len(content):
                file.truncate(whole)
        for number, line in enumerate(content[:whole].splitlines(), start=1):
            yield self._parsed(number, line)

    def _parsed(self, number: int, line: bytes) -> dict[str, Any]:
        try:
            unit = json.loads(line)
        except ValueError:
            unit = None
        if not (
            isinstance(unit, dict)
            and isinstance(unit.get("key"), dict)
            and isinstance(unit.get("record"), dict)
        ):
            raise InputError(
                f"journal: {self.path}, line {number} is not a finished unit; delete that line or the file"
            )
        return unit

    def _opened(self, mode: str) -> Any:
        try:
            return self.path.open(mode)
        except OSError as error:
            raise InputError(
                f"journal: cannot open {self.path} ({error.strerror}); choose another --out"
            ) from error


def _canonical(key: Key) -> str:
    return json.dumps(key, sort_keys=True)
