import ast

import pytest

from tests.mutation.operators import OPERATORS, mutants, planted

SOURCE = """
def loss(x, y, rng_seed=0):
    rng = np.random.default_rng(rng_seed)
    if x.size < 1:
        raise ValueError(f"x: expected {1 + 1} numbers")
    total = x.sum(axis=0) + y * 2
    total -= rng.normal()
    buffer.fill(0)
    return -np.max(total)
"""


def sources_with(what: str) -> list[str]:
    return [planted(mutant, SOURCE) for mutant in mutants("m.py", SOURCE) if what in mutant.what]


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("term left out: y * 2", "total = x.sum(axis=0)"),
        ("factor left out: 2", "total = x.sum(axis=0) + y"),
        ("operator", "total = x.sum(axis=0) - y * 2"),
        ("comparison", "if x.size <= 1:"),
        ("np.min for np.max", "return -np.min(total)"),
        ("sign", "return np.max(total)"),
        ("2 becomes 3", "total = x.sum(axis=0) + y * 3"),
        ("axis not passed on", "total = x.sum() + y * 2"),
        ("another axis", "total = x.sum(axis=1) + y * 2"),
        ("seed ignored", "rng = np.random.default_rng(0)"),
        ("not done: buffer.fill", "pass"),
        ("not done: total -=", "pass"),
        ("0 becomes 1", "def loss(x, y, rng_seed=1):"),
    ],
)
def test_each_kind_of_mistake_is_planted(what: str, line: str) -> None:
    assert any(line in [one.strip() for one in source.splitlines()] for source in sources_with(what))


def test_every_operator_has_its_mistake_in_the_sample() -> None:
    assert {mutant.operator for mutant in mutants("m.py", SOURCE)} == {one.__name__ for one in OPERATORS}


def test_messages_are_left_alone() -> None:
    assert not [mutant for mutant in mutants("m.py", SOURCE) if mutant.line == 5]


def test_a_mutant_differs_from_the_source_in_one_place() -> None:
    whole = ast.unparse(ast.parse(SOURCE)).splitlines()
    for mutant in mutants("m.py", SOURCE):
        lines = planted(mutant, SOURCE).splitlines()
        assert len(lines) == len(whole)
        assert sum(here != there for here, there in zip(lines, whole, strict=True)) == 1, mutant


def test_the_key_of_a_mutant_does_not_move_with_the_lines_above_it() -> None:
    moved = "import numpy as np\n\n" + SOURCE
    assert {mutant.key for mutant in mutants("m.py", SOURCE)} == {
        mutant.key for mutant in mutants("m.py", moved)
    }
