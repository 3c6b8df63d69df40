"""What a docstring cites by authors and year stands in full in the one list of references."""

import ast
import re
from pathlib import Path

import pytest

from backproof.scratch import references
from backproof.scratch.differences import SCHEMES

ROOT = Path(__file__).parents[2]
NAME = r"[A-ZÀ-Þ][\w\-]+"
CITATION = re.compile(rf"\b({NAME}(?: et al\.|(?:, {NAME})*) (?:19|20)\d\d)\b")
ENTRY = re.compile(r"^(\S.*(?:19|20)\d\d)\n((?:    .+\n)+)", re.MULTILINE)
DOI = re.compile(r"doi:10\.\d{4,}/\S+$")


def entries() -> dict[str, str]:
    return {key: " ".join(text.split()) for key, text in ENTRY.findall(str(references.__doc__))}


def docstrings(path: Path) -> str:
    """All docstrings of a module, each as one line."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = ast.Module | ast.ClassDef | ast.FunctionDef
    found = [ast.get_docstring(node) for node in ast.walk(tree) if isinstance(node, kinds)]
    return " ; ".join(" ".join(text.split()) for text in found if text)


def sources() -> list[Path]:
    """Every module of ours but the list itself, and without what students might have written."""
    folders = ("scratch", "reference", "comparisons")
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return [path for path in found if "mutants" not in path.parts and path.name != "references.py"]


def cited(text: str) -> set[str]:
    return set(CITATION.findall(text))


def test_citations_are_found_in_a_text() -> None:
    text = "as in (Ridders 1982; Press et al. 2007, section 5.7) and Kingma, Ba 2015, or in 2,015 steps"
    assert cited(text) == {"Ridders 1982", "Press et al. 2007", "Kingma, Ba 2015"}


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_whatever_a_docstring_cites_is_in_the_list(path: Path) -> None:
    assert cited(docstrings(path)) <= set(entries())


def test_the_source_of_every_scheme_is_in_the_list() -> None:
    for scheme in SCHEMES.values():
        assert cited(scheme.source) & set(entries()), scheme.source


def test_the_list_is_in_order_and_every_entry_has_a_title_and_a_place() -> None:
    assert list(entries()) == sorted(entries())
    assert all(len(text) > 40 for text in entries().values())


def says_where(entry: str) -> bool:
    """Whether an entry ends with its DOI, or says why it has none."""
    return bool(DOI.search(entry) or re.search(r" No DOI: \w.+\.$", entry))


def test_every_entry_has_its_doi_or_says_why_not() -> None:
    assert not says_where("A title. A journal 1(2), 3-4.")
    assert [key for key, text in entries().items() if not says_where(text)] == []


def test_no_two_entries_have_the_same_doi() -> None:
    found = [match.group() for text in entries().values() if (match := DOI.search(text))]
    assert len(found) == len(set(found))


def test_a_doi_stands_in_the_list_alone() -> None:
    written = re.compile(r"\b10\.\d{4,5}/\S|arxiv[:.]\s*\d", re.IGNORECASE)
    assert written.search("see doi 10.1137/0904025")
    assert [str(path) for path in sources() if written.search(path.read_text(encoding="utf-8"))] == []


def test_every_entry_of_the_list_is_cited_somewhere() -> None:
    everything = set().union(*(cited(docstrings(path)) for path in sources()))
    everything |= set().union(*(cited(scheme.source) for scheme in SCHEMES.values()))
    assert set(entries()) - everything == set()
