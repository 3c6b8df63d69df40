"""How a running comparison tells that it is alive: on stderr, never mixed with the report on stdout.

with progress.task("accuracy: torch, seed 1", total=600) as advance:
    advance()        # one more done
progress.say("MNIST read from the cache")
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

Advance = Callable[..., None]  # advance(steps=1)


class Progress(Protocol):
    """What the runners of the parts call."""

    def task(self, description: str, total: float | None = None) -> AbstractContextManager[Advance]:
        """A piece of work; `total` steps, or None where their number is not known."""

    def say(self, message: str) -> None:
        """One line for the reader."""


class Silent:
    """Says nothing: for tests and for library use."""

    @contextmanager
    def task(self, description: str, total: float | None = None) -> Iterator[Advance]:
        yield lambda steps=1: None

    def say(self, message: str) -> None:
        pass


class Terminal:
    """Bars and lines on stderr through rich; on a pipe, where bars mean nothing, one line per task."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bars

        self._console = Console(stderr=True)
        self._bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
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
        task = self._bars.add_task(description, total=total)
        try:
            yield lambda steps=1: self._bars.advance(task, steps)
        finally:
            self._bars.remove_task(task)

    def say(self, message: str) -> None:
        self._console.print(message, highlight=False, markup=False)
