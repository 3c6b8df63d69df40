"""Contenders by name: known ones are made, others are refused, and nothing is imported early."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from backproof.comparisons.contenders import registry
from backproof.comparisons.contenders.known import KNOWN
from backproof.comparisons.contenders.scratch_mlp import ScratchMLP
from backproof.reference.contender import Contender
from backproof.scratch.errors import InputError

OWN = """
import neighbour

class Mine(neighbour.Base):
    pass
"""


@pytest.mark.parametrize("name", ["scratch", "torch"])
def test_a_known_contender_offers_every_method(name: str) -> None:
    assert isinstance(registry.create(name), Contender)


def test_every_contender_is_a_new_one() -> None:
    assert registry.create("scratch") is not registry.create("scratch")


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"expected one of scratch, torch, jax, tensorflow, sklearn.*'tf'"):
        registry.create("tf")


def test_a_framework_that_is_not_installed_is_refused_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(KNOWN, "jax", replace(KNOWN["jax"], package="no_such_package"))
    with pytest.raises(InputError, match="jax is not installed here; run: python -m pip install jax"):
        registry.create("jax")


def test_a_class_of_an_importable_module_is_a_contender() -> None:
    name = "backproof.comparisons.contenders.scratch_mlp:ScratchMLP"
    assert isinstance(registry.create(name), Contender)
    assert isinstance(registry.here(name), ScratchMLP)


def test_a_class_of_a_file_is_found_with_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(OWN)
    (tmp_path / "neighbour.py").write_text("class Base: pass\n")
    assert registry.load_class(f"{tmp_path / 'own.py'}:Mine").__name__ == "Mine"


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("no/such/file.py:Mine", "no file"),
        ("no.such.module:Mine", r"no module no\.such\.module"),
        (
            "backproof.comparisons.contenders.scratch_mlp:Missing",
            "has no class Missing; its classes: ScratchMLP",
        ),
        ("backproof.comparisons.contenders.scratch_mlp:np", "has no class np"),
        ("backproof.comparisons.contenders.scratch_mlp:", "expected module:Class or"),
        (":Mine", "expected module:Class or"),
    ],
)
def test_a_reference_to_nothing_is_refused(reference: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        registry.load_class(reference)


def test_an_import_error_inside_a_named_module_is_not_blamed_on_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "needs_more.py").write_text("import no_such_package\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InputError, match=r"cannot be imported .*No module named 'no_such_package'"):
        registry.load_class("needs_more:Mine")


def test_checking_a_name_imports_no_framework() -> None:
    code = (
        "import sys; from backproof.comparisons.contenders import registry; "
        "registry.check('torch'); registry.create('scratch'); "
        "print([name for name in ('torch', 'jax', 'tensorflow', 'sklearn') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("class Mine(:\n", "SyntaxError"),
        ("import not_there\n", "ModuleNotFoundError: No module named 'not_there'"),
        ("import sys\nsys.exit(0)\n", "SystemExit: 0"),
    ],
)
def test_a_file_that_cannot_be_imported_is_refused_in_one_sentence(
    tmp_path: Path, text: str, said: str
) -> None:
    (tmp_path / "broken_mine.py").write_text(text)
    with pytest.raises(InputError, match=rf"^contender: .*cannot be imported \({said}"):
        registry.create(f"{tmp_path / 'broken_mine.py'}:Mine")
