"""Who races: `RaceEntrant`, a class that follows a whole recipe, and the process it runs in."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, final

from backproof.comparisons.contenders.known import KNOWN, SCRATCH
from backproof.comparisons.race.messages import Reply, Request, reply_from, to_line
from backproof.comparisons.running import processes
from backproof.comparisons.running.line_process import LineProcess, LineProcessError
from backproof.comparisons.speed.launch import environment
from backproof.scratch.errors import InputError


@dataclass(frozen=True)
class RaceEntrant:
    """A line of the race."""

    name: str
    target: str  # "package.module:Class"; empty: it follows no recipe
    says: str
    missing: str | None = None  # why it cannot run here


def entrants(names: Sequence[str], division: str) -> list[RaceEntrant]:
    """Scratch, then these contenders: as they come (matched), in their users' forms (idiomatic), or all."""
    found = [_matched(SCRATCH)]
    for name in names:
        known = KNOWN[name]
        if division in ("matched", "all"):
            found.append(_matched(name))
        if division in ("idiomatic", "all"):
            forms = [form for form in known.idiomatic if form.recipe]
            found += [RaceEntrant(form.name, form.recipe, form.says, _missing(name)) for form in forms]
    return found


def _matched(name: str) -> RaceEntrant:
    known = KNOWN[name]
    return RaceEntrant(name, known.recipe, known.says, _missing(name))


def _missing(name: str) -> str | None:
    known = KNOWN[name]
    return None if known.installed else f"{known.package} not installed; run: {known.how_to_install}"


class RunnerFailedError(Exception):
    """The process of one runner ended or stayed silent; the message is its cell."""


class RunnerProcess(Protocol):
    """What `part` talks to."""

    def ask(self, request: Request, timeout: float) -> Reply:
        """Send one request and wait for the answer. Raises RunnerFailedError."""

    def close(self) -> None:
        """End it; may be called twice."""


@final
class Runner:
    """A running `race.worker` on `cores` cores, its libraries on so many threads."""

    def __init__(self, entrant: RaceEntrant, cores: int, threads: int) -> None:
        arguments = ("--target", entrant.target, "--cores", str(cores))
        command = processes.python("-m", "backproof.comparisons.race.worker", *arguments)
        self._process = LineProcess(command, environment(threads))

    def ask(self, request: Request, timeout: float) -> Reply:
        try:
            line = self._process.ask(to_line(request), timeout)
        except LineProcessError as error:
            raise RunnerFailedError(str(error)) from error
        try:
            return reply_from(line)
        except (json.JSONDecodeError, InputError) as error:
            self.close()
            raise RunnerFailedError(f"its answer cannot be read ({error}); its process was ended") from error

    def close(self) -> None:
        self._process.close()
