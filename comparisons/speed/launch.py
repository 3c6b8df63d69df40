"""Starting the workers: one process per contender, its thread counts in the environment before it begins.

The process of a contender of one's own stands behind the walls it has everywhere (`contenders.apart`): the
sandbox and limits on memory, files and processes, none of which costs anything between two steps. Its
processor time has no limit but the timeout of an answer.

`Worker` is what the protocol talks to; `ProcessWorker` is the real one. A process that ends, stays silent for
too long or answers nonsense raises `WorkerFailedError` with the reason, which becomes that contender's cell.
"""

import json
import os
import tempfile
from pathlib import Path
from typing import Protocol

from backproof.comparisons.contenders import apart
from backproof.comparisons.contenders.loading import parse_target, readable, stands_in
from backproof.comparisons.running import processes, sandbox, threads
from backproof.comparisons.running.line_process import LineProcess, LineProcessError
from backproof.comparisons.speed.entrants import Entrant
from backproof.comparisons.speed.messages import Reply, Request, reply_from, to_line
from backproof.scratch.errors import InputError

# These tie one library to an older processor's kernels and leave the others free to use this one's. A
# comparison of libraries lets each choose for itself, as it does for its users; or, on request, keeps them.
KERNEL_OVERRIDES = (
    "OPENBLAS_CORETYPE",
    "MKL_DEBUG_CPU_TYPE",
    "MKL_ENABLE_INSTRUCTIONS",
    "MKL_CBWR",
    "ONEDNN_MAX_CPU_ISA",
    "DNNL_MAX_CPU_ISA",
    "ATEN_CPU_CAPABILITY",
)
DATA_FOLDER = "backproof-speed-"  # so begins the name of one, among the temporary files, with the cases' data
# No accelerator, no progress bars, no chatter.
QUIET = {"JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3", "TQDM_DISABLE": "1"}


class WorkerFailedError(Exception):
    """The process of one contender ended or stayed silent; the message is its cell in the report."""


class Worker(Protocol):
    def ask(self, request: Request, timeout: float) -> Reply:
        """Send one request and wait for the answer. Raises WorkerFailedError."""

    def close(self) -> None:
        """End it; may be called twice."""


def overrides() -> dict[str, str]:
    """The variables in this process's environment that decide on a library's kernels."""
    return {name: os.environ[name] for name in KERNEL_OVERRIDES if name in os.environ}


def environment(n_threads: int, own_kernels: bool = True) -> dict[str, str]:
    """A worker's environment: this process's own, with thread counts set and kernels left to each library."""
    inherited = {
        name: value for name, value in os.environ.items() if not (own_kernels and name in KERNEL_OVERRIDES)
    }
    flags = os.environ.get("XLA_FLAGS", "")
    if n_threads == 1:
        flags = f"{flags} --xla_cpu_multi_thread_eigen=false".strip()
    own = {**QUIET, **processes.SAFE_PATH, "XLA_FLAGS": flags}
    return {**inherited, **own, **threads.variables(n_threads)}


def _command(entry: Entrant, n_threads: int, *more: str) -> list[str]:
    module = "backproof.comparisons.speed.worker"
    target = _absolute(entry.target)
    return processes.python("-m", module, "--target", target, "--threads", str(n_threads), *more)


def _absolute(reference: str) -> str:
    """The same from wherever its process stands; the name of a module is."""
    target = parse_target(reference, "contender")
    return f"{Path(target.place).resolve()}:{target.name}" if target.is_file else reference


def behind_walls(entry: Entrant, n_threads: int, ours: dict[str, str]) -> tuple[list[str], dict[str, str]]:
    """The command line and the environment of a contender of one's own: limits, a sandbox if there is one."""
    if not sandbox.used(apart.mode()):
        return _command(entry, n_threads, "--limits"), ours
    target = parse_target(entry.target, "contender")
    data = Path(tempfile.gettempdir()).glob(f"{DATA_FOLDER}*")  # what it is timed on, and nothing else there
    shown = [*readable(target), *data]
    # What decides on threads and kernels, beside what a sandbox passes on anyway.
    told = {name: ours[name] for name in (*threads.VARIABLES, *KERNEL_OVERRIDES, *QUIET) if name in ours}
    command = _command(entry, n_threads, "--limits", "--guarded")
    return sandbox.wrapped(command, shown, stands_in(target)), {**sandbox.environment(ours), **told}


class ProcessWorker:
    """A running `speed.worker`."""

    def __init__(self, entry: Entrant, n_threads: int, own_kernels: bool = True) -> None:
        ours = environment(n_threads, own_kernels)
        command = _command(entry, n_threads)
        if entry.is_own:
            command, ours = behind_walls(entry, n_threads, ours)
        self._process = LineProcess(command, ours)

    def ask(self, request: Request, timeout: float) -> Reply:
        try:
            line = self._process.ask(to_line(request), timeout)
        except LineProcessError as error:
            raise WorkerFailedError(str(error)) from error
        try:
            return reply_from(line)
        except (json.JSONDecodeError, InputError) as error:
            self.close()
            raise WorkerFailedError(f"its answer cannot be read ({error}); its process was ended") from error

    def close(self) -> None:
        self._process.close()
