"""Python source for the page: its own tokenizer says what is a comment, a string, a keyword or a number."""

import io
import keyword
import tokenize

from markupsafe import Markup, escape

_KINDS = {tokenize.COMMENT: "comment", tokenize.STRING: "string", tokenize.NUMBER: "number"}


def highlighted(source: str) -> Markup:
    """The source with `span` elements around what is highlighted; every character of it is kept."""
    lines = source.splitlines(keepends=True)
    pieces: list[Markup] = []
    row, column = 1, 0

    def copy_until(end_row: int, end_column: int) -> None:
        nonlocal row, column
        while row < end_row:
            pieces.append(escape(lines[row - 1][column:]))
            row, column = row + 1, 0
        if row <= len(lines):
            pieces.append(escape(lines[row - 1][column:end_column]))
        column = end_column

    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        kind = "keyword" if keyword.iskeyword(token.string) else _KINDS.get(token.type)
        if kind is None:
            continue
        copy_until(*token.start)
        pieces.append(Markup('<span class="py-{}">{}</span>').format(kind, token.string))
        row, column = token.end
    copy_until(len(lines) + 1, 0)
    return Markup("").join(pieces)
