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
    return [path for folder in ("scratch", "reference") for path in sorted((ROOT / folder).glob("*.py"))]


def cited(text: str) -> set[str]:
    return set(CITATION.findall(text))


def test_citations_are_found_in_a_text() -> None:
    text = "as in (Ridders 1982; Press et al. 2007, section 5.7) and Kingma, Ba 2015, or in 2,015 steps"
    assert cited(text) == {"Ridders 1982", "Press et al. 2007", "Kingma, Ba 2015"}


@pytest.mark.parametrize("path", sources(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_whatever_a_docstring_cites_is_in_the_list(path: Path) -> None:
    if path.name == "references.py":
        return
    assert cited(docstrings(path)) <= set(entries())


def test_the_source_of_every_scheme_is_in_the_list() -> None:
    for scheme in SCHEMES.values():
        assert cited(scheme.source) & set(entries()), scheme.source


def test_the_list_is_in_order_and_every_entry_has_a_title_and_a_place() -> None:
    assert list(entries()) == sorted(entries())
    for key, text in entries().items():
        assert len(text) > 40, key
        if "doi:" in text:
            assert DOI.search(text), key
