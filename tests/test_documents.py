"""What the documents name is there: files, links, and the version that is being described."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / ".github").glob("*.md"))]
PLACE = re.compile(r"`((?:scratch|reference|comparisons|tests)/[\w/.{},]*)`")
LINK = re.compile(r"\]\((?!https?:|#)([^)]+)\)")


def alternatives(place: str) -> list[str]:
    """``a/{b,c}/`` as ``a/b/`` and ``a/c/``."""
    braces = re.search(r"\{([^}]*)\}", place)
    if braces is None:
        return [place]
    return [place.replace(braces[0], part) for part in braces[1].split(",")]


def places(text: str) -> set[str]:
    """The files and folders of ours that a text names in backquotes, but for those left open (<name>)."""
    return {found for place in PLACE.findall(text) for found in alternatives(place)}


def test_the_reader_finds_places_and_links() -> None:
    text = "`scratch/` and `comparisons/{data,zoo}/` [x](a.md) [y](https://b) `other.py` `tests/<name>.py`"
    assert places(text) == {"scratch/", "comparisons/data/", "comparisons/zoo/"}
    assert LINK.findall(text) == ["a.md"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_that_a_document_names_is_there(document: Path) -> None:
    named = places(document.read_text(encoding="utf-8"))
    assert {place for place in named if not (ROOT / place).exists()} == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_inside_the_project_has_its_target(document: Path) -> None:
    links = LINK.findall(document.read_text(encoding="utf-8"))
    assert [link for link in links if not (document.parent / link.partition("#")[0]).exists()] == []


def test_the_newest_entry_of_the_changelog_is_dated_and_about_this_version() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    entries = re.findall(
        r"^## (\S+) - (\d{4}-\d\d-\d\d)$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE
    )
    assert entries[0][0] == settings["project"]["version"]
    assert [date for _, date in entries] == sorted((date for _, date in entries), reverse=True)


def test_words_of_the_glossary_stand_in_order() -> None:
    rows = re.findall(r"^\| ([^|]+) \|", (ROOT / ".github" / "GLOSSARY.md").read_text("utf-8"), re.MULTILINE)
    words = [word.lower() for word in rows[1:] if not word.startswith("-")]
    assert words == sorted(words)
