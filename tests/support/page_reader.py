"""Reads a page as a browser's parser would, so that tests can ask what is in it."""

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

_VOID = frozenset({"meta", "link", "br", "img", "hr", "input"})


@dataclass
class Element:
    """One element: its tag, attributes, own text and children."""

    tag: str
    attributes: dict[str, str]
    text: str = ""
    children: list["Element"] = field(default_factory=list)

    def walk(self) -> Iterator["Element"]:
        """This element and everything inside it."""
        yield self
        for child in self.children:
            yield from child.walk()

    def all(self, tag: str, **attributes: str) -> list["Element"]:
        """Every element of this tag inside; `class_` and other attributes must be as given."""
        wanted = {name.rstrip("_"): value for name, value in attributes.items()}
        return [e for e in self.walk() if e.tag == tag and wanted.items() <= e.attributes.items()]

    @property
    def words(self) -> str:
        """All text inside, except that of scripts and styles."""
        if self.tag in ("script", "style"):
            return ""
        return " ".join([self.text, *(child.words for child in self.children)])


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.stack = [Element("document", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.stack[-1].children.append(element)
        if tag not in _VOID:
            self.stack.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.stack[-1].tag == tag, f"</{tag}> closes <{self.stack[-1].tag}>"
        self.stack.pop()

    def handle_data(self, data: str) -> None:
        self.stack[-1].text += data


def read(page: str) -> Element:
    """The page as a tree. AssertionError where tags are not nested."""
    builder = _Builder()
    builder.feed(page)
    builder.close()
    assert len(builder.stack) == 1, f"<{builder.stack[-1].tag}> is never closed"
    return builder.stack[0]


def figure_data(figure: Element) -> Any:
    """The plotly figure inside a figure element."""
    (script,) = figure.all("script", type="application/json")
    return json.loads(script.text)


def text_of(markup: str) -> str:
    """The text of a piece of markup, character by character: tags left out, entities decoded."""
    return html.unescape(re.sub(r"<[^>]*>", "", markup))
