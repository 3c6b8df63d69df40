"""Several hand-ins at once, each worker in a process of its own; every hand-in gets its answer.

A worker that dies, or does not finish, costs the hand-in it was at, which is said, and is replaced.
"""

import contextlib
import json
import queue
import threading
from collections.abc import Callable, Sequence

from backproof.comparisons.check.grading.worker import as_message
from backproof.comparisons.check.results import Cause, CheckedClass
from backproof.comparisons.check.trial import NOT_JUDGED, Settings
from backproof.comparisons.results.codec import decode
from backproof.comparisons.running import processes
from backproof.comparisons.running.outside_text import cleaned, path_text
from backproof.comparisons.running.plain_data import Garbage, unpack
from backproof.comparisons.running.worker_process import (
    Ended,
    Flooded,
    Late,
    TimeLimit,
    WorkerProcess,
    environment,
)
from backproof.comparisons.verdicts.outcome import Outcome

SLACK = 600.0  # seconds beside the class' own: an import without end on a busy machine, and our own work
Done = Callable[[str, CheckedClass], None]  # called for each hand-in, in one thread at a time


def unjudged(hand_in: str, why: str) -> CheckedClass:
    """The answer for a hand-in that could not be tried, with the reason."""
    cause = Cause(f"{NOT_JUDGED}: {cleaned(why.removeprefix('target: '))}", "describes")
    return CheckedClass(
        path_text(hand_in), Outcome.INCONCLUSIVE, 0.0, checks=(), causes=(cause,), notes=(), tried_with=""
    )


def check_all(hand_ins: Sequence[str], settings: Settings, n_workers: int, done: Done) -> None:
    """Check every hand-in; `done` is called as each ends. Ctrl-C ends all workers and is raised again."""
    waiting: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    for hand_in in hand_ins:
        waiting.put(hand_in)
    ended: queue.SimpleQueue[tuple[str, CheckedClass] | None] = queue.SimpleQueue()
    stop = threading.Event()
    n_workers = max(1, min(n_workers, len(hand_ins)))
    threads = [
        threading.Thread(target=_work, args=(waiting, ended, settings, stop), daemon=True)
        for _ in range(n_workers)
    ]
    for thread in threads:
        waiting.put(None)
        thread.start()
    try:
        while n_workers:
            found = ended.get()
            if found is None:
                n_workers -= 1
            else:
                done(*found)
    finally:
        stop.set()
        for thread in threads:
            thread.join(10.0)


def _work(
    waiting: "queue.SimpleQueue[str | None]",
    ended: "queue.SimpleQueue[tuple[str, CheckedClass] | None]",
    settings: Settings,
    stop: threading.Event,
) -> None:
    """One worker process after another, until nothing waits."""
    with contextlib.ExitStack() as stack:
        stack.callback(ended.put, None)
        worker = _Checker(stop)
        stack.callback(worker.close)
        while not stop.is_set() and (hand_in := waiting.get()) is not None:
            ended.put((hand_in, worker.check(hand_in, settings)))


class _Checker:
    """A worker process, started when it is needed."""

    def __init__(self, stop: threading.Event) -> None:
        self.stop = stop
        self._worker: WorkerProcess | None = None

    def close(self) -> None:
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    def check(self, hand_in: str, settings: Settings) -> CheckedClass:
        """Its answer for this hand-in, or why there is none."""
        if self._worker is None:
            command = processes.python("-m", "backproof.comparisons.check.grading.worker")
            self._worker = WorkerProcess(command, environment())
        worker = self._worker
        limit = TimeLimit(worker, 3.0 * settings.time_limit + SLACK)

        def read(n: int) -> bytes:
            if self.stop.is_set():
                raise Ended(None)
            return worker.read(n, limit)

        worker.send(as_message(hand_in, settings))
        try:
            state, content = unpack(read)
        except (Late, Ended, Flooded, Garbage) as what:
            self.close()
            return unjudged(hand_in, _what_happened(what, worker.output))
        if state == "absent":
            return unjudged(hand_in, str(content))
        return decode(CheckedClass, json.loads(content))


def _what_happened(what: Exception, output: str) -> str:
    """To the checker, while it was at this hand-in."""
    last = output.strip().splitlines()[-1:] or [""]
    if isinstance(what, Late):
        return "the checker did not finish in its time"
    return f"the checker itself ended ({type(what).__name__.lower()}) {last[0]}".rstrip()
