"""The mistakes written by hand stand where the file says, and the tests that it names see them."""

import ast

import pytest

from tests.mutation import by_hand
from tests.mutation.by_hand import Mistake, failing, is_killed, mistakes
from tests.mutation.trees import ROOT, Tree

ALL = mistakes()
PLANTED = [one for one in ALL if one.killed_by]
# A few in a run of all tests; `python -m tests.mutation.by_hand` plants every one.
SAMPLE = (
    "mse's delta follows half of the logits' error",
    "a geometric mean is not divided by the number of cases",
    "the launch is left out of the counterbalanced order",
    "labels sorted apart from their images",
    "fit ignores the augmentation",
)


def test_every_mistake_has_a_name_of_its_own_and_is_killed_or_has_a_reason() -> None:
    assert len({one.name for one in ALL}) == len(ALL)
    for one in ALL:
        assert sum(map(bool, (one.killed_by, one.gone, one.equivalent))) == 1, one.name


@pytest.mark.parametrize("mistake", PLANTED, ids=lambda one: one.name)
def test_the_text_of_a_mistake_stands_once_in_its_file_and_makes_another_module_of_it(
    mistake: Mistake,
) -> None:
    """Where it was reworded: give the new text, the mistake is still worth planting."""
    source = (ROOT / mistake.path).read_text(encoding="utf-8")
    assert ast.dump(ast.parse(mistake.planted(source))) != ast.dump(ast.parse(source))


@pytest.mark.parametrize("mistake", PLANTED, ids=lambda one: one.name)
def test_the_test_that_sees_a_mistake_exists(mistake: Mistake) -> None:
    path, _, name = mistake.killed_by.partition("::")
    assert name.partition("[")[0] in by_hand.tests_of(path)


def test_a_mistake_whose_text_has_gone_is_said_by_its_name() -> None:
    reworded = Mistake("a term left out", path="scratch/series.py", old="no such text", new="")
    with pytest.raises(AssertionError, match=r"a term left out: scratch/series\.py has 0 times"):
        reworded.planted("x = 1\n")


def test_only_the_named_test_kills() -> None:
    mistake = Mistake("any", killed_by="tests/test_x.py::test_y[1]")
    assert is_killed(mistake, "tests/test_x.py::test_y[1]")
    assert not is_killed(mistake, "tests/test_x.py::test_z[1]")
    assert not is_killed(mistake, "")


@pytest.mark.parametrize("name", SAMPLE)
def test_a_mistake_of_the_sample_is_seen_by_the_test_it_names(tree: Tree, name: str) -> None:
    mistake = next(one for one in PLANTED if one.name == name)
    assert by_hand.run(tree, [mistake.killed_by]) == ""  # without the mistake
    assert is_killed(mistake, failing(tree, mistake))


def test_a_test_that_cannot_be_run_kills_nothing(tree: Tree) -> None:
    gone = "tests/scratch/test_schedules.py::test_that_is_not_there"
    assert by_hand.run(tree, [gone]).startswith("not run: ")
