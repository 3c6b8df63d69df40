"""What the system says of itself, and that other systems' answers are lived with."""

import os
import subprocess
import sys

import pytest

from backproof.comparisons.running import limits, processes

LINUX = sys.platform == "linux"


def test_usable_cores_are_some_of_this_machine() -> None:
    assert 1 <= limits.usable_cores() <= (os.cpu_count() or 1)


@pytest.mark.skipif(not LINUX, reason="processes are bound to cores on Linux")
def test_a_process_that_binds_itself_to_one_core_uses_one() -> None:
    code = (
        "from backproof.comparisons.running import limits\n"
        "bound = limits.bind_to_cores(1)\n"
        "print(len(bound), limits.bound_cores(), limits.usable_cores())"
    )
    done = subprocess.run(processes.python("-c", code), capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "1", "1"]


def test_elsewhere_no_process_is_bound_and_all_cores_count(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("sched_getaffinity", "sched_setaffinity"):
        monkeypatch.delattr(os, name, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 5)
    assert (limits.bind_to_cores(1), limits.bound_cores(), limits.usable_cores()) == ([], None, 5)


def test_on_windows_nothing_is_limited_and_nothing_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.delattr(os, "sysconf", raising=False)
    monkeypatch.setattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 512, raising=False)
    assert limits.memory_bytes() is None
    assert limits.held() == ()
    assert limits.new_group() == {"creationflags": 512}
    limits.restrict(limits.Limits(memory_bytes=1))


@pytest.mark.skipif(not LINUX, reason="reads /proc")
def test_the_memory_is_that_of_proc() -> None:
    with open("/proc/meminfo", encoding="utf-8") as file:
        kilobytes = int(file.readline().split()[1])
    assert limits.memory_bytes() == pytest.approx(1024 * kilobytes, rel=0.05)


@pytest.mark.parametrize(("code", "name"), [(-11, "SIGSEGV"), (139, "SIGSEGV"), (-9, "SIGKILL"), (1, "")])
def test_a_signal_has_its_name(code: int, name: str) -> None:
    assert limits.signal_name(code) == name
