"""Forty mistakes are planted in every run of the suite, and for each one known test must fail."""

from collections import Counter

import pytest

from tests.mutation import sample
from tests.mutation.covering import FIRST, Covering, Seen
from tests.mutation.mutants import Mutant
from tests.mutation.operators import OPERATORS
from tests.mutation.parts import PARTS
from tests.mutation.run import Fate
from tests.mutation.sample import Entry
from tests.mutation.trees import Tree

ENTRIES = sample.read()
OF_DATA = next(entry for entry in ENTRIES if entry.part == "data")


@pytest.mark.parametrize("entry", ENTRIES, ids=[f"{one.part}-{one.mutant.function}" for one in ENTRIES])
def test_with_a_mistake_planted_its_test_fails(tree: Tree, entry: Entry) -> None:
    why = sample.trouble(tree, entry)
    assert not why, f"{entry.mutant.key}: {why}; draw another one: {sample.REDRAW}\n{tree.said()[-2000:]}"


def test_without_a_mistake_all_of_their_tests_pass(tree: Tree) -> None:
    answer = tree.run([entry.test for entry in ENTRIES], 300, FIRST)
    assert answer["code"] == 0, tree.said()[-4000:]
    assert len(answer["tests"]) == len({entry.test for entry in ENTRIES})


def test_the_mistakes_are_of_every_part_and_of_every_kind() -> None:
    assert len(ENTRIES) == sample.SIZE
    assert Counter(entry.part for entry in ENTRIES).keys() == PARTS.keys()
    assert {entry.mutant.operator for entry in ENTRIES} == {one.__name__ for one in OPERATORS}


def test_a_test_that_passes_with_the_mistake_is_noticed(tree: Tree) -> None:
    entry = Entry("data", OF_DATA.mutant, "tests/scratch/test_errors.py")
    assert sample.trouble(tree, entry) == "its test passes with the mistake"


def test_a_test_that_is_gone_is_noticed(tree: Tree) -> None:
    entry = Entry("scratch", OF_DATA.mutant, "tests/scratch/test_errors.py::test_no_such_test")
    assert sample.trouble(tree, entry) == "its test was not run (it is no longer there)"


@pytest.mark.parametrize("path", ["scratch/losses.py", "scratch/no_such_module.py"])
def test_lines_that_have_changed_are_noticed(tree: Tree, path: str) -> None:
    entry = Entry("scratch", Mutant(path, "", "term", "", "no such line", "pass"), OF_DATA.test)
    assert sample.trouble(tree, entry) == "the lines that it changes are no longer there"


def test_what_is_written_is_read_again() -> None:
    assert sample.written(ENTRIES) == sample.SAMPLE.read_text(encoding="utf-8")


def test_only_the_missing_are_drawn_of_what_is_killed_by_a_quick_test() -> None:
    def killed(part: str, operator: str, test: str) -> Fate:
        return Fate(Mutant(f"{part}.py", "", operator, "", operator, ""), "killed", test)

    fates = {
        "a": [killed("a", "term", "slow"), killed("a", "term", "quick 1"), killed("a", "sign", "quick 2")],
        "b": [killed("b", "term", "quick 3"), killed("b", "axis", "quick 4")],
    }
    tests = [Seen(f"quick {i}", 0.1, frozenset()) for i in range(1, 5)] + [Seen("slow", 9.0, frozenset())]
    kept = [Entry("a", Mutant("a.py", "", "term", "", "", ""), "kept")]
    covering = Covering(tuple(tests))
    found = list(sample.redrawn(kept, fates, covering, holds=lambda entry: entry.test != "quick 4"))
    assert [entry.test for entry in found] == ["kept", "quick 3", "quick 2", "quick 1"]
