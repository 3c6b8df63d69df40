"""`backproof record`: wrong options are sentences, and no framework is loaded by it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from backproof.comparisons import cli
from backproof.comparisons.record import part as record
from backproof.comparisons.running import processes


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
        (["--seeds", "0"], "seeds: expected at least 1"),
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


SMALL = """
import sys
from backproof.comparisons import cli
from backproof.comparisons.data import dataset as data
from tests.support.small_records import dataset, small_recipes
data.load = lambda *arguments, **options: dataset()
with small_recipes():
    sys.exit(cli.run(["record", "--epochs", "2", *sys.argv[1:]]))
"""


def started(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        processes.python(
            "-c", f"import sys; sys.path.insert(0, '.')\n{SMALL}", "--out", str(folder), *arguments
        ),
        cwd=Path(__file__).parents[3],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def boards(folder: Path) -> Any:
    return json.loads((folder / "results.json").read_text(encoding="utf-8"))["record"]["boards"]


def test_several_seeds_stand_in_results_and_terminal(tmp_path: Path) -> None:
    process = started(tmp_path, "--seeds", "2")
    said, told = process.communicate(timeout=240)
    assert process.returncode == 3, told  # a few epochs decide nothing
    assert "Mean of 2 seeds" in said
    assert {board: [run["seed"] for run in found["runs"]] for board, found in boards(tmp_path).items()} == {
        "permutation-invariant": [0, 1],
        "distortion": [0, 1],
    }


@pytest.mark.skipif(os.name == "nt", reason="a system without signals")
def test_ended_from_outside_it_keeps_the_seeds_that_are_finished(tmp_path: Path) -> None:
    process = started(tmp_path, "--seeds", "100000", "--board", "distortion")
    assert process.stderr is not None
    seen, limit = 0, time.monotonic() + 120
    while seen < 3 and time.monotonic() < limit:
        seen += "distortion, seed" in process.stderr.readline()
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=120)
    assert process.returncode == 130, told
    assert "kept in" in told
    assert len(boards(tmp_path)["distortion"]["runs"]) >= 2


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
