"""Text for a terminal of any encoding: what it has no character for is written with those of ASCII."""

import codecs
import unicodedata
from typing import TextIO

PLAIN = {
    "×": "x", "÷": "/", "−": "-", "–": "-", "—": "-", "·": "|", "…": "...", "≤": "<=", "≥": ">=", "±": "+-",
    "∞": "inf", "✓": "+", "✗": "x", "’": "'", "‘": "'", "“": '"', "”": '"', "→": "->", "µ": "u",
    "─": "-", "━": "-", "│": "|", "▏": "|", "█": "#", "╸": "-", "╺": "-",
}  # fmt: skip
HANDLER = "backproof.plain"


def plain(text: str) -> str:
    """The nearest text in ASCII: superscripts as digits, letters without accents, else a question mark."""
    pieces = []
    for character in text:
        known = PLAIN.get(character)
        bare = unicodedata.normalize("NFKD", character)
        nearest = "".join(PLAIN.get(part, part) for part in bare if not unicodedata.combining(part))
        pieces.append(known if known is not None else nearest if nearest.isascii() else "?")
    return "".join(pieces)


def _replaced(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return plain(error.object[error.start : error.end]), error.end


def tolerate(stream: TextIO) -> None:
    """Let the stream write any text; it keeps its encoding."""
    codecs.register_error(HANDLER, _replaced)
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors=HANDLER)
