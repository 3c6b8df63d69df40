"""`pytest --contender`: a right class passes the contract, a wrong one fails the test about its mistake."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OWN = "tests/support/own_contenders.py"


def contract(contender: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:randomly",
        *arguments,
    ]
    return subprocess.run(
        [*command, "--contender", contender],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_a_right_class_named_by_its_file_passes_and_nothing_else_runs() -> None:
    run = contract(f"{OWN}:Right", "tests/reference", "tests/scratch/test_parameters.py")
    assert run.returncode == 0, run.stdout
    assert "deselected" in run.stdout


def test_what_a_class_lacks_is_skipped_with_the_reason() -> None:
    run = contract("tests.support.own_contenders:WithoutTraining", "tests/reference/test_contract.py")
    assert run.returncode == 0, run.stdout
    assert "no train" in run.stdout


@pytest.mark.parametrize(
    ("wrong", "test"),
    [
        ("KeepsItsOptimiser", "test_each_call_of_train_starts_with_a_fresh_optimiser"),
        ("LendsItsBuffer", "test_a_later_call_does_not_change_logits_returned_before"),
        ("DropsTheShortBatch", "test_three_steps_are_exact_where_arithmetic_is"),
        ("WritesToItsInput", "test_given_arrays_are_not_written_to"),
    ],
)
def test_a_wrong_class_fails_the_test_that_is_about_its_mistake(wrong: str, test: str) -> None:
    run = contract(f"{OWN}:{wrong}", "tests/reference/test_contract.py", "-k", test)
    assert run.returncode == 1, run.stdout
    assert f"FAILED tests/reference/test_contract.py::{test}" in run.stdout
