"""The catalogue of the zoo: complete, and refused where it is wrong."""

import ast
from pathlib import Path

import pytest

from backproof.comparisons.zoo import catalogue
from backproof.scratch.errors import InputError

FOLDER = catalogue.default_folder()
ENTRIES = catalogue.read(FOLDER)
MUTANTS = [entry for entry in ENTRIES if entry.group != "correct"]
CORRECT = [entry for entry in ENTRIES if entry.group == "correct"]


def test_the_zoo_is_as_large_as_it_says() -> None:
    assert len(MUTANTS) >= 120
    assert len(CORRECT) >= 22


def test_every_class_of_the_folder_is_in_the_catalogue() -> None:
    listed = {entry.place for entry in ENTRIES}
    files = [*FOLDER.glob("*_mistakes.py"), FOLDER / "correct.py", *FOLDER.glob("*_forms.py")]
    there = {
        f"{file.name}:{node.name}"
        for file in files
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    }
    assert there == listed - {"student.py:StudentMLP"}


def test_the_catalogue_has_every_number_of_the_known_mistakes() -> None:
    numbers = {entry.number for entry in MUTANTS if entry.number.isdigit()}
    assert numbers == {str(n) for n in (*range(1, 46), *range(53, 81))}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[mutant]]\nplace = 'own.py:A'\nchecks = ['nonsense']\n", "expected some of"),
        ("[[mutant]]\nplace = 'own.py:A'\n", "expected some of"),
        ("[[mutant]]\nplace = 'own.py:B'\nchecks = ['loss']\n", "has no class 'B'"),
        ("[[mutant]]\nplace = 'other.py:A'\nchecks = ['loss']\n", "no file"),
        ("[[mutant\n", "is not TOML"),
    ],
)
def test_a_wrong_catalogue_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "own.py").write_text('class A:\n    """1: a mistake."""\n')
    (tmp_path / catalogue.CATALOGUE).write_text(text)
    with pytest.raises(InputError, match=message):
        catalogue.read(tmp_path)
