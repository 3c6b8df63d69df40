"""`scratch` can be read in one sitting, and its lines at once: limits on its tokens, and on tokens per line.

Lines alone would reward density. What is counted is code: operators, names, numbers and strings, a docstring
being one string; a line counts where one of them begins.
"""

import io
import token
import tokenize
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SCRATCH = Path(__file__).parents[2] / "scratch"
CODE = {token.OP, token.NAME, token.NUMBER, token.STRING}
MOST_TOKENS = 14_345
MOST_PER_LINE = 9.2  # over all modules
MOST_PER_LINE_OF_A_MODULE = 11.8


@dataclass(frozen=True)
class Size:
    """Code tokens, and the lines on which they begin."""

    tokens: int
    lines: int

    @property
    def density(self) -> float:
        return self.tokens / max(self.lines, 1)


def size_of(source: str) -> Size:
    code = [t for t in tokenize.generate_tokens(io.StringIO(source).readline) if t.type in CODE]
    return Size(len(code), len({t.start[0] for t in code}))


def total(sizes: Sequence[Size]) -> Size:
    return Size(sum(size.tokens for size in sizes), sum(size.lines for size in sizes))


SIZES = {path.stem: size_of(path.read_text(encoding="utf-8")) for path in sorted(SCRATCH.glob("*.py"))}

SOURCE = '''"""A docstring
of two lines."""

import math

# A comment.
x = (  # another
    1,
)
'''


def test_the_count_leaves_out_comments_and_blank_lines_and_takes_a_docstring_for_one_string() -> None:
    # The docstring; import math; x = (; 1 ,; )
    assert size_of(SOURCE) == Size(tokens=1 + 2 + 3 + 2 + 1, lines=5)


def test_one_line_cut_in_two_is_less_dense_and_no_longer_in_tokens() -> None:
    dense, cut = size_of("y = f(a + b) * g(c)"), size_of("s = a + b\ny = f(s) * g(c)")
    assert cut.density < dense.density
    assert cut.tokens <= dense.tokens + 5


def test_scratch_stays_under_its_limit_of_tokens() -> None:
    assert total(list(SIZES.values())).tokens <= MOST_TOKENS, SIZES


def test_the_lines_of_scratch_can_be_read_at_once() -> None:
    assert total(list(SIZES.values())).density <= MOST_PER_LINE, SIZES


def test_no_module_is_much_denser_than_the_others() -> None:
    dense = {name: size.density for name, size in SIZES.items() if size.density > MOST_PER_LINE_OF_A_MODULE}
    assert not dense
