"""Every sentence of the lessons, in every language: `texts/<lesson>.toml`, one table per sentence.

    [intent]
    en = "..."
    ko = "..."

`frame.toml` holds what all lessons share (headings, names of chapters). A sentence may carry `code` in
backquotes, $formulas$ in dollar signs, and <figures> of the run in angle brackets.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

LANGUAGES = ("en", "ko")
FOLDER = Path(__file__).parent / "texts"
Text = Mapping[str, str]  # language -> sentence

_FIGURE = re.compile(r"<([a-z][a-z0-9_]*)>")


@cache
def texts(key: str) -> Mapping[str, Any]:
    """The texts of one lesson (or of the frame) as nested tables whose leaves are `Text`."""
    with (FOLDER / f"{key}.toml").open("rb") as file:
        return tomllib.load(file)


def text(key: str, *path: str) -> Text:
    """One sentence in every language. Raises KeyError, naming the file and the path, where there is none."""
    node: Any = texts(key)
    for step in path:
        if not isinstance(node, dict) or step not in node:
            raise KeyError(f"texts/{key}.toml: no text {'.'.join(path)}")
        node = node[step]
    return {language: str(node[language]).strip() for language in LANGUAGES}


def filled(sentence: Text, values: Mapping[str, str]) -> Text:
    """The sentence with its figures. Raises KeyError for a figure that the run did not compute."""
    return {
        language: _FIGURE.sub(lambda match: values[match.group(1)], words)
        for language, words in sentence.items()
    }


def figures_named(sentence: str) -> set[str]:
    """The names in angle brackets of a sentence."""
    return set(_FIGURE.findall(sentence))


def leaves(node: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every table of a file that holds sentences, with its path."""
    if any(isinstance(value, str) and key in LANGUAGES for key, value in node.items()):
        yield path, node
        return
    for key, value in node.items():
        if isinstance(value, Mapping):
            yield from leaves(value, (*path, key))
