"""Text from outside: names, messages and output of a class under check, names of files.

It is cleaned once, where it comes in, and escaped where it goes:

    a terminal    rich's `Text`, which knows no markup; `cleaned` has taken the control characters out
    a page        markupsafe escapes it
    a spreadsheet `csv_cell`: no cell begins a formula
    Markdown      `markdown`
    JSON          json escapes it

Cleaned text is printable: control characters, those that change the direction of writing, unpaired
surrogates and line breaks are shown by their escapes (``\\x1b``, ``\\u202e``), and what is too long is cut.
"""

import unicodedata
from pathlib import PurePath

LIMIT = 300  # characters
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_FORMULA = frozenset("=+-@\t\r|%")


def cleaned(text: str, limit: int = LIMIT) -> str:
    """`text` printable on one line, at most `limit` characters and an ellipsis."""
    shown = "".join(_shown(character) for character in text[: limit + 1])
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def cleaned_lines(text: str, limit: int) -> str:
    """As `cleaned`, with its line breaks kept."""
    shown = "\n".join(cleaned(line, limit) for line in text[: limit + 1].splitlines())
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def _shown(character: str) -> str:
    if unicodedata.category(character) not in _HIDDEN:
        return character
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")


def identifier(text: str) -> str:
    """`text` where Python could name something so, else cleaned and cut to a length for names."""
    return text if text.isidentifier() and len(text) <= 100 else cleaned(text, 100)


def csv_cell(value: object) -> str:
    """A cell that no spreadsheet takes for a formula: those that begin like one get an apostrophe."""
    text = cleaned(str(value), 1000)
    if not isinstance(value, int | float) and text[:1] in _FORMULA:
        return f"'{text}"
    return text


def markdown(value: object) -> str:
    """`value` with Markdown's and HTML's own characters escaped."""
    escaped = "".join(f"\\{c}" if c in r"\`*_{}[]()#+-.!|~>" else c for c in cleaned(str(value), 1000))
    return escaped.replace("&", "&amp;").replace("<", "&lt;")


def path_text(path: str | PurePath) -> str:
    """A path as it may be shown; bytes that are no text in it are shown by their escapes."""
    return cleaned(str(path), 1000)
