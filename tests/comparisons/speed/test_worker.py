"""Real worker processes: what one contender does wrong becomes its cell, and the others go on."""

import os
from pathlib import Path

import pytest

from backproof.comparisons.contenders.known import SCRATCH
from backproof.comparisons.results.cells import Absent, Failed, reason
from backproof.comparisons.running.progress import Silent
from backproof.comparisons.speed.cases import SpeedCase
from backproof.comparisons.speed.entrants import CONTROL, Entrant
from backproof.comparisons.speed.launch import KERNEL_OVERRIDES, ProcessWorker, WorkerFailedError, environment
from backproof.comparisons.speed.messages import Prepare, Request, TimeRound
from backproof.comparisons.speed.part import Asked, summarise
from backproof.comparisons.speed.protocol import Log, Session
from backproof.comparisons.speed.result import Settings, TimedData
from tests.support.fake_timing import data_file

CASE = SpeedCase((4, 6, 3), 5, "sgd")
HERE = "tests.support.fake_contenders"
OURS = [
    Entrant(SCRATCH, "backproof.comparisons.contenders.scratch_mlp:ScratchMLP", "matched", "", ""),
    Entrant(CONTROL, "backproof.comparisons.contenders.scratch_mlp:ScratchMLP", "control", "", ""),
]


def entry(name: str) -> Entrant:
    return Entrant(name, f"{HERE}:{name}", "matched", "", "")


def run(folder: Path, *names: str) -> Log:
    settings = Settings(launches=1, rounds=2, round_seconds=0.001, warm_up=1)
    chosen = [*OURS, *(entry(name) for name in names)]
    return Session(settings, [CASE], data_file(folder), chosen, ProcessWorker, Silent()).run()


def test_whoever_fails_becomes_a_cell_and_leaves_the_rest(tmp_path: Path) -> None:
    log = run(tmp_path, "Crashes", "Dies", "Declines", "Talks", "Works")
    assert {failure.entry: failure.cell for failure in log.failures} == {
        "Crashes": Failed("its process ended (exit code 1): RuntimeError: lost a shoe"),
        "Dies": Failed("its process ended (exit code 3)"),
        "Declines": Absent("no such optimiser"),
    }
    counted = {record.entry for record in log.records if record.fault is None}
    assert counted == {SCRATCH, CONTROL, "Talks", "Works"}


def test_whoever_hangs_is_ended(tmp_path: Path) -> None:
    worker = ProcessWorker(entry("Hangs"), 1)
    worker.ask(Request(Prepare(CASE, str(data_file(tmp_path)(CASE)), seed=0)), timeout=120.0)
    with pytest.raises(WorkerFailedError, match="no answer within 1 s; its process was ended"):
        worker.ask(Request(TimeRound(1, warm_up=0)), timeout=1.0)
    worker.close()  # for the second time


def test_more_threads_fewer_steps_and_other_maths_do_not_count(tmp_path: Path) -> None:
    log = run(tmp_path, "TakesMoreThreads", "Skips", "OtherMaths")
    faults = {record.entry: record.fault for record in log.records if record.fault}
    assert "expected 1 thread, found openblas: 2" in faults["TakesMoreThreads"]
    assert "it returned 1 of " in faults["Skips"]
    assert "not the same maths" in faults["OtherMaths"]
    assert SCRATCH not in faults


def test_a_cell_without_a_figure_says_why(tmp_path: Path) -> None:
    settings = Settings(launches=1, rounds=2, round_seconds=0.001, warm_up=1)
    chosen = [*OURS, entry("Crashes"), Entrant("absent", "nowhere:Class", "matched", "no_such_package", "")]
    log = Session(settings, [CASE], data_file(tmp_path), chosen, ProcessWorker, Silent()).run()
    asked = Asked(settings, [CASE], chosen, lambda case: TimedData("random", ""))
    ratios = summarise(log, asked).cases[0].ratios
    assert "lost a shoe" in reason(ratios["Crashes"])
    assert ratios["absent"] == Failed(
        "no_such_package not installed; run: python -m pip install no_such_package"
    )


def test_a_process_that_has_ended_is_said_to_have_ended() -> None:
    worker = ProcessWorker(Entrant("gone", f"{HERE}:NoSuchClass", "matched", "", ""), 1)
    with pytest.raises(WorkerFailedError, match=r"its process ended \(exit code 1\): .*NoSuchClass"):
        worker.ask(Request(TimeRound(1, warm_up=0)), timeout=60.0)
    worker.close()


def test_every_library_is_told_its_threads_before_it_is_loaded() -> None:
    found = environment(2)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"):
        assert found[name] == "2"


def test_kernels_are_left_to_the_libraries_unless_the_environment_shall_decide(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in KERNEL_OVERRIDES:
        monkeypatch.setenv(name, "old")
    assert not set(KERNEL_OVERRIDES) & set(environment(1))
    kept = environment(1, own_kernels=False)
    assert {kept[name] for name in KERNEL_OVERRIDES} == {"old"}
    assert os.environ["OPENBLAS_CORETYPE"] == "old"
