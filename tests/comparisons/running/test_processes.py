"""Processes of ours import what is installed, whatever lies in the current folder."""

import ast
import os
import subprocess
from pathlib import Path

import pytest

from backproof.comparisons.running import processes
from tests.test_import_rule import PACKAGES, sources

ROOT = Path(__file__).parents[3]
SHADOW = "raise SystemExit('the file in the current folder was imported')\n"


POOL = """
from backproof.comparisons.running.parallel import collect
from backproof.comparisons.running.progress import Silent

def where_numpy_lies(_):
    import numpy
    return numpy.__file__

collect(where_numpy_lies, [0, 1], lambda task, place: print(place), 2, Silent(), "where numpy lies")
"""


@pytest.fixture
def shadowing_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with files that are called like modules that everything imports."""
    for name in ("numpy", "inspect", "joblib", "scratch"):
        (tmp_path / f"{name}.py").write_text(SHADOW)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_plain_python_takes_the_file_in_the_current_folder(shadowing_folder: Path) -> None:
    command = [processes.python()[0], "-c", "import numpy"]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1


def test_a_python_of_ours_takes_the_installed_module(shadowing_folder: Path) -> None:
    command = processes.python("-c", "import numpy; print(numpy.__file__)")
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert Path(done.stdout.strip()).parent != shadowing_folder


def test_workers_of_joblib_take_the_installed_modules(shadowing_folder: Path) -> None:
    # In a process of its own: workers that an earlier test left would have started elsewhere.
    done = subprocess.run(processes.python("-c", POOL), capture_output=True, text=True, check=False)
    assert done.stderr == ""
    places = done.stdout.split()
    assert len(places) == 2
    assert all(Path(place).parent != shadowing_folder for place in places)


@pytest.mark.parametrize("before", [None, "", "1"])
def test_the_environment_is_as_it_was_afterwards(monkeypatch: pytest.MonkeyPatch, before: str | None) -> None:
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    if before is not None:
        monkeypatch.setenv("PYTHONSAFEPATH", before)
    inside: list[str] = []

    def fail_inside() -> None:
        with processes.safe_paths():
            inside.append(os.environ["PYTHONSAFEPATH"])
            raise KeyError

    with pytest.raises(KeyError):
        fail_inside()
    assert inside == ["1"]
    assert os.environ.get("PYTHONSAFEPATH") == before


def interpreters_named_in(source: str) -> int:
    """How often a text says `sys.executable` in its code (strings and comments do not count)."""
    return sum(
        isinstance(node, ast.Attribute) and ast.unparse(node) == "sys.executable"
        for node in ast.walk(ast.parse(source))
    )


def test_the_search_for_interpreters_sees_code_and_no_text() -> None:
    assert interpreters_named_in("run([sys.executable, '-m', 'x'])  # sys.executable\n'sys.executable'") == 1


def test_no_other_module_starts_an_interpreter_of_its_own() -> None:
    found = {
        str(path.relative_to(ROOT))
        for folder in PACKAGES
        for path in sources(folder)
        if interpreters_named_in(path.read_text(encoding="utf-8"))
    }
    assert found == {"comparisons/running/processes.py"}
