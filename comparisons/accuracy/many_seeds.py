"""Many seeds: each (seed, contender) is a unit of work, done by one of several workers, kept in a journal.

A unit's key says what its record depends on: the setup, the seed, the contender, the version of the
code and the machine. Workers are processes with one thread each, however many there are, so that a sweep with
four workers, with one, and one that was killed and continued all end with the same records. Nothing is timed
here: seconds taken while other work runs beside say nothing.

On one machine the workers are joblib's; on several they are Dask's (extra `dask`), found through the address
of the scheduler. Every worker reads the data itself, and refuses to work on other data or other code than
this process has.
"""

import importlib
import importlib.util
import logging
import os
import platform
import threading
import time
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

from backproof.comparisons.accuracy.code_version import code_version
from backproof.comparisons.accuracy.journal import Journal, Key, Record
from backproof.comparisons.accuracy.result import Setup
from backproof.comparisons.results.cells import Absent, Failed
from backproof.comparisons.running import environment, processes, threads
from backproof.comparisons.running.errors import Interrupted
from backproof.comparisons.running.progress import Progress
from backproof.scratch.errors import InputError

JOURNAL = "accuracy.jsonl"
POLL = 0.1  # seconds between two looks at a cluster
LOST_AFTER = 15.0  # seconds without any worker until it is given up
GO_ON = "start it again and give the same command: it goes on where the journal ends"
Done = tuple[str, Record]  # (machine, record)


@dataclass(frozen=True)
class Unit:
    """One piece of work, small enough to be sent anywhere."""

    setup: Setup
    data: str
    data_dir: str | None
    name: str
    seed: int
    code: str

    def key(self, machine: str) -> Key:
        """What the record depends on."""
        return Key(self.setup, self.seed, self.name, self.code, machine)


class Workers(Protocol):
    """Whoever does units: processes on this machine, a cluster."""

    def machines(self) -> list[str]:
        """Where units may be done."""

    def map(self, units: list[Unit]) -> Iterator[tuple[Unit, Done]]:
        """Finished units as they come, in any order."""


def machine() -> str:
    """This machine, as far as results can depend on it: libraries choose their kernels by the processor."""
    found = environment.describe()
    return f"{platform.node()}, {found.processor}, {platform.machine()}"


def do_unit(unit: Unit) -> Done:
    """Run a unit in a worker process, on one thread; (machine, record). InputError for other code or data.

    Here alone the data are found a second time from what was asked: they are too large to be sent.
    """
    threads.limit(1)
    from backproof.comparisons.accuracy.unit import train_unit
    from backproof.comparisons.data.dataset import load

    if code_version(unit.name) != unit.code:
        raise InputError(
            f"workers: the code on {machine()} is not what this process was started with; "
            "install the same version there, or start again"
        )
    dataset = load(unit.data, unit.data_dir)
    if dataset.sha256 != unit.setup.dataset_sha256:
        raise InputError(f"workers: {machine()} has other data ({dataset.source}) than this process")
    record = train_unit(unit.setup, dataset, unit.name, unit.seed)
    return machine(), record if isinstance(record, Absent | Failed) else replace(record, seconds=None)


def run(units: Iterable[Unit], journal: Journal, workers: Workers, progress: Progress) -> dict[Unit, Record]:
    """The record of every unit: from the journal where it stands there, else from the workers.

    Ctrl-C raises Interrupted; what was finished is in the journal.
    """
    units = list(units)
    machines = workers.machines()
    found = {unit: record for unit in units if (record := _known(journal, unit, machines)) is not None}
    pending = [unit for unit in units if unit not in found]
    if found:
        progress.say(f"{len(found)} of {len(units)} units are in {journal.path} already")
    try:
        with progress.task("accuracy: seeds x contenders", total=len(units)) as advance:
            advance(len(found))
            for unit, (where, record) in workers.map(pending):
                found[unit] = journal.add(unit.key(where), record)
                advance()
    except KeyboardInterrupt as interrupt:
        raise Interrupted(f"{len(found)} of {len(units)} units are kept in {journal.path}") from interrupt
    return found


def _known(journal: Journal, unit: Unit, machines: Iterable[str]) -> Record | None:
    records = (journal.get(unit.key(where)) for where in machines)
    return next((record for record in records if record is not None), None)


