import pytest

from tests.mutation.covering import TESTS, Covering, Seen, files_of_tests, mirrored
from tests.mutation.mutants import Mutant
from tests.mutation.trees import ROOT

FILE = "scratch/losses.py"
OWN, NEAR, FAR = (
    "tests/scratch/test_losses.py",
    "tests/scratch/test_network.py",
    "tests/reference/test_nested.py",
)


def seen(name: str, cpu: float, *functions: str) -> Seen:
    return Seen(name, cpu, frozenset(f"{FILE}::{function}" for function in functions))


def mutant(function: str) -> Mutant:
    return Mutant(FILE, function, "sign", "", "", "")


COVERING = Covering(
    (
        seen(f"{FAR}::test_quick", 0.1, "value"),
        seen(f"{NEAR}::test_slow", 3.0, "value", "Loss.of"),
        seen(f"{NEAR}::test_other", 0.5),
        seen(f"{OWN}::test_slow", 2.0, "value"),
        seen(f"{OWN}::test_quick", 0.2, "value"),
        seen(f"{OWN}::test_other", 0.1, "other"),
    )
)


def test_the_modules_own_tests_come_first_and_quick_ones_before_slow_ones() -> None:
    assert COVERING.near(mutant("value"), 4.5) == [
        f"{OWN}::test_quick",
        f"{OWN}::test_slow",
        f"{FAR}::test_quick",
    ]


def test_a_quick_file_of_the_modules_own_is_run_whole() -> None:
    assert COVERING.near(mutant("value"), 60) == [OWN, f"{NEAR}::test_slow", f"{FAR}::test_quick"]


def test_no_more_tests_are_run_than_there_is_time_for() -> None:
    assert COVERING.near(mutant("value"), 2.4) == [
        f"{OWN}::test_quick",
        f"{OWN}::test_slow",
        f"{FAR}::test_quick",
    ]


def test_the_body_of_a_class_or_a_module_is_run_by_whoever_runs_anything_in_it() -> None:
    assert COVERING.near(mutant("Loss"), 4.5) == [f"{NEAR}::test_slow"]
    assert COVERING.near(mutant(""), 60) == [OWN, f"{NEAR}::test_slow", f"{FAR}::test_quick"]


def test_where_no_test_runs_a_function_the_modules_own_file_is_run() -> None:
    assert COVERING.near(mutant("nowhere"), 60) == [OWN]


def test_a_survivor_meets_every_test_of_the_files_that_run_its_function() -> None:
    assert COVERING.wide(mutant("value"), 60) == [OWN, FAR, NEAR]
    assert COVERING.wide(mutant("value"), 3) == [OWN, FAR]
    assert COVERING.wide(mutant("nowhere"), 60) == [OWN, FAR, NEAR]


@pytest.mark.parametrize("folder", TESTS)
def test_every_folder_that_is_looked_at_has_tests(folder: str) -> None:
    assert any(path.startswith(folder) for path in files_of_tests())


def test_the_mirror_of_a_module_is_found() -> None:
    assert (ROOT / mirrored(FILE)).is_file()
