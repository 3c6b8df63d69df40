"""Many seeds: the same results whatever the workers, and however often the run is killed."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from backproof.comparisons.accuracy import many_seeds
from backproof.comparisons.accuracy import part as accuracy
from backproof.comparisons.accuracy.code_version import code_version
from backproof.comparisons.accuracy.journal import Journal
from backproof.comparisons.accuracy.many_seeds import Unit
from backproof.comparisons.accuracy.unit import setup_of, train_unit
from backproof.comparisons.experiment import Plan, resolve
from backproof.comparisons.results.cells import Absent, Failed
from backproof.comparisons.running.errors import Interrupted
from backproof.comparisons.running.progress import Silent
from backproof.scratch.errors import InputError
from tests.support.accuracy_runs import FAITHFUL, MODULE

ROOT = Path(__file__).parents[3]
PLAN = Plan(
    contenders=("scratch", FAITHFUL), data="digits", layer_sizes=(64, 8, 10), n_seeds=3, epochs=2, quick=True
)


def units(plan: Plan = PLAN) -> list[Unit]:
    setup = setup_of(resolve(plan))
    return [
        Unit(setup, "digits", None, name, seed, code_version(name))
        for seed in plan.seeds
        for name in plan.contenders
    ]


class Here:
    """Workers that are this very process; `stop_after` presses Ctrl-C before that many units are done."""

    def __init__(self, stop_after: int | None = None, where: str = "here") -> None:
        self.stop_after, self.where = stop_after, where
        self.done: list[Unit] = []

    def machines(self) -> list[str]:
        return [self.where]

    def map(self, pending: list[Unit]) -> Iterator[tuple[Unit, many_seeds.Done]]:
        for unit in reversed(pending):  # the order must not matter
            if len(self.done) == self.stop_after:
                raise KeyboardInterrupt
            record = train_unit(unit.setup, resolve(PLAN).dataset, unit.name, unit.seed)
            self.done.append(unit)
            yield (
                unit,
                (
                    self.where,
                    record if isinstance(record, Absent | Failed) else replace(record, seconds=None),
                ),
            )


def test_every_unit_is_done_once_and_kept_in_the_journal(tmp_path: Path) -> None:
    workers, journal = Here(), Journal(tmp_path / "journal.jsonl")
    found = many_seeds.run(units(), journal, workers, Silent())
    assert set(found) == set(units()) == set(workers.done)
    assert len(Journal(journal.path)) == len(units())


def test_what_is_in_the_journal_is_not_done_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    first = many_seeds.run(units(), journal, Here(), Silent())
    again = Here()
    assert many_seeds.run(units(), Journal(journal.path), again, Silent()) == first
    assert again.done == []


def test_ctrl_c_keeps_the_finished_units_and_says_how_many(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    with pytest.raises(Interrupted, match=r"2 of 6 units are kept in .*journal\.jsonl"):
        many_seeds.run(units(), journal, Here(stop_after=2), Silent())
    resumed = Here()
    found = many_seeds.run(units(), Journal(journal.path), resumed, Silent())
    assert len(resumed.done) == 4
    undisturbed = many_seeds.run(units(), Journal(tmp_path / "other.jsonl"), Here(), Silent())
    assert found == undisturbed


@pytest.mark.parametrize(
    "change",
    [
        {"epochs": 1},
        {"batch_size": 50},
        {"margin_points": 0.3},
        {"layer_sizes": (64, 9, 10)},
        {"seed": 7},
        {"contenders": ("scratch",), "seed": 9},
    ],
)
def test_records_of_another_plan_are_not_taken(tmp_path: Path, change: dict[str, Any]) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    many_seeds.run(units(), journal, Here(), Silent())
    workers = Here()
    other = units(replace(PLAN, **change))
    many_seeds.run(other, journal, workers, Silent())
    assert set(workers.done) == set(other)


def test_records_of_another_machine_are_not_taken(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    many_seeds.run(units(), journal, Here(), Silent())
    elsewhere = Here(where="elsewhere")
    many_seeds.run(units(), journal, elsewhere, Silent())
    assert len(elsewhere.done) == len(units())


def test_records_of_other_code_are_not_taken(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    many_seeds.run(units(), journal, Here(), Silent())
    changed = Here()
    many_seeds.run([replace(unit, code="other") for unit in units()], journal, changed, Silent())
    assert len(changed.done) == len(units())


def test_a_worker_with_other_code_refuses_to_work() -> None:
    with pytest.raises(InputError, match=r"^workers: the code on"):
        many_seeds.do_unit(replace(units()[0], code="other"))


def test_a_worker_with_other_data_refuses_to_work() -> None:
    unit = units()[0]
    with pytest.raises(InputError, match=r"^workers: .* has other data"):
        many_seeds.do_unit(replace(unit, setup=replace(unit.setup, dataset_sha256="other")))


@pytest.mark.parametrize("n", [0, -1])
def test_fewer_than_one_worker_is_refused(n: int) -> None:
    with pytest.raises(InputError, match=r"^workers: expected at least 1"):
        many_seeds.JoblibWorkers(n)


def test_dask_that_is_not_installed_is_refused_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r'pip install "backproof\[dask\]"'):
        many_seeds.DaskWorkers("tcp://127.0.0.1:1")


def test_processes_and_this_process_end_with_the_same_result(tmp_path: Path) -> None:
    """Two joblib workers, in any order, against the units done here; levels 1 and 2 as well."""
    plan = replace(PLAN, n_seeds=2, out=str(tmp_path / "joblib"))
    found = accuracy.run_many(resolve(plan), Silent(), many_seeds.JoblibWorkers(2))
    here = accuracy.run_many(resolve(replace(plan, out=str(tmp_path / "here"))), Silent(), Here())
    assert replace(found, seconds=0.0) == replace(here, seconds=0.0)
    assert found.trained["scratch"].seconds == (None, None)


def test_a_worker_trains_on_one_thread() -> None:
    """The contender says with how many threads it was called, in a process that had been given two."""
    code = """
