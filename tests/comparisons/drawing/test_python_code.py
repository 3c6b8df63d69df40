"""Highlighted Python: every character is kept, and what is highlighted is what the tokenizer says."""

import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backproof.comparisons.drawing import python_code
from tests.support.page_reader import text_of

LINES = (
    "x = 1.5e-3  # <b>&amp;",
    "for i in range(3):\n    print('<', \"é\")",
    "",
    's = """two\nlines"""',
    "pass",
)


@given(st.lists(st.sampled_from(LINES), max_size=6).map("\n".join))
def test_every_character_of_the_source_is_kept(source: str) -> None:
    assert text_of(python_code.highlighted(source)) == source


def test_a_whole_module_is_kept() -> None:
    source = inspect.getsource(python_code)
    assert text_of(python_code.highlighted(source)) == source


@pytest.mark.parametrize(
    ("source", "span"),
    [
        ("if x: pass", '<span class="py-keyword">if</span>'),
        ("x = 12", '<span class="py-number">12</span>'),
        ("x = 'a'", '<span class="py-string">&#39;a&#39;</span>'),
        ("x  # why", '<span class="py-comment"># why</span>'),
    ],
)
def test_tokens_have_their_kind(source: str, span: str) -> None:
    assert span in python_code.highlighted(source)


def test_a_keyword_inside_a_string_is_a_string() -> None:
    assert "py-keyword" not in python_code.highlighted("x = 'if else'")
