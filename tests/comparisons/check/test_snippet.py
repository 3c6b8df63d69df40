"""The smallest failing case as a program: it runs beside the class, and prints what the finding says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from backproof.comparisons.check.session import try_class
from backproof.comparisons.check.trial import Settings
from backproof.comparisons.contenders.loading import Target
from backproof.comparisons.zoo.catalogue import default_folder

FOLDER = default_folder()


def shown(place: str, check: str) -> tuple[str, str]:
    """The snippet for this check's failure, and what it prints."""
    file, _, name = place.partition(":")
    target = Target(str(FOLDER / file), name)
    code = try_class(target, Settings(only=[check], quick=True, time_limit=300.0)).code
    return code, run(code)


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("place", "check"),
    [
        ("gradient_mistakes.py:BiasAveragedTwice", "gradient"),
        ("data_mistakes.py:LongLossInFloat32", "long sums"),
        ("data_mistakes.py:EpochLossOverBatches", "epoch loss"),
        ("held_out_mistakes.py:FirstActivationKept", "reload"),
        ("optimizer_mistakes.py:EpsInsideTheRoot", "trajectory"),
    ],
)
def test_a_snippet_prints_the_value_that_was_found(place: str, check: str) -> None:
    code, printed = shown(place, check)
    found = float(code.splitlines()[-1].partition("found ")[2].partition(" ")[0])
    assert found in {float(number) for number in re.findall(r"-?\d+\.?\d*(?:e[-+]?\d+)?", printed)}


def test_a_snippet_hands_arrays_over_in_the_layout_that_failed() -> None:
    code, printed = shown("held_out_mistakes.py:WeightsFlattenedInMemoryOrder", "layouts")
    assert "laid_out = np.asfortranarray" in code
    assert "array" in printed


def test_a_snippet_shows_the_argument_that_was_written_to() -> None:
    code, _ = shown("state_mistakes.py:MutatesTargets", "arguments")
    assert code.splitlines()[-2] == "print(targets)  # it was written to"


def test_a_snippet_shows_the_result_that_changed() -> None:
    code, printed = shown("state_mistakes.py:WeightsAreAnAlias", "checkpoints")
    assert "checkpoints={0: lambda" in code
    assert printed.startswith("0 [(array")


@pytest.mark.parametrize("name", ["my-mlp.py", "my_mlp.py"])
def test_a_snippet_imports_a_file_of_any_name(tmp_path: Path, name: str) -> None:
    source = (FOLDER / "student.py").read_text().replace("delta.sum(axis=0)", "delta.mean(axis=0)")
    (tmp_path / name).write_text(source)
    checked = try_class(Target(str(tmp_path / name), ""), Settings(only=["gradient"], quick=True))
    assert "found" in checked.code
    assert run(checked.code)


def test_an_exception_of_two_lines_stays_a_comment(tmp_path: Path) -> None:
    source = (
        (FOLDER / "student.py")
        .read_text()
        .replace("return activations[layer].T @ delta", "raise KeyError('a\\nb')")
    )
    (tmp_path / "own.py").write_text(source)
    checked = try_class(
        Target(str(tmp_path / "own.py"), "StudentMLP"), Settings(only=["gradient"], quick=True)
    )
    assert checked.code
    compile(checked.code, "snippet", "exec")
