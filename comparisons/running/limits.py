"""What the system can do to a process, and says of itself. Every call that not all systems have stands here.

On Linux a process' group is killed whole, with those of its descendants that left the group but kept the
environment they were started in; its processor time is read while it runs; memory, open files, file sizes and
processes are limited by the kernel. Elsewhere as much of that as there is; what holds is said by `held`.
"""

import contextlib
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

if sys.platform != "win32":
    import resource

GROUP_VARIABLE = "BACKPROOF_WORKER"  # in the environment of a worker and of all that it starts
GIB = 1 << 30
_PROC = Path("/proc")
_HAS_PROC = sys.platform == "linux" and (_PROC / "self" / "stat").exists()
_TICKS = os.sysconf("SC_CLK_TCK") if _HAS_PROC else 100
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Limits:
    """What a worker may use, as far as the system can hold it to that."""

    memory_bytes: int = 6 * GIB  # of data: heap and private mappings
    file_bytes: int = GIB // 4  # of each file it writes
    open_files: int = 1024
    processes: int = 128  # more than its user has when it starts


def held() -> tuple[str, ...]:
    """Which limits this system knows, in words."""
    if sys.platform == "win32":
        return ()
    found = ["memory", "file size", "open files", "processes"]
    return tuple(name for name in found if name != "memory" or sys.platform == "linux")


def restrict(limits: Limits) -> None:
    """Hold this process, and those it will start, to `limits`. Cannot be undone by it."""
    if sys.platform == "win32":
        return
    wanted = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: limits.file_bytes,
        resource.RLIMIT_NOFILE: limits.open_files,
        resource.RLIMIT_NPROC: _processes_of_user() + limits.processes,
    }
    if sys.platform == "linux":  # elsewhere the kernel takes the number and does not look at it
        wanted[resource.RLIMIT_DATA] = limits.memory_bytes
    for kind, value in wanted.items():
        _, most = resource.getrlimit(kind)
        value = value if most == resource.RLIM_INFINITY else min(value, most)
        resource.setrlimit(kind, (value, value))


def _processes_of_user() -> int:
    if not _HAS_PROC:
        return 1024
    count = 0
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):  # it has just ended
                count += entry.stat().st_uid == os.getuid()
    return count


class Group(TypedDict, total=False):
    """Arguments of `subprocess.Popen`, one of them on each system."""

    creationflags: int
    start_new_session: bool


def new_group() -> Group:
    """What `subprocess.Popen` must be told, so that the process can be ended with all that it starts."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def kill_group(process: "subprocess.Popen[bytes]", token: str) -> None:
    """End the process and everything that it started, at once; no error where nothing is left."""
    if sys.platform == "win32":
        command = ["taskkill", "/F", "/T", "/PID", str(process.pid)]
        subprocess.run(command, capture_output=True, check=False)
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    for _ in range(20):  # what forks while it is being killed is found the next time
        left = _with_token(token)
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        if not left:
            return


def _with_token(token: str) -> list[int]:
    """Live processes whose environment says that they descend from this worker."""
    if not _HAS_PROC:
        return []
    mark, found = f"{GROUP_VARIABLE}={token}".encode(), []
    for entry in _PROC.iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):  # it has just ended, or is another user's
                if mark in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
    return found


def pids_of_group(group: int) -> list[int]:
    """The live processes of a group; [] where the system does not say."""
    if not _HAS_PROC:
        return []
    pids = [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()]
    return [pid for pid in pids if (fields := _stat(pid)) and int(fields[2]) == group]


def others_run() -> bool:
    """Whether another process of this group runs, or would if it had a core; False where nobody says."""
    others = [pid for pid in pids_of_group(os.getpgrp()) if pid != os.getpid()] if _HAS_PROC else []
    return any(fields[0] in "RD" for pid in others if (fields := _stat(pid)))


def cpu_seconds(pids: list[int]) -> float | None:
    """Processor time that these processes and their ended children have used; None where nobody says."""
    if not _HAS_PROC:
        return None
    # utime, stime, cutime, cstime: fields 14 to 17 of proc(5), the state being field 3
    return sum(sum(map(int, fields[11:15])) for pid in pids if (fields := _stat(pid))) / _TICKS


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on; [] where the process is gone."""
    try:  # asked thousands of times a minute: no text file, no path is made for it
        handle = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
    except OSError:
        return []
    try:
        text = os.read(handle, 4096)
    except OSError:
        return []
    finally:
        os.close(handle)
    return text.rpartition(b")")[2].decode("ascii", "replace").split()  # the name before may hold anything


def die_with_parent() -> None:
    """Let the kernel end this process when the one that started it is gone (Linux)."""
    if sys.platform == "linux":
        import ctypes

        parent = os.getppid()
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it was gone before
            os._exit(1)


def step_aside() -> None:
    """Go on in a child: what kills its parent process kills a guard, which ends as the child does."""
    if sys.platform == "win32":
        return
    child = os.fork()
    if child == 0:
        die_with_parent()
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for stream in (0, 1, 2):
        os.close(stream)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        signal.signal(os.WTERMSIG(status), signal.SIG_DFL)
        os.kill(os.getpid(), os.WTERMSIG(status))
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def usable_cores() -> int:
    """The cores this process may run on."""
    return bound_cores() or os.cpu_count() or 1


def bound_cores() -> int | None:
    """The cores this process is bound to; None where the system cannot bind one."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None


def bind_to_cores(n: int) -> list[int]:
    """Let this process run on n cores, the same for everybody who asks; [] where the system cannot."""
    if not hasattr(os, "sched_setaffinity"):
        return []
    # The last cores: the first serves most interrupts.
    cores = sorted(os.sched_getaffinity(0))[-n:]
    os.sched_setaffinity(0, cores)
    return cores


def processor_name() -> str:
    """The processor's model, or "" where the system does not say."""
    return _of_the_processor("model name")


def processor_model() -> str:
    """``family 6, model 143``, or "" where the system does not say: machines to rent share one name."""
    family, model = _of_the_processor("cpu family"), _of_the_processor("model")
    return f"family {family}, model {model}" if family and model else ""


def _of_the_processor(fact: str) -> str:
    """What the system says of the first one under this name."""
    try:
        lines = (_PROC / "cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    facts = (line.partition(":") for line in lines)
    return next((value.strip() for name, _, value in facts if name.strip() == fact), "")


def memory_bytes() -> int | None:
    """The memory of this machine; None where the system does not say."""
    if sys.platform == "win32":
        return None
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return None


def signal_name(code: int) -> str:
    """``SIGSEGV`` for the exit code of a process that a signal ended: -11, or 139 as a shell has it."""
    number = -code if code < 0 else code - 128
    try:
        return signal.Signals(number).name
    except ValueError:
        return ""
