"""Every row of the table names tests that exist, and the table that is shown is the one that is made."""

import ast
from pathlib import Path

import pytest

from tests.faults.rows import ROWS, table

TESTS = Path(__file__).parents[1]
SHOWN = TESTS.parent / ".github" / "RELIABILITY.md"


@pytest.mark.parametrize("test", sorted({test for tests in ROWS.values() for test in tests}))
def test_every_row_is_tried_by_a_test_that_is_there(test: str) -> None:
    file, _, name = test.partition("::")
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_the_table_that_is_shown_is_the_one_that_is_made() -> None:
    assert table() in SHOWN.read_text(encoding="utf-8")