class JoblibWorkers:
    """Worker processes on this machine."""

    def __init__(self, n_workers: int) -> None:
        if n_workers < 1:
            raise InputError(f"workers: expected at least 1, got {n_workers}")
        self.n_workers = n_workers

    def machines(self) -> list[str]:
        return [machine()]

    def map(self, units: list[Unit]) -> Iterator[tuple[Unit, Done]]:
        """Finished units as they come, in any order."""
        from joblib import Parallel, delayed, parallel_config

        one_thread = parallel_config(backend="loky", inner_max_num_threads=1)
        with processes.safe_paths(), one_thread, warnings.catch_warnings():
            # A worker that has grown by importing a framework is replaced after its unit; nothing is lost.
            warnings.filterwarnings("ignore", "A worker stopped while some jobs", UserWarning)
            n_jobs = max(1, min(self.n_workers, len(units)))
            pool = Parallel(n_jobs=n_jobs, return_as="generator_unordered", pre_dispatch="n_jobs")
            yield from pool(delayed(_in_child)(unit) for unit in units)


class DaskWorkers:
    """Workers of a Dask cluster, by its scheduler's address, as tcp://host:port.

    Raises InputError where Dask is not installed or no scheduler with workers answers there.
    """

    def __init__(self, address: str) -> None:
        if importlib.util.find_spec("distributed") is None:
            raise InputError('dask: not installed here; run: python -m pip install "backproof[dask]"')
        self.address = address
        # Typed as Any: Dask is optional, and its own annotations are partial.
        self.distributed: Any = importlib.import_module("distributed")
        try:
            self.client = self.distributed.Client(address, timeout="10s")
            self.client.wait_for_workers(1, timeout=10)
        except (OSError, TimeoutError, ValueError) as error:
            raise InputError(
                f"dask: no scheduler with workers at {address} ({error}); "
                "start `dask scheduler` and `dask worker`"
            ) from error

    def machines(self) -> list[str]:
        try:
            return sorted(set(self.client.run(machine).values()))
        except (OSError, TimeoutError) as error:
            raise self._gone() from error

    def map(self, units: list[Unit]) -> Iterator[tuple[Unit, Done]]:
        """Finished units as they come, in any order."""
        try:
            waiting = self.client.map(_with_unit, units, pure=False)
        except (OSError, TimeoutError) as error:
            raise self._gone() from error
        alive = time.monotonic()
        while waiting:
            done = [future for future in waiting if future.done()]
            waiting = [future for future in waiting if future not in done]
            for future in done:
                yield self._result(future)
            if done or self._has_workers():
                alive = time.monotonic()
            elif time.monotonic() - alive > LOST_AFTER:
                raise InputError(f"dask: no worker is left at {self.address}; {GO_ON}")
            if waiting and not done:
                time.sleep(POLL)

    def _result(self, future: Any) -> tuple[Unit, Done]:
        """Of a unit that ended; a worker or a scheduler that is gone is one sentence."""
        status = future.status
        if status in ("cancelled", "lost"):
            raise self._gone()
        try:
            done: tuple[Unit, Done] = future.result()
        except self.distributed.KilledWorker as error:
            raise InputError(f"dask: a unit has ended several workers at {self.address}; {GO_ON}") from error
        return done

    def _gone(self) -> InputError:
        logging.getLogger("distributed").setLevel(logging.CRITICAL)  # it would say so for pages
        return InputError(f"dask: the scheduler at {self.address} is gone; {GO_ON}")

    def _has_workers(self) -> bool:
        try:
            return self.client.status == "running" and bool(self.client.nthreads())
        except (OSError, TimeoutError, RuntimeError):  # as a scheduler that is gone answers
            return False


def _with_unit(unit: Unit) -> tuple[Unit, Done]:
    return unit, do_unit(unit)


def _in_child(unit: Unit) -> tuple[Unit, Done]:
    _end_with_parent()
    return _with_unit(unit)


_watching = threading.Event()


def _end_with_parent() -> None:
    """End this worker when the process that started it is gone: nothing may go on training after a kill."""
    if _watching.is_set():
        return
    _watching.set()
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="end-with-parent").start()
