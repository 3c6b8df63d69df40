"""`backproof record`: wrong options are sentences, and no framework is loaded by it."""

import subprocess
import sys
from pathlib import Path

import pytest

from backproof.comparisons import cli
from backproof.comparisons.record import part as record


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--minutes", "0"], "minutes: expected at least 0.001"),
        (["--minutes", "nan"], "minutes: expected at least 0.001"),
        (["--epochs", "0"], "epochs: expected at least 1"),
        (["--minutes", "1", "--epochs", "1"], "minutes, epochs: expected one of them"),
        (["--board", "colour"], "board: expected one of permutation-invariant, distortion"),
        (["--members", "0"], "members: expected 1 to 64"),
        (["--seed", "-1"], "seed: expected 0 or more"),
    ],
)
def test_a_wrong_option_is_one_sentence_and_exit_code_2(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert cli.run(["record", *arguments, "--out", str(tmp_path / "out")]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_no_framework_is_imported_by_a_record(tmp_path: Path) -> None:
    """In a process of its own: everything that `backproof record` imports before it reads the data."""
    code = (
        "import sys; from backproof.comparisons.record import part as record, training; "
        "import backproof.comparisons.accuracy.part; "
        "from backproof.comparisons.record import terminal; "
        "print([m for m in record.FRAMEWORKS if m in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == "[]"


@pytest.mark.mnist
def test_one_epoch_of_a_small_recipe_on_mnist_without_any_framework(tmp_path: Path) -> None:
    code = f"""
import sys
from dataclasses import replace
from backproof.comparisons import cli
from backproof.comparisons.record import recipes as record_recipes
for name, recipe in record_recipes.RECIPES.items():
    record_recipes.RECIPES[name] = replace(recipe, hidden=(64,))
code = cli.run(["record", "--epochs", "1", "--members", "1", "--out", {str(tmp_path)!r}])
assert not {{"torch", "jax", "tensorflow", "sklearn"}} & set(sys.modules), sys.modules
sys.exit(code)
"""
    found = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 3, found.stderr  # one epoch does not reach the goal, nor is it meant to
    assert "scratch, this run" in found.stdout
    assert "INCONCLUSIVE" in found.stdout
    page = (tmp_path / "report.html").read_text()
    assert page.count('alt="test image') == 2 * record.N_HARDEST
