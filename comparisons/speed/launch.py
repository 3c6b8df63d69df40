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
from typing import Any, Literal, Protocol

from backproof.comparisons.contenders import apart
from backproof.comparisons.contenders.loading import parse_target, readable, stands_in
from backproof.comparisons.running import processes, sandbox, threads
from backproof.comparisons.running.line_process import LineProcess, LineProcessError
from backproof.comparisons.speed.entrants import Entrant
from backproof.comparisons.speed.kinds import of_avx512
from backproof.comparisons.speed.messages import Reply, Request, reply_from, to_line
from backproof.comparisons.speed.result import Kernels
from backproof.scratch.errors import InputError

KernelChoice = Literal["own", "environment", "avx2"]
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
    "NPY_DISABLE_CPU_FEATURES",
)
# Every library as on a processor without AVX-512: the second kind of kernels that one machine can show.
AVX2 = {
    "OPENBLAS_CORETYPE": "Haswell",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "DNNL_MAX_CPU_ISA": "AVX2",
    "ATEN_CPU_CAPABILITY": "avx2",
}
XLA_AVX2 = "--xla_cpu_max_isa=AVX2"
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


def kernels_of(choice: KernelChoice) -> Kernels:
    """Who chooses, and by which variables."""
    if choice == "avx2":
        return Kernels("this command", {**held_to_avx2(), "XLA_FLAGS": XLA_AVX2})
    return Kernels("each library" if choice == "own" else "the environment", overrides())


def held_to_avx2() -> dict[str, str]:
    """The variables that hold every library to AVX2; NumPy has a list of all that it shall not use."""
    import numpy as np

    config: Any = np.show_config(mode="dicts")
    found = config.get("SIMD Extensions", {}).get("found", ())
    newer = [name for name in found if of_avx512(name)]
    return {**AVX2, **({"NPY_DISABLE_CPU_FEATURES": ",".join(newer)} if newer else {})}


def environment(n_threads: int, kernels: KernelChoice = "own") -> dict[str, str]:
    """A worker's environment: this process's own, with thread counts set, and kernels as they are chosen.

    own          each library's, for this processor: variables that say otherwise are left out
    environment  as those variables say
    avx2         as on a processor without AVX-512
    """
    inherited = dict(os.environ)
    if kernels != "environment":
        inherited = {name: value for name, value in inherited.items() if name not in KERNEL_OVERRIDES}
    flags = [os.environ.get("XLA_FLAGS", "")]
    flags += ["--xla_cpu_multi_thread_eigen=false"] if n_threads == 1 else []
    flags += [XLA_AVX2] if kernels == "avx2" else []
    own = {**QUIET, **processes.SAFE_PATH, "XLA_FLAGS": " ".join(flags).strip()}
    held = held_to_avx2() if kernels == "avx2" else {}
    return {**inherited, **own, **held, **threads.variables(n_threads)}


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
    told = {
        name: ours[name]
        for name in (*threads.VARIABLES, *KERNEL_OVERRIDES, "XLA_FLAGS", *QUIET)
        if name in ours
    }
    command = _command(entry, n_threads, "--limits", "--guarded")
    return sandbox.wrapped(command, shown, stands_in(target)), {**sandbox.environment(ours), **told}


class ProcessWorker:
    """A running `speed.worker`."""

    def __init__(self, entry: Entrant, n_threads: int, kernels: KernelChoice = "own") -> None:
        ours = environment(n_threads, kernels)
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
