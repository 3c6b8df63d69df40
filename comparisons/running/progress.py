"""How a running comparison tells that it is alive: on stderr, never mixed with the report on stdout.

A terminal shows bars. A pipe or a file gets one line as a task begins, and one every half minute after.

with progress.task("accuracy: torch, seed 1", total=600) as advance:
    advance()        # one more done
progress.say("MNIST read from the cache")
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Protocol

Advance = Callable[..., None]  # advance(steps=1)


class Progress(Protocol):
    """What the runners of the parts call."""

    def task(self, description: str, total: float | None = None) -> AbstractContextManager[Advance]:
        """A piece of work; `total` steps, or None where their number is not known."""

    def stages(self, shares: Mapping[str, float]) -> AbstractContextManager[Callable[[str], None]]:
        """A whole run: its stages, and what share of the time each will take; call it as each begins."""

    def say(self, message: str) -> None:
        """One line for the reader."""


@dataclass
class _Whole:
    """How far a run of several stages is, in the units of their shares."""

    shares: dict[str, float] = field(default_factory=dict)
    started: float = 0.0
    before: float = 0.0  # of the stages that have ended
    current: float = 0.0  # the share of the one that runs
    done: float = 0.0

    def enter(self, stage: str) -> None:
        self.before = self.done = sum(list(self.shares.values())[: list(self.shares).index(stage)])
        self.current = self.shares[stage]

    def at(self, share: float) -> float:
        """So much of the current stage is done; a second task in it does not take the bar back."""
        self.done = max(self.done, self.before + min(share, 1.0) * self.current)
        return self.done

    def left(self, now: float) -> float | None:
        """Seconds, as far as the shares are right; None before there is anything to go by."""
        total = sum(self.shares.values())
        return (now - self.started) * (total - self.done) / self.done if self.done > 0.02 * total else None


def _left(seconds: float | None) -> str:
    """``about 2 min left``; nothing where it cannot be said."""
    if seconds is None or seconds < 1:
        return ""
    if seconds < 90:
        return f"about {max(5, 5 * round(seconds / 5))} s left"
    return f"about {round(seconds / 60)} min left"


EVERY = 30.0  # seconds between the lines that a task writes to a pipe
WIDE = 100  # columns, beyond which the time that has passed finds room beside the time that is left


@dataclass
class _Lines:
    """What a task tells a pipe while it runs: how far it is, no more often than every `EVERY` seconds."""

    description: str
    total: float | None
    started: float
    told: float = 0.0

    def due(self, done: float, now: float) -> str | None:
        """The line to write at this time; None where the last one is not old enough, or nothing is left."""
        if now - max(self.told, self.started) < EVERY or done == self.total:
            return None
        self.told = now
        if self.total is None:
            return f"{self.description}: {done:g} done"
        left = _left((now - self.started) * (self.total - done) / done) if done else ""
        return f"{self.description}: {_part(done, self.total)}" + (f", {left}" if left else "")


def _part(done: float, total: float) -> str:
    """``3 of 40`` of what is counted, ``57%`` of what is not."""
    return f"{done:g} of {total:g}" if float(done).is_integer() else f"{done / total:.0%}"


class Silent:
    """Says nothing: for tests and for library use."""

    @contextmanager
    def task(self, description: str, total: float | None = None) -> Iterator[Advance]:
        yield lambda steps=1: None

    @contextmanager
    def stages(self, shares: Mapping[str, float]) -> Iterator[Callable[[str], None]]:
        yield lambda stage: None

    def say(self, message: str) -> None:
        pass


class Terminal:
    """Bars and lines on stderr through rich; on a pipe, where bars mean nothing, now and then a line."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bars

        self._console = Console(stderr=True)
        self._whole = _Whole()
        is_wide = self._console.width >= WIDE
        self._bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20 if is_wide else 10),
            TaskProgressColumn(),
            *([TimeElapsedColumn()] if is_wide else []),
            TextColumn("{task.fields[left]}"),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )

    def __enter__(self) -> "Terminal":
        self._bars.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._bars.stop()

    @contextmanager
    def task(self, description: str, total: float | None = None) -> Iterator[Advance]:
        if not self._console.is_terminal:
            self.say(description)
        task = self._bars.add_task(description, total=total, left="")
        lines = _Lines(description, total, perf_counter())

        def advance(steps: float = 1) -> None:
            self._bars.advance(task, steps)
            shown = next(one for one in self._bars.tasks if one.id == task)
            self._bars.update(task, left=_left(shown.time_remaining))
            if shown.total:
                self._move(shown.completed / shown.total)
            line = None if self._console.is_terminal else lines.due(shown.completed, perf_counter())
            if line is not None:
                self.say(line)

        try:
            yield advance
        finally:
            self._bars.remove_task(task)

    @contextmanager
    def stages(self, shares: Mapping[str, float]) -> Iterator[Callable[[str], None]]:
        self._whole = _Whole(dict(shares), perf_counter())
        self._bar = self._bars.add_task("all", total=sum(shares.values()), left="")

        def enter(stage: str) -> None:
            self._whole.enter(stage)
            position = list(shares).index(stage) + 1
            self._bars.update(self._bar, description=f"all: {stage}, {position} of {len(shares)}")
            self._move(0.0)

        try:
            yield enter
        finally:
            self._bars.remove_task(self._bar)
            self._whole = _Whole()

    def _move(self, share: float) -> None:
        """The current stage is so far: move the bar of the whole run, which never goes back."""
        if self._whole.shares:
            done = self._whole.at(share)
            self._bars.update(self._bar, completed=done, left=_left(self._whole.left(perf_counter())))

    def say(self, message: str) -> None:
        # A pipe or a file has no width to break lines at.
        self._console.print(message, highlight=False, markup=False, soft_wrap=not self._console.is_terminal)
