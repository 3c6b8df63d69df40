"""A sandbox for processes that run a stranger's code: bubblewrap, where it is installed and allowed.

Inside, there is no network; the system can be read and not written; /tmp and the home folder are empty and
private; no other process is seen, and all of them end with the first. What the interpreter and the class need
is shown again, for reading: Python, its packages, this project and the folder of the class' file.

Without a sandbox the same code runs with the user's rights; what held is said in every result.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Literal, get_args

from backproof.comparisons.running import limits, processes
from backproof.scratch.errors import InputError

Mode = Literal["auto", "none", "require"]
MODES: tuple[Mode, ...] = get_args(Mode)
PROGRAM = "bwrap"
NAME = "bubblewrap: no network, a read-only system, a private home and /tmp"
NO_SANDBOX = "no sandbox: the code ran with your rights"
# Passed on into the sandbox; everything else in the environment may be a secret.
_KEPT = ("PATH", "TZ", "LANG", "LANGUAGE", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "BACKPROOF_WORKER")
_KEPT_PREFIXES = ("LC_", "PYTHON", "CONDA_", "OMP_", "OPENBLAS_", "MKL_", "NUMEXPR_", "JAX_", "XLA_", "TF_")
_PRIVATE = ("/tmp", "/var/tmp", "/run", "/home", "/root")


def used(mode: Mode) -> bool:
    """Whether processes of this mode are put into the sandbox.

    Raises InputError for an unknown mode, and for "require" where there is none, saying why.
    """
    if mode not in MODES:
        raise InputError(f"sandbox: expected one of {', '.join(MODES)}; got {mode!r}")
    if mode == "none":
        return False
    missing = why_not()
    if missing and mode == "require":
        raise InputError(f"sandbox: {missing}; install bubblewrap, or use --sandbox auto")
    return not missing


def standing(mode: Mode) -> str:
    """What stands around the code that is run, in words: the sandbox or none, and which limits."""
    held = ", ".join(limits.held()) or "none that this system knows"
    return f"{NAME if used(mode) else NO_SANDBOX}; limits on {held}"


@cache
def why_not() -> str:
    """Why nothing can be put into the sandbox here; empty where it can. Tried once per process."""
    if shutil.which(PROGRAM) is None:
        return f"no program {PROGRAM} here"
    trial = wrapped(processes.python("-c", "pass"), ())
    try:
        found = subprocess.run(trial, env=environment(dict(os.environ)), capture_output=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{PROGRAM} did not start ({type(error).__name__})"
    if found.returncode:
        said = found.stderr.decode(errors="replace").strip().splitlines()
        return (
            f"{PROGRAM} may not be used here ({said[-1][:200] if said else f'exit code {found.returncode}'})"
        )
    return ""


def wrapped(command: Sequence[str], readable: Sequence[Path], place: Path | None = None) -> list[str]:
    """The command line that runs `command` inside, standing in `place`, or else in its private /tmp.

    `readable` files and folders are shown there too.
    """
    hidden = _hidden()
    options = ["--die-with-parent", "--unshare-user-try", "--unshare-ipc", "--unshare-pid", "--unshare-net"]
    options += ["--unshare-uts", "--unshare-cgroup-try", "--cap-drop", "ALL", "--hostname", "sandbox"]
    options += ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    for folder in hidden:
        options += ["--tmpfs", str(folder)]
    for path in _shown(hidden, [*_interpreter(), *readable]):
        options += ["--ro-bind", str(path), str(path)]
    return [PROGRAM, *options, "--chdir", str(place or "/tmp"), "--", *command]


def environment(before: dict[str, str]) -> dict[str, str]:
    """What of the environment is passed on, with a home and a folder for temporary files that are private."""
    kept = {k: v for k, v in before.items() if k in _KEPT or k.startswith(_KEPT_PREFIXES)}
    return {**kept, "HOME": "/tmp", "TMPDIR": "/tmp"}


def _hidden() -> list[Path]:
    """The folders that are private inside, outer ones first."""
    folders = {Path(name) for name in _PRIVATE} | {Path.home()}
    existing = sorted(folder.resolve() for folder in folders if folder.is_dir())
    return [f for f in dict.fromkeys(existing) if f != Path("/") and not _inside(f, set(existing) - {f})]


def _interpreter() -> list[Path]:
    """Where Python, the packages and this project lie."""
    import backproof.comparisons as comparisons
    import backproof.reference as reference
    import backproof.scratch as scratch

    ours = [Path(module.__path__[0]) for module in (comparisons, reference, scratch)]
    prefixes = [Path(prefix) for prefix in (sys.prefix, sys.base_prefix, sys.exec_prefix)]
    executable = Path(processes.python()[0])
    on_path = [Path(entry) for entry in sys.path if entry and Path(entry).is_absolute()]
    linked = [path for folder in on_path if folder.is_dir() for path in _linked(folder)]
    return [*prefixes, executable.parent, executable.resolve().parent.parent, *on_path, *linked, *ours]


def _linked(folder: Path) -> list[Path]:
    """Where the links in a folder lead: some installers put packages elsewhere and link them in."""
    return [entry.resolve() for entry in folder.iterdir() if entry.is_symlink()]


def _shown(hidden: Sequence[Path], paths: Sequence[Path]) -> list[Path]:
    """Those of `paths` that would be hidden, outermost first; never a whole hidden folder."""
    found = {path for path in paths if path.exists() and _inside(path, set(hidden))}
    return sorted(path for path in found if not _inside(path, found - {path}))


def _inside(path: Path, folders: set[Path]) -> bool:
    return any(folder in path.parents for folder in folders)
