"""A JSONL journal of finished units of work: a run that was killed resumes.

One line per unit, {"key": {...}, "record": {...}, "sha256": "..."}, written whole, flushed and synced to the
disk before the next one. The checksum is of the key and the record as they stand in the line. A process
killed in the middle of a write leaves at most one torn line, and it is the last one: it is cut off when the
journal is opened again, and its unit is done again. Units are looked up by their whole key, so a record made
by other code, on another machine or for another plan is never taken for this one.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from backproof.comparisons.accuracy.result import Setup, TrainedRun
from backproof.comparisons.results.cells import Absent, Failed
from backproof.comparisons.results.codec import decode, encode
from backproof.comparisons.results.files import reason_of
from backproof.scratch.errors import InputError

Record = TrainedRun | Absent | Failed


@dataclass(frozen=True)
class Key:
    """Everything a unit's record depends on."""

    setup: Setup
    seed: int
    contender: str
    code: str  # `code_version`
    machine: str


@dataclass(frozen=True)
class _Line:
    key: Key
    record: Record
    sha256: str


class Journal:
    """The journal in the file `path`, made when the first unit is added.

    Raises InputError where the file cannot be read or written, a whole line is not one of ours or was
    changed, or two lines say different things of one unit.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._records: dict[Key, Record] = {}
        for number, line in self._lines():
            earlier = self._records.setdefault(line.key, line.record)
            if encode(earlier) != encode(line.record):
                raise self._refusal(number, "says something else of a unit than a line above it")

    def __len__(self) -> int:
        return len(self._records)

    def get(self, key: Key) -> Record | None:
        """The record of this unit, None where it has not been done."""
        return self._records.get(key)

    def add(self, key: Key, record: Record) -> Record:
        """Append a finished unit; it is on the disk when this returns. Returns it as the journal holds it."""
        content = {"key": encode(key), "record": encode(record)}
        line = json.dumps({**content, "sha256": _checksum(content)}, allow_nan=False)
        with self._opened("ab") as file:
            file.write(line.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        kept = decode(_Line, json.loads(line)).record
        self._records[key] = kept
        return kept

    def _lines(self) -> Iterator[tuple[int, _Line]]:
        """The units in the file, with their lines' numbers. A torn last line is cut off, in the file too."""
        if not self.path.exists():
            return
        with self._opened("r+b") as file:
            content = file.read()
            whole = content.rfind(b"\n") + 1
            if whole < len(content):
                file.truncate(whole)
        for number, line in enumerate(content[:whole].splitlines(), start=1):
            yield number, self._parsed(number, line)

    def _parsed(self, number: int, text: bytes) -> _Line:
        try:
            document = json.loads(text)
            line = decode(_Line, document)
        except (ValueError, RecursionError) as error:  # InputError is one
            raise self._refusal(number, "is not a finished unit") from error
        if line.sha256 != _checksum({"key": document["key"], "record": document["record"]}):
            raise self._refusal(number, "was changed after it was written")
        return line

    def _refusal(self, number: int, what: str) -> InputError:
        return InputError(f"journal: {self.path}, line {number} {what}; delete that line or the file")

    def _opened(self, mode: str) -> IO[bytes]:
        try:
            return self.path.open(mode)
        except OSError as error:
            raise InputError(
                f"journal: cannot open {self.path} ({reason_of(error)}); choose another --out"
            ) from error


def _checksum(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
