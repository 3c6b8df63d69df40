"""A cluster that loses its last worker or its scheduler: one sentence, and what was done is kept."""

import importlib.util
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from backproof.comparisons.accuracy import many_seeds
from backproof.comparisons.accuracy.code_version import code_version
from backproof.comparisons.accuracy.journal import Journal
from backproof.comparisons.accuracy.many_seeds import DaskWorkers, Unit
from backproof.comparisons.accuracy.unit import setup_of
from backproof.comparisons.experiment import Plan, resolve
from backproof.comparisons.running.progress import Silent
from backproof.scratch.errors import InputError

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("distributed") is None, reason="the extra dask is missing"),
    pytest.mark.filterwarnings("ignore"),  # Dask's own, about loops and sockets that it leaves to the end
]
PLAN = Plan(contenders=("scratch",), data="digits", layer_sizes=(64, 8, 10), epochs=1, quick=True)
MODULE = "distributed.cli.dask_"


def unit(seed: int, epochs: int) -> Unit:
    setup = replace(setup_of(resolve(PLAN)), epochs=epochs)
    return Unit(setup, "digits", None, "scratch", seed, code_version("scratch"))


@contextmanager
def started(part: str, *options: str) -> "Iterator[subprocess.Popen[bytes]]":
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", MODULE + part, "--no-dashboard", *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def cluster(
    tmp_path: Path,
) -> "Iterator[tuple[str, subprocess.Popen[bytes], subprocess.Popen[bytes]]]":
    """Its address, its scheduler and its only worker."""
    told = tmp_path / "scheduler.json"
    given = ("--scheduler-file", str(told))
    with started("scheduler", "--host", "127.0.0.1", "--port", "0", *given) as scheduler:
        end = time.monotonic() + 60
        while not told.exists() and time.monotonic() < end:
            time.sleep(0.1)
        with started("worker", *given, "--nthreads", "1", "--no-nanny") as worker:
            yield json.loads(told.read_text(encoding="utf-8"))["address"], scheduler, worker


@pytest.mark.parametrize("lost", ["worker", "scheduler"])
def test_what_is_lost_is_one_sentence_and_what_was_finished_is_kept(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    cluster: "tuple[str, subprocess.Popen[bytes], subprocess.Popen[bytes]]",
    lost: str,
) -> None:
    address, scheduler, worker = cluster
    monkeypatch.setattr(many_seeds, "LOST_AFTER", 2.0)
    journal = Journal(tmp_path / "accuracy.jsonl")
    workers = DaskWorkers(address)
    short, endless = unit(0, 1), unit(1, 100_000)
    killed = worker if lost == "worker" else scheduler

    def kill_after_the_first() -> None:
        while len(journal) < 1:
            time.sleep(0.1)
        killed.kill()

    threading.Thread(target=kill_after_the_first, daemon=True).start()
    said = "no worker is left" if lost == "worker" else "scheduler .* is gone|no worker is left"
    with pytest.raises(InputError, match=f"^dask: .*({said}).*goes on where the journal ends"):
        many_seeds.run([short, endless], journal, workers, Silent())
    assert len(Journal(tmp_path / "accuracy.jsonl")) == 1
