import json
from pathlib import Path

import pytest

from tests.mutation.covering import FIRST
from tests.mutation.mutants import MovedError, Mutant, mutants
from tests.mutation.trees import ROOT, Tree

FILE = "scratch/schedules.py"
TESTS = "tests/scratch/test_schedules.py"


def a_test(tree: Tree, name: str, text: str) -> str:
    """A test file of its own in the copy."""
    (tree.path / "tests" / name).write_text(text, encoding="utf-8")
    return f"tests/{name}"


def test_tests_run_in_the_copy_and_say_what_they_touch(tree: Tree) -> None:
    answer = tree.run([TESTS], 60, FIRST, recording=True)
    assert answer["code"] == 0, tree.said()
    touched = {function for functions in answer["touched"].values() for function in functions}
    assert {f"{FILE}::cosine", f"{FILE}::step_decay"} <= touched
    assert answer["tests"].keys() == answer["touched"].keys()


def test_every_process_that_a_test_starts_has_the_mistake_too(tree: Tree) -> None:
    text = f"""
import json, subprocess, sys

def test_where():
    import backproof.scratch.schedules as here
    code = "import backproof.scratch.schedules as there; print(there.__file__)"
    there = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True).stdout.strip()
    assert here.__file__ == there == {json.dumps(str(tree.path / ".typing/backproof" / FILE))}
"""
    answer = tree.run([a_test(tree, "test_where.py", text)], 60, FIRST)
    assert answer["code"] == 0, tree.said()


def test_a_planted_mistake_is_there_and_then_gone(tree: Tree) -> None:
    source = (ROOT / FILE).read_text(encoding="utf-8")
    mutant = next(one for one in mutants(FILE, source) if one.operator == "sign")
    with tree.with_planted(mutant):
        assert tree.run([TESTS], 60, FIRST)["failed"].startswith(f"{TESTS}::")
        assert (ROOT / FILE).read_text(encoding="utf-8") == source
    assert (tree.path / FILE).read_text(encoding="utf-8") == source
    assert tree.run([TESTS], 60, FIRST)["code"] == 0


def test_a_mistake_whose_lines_are_gone_is_not_planted(tree: Tree) -> None:
    mutant = Mutant(FILE, "", "term", "", old="no such line", new="pass")
    with pytest.raises(MovedError), tree.with_planted(mutant):
        pass


def test_what_does_not_end_is_ended(tree: Tree) -> None:
    path = a_test(tree, "test_endless.py", "def test_endless():\n    while True: pass\n")
    answer = tree.run([path], 1, FIRST)
    assert (answer["code"], answer["failed"]) == (-1, "")
    assert 0.5 < answer["cpu"] < 10


def test_a_file_that_cannot_be_imported_has_failed(tree: Tree) -> None:
    path = a_test(tree, "test_broken.py", "import no_such_module\ndef test_it(): pass\n")
    assert tree.run([path], 60, FIRST)["failed"] == path
    assert tree.run([f"{path}::test_it"], 60, FIRST)["code"] not in (0, 5)


def test_a_copy_holds_nothing_that_is_not_of_the_project(tree: Tree) -> None:
    assert {path.name for path in tree.path.iterdir()} <= {path.name for path in ROOT.iterdir()}
    assert not [path for path in (".git", ".venv", ".mutation") if Path(tree.path, path).exists()]
