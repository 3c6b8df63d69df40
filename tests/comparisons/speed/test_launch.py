"""Processes of contenders: ended when they hang, told their threads before they load anything."""

import os
from pathlib import Path

import pytest

from backproof.comparisons.running import threads
from backproof.comparisons.speed.entrants import Entrant
from backproof.comparisons.speed.launch import (
    KERNEL_OVERRIDES,
    ProcessWorker,
    WorkerFailedError,
    environment,
    overrides,
)
from backproof.comparisons.speed.messages import Prepare, Request, TimeRound
from tests.support.fake_timing import CASE, data_file

HERE = "tests.support.fake_contenders"


def test_whoever_hangs_is_ended(tmp_path: Path) -> None:
    worker = ProcessWorker(Entrant("hangs", f"{HERE}:Hangs", "matched", "", ""), 1)
    worker.ask(Request(Prepare(CASE, str(data_file(tmp_path)(CASE)), seed=0)), timeout=120.0)
    with pytest.raises(WorkerFailedError, match="no answer within 1 s; its process was ended"):
        worker.ask(Request(TimeRound(1, warm_up=0)), timeout=1.0)
    worker.close()  # for the second time


def test_a_process_that_has_ended_is_said_to_have_ended() -> None:
    worker = ProcessWorker(Entrant("gone", f"{HERE}:NoSuchClass", "matched", "", ""), 1)
    with pytest.raises(WorkerFailedError, match=r"its process ended \(exit code 1\): .*NoSuchClass"):
        worker.ask(Request(TimeRound(1, warm_up=0)), timeout=60.0)
    worker.close()


def test_every_library_is_told_its_threads_before_it_is_loaded() -> None:
    found = environment(2)
    for name in threads.VARIABLES:
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


def test_variables_that_choose_kernels_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in KERNEL_OVERRIDES:
        monkeypatch.delenv(name, raising=False)
    assert overrides() == {}
    monkeypatch.setenv("MKL_CBWR", "AVX2")
    assert overrides() == {"MKL_CBWR": "AVX2"}


def test_one_thread_is_one_thread_for_xla_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XLA_FLAGS", "--mine")
    assert environment(1)["XLA_FLAGS"] == "--mine --xla_cpu_multi_thread_eigen=false"
    assert environment(2)["XLA_FLAGS"] == "--mine"


def test_an_answer_that_cannot_be_read_ends_the_process_and_is_said(tmp_path: Path) -> None:
    (tmp_path / "garbles.py").write_text(
        "from backproof.comparisons.speed import messages\n"
        "messages.to_line = lambda reply: b'garbled\\n'\n"
        "class Garbles:\n    def load(self, *rest): ...\n"
    )
    worker = ProcessWorker(Entrant("garbles", f"{tmp_path / 'garbles.py'}:Garbles", "matched", "", ""), 1)
    with pytest.raises(WorkerFailedError, match="its answer cannot be read"):
        worker.ask(Request(Prepare(CASE, str(data_file(tmp_path)(CASE)), 0)), timeout=60.0)
    worker.close()
