"""The project as it is handed over: whole in its wheel, alone in an empty folder, beside anybody's files.

The environment is the one of the README's first line: the dependencies, and no extra.
"""

import json
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backproof.comparisons.cli import COMMANDS
from backproof.comparisons.running import processes
from tests.support import readme
from tests.support.installed import ROOT, build_wheel, make_environment, offline
from tests.support.once import made_once

PACKAGES = ("scratch", "reference", "comparisons")
STUDENT = ROOT / "comparisons" / "zoo" / "mutants" / "student.py"
SHADOW = "raise SystemExit('a file of the user was taken for a module')\n"

# Every command once: small, and whole. "" is `backproof` alone; where an exit code is not 0 it says why.
DIGITS = ("--data", "digits")
SHORT_ROUNDS = ("--rounds", "1", "--launches", "2", "--round-seconds", "0.02")
RUNS: dict[str, tuple[tuple[str, ...], set[int]]] = {
    "": ((*DIGITS, "--quick", "--seeds", "2", "--epochs", "1", "--layers", "64,8,10"), {0, 3}),
    "gradients": (DIGITS, {0}),
    "accuracy": (
        (*DIGITS, "--layers", "64,8,10", "--seeds", "2", "--epochs", "1", "--workers", "1"),
        {0, 3},  # two seeds decide nothing
    ),
    "speed": (
        (*DIGITS, "--contender", "torch", "--cases", "64-8-10/20/sgd", *SHORT_ROUNDS),
        {0, 1, 3},  # scratch faster, slower, or no difference seen
    ),
    "numerical": ((*DIGITS, "--hidden", "4", "--steps", "1", "--no-ladder"), {0}),
    "race": (("--runs", "1"), {2}),  # it wants MNIST itself, which is not there
    "record": (("--minutes", "0.01"), {2}),  # it wants MNIST itself, which is not there
    "lessons": (("xor", "--out", "out"), {0}),
    "check": (("student.py:StudentMLP", "--quick", "--json", "check.json"), {0}),
    "compare": (("scratch", "torch"), {0}),
    "vectors": (("vectors",), {0}),
    "zoo": (("--only", "1", "--workers", "1"), {0}),
    "report": (("earlier",), {0, 3}),
    "data": (DIGITS, {0}),
}
LEAVES_A_REPORT = {"", "gradients", "accuracy", "speed", "numerical", "compare", "zoo"}

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    [wheel] = made_once(tmp_path_factory, "wheel", build_wheel).glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a fresh environment with the wheel."""

    def make(folder: Path) -> None:
        python = make_environment(folder / "environment", wheel)
        (folder / "python").write_text(str(python))

    return Path((made_once(tmp_path_factory, "installed", make) / "python").read_text())


@pytest.fixture(scope="module")
def backproof(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run the installed `backproof` in a folder."""
    home = tmp_path_factory.mktemp("home")

    def run(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [str(python.with_name("backproof")), *arguments]
        return subprocess.run(
            command, cwd=folder, env=offline(home), capture_output=True, text=True, timeout=300, check=False
        )

    return run


@pytest.fixture(scope="module")
def main_job(backproof: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small main job's results."""

    def make(folder: Path) -> None:
        done = backproof(folder, *RUNS[""][0])
        assert done.returncode in RUNS[""][1], done.stderr

    return made_once(tmp_path_factory, "main", make) / "backproof-results"


@pytest.fixture
def shadows(tmp_path: Path) -> Path:
    """A folder with files that are called like modules of ours, of the standard library's and of NumPy's."""
    for name in ("scratch", "comparisons", "numpy", "inspect"):
        (tmp_path / f"{name}.py").write_text(SHADOW)
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference" / "__init__.py").write_text(SHADOW)
    return tmp_path


def without_traceback(done: "subprocess.CompletedProcess[str]", codes: set[int]) -> None:
    assert done.returncode in codes, f"exit code {done.returncode}\n{done.stderr}"
    assert "Traceback" not in done.stderr


def results(folder: Path) -> Any:
    return json.loads((folder / "results.json").read_text(encoding="utf-8"))


# --- the wheel


def test_the_list_of_packages_is_complete() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    folders = {
        path.parent.relative_to(ROOT).as_posix() for name in PACKAGES for path in (ROOT / name).rglob("*.py")
    }
    expected = {
        "backproof" if name == "comparisons/api" else f"backproof.{name}".replace("/", ".")
        for name in folders
    }
    assert set(settings["packages"]) == expected


def test_the_wheel_holds_every_file_under_its_import_name_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        found = {name for name in archive.namelist() if ".dist-info/" not in name}
    files = [path for name in PACKAGES for path in (ROOT / name).rglob("*") if path.is_file()]
    places = [path.relative_to(ROOT).as_posix() for path in files if "__pycache__" not in path.parts]
    assert found == {f"backproof/{place.removeprefix('comparisons/api/')}" for place in places}


# --- in an empty folder


def test_the_public_face_can_be_used_in_an_empty_folder(python: Path, tmp_path: Path) -> None:
    code = "import backproof; print(backproof.check_gradient, backproof.__version__)"
    done = subprocess.run([python, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert done.stdout.startswith("<function check_gradient")
    assert done.stdout.split()[-1] == settings["project"]["version"]


def test_no_extra_is_in_the_environment(python: Path, tmp_path: Path) -> None:
    code = (
        "from importlib.util import find_spec\n"
        "print([name for name in ('jax', 'pytest', 'mypy', 'tensorboard') if find_spec(name)])"
    )
    done = subprocess.run([python, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_command_has_a_run() -> None:
    assert set(RUNS) == {*COMMANDS, ""} - {"main_job"} == set(readme.commands_in_table())


@pytest.mark.parametrize("command", sorted(set(RUNS) - {"", "report"}))
def test_a_command_runs_with_the_dependencies_alone(backproof: Run, tmp_path: Path, command: str) -> None:
    (tmp_path / "student.py").write_bytes(STUDENT.read_bytes())
    arguments, codes = RUNS[command]
    without_traceback(backproof(tmp_path, command, *arguments), codes)
    assert (tmp_path / "backproof-results" / "report.html").is_file() == (command in LEAVES_A_REPORT)


def test_the_main_job_and_the_report_run_with_the_dependencies_alone(
    backproof: Run, main_job: Path, tmp_path: Path
) -> None:
    without_traceback(backproof(tmp_path, "report", str(main_job), "--out", "again"), RUNS["report"][1])
    assert (tmp_path / "again" / "report.html").read_bytes() == (main_job / "report.html").read_bytes()


# --- beside files that are called like modules


def test_importing_backproof_takes_no_file_of_the_current_folder(python: Path, shadows: Path) -> None:
    done = subprocess.run([python, "-c", "import backproof"], cwd=shadows, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_check_takes_no_file_of_the_current_folder(backproof: Run, shadows: Path) -> None:
    (shadows / "student.py").write_bytes(STUDENT.read_bytes())
    done = backproof(shadows, "check", "student.py:StudentMLP", "--quick", "--only", "gradient")
    without_traceback(done, {0})


def test_a_class_that_imports_its_own_scratch_gets_its_own(backproof: Run, tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    (tmp_path / "scratch" / "__init__.py").write_bytes(STUDENT.read_bytes())
    (tmp_path / "mine.py").write_text("import scratch\nclass Mine(scratch.StudentMLP): pass\n")
    without_traceback(backproof(tmp_path, "check", "mine.py:Mine", "--quick", "--only", "gradient"), {0})


def test_the_main_job_takes_no_file_of_the_current_folder(
    backproof: Run, main_job: Path, shadows: Path
) -> None:
    without_traceback(backproof(shadows, *RUNS[""][0]), RUNS[""][1])
    there, here = results(main_job), results(shadows / "backproof-results")
    assert here["gradients"]["checks"] == there["gradients"]["checks"]


def test_speed_takes_no_file_of_the_current_folder(backproof: Run, shadows: Path) -> None:
    arguments, codes = RUNS["speed"]
    without_traceback(backproof(shadows, "speed", *arguments), codes)
    turns = results(shadows / "backproof-results")["speed"]["log"]
    assert {turn["entry"] for turn in turns} >= {"scratch", "scratch again", "torch"}
    assert {turn["fault"] for turn in turns} == {None}  # every worker was timed


# --- types


def test_the_types_of_an_installed_wheel_are_seen_by_a_users_mypy(python: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "import backproof\n"
        "def judged(found: backproof.Verdict) -> int:\n"
        "    return found.reason\n"
        "backproof.check_gradient(1)\n"
    )
    options = ("--strict", "--python-executable", str(python), "--cache-dir", str(tmp_path / "cache"))
    command = processes.python("-m", "mypy", *options, "mine.py")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert 'Incompatible return value type (got "str", expected "int")' in done.stdout
    assert 'for "check_gradient"' in done.stdout or 'to "check_gradient"' in done.stdout
    assert "py.typed" not in done.stdout


def test_this_interpreter_is_not_the_one_of_the_wheel(python: Path) -> None:
    assert Path(sys.executable).absolute() != python.absolute()
