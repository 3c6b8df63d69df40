"""Processes of contenders: ended when they hang, told their threads before they load anything."""

import json
import os
import platform
import subprocess
from pathlib import Path

import pytest

from backproof.comparisons.contenders import apart
from backproof.comparisons.running import limits, processes, sandbox, temporary, threads
from backproof.comparisons.speed import launch
from backproof.comparisons.speed.entrants import Entrant, own_entrant
from backproof.comparisons.speed.kinds import of_avx512
from backproof.comparisons.speed.launch import (
    DATA_FOLDER,
    KERNEL_OVERRIDES,
    QUIET,
    ProcessWorker,
    WorkerFailedError,
    behind_walls,
    environment,
    kernels_of,
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


def test_a_process_is_quiet_finds_no_file_of_its_folder_and_inherits_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SOMETHING_ELSE", "kept")
    monkeypatch.setenv("TQDM_DISABLE", "0")
    monkeypatch.delenv("XLA_FLAGS", raising=False)
    found = environment(2)
    assert QUIET.items() <= found.items()
    assert processes.SAFE_PATH.items() <= found.items()
    assert (found["SOMETHING_ELSE"], found["XLA_FLAGS"]) == ("kept", "")
    assert not launch.AVX2.keys() & found.keys()
    assert launch.AVX2.items() <= environment(2, "avx2").items()


def test_kernels_are_left_to_the_libraries_unless_the_environment_shall_decide(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in KERNEL_OVERRIDES:
        monkeypatch.setenv(name, "old")
    assert not set(KERNEL_OVERRIDES) & set(environment(1))
    kept = environment(1, "environment")
    assert {kept[name] for name in KERNEL_OVERRIDES} == {"old"}
    assert os.environ["OPENBLAS_CORETYPE"] == "old"


@pytest.mark.parametrize("own", [True, False])
def test_a_process_is_started_with_the_environment_of_its_choice(
    monkeypatch: pytest.MonkeyPatch, own: bool
) -> None:
    started: list[tuple[list[str], dict[str, str]]] = []
    monkeypatch.setenv("MKL_CBWR", "AVX2")
    monkeypatch.setattr(launch, "LineProcess", lambda command, ours: started.append((command, ours)))
    entry = Entrant("works", f"{HERE}:Works", "matched", "", "")
    ProcessWorker(entry, 2) if own else ProcessWorker(entry, 2, "environment")
    ((command, ours),) = started
    assert command[-4:] == ["--target", f"{HERE}:Works", "--threads", "2"]
    assert ours == environment(2, "own" if own else "environment")
    assert ("MKL_CBWR" in ours) == (not own)


def test_a_class_in_a_file_is_named_from_wherever_its_process_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.py").write_text("class Mine: ...\n")
    monkeypatch.setattr(sandbox, "used", lambda mode: False)
    command, _ = behind_walls(own_entrant("own.py:Mine"), 3, {})
    assert command[-5:] == ["--target", f"{tmp_path / 'own.py'}:Mine", "--threads", "3", "--limits"]


def test_variables_that_choose_kernels_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in KERNEL_OVERRIDES:
        monkeypatch.delenv(name, raising=False)
    assert overrides() == {}
    monkeypatch.setenv("MKL_CBWR", "AVX2")
    assert overrides() == {"MKL_CBWR": "AVX2"}


def test_it_is_said_who_chose_the_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MKL_CBWR", "AVX2")
    assert kernels_of("own").chosen_by == "each library"
    assert kernels_of("environment").chosen_by == "the environment"
    assert kernels_of("environment").variables["MKL_CBWR"] == "AVX2"
    assert kernels_of("avx2").chosen_by == "this command"
    assert kernels_of("avx2").variables["OPENBLAS_CORETYPE"] == "Haswell"


@pytest.mark.skipif(
    platform.machine().lower() not in ("x86_64", "amd64"), reason="another family of processors"
)
def test_held_to_avx2_a_process_reports_kernels_of_avx2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_CORETYPE", "SkylakeX")  # what the environment says does not count
    program = (
        "import json, numpy; from backproof.comparisons.speed.worker import thread_report; "
        "print(json.dumps(thread_report().kernels))"
    )
    ran = subprocess.run(
        processes.python("-c", program),
        env=environment(1, "avx2"),
        capture_output=True,
        text=True,
        check=True,
    )
    kernels = json.loads(ran.stdout)
    assert kernels["numpy"]
    assert not any(map(of_avx512, kernels.values())), kernels


@pytest.mark.parametrize(
    ("found", "left_out"),
    [
        (["SSE3", "AVX2", "FMA3"], None),
        (["AVX2", "AVX512F", "X86_V4", "F16C"], "AVX512F,X86_V4"),
        (None, None),
    ],
)
def test_numpy_is_told_all_of_avx512_that_it_has_and_nothing_where_it_has_none(
    monkeypatch: pytest.MonkeyPatch, found: list[str] | None, left_out: str | None
) -> None:
    config = {} if found is None else {"SIMD Extensions": {"found": found}}
    monkeypatch.setattr("numpy.show_config", lambda mode: config)
    held = launch.held_to_avx2()
    assert held.get("NPY_DISABLE_CPU_FEATURES") == left_out
    assert ("NPY_DISABLE_CPU_FEATURES" in held) == (left_out is not None)
    assert held["ATEN_CPU_CAPABILITY"] == "avx2"


def test_held_to_avx2_xla_is_told_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XLA_FLAGS", "--mine")
    assert environment(2, "avx2")["XLA_FLAGS"] == "--mine --xla_cpu_max_isa=AVX2"


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


NOSY = """
import os, pathlib, resource
from backproof.comparisons.contenders.scratch_mlp import ScratchMLP
class Nosy(ScratchMLP):
    def train(self, *rest):
        seen = [str(path) for path in pathlib.Path({tmp!r}).iterdir()]
        limit = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
        raise SystemExit(f"seen {{seen}}, files of {{limit}} bytes")
"""


def what_it_says(place: Path, source: str, monkeypatch: pytest.MonkeyPatch, mode: str) -> str:
    """The last words of a class of one's own that is timed behind these walls."""
    monkeypatch.setenv(apart.SANDBOX, mode)
    monkeypatch.setenv("TMPDIR", str(place / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", None)  # so that the variable is read again
    (place / "own").mkdir()
    (place / "tmp").mkdir()
    (place / "tmp" / "secret").touch()
    (place / "own" / "nosy.py").write_text(source)
    with temporary.folder(DATA_FOLDER) as folder:
        worker = ProcessWorker(own_entrant(f"{place / 'own' / 'nosy.py'}:Nosy"), 1)
        worker.ask(Request(Prepare(CASE, str(data_file(folder)(CASE)), 0)), timeout=120.0)
        with pytest.raises(WorkerFailedError) as raised:
            worker.ask(Request(TimeRound(1, warm_up=0)), timeout=60.0)
        worker.close()
    return str(raised.value)


@pytest.mark.skipif(sandbox.why_not() != "", reason=f"no sandbox: {sandbox.why_not()}")
def test_a_class_of_ones_own_is_timed_in_the_sandbox_and_sees_its_data_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = what_it_says(tmp_path, NOSY.format(tmp=str(tmp_path / "tmp")), monkeypatch, "require")
    assert "secret" not in said
    assert f"tmp/{DATA_FOLDER}" in said


@pytest.mark.skipif(not limits.held(), reason="a system without limits")
def test_a_class_of_ones_own_is_timed_under_limits_also_without_a_sandbox(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = what_it_says(tmp_path, NOSY.format(tmp=str(tmp_path / "tmp")), monkeypatch, "none")
    assert "secret" in said
    assert f"files of {limits.Limits().file_bytes} bytes" in said


def test_what_decides_on_threads_and_kernels_is_told_inside_the_sandbox_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "used", lambda mode: True)
    (tmp_path / "own.py").write_text("class Mine: ...\n")
    before = dict.fromkeys((*threads.VARIABLES, *KERNEL_OVERRIDES, *QUIET), "1")
    _, told = behind_walls(own_entrant(f"{tmp_path / 'own.py'}:Mine"), 1, before)
    assert before.items() <= told.items()
