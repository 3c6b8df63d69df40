"""`scratch` is short enough to be read in one sitting: fewer than 1,600 lines of code."""

import ast
import io
import tokenize
from pathlib import Path

SCRATCH = Path(__file__).parents[2] / "scratch"
LIMIT = 1600
LAYOUT = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


def code_lines(source: str) -> int:
    """Lines that hold code: not blank, and more than a comment or a docstring."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    lines = {line for t in tokens if t.type not in LAYOUT for line in range(t.start[0], t.end[0] + 1)}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            lines -= set(range(node.lineno, node.value.end_lineno + 1))
    return len(lines)


SOURCE = '''"""A docstring
of two lines."""

import math

# A comment.
x = (  # another
    1,
)


def f():
    """A third."""

    return """text
    that is code"""
'''


def test_the_count_leaves_out_docstrings_comments_and_blank_lines_only() -> None:
    assert code_lines(SOURCE) == 7


def test_scratch_stays_under_its_limit_of_lines_of_code() -> None:
    counts = {path.name: code_lines(path.read_text(encoding="utf-8")) for path in SCRATCH.glob("*.py")}
    assert sum(counts.values()) < LIMIT, counts
