"""`scratch` is short enough to be read in one sitting: fewer than 1,000 logical lines of code."""

import ast
from pathlib import Path

SCRATCH = Path(__file__).parents[2] / "scratch"
LIMIT = 1000


def logical_lines(source: str) -> int:
    """Statements other than docstrings; a call that is broken over five lines counts once."""
    nodes = ast.walk(ast.parse(source))
    return sum(
        isinstance(node, ast.stmt)
        and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        for node in nodes
    )


SOURCE = '''"""A docstring."""

import math

x = (  # a comment
    1,
)


def f():
    """Another."""
    return math.pi
'''


def test_the_count_leaves_out_docstrings_comments_and_line_breaks() -> None:
    assert logical_lines(SOURCE) == 4


def test_scratch_stays_under_a_thousand_logical_lines() -> None:
    counts = {path.name: logical_lines(path.read_text(encoding="utf-8")) for path in SCRATCH.glob("*.py")}
    assert sum(counts.values()) < LIMIT, counts
