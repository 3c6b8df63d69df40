"""Many seeds: the same results whatever the workers, and however often the run is killed."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import pytest

from backproof.comparisons.accuracy import many_seeds as sweep
from backproof.comparisons.accuracy import part as accuracy
from backproof.comparisons.accuracy.journal import Journal
from backproof.comparisons.accuracy.unit import Setting, train_unit
from backproof.comparisons.experiment import Plan
from backproof.comparisons.running.errors import Interrupted
from backproof.comparisons.running.progress import Silent
from backproof.scratch.errors import InputError

FAITHFUL = "tests.support.accuracy_contenders:Faithful"
PLAN = Plan(
    contenders=("scratch", FAITHFUL), data="digits", layer_sizes=(64, 8, 10), n_seeds=3, epochs=2, quick=True
)


def units(plan=PLAN):
    setting = Setting.from_plan(plan)
    return [
        sweep.Unit(setting, "digits", None, name, seed, sweep.code_version(name))
        for seed in plan.seeds
        for name in plan.contenders
    ]


class Here:
    """Workers that are this very process; `stop_after` presses Ctrl-C before that many units are done."""

    def __init__(self, stop_after=None, where="here"):
        self.stop_after, self.where = stop_after, where
        self.done = []

    def machines(self):
        return [self.where]

    def map(self, pending):
        for unit in reversed(pending):  # the order must not matter
            if len(self.done) == self.stop_after:
                raise KeyboardInterrupt
            record = train_unit(unit.setting, PLAN.dataset(), unit.name, unit.seed)
            self.done.append(unit)
            yield unit, (self.where, {**record, "seconds": None})


def test_every_unit_is_done_once_and_kept_in_the_journal(tmp_path):
    workers, journal = Here(), Journal(tmp_path / "journal.jsonl")
    found = sweep.run(units(), journal, workers, Silent())
    assert set(found) == set(units()) == set(workers.done)
    assert len(Journal(journal.path)) == len(units())


def test_what_is_in_the_journal_is_not_done_again(tmp_path):
    journal = Journal(tmp_path / "journal.jsonl")
    first = sweep.run(units(), journal, Here(), Silent())
    again = Here()
    assert sweep.run(units(), Journal(journal.path), again, Silent()) == first
    assert again.done == []


def test_ctrl_c_keeps_the_finished_units_and_says_how_many(tmp_path):
    journal = Journal(tmp_path / "journal.jsonl")
    with pytest.raises(Interrupted, match=r"2 of 6 units are kept in .*journal\.jsonl"):
        sweep.run(units(), journal, Here(stop_after=2), Silent())
    resumed = Here()
    found = sweep.run(units(), Journal(journal.path), resumed, Silent())
    assert len(resumed.done) == 4
    undisturbed = sweep.run(units(), Journal(tmp_path / "other.jsonl"), Here(), Silent())
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
def test_records_of_another_plan_are_not_taken(tmp_path, change):
    journal = Journal(tmp_path / "journal.jsonl")
    sweep.run(units(), journal, Here(), Silent())
    workers = Here()
    other = units(replace(PLAN, **change))
    sweep.run(other, journal, workers, Silent())
    assert set(workers.done) == set(other)


def test_records_of_another_machine_are_not_taken(tmp_path):
    journal = Journal(tmp_path / "journal.jsonl")
    sweep.run(units(), journal, Here(), Silent())
    elsewhere = Here(where="elsewhere")
    sweep.run(units(), journal, elsewhere, Silent())
    assert len(elsewhere.done) == len(units())


def test_records_of_other_code_are_not_taken(tmp_path):
    journal = Journal(tmp_path / "journal.jsonl")
    sweep.run(units(), journal, Here(), Silent())
    changed = Here()
    sweep.run([replace(unit, code="other") for unit in units()], journal, changed, Silent())
    assert len(changed.done) == len(units())


def test_the_code_version_changes_with_the_contenders_file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("class MLP: pass\n")
    before = sweep.code_version(f"{path}:MLP")
    path.write_text("class MLP: x = 1\n")
    assert sweep.code_version(f"{path}:MLP") != before


def test_the_code_version_differs_between_contenders_and_is_stable():
    assert sweep.code_version("scratch") == sweep.code_version("scratch") != sweep.code_version("torch")


def test_a_worker_with_other_code_refuses_to_work():
    with pytest.raises(InputError, match=r"^workers: the code on"):
        sweep.do_unit(replace(units()[0], code="other"))


def test_a_worker_with_other_data_refuses_to_work():
    unit = units()[0]
    with pytest.raises(InputError, match=r"^workers: .* has other data"):
        sweep.do_unit(replace(unit, setting=replace(unit.setting, dataset_sha256="other")))


@pytest.mark.parametrize("n", [0, -1])
def test_fewer_than_one_worker_is_refused(n):
    with pytest.raises(InputError, match=r"^workers: expected at least 1"):
        sweep.JoblibWorkers(n)


def test_dask_that_is_not_installed_is_refused_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setattr(sweep.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r'pip install "backproof\[dask\]"'):
        sweep.DaskWorkers("tcp://127.0.0.1:1")


def without_seconds(part):
    return {key: value for key, value in part.items() if key != "seconds"}


def test_processes_and_this_process_end_with_the_same_part(tmp_path):
    """Two joblib workers, in any order, against the units done here; levels 1 and 2 as well."""
    plan = replace(PLAN, n_seeds=2, out=str(tmp_path / "joblib"))
    found = accuracy.run_many(plan, Silent(), sweep.JoblibWorkers(2))
    here = accuracy.run_many(replace(plan, out=str(tmp_path / "here")), Silent(), Here())
    assert without_seconds(found) == without_seconds(here)
    assert found["contenders"]["scratch"]["seconds"] == [None, None]


SCRIPT = """
    import sys, time
    from backproof.comparisons.accuracy import many_seeds as sweep
    from backproof.comparisons.accuracy.unit import Setting
    from backproof.comparisons.accuracy.journal import Journal
    from backproof.comparisons.experiment import Plan
    from backproof.comparisons.running.progress import Silent

    plan = Plan(contenders=("scratch",), data="digits", layer_sizes=(64, 8, 10), n_seeds=6, epochs=20)
    setting, code = Setting.from_plan(plan), sweep.code_version("scratch")
    units = [sweep.Unit(setting, "digits", None, "scratch", seed, code) for seed in plan.seeds]
    sweep.run(units, Journal(sys.argv[1]), sweep.JoblibWorkers(1), Silent())
"""


def start(path):
    code = textwrap.dedent(SCRIPT)
    return subprocess.Popen([sys.executable, "-c", code, str(path)], cwd=Path(__file__).parents[3])


def lines(path):
    return path.read_bytes().count(b"\n") if path.exists() else 0


def kill_after(path, n_lines):
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
def test_a_run_killed_again_and_again_ends_like_an_undisturbed_one(tmp_path):
    killed, undisturbed = tmp_path / "killed.jsonl", tmp_path / "undisturbed.jsonl"
    assert [kill_after(killed, n) for n in (1, 3)] == [True, True]
    for path in (killed, undisturbed):
        assert start(path).wait() == 0

    def records(path):
        found = [json.loads(line) for line in path.read_text().splitlines()]
        return sorted(json.dumps(line, sort_keys=True) for line in found)

    assert records(killed) == records(undisturbed)