from tests.comparisons.accuracy.test_many_seeds import threads_of_a_unit
from backproof.comparisons.running import threads
import numpy
threads.limit(2)
print(threads_of_a_unit())
"""
    command = [sys.executable, "-c", textwrap.dedent(code)]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "threads: [1]"


def threads_of_a_unit() -> str:
    (unit,) = units(replace(PLAN, contenders=(f"{MODULE}:TellsItsThreads",), n_seeds=1))[1:]
    _, record = many_seeds.do_unit(unit)
    assert isinstance(record, Absent)
    return record.not_offered


SCRIPT = """
    import sys
    from backproof.comparisons.accuracy import many_seeds
    from backproof.comparisons.accuracy.code_version import code_version
    from backproof.comparisons.accuracy.journal import Journal
    from backproof.comparisons.accuracy.unit import setup_of
    from backproof.comparisons.experiment import Plan, resolve
    from backproof.comparisons.running.progress import Silent

    plan = Plan(contenders=("scratch",), data="digits", layer_sizes=(64, 8, 10), n_seeds=6, epochs=20)
    setup, code = setup_of(resolve(plan)), code_version("scratch")
    units = [many_seeds.Unit(setup, "digits", None, "scratch", seed, code) for seed in plan.seeds]
    many_seeds.run(units, Journal(sys.argv[1]), many_seeds.JoblibWorkers(1), Silent())
"""


def start(path: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(SCRIPT), str(path)], cwd=ROOT)


def lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def kill_after(path: Path, n_lines: int) -> bool:
    """SIGKILL as soon as the journal has this many lines; whether the run was still going then."""
    process = start(path)
    while lines(path) < n_lines and process.poll() is None:
        time.sleep(0.001)
    going = process.poll() is None
    if going:
        os.kill(process.pid, signal.SIGKILL)
    process.wait()
    return going


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kills as Linux and macOS do")
def test_a_run_killed_again_and_again_ends_like_an_undisturbed_one(tmp_path: Path) -> None:
    killed, undisturbed = tmp_path / "killed.jsonl", tmp_path / "undisturbed.jsonl"
    assert [kill_after(killed, n) for n in (1, 3)] == [True, True]
    for path in (killed, undisturbed):
        assert start(path).wait() == 0
    assert sorted(killed.read_text().splitlines()) == sorted(undisturbed.read_text().splitlines())
