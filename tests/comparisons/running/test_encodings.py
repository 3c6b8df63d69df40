"""A terminal of any encoding gets the whole text, in characters that it has."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backproof.comparisons.running.encodings import plain, tolerate


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1.3×10⁻¹²", "1.3x10-12"), ("−0.10 ±0.2", "-0.10 +-0.2"), ("é", "e"), ("문", "?"), ("abc", "abc")],
)
def test_what_has_no_character_gets_the_nearest(text: str, expected: str) -> None:
    assert plain(text) == expected


@given(st.text())
def test_the_nearest_is_ascii(text: str) -> None:
    assert plain(text).isascii()


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "euc-kr", "utf-8"])
@given(text=st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_any_text_can_be_written_in_any_encoding(encoding: str, text: str) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    tolerate(stream)
    stream.write(text)
    stream.flush()


@given(st.text("가나다라마바사 오차 0123456789 MNIST ×±"))
def test_what_the_encoding_has_is_left_alone(text: str) -> None:
    buffer = io.BytesIO()
    stream = io.TextIOWrapper(buffer, encoding="euc-kr")
    tolerate(stream)
    stream.write(text)
    stream.flush()
    assert buffer.getvalue().decode("euc-kr") == text
