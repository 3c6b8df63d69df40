"""Faults on purpose, as SQLite tests itself: the k-th call of the system fails, for every k and every kind.

A command runs in this process while one of the calls below is counted, as far as it concerns the folder of
the test; the k-th raises the error, or ends the command as a kill would (`Killed`, which nobody catches). k
grows until the command ends without meeting it. After each fault the folder is looked at: see `problems`.
"""

import builtins
import contextlib
import errno
import io
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from backproof.comparisons.compare import vectors
from backproof.comparisons.numerical import twin_training
from backproof.comparisons.numerical.part import STATE_FILE
from backproof.comparisons.report import document
from backproof.comparisons.running import streams
from backproof.scratch.errors import InputError

CALLS: dict[str, Any] = {
    "open": builtins,
    "os.open": os,
    "os.fsync": os,
    "os.replace": os,
    "os.chmod": os,
    "os.mkdir": os,
    "os.unlink": os,
    "write": None,  # of a file, text or bytes, that one of the two kinds of `open` has given
}
ERRORS = (errno.ENOSPC, errno.EIO, errno.EACCES, errno.EINTR)
LAST = 60  # more calls of a kind than any of the commands makes
CODES = (0, 1, 2, 3, 130)


class Killed(BaseException):
    """The process ends here: nothing more of it runs but what a kill leaves to run, which is nothing."""


@dataclass
class Fault:
    """The k-th call of this kind, counted from 1, fails with this error; 0: the process is killed there."""

    call: str
    k: int
    error: int
    met: bool = field(default=False)
    seen: int = field(default=0)

    def count(self) -> None:
        """One call more."""
        self.seen += 1
        if self.seen == self.k or (self.met and self.error == 0):
            self.met = True
            if self.error == 0:
                raise Killed
            raise OSError(self.error, os.strerror(self.error))


class _Writes(io.TextIOWrapper):
    """A text file whose writes are counted."""

    fault: Fault

    def write(self, text: str) -> int:
        self.fault.count()
        return super().write(text)


class _BinaryWrites(io.BufferedWriter):
    """A file of bytes whose writes are counted."""

    fault: Fault

    def write(self, content: Any) -> int:
        self.fault.count()
        return super().write(content)


@contextlib.contextmanager
def injected(fault: Fault, folder: Path) -> Iterator[None]:
    """Inside, the fault happens, to calls that concern the folder (and to those that name no file)."""
    inside = str(folder)
    kept: list[tuple[Any, str, Any]] = []

    def concerns(target: Any) -> bool:
        return not isinstance(target, str | bytes | os.PathLike) or str(os.fspath(target)).startswith(inside)

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if concerns(arguments[0]):
                fault.count()
            return real(*arguments, **options)

        return call

    def writing(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(target: Any, mode: str = "r", *arguments: Any, **options: Any) -> Any:
            file = real(target, mode, *arguments, **options)
            if not concerns(target) or mode not in ("w", "a", "wb", "ab"):
                return file
            if isinstance(file, _Writes | _BinaryWrites):  # one kind of `open` calls the other
                return file
            wrapped: _Writes | _BinaryWrites
            if "b" in mode:
                wrapped = _BinaryWrites(file.detach())
            else:
                wrapped = _Writes(file.detach(), encoding="utf-8", newline=options.get("newline"))
            wrapped.fault = fault
            return wrapped

        return call

    def put(owner: Any, name: str, replacement: Any) -> None:
        kept.append((owner, name, getattr(owner, name)))
        setattr(owner, name, replacement)

    try:
        if fault.call == "write":
            put(io, "open", writing(io.open))
            put(os, "fdopen", writing(os.fdopen))
        elif fault.call == "open":
            real = counted(builtins.open)
            put(builtins, "open", real)
            put(io, "open", real)
        else:
            name = fault.call.removeprefix("os.")
            put(os, name, counted(getattr(os, name)))
        yield
    finally:
        for owner, name, before in reversed(kept):
            setattr(owner, name, before)


@dataclass(frozen=True)
class Subject:
    """A command, and what its folder holds before."""

    name: str
    prepare: Callable[[Path], None]
    run: Callable[[Path], int]


def faults(subject: Subject, folder: Path, call: str, error: int) -> Iterator[tuple[Fault, list[str]]]:
    """Every fault of this kind: (the fault, what is wrong after it)."""
    for k in range(1, LAST):
        place = folder / f"{call.replace('.', '-')}-{error}-{k}"
        place.mkdir(parents=True)
        subject.prepare(place)
        before = contents(place)
        fault = Fault(call, k, error)
        code: int | None = None
        trouble = []
        try:
            with injected(fault, place):
                code = streams.to_the_end(partial(_sentence, subject, place))
        except Killed:
            pass
        except Exception as raised:  # noqa: BLE001 - whatever comes out is what is looked for
            trouble.append(f"{type(raised).__name__}: {raised}")
        if not fault.met:
            return
        untidy = error == 0 or call == "os.unlink"  # who cannot remove a file leaves it to the next command
        yield fault, [*trouble, *problems(place, before, code, untidy)]


def _sentence(subject: Subject, place: Path) -> int:
    try:
        return subject.run(place)
    except InputError:
        return 2


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def problems(folder: Path, before: dict[str, bytes], code: int | None, untidy: bool) -> list[str]:
    """What must not be: another exit code, a half file, something left behind, unreadable results."""
    after, found = contents(folder), []
    if code is not None and code not in CODES:
        found.append(f"exit code {code}")
    for name in after:
        hidden = Path(name).name.startswith(".")
        if hidden and not untidy and name not in before:
            found.append(f"left behind: {name}")
        if name.endswith(".json") and not hidden:
            found += _json_trouble(folder / name)
        if name.endswith(f"vectors/{vectors.INDEX}"):
            found += _vectors_trouble((folder / name).parent)
        if Path(name).name == STATE_FILE:
            found += _training_trouble(folder / name)
    found += [f"gone: {name}" for name in before if name not in after and not Path(name).name.startswith(".")]
    return found


def _vectors_trouble(folder: Path) -> list[str]:
    """Where the index is there, so are all the numbers of every problem that it names."""
    try:
        for name in json.loads((folder / vectors.INDEX).read_text(encoding="utf-8"))["problems"]:
            vectors.read(folder, name, roles=("given", "expected"))
    except InputError as error:
        return [str(error)]
    return []


def _training_trouble(path: Path) -> list[str]:
    try:
        twin_training.load(path)
    except InputError as error:
        return [str(error)]
    return []


def _json_trouble(path: Path) -> list[str]:
    try:
        if path.name == document.FILE:
            document.load(path)
        else:
            json.loads(path.read_text(encoding="utf-8"))
    except (InputError, ValueError) as error:
        return [f"{path.name} cannot be read: {error}"]
    return []
