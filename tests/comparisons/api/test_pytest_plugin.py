"""The plug-in in a fresh environment: a wheel, pytest, and nothing else of ours."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.support.installed import ROOT, build_wheel, make_environment, offline

STUDENT = ROOT / "comparisons" / "zoo" / "mutants" / "student.py"
# Twelve lines, as anybody would write them.
MINE = """\
import numpy as np
from backproof.testing import assert_gradient, parametrize_with_checks
from my_mlp import StudentMLP

W = np.array([[0.5, -1.0], [2.0, 0.25]])

def test_my_gradient():
    assert_gradient(lambda W: np.sum(np.tanh(W) ** 2), 2 * np.tanh(W) / np.cosh(W) ** 2, W)

@parametrize_with_checks([StudentMLP], only=["gradient", "loss", "arguments"])
def test_my_network(check):
    check()
"""
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def run_pytest(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """pytest of an environment with the wheel, the dependencies and pytest."""
    folder = tmp_path_factory.mktemp("plugin")
    python = make_environment(folder / "environment", build_wheel(folder), extras=["pytest"])

    def run(here: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [str(python), "-m", "pytest", "-p", "no:cacheprovider", *arguments]
        return subprocess.run(
            command, cwd=here, env=offline(folder), capture_output=True, text=True, timeout=300, check=False
        )

    return run


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder with a network and twelve lines of tests."""
    (tmp_path / "my_mlp.py").write_bytes(STUDENT.read_bytes())
    (tmp_path / "test_mine.py").write_text(MINE)
    return tmp_path


def cases(file: Path) -> dict[str, str]:
    """The tests in a JUnit file, with the text of what failed."""
    found = {}
    for case in ElementTree.parse(file).iter("testcase"):
        failure = case.find("failure")
        found[case.attrib["name"]] = "" if failure is None else f"{failure.attrib['message']}\n{failure.text}"
    return found


def test_twelve_lines_pass_where_everything_is_right(run_pytest: Run, here: Path) -> None:
    done = run_pytest(here, "-q", "--junit-xml", "checks.xml", "-W", "error")
    assert done.returncode == 0, done.stdout
    assert set(cases(here / "checks.xml")) == {
        "test_my_gradient",
        "test_my_network[StudentMLP-gradient]",
        "test_my_network[StudentMLP-loss]",
        "test_my_network[StudentMLP-arguments]",
    }


def test_a_flipped_sign_fails_readably_and_in_junit(run_pytest: Run, here: Path) -> None:
    (here / "test_mine.py").write_text(MINE.replace("2 * np.tanh(W) /", "-2 * np.tanh(W) /"))
    source = STUDENT.read_text()
    flipped = source.replace("return delta.sum(axis=0)", "return -delta.sum(axis=0)")
    assert flipped != source
    (here / "my_mlp.py").write_text(flipped)
    done = run_pytest(here, "-q", "--junit-xml", "checks.xml")
    assert done.returncode == 1
    failed = cases(here / "checks.xml")
    assert "FAIL: 4 of 4 entries outside their bounds, worst params[" in failed["test_my_gradient"]
    assert "FAIL: gradient" in failed["test_my_network[StudentMLP-gradient]"]
    assert "The smallest case" in failed["test_my_network[StudentMLP-gradient]"]
    assert failed["test_my_network[StudentMLP-loss]"] == ""
    # The reader sees his own lines, and none of ours.
    assert "site-packages/backproof" not in done.stdout
    assert "> " in done.stdout


def test_a_class_can_be_named_anywhere(run_pytest: Run, here: Path) -> None:
    (here / "test_mine.py").unlink()
    done = run_pytest(here, "--contender", "my_mlp.py:StudentMLP", "-k", "gradient or loss", "-v")
    assert done.returncode == 0, done.stdout
    assert "my_mlp.py:StudentMLP::gradient PASSED" in done.stdout


def test_a_class_that_is_not_there_is_a_usage_error_in_one_sentence(run_pytest: Run, here: Path) -> None:
    done = run_pytest(here, "--contender", "absent.py:Mine")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "ERROR: --contender: target: no file absent.py" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout


def test_the_plug_in_is_silent_and_loads_nothing_until_it_is_asked(run_pytest: Run, tmp_path: Path) -> None:
    (tmp_path / "test_other.py").write_text(
        "import sys, warnings\n"
        "def test_nothing_is_loaded():\n"
        "    assert not {'numpy', 'torch', 'backproof.testing'} & set(sys.modules)\n"
        "def test_a_warning_is_still_a_warning():\n"
        "    warnings.warn('mine')\n"
    )
    done = run_pytest(tmp_path, "-q", "-p", "no:hypothesispytest")
    assert done.returncode == 0, done.stdout
    assert "2 passed, 1 warning" in done.stdout
    assert "UserWarning: mine" in done.stdout
    assert "backproof" not in done.stdout.replace(str(tmp_path), "")
