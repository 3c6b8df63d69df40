"""The figure of the code: it changes with every source that a unit runs through, and with the libraries."""

from pathlib import Path

import pytest

from backproof.comparisons.accuracy.code_version import code_version, sources
from backproof.comparisons.running import environment


def test_it_is_stable_and_differs_between_contenders() -> None:
    assert code_version("scratch") == code_version("scratch") != code_version("torch")


def test_a_file_of_ones_own_counts(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("class MLP: pass\n")
    before = code_version(f"{path}:MLP")
    path.write_text("class MLP: x = 1\n")
    assert code_version(f"{path}:MLP") != before


@pytest.mark.parametrize(
    ("line", "beside"),
    [
        ("import helper", "helper.py"),
        ("from helper import layers", "helper.py"),
        ("from parts import helper", "parts/helper.py"),
        ("import parts.helper", "parts/helper.py"),
        ("def train():\n    import helper", "helper.py"),
    ],
)
def test_what_a_file_of_ones_own_imports_from_beside_it_counts(
    tmp_path: Path, line: str, beside: str
) -> None:
    (tmp_path / "mine.py").write_text(line + "\nclass MLP: pass\n")
    helper = tmp_path / beside
    helper.parent.mkdir(exist_ok=True)
    helper.write_text("layers = 1\n")
    before = code_version(f"{tmp_path / 'mine.py'}:MLP")
    helper.write_text("layers = 2\n")
    assert code_version(f"{tmp_path / 'mine.py'}:MLP") != before


def test_files_that_nobody_imports_do_not_count(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("class MLP: pass\n")
    before = code_version(f"{tmp_path / 'mine.py'}:MLP")
    (tmp_path / "other.py").write_text("x = 1\n")
    assert code_version(f"{tmp_path / 'mine.py'}:MLP") == before


@pytest.mark.parametrize(
    "name",
    [
        "backproof.comparisons.accuracy.unit",
        "backproof.comparisons.data.dataset",
        "backproof.reference.contender",
        "backproof.reference.torch_mlp",
        "backproof.scratch.architecture",
        "backproof.scratch.initializers",
        "backproof.scratch.training",
    ],
)
def test_every_module_that_a_unit_imports_counts(name: str) -> None:
    assert name in sources("torch").texts


def test_what_scratch_is_made_of_counts_for_scratch() -> None:
    """All of the network's modules, though the unit imports the adapter alone."""
    names = ("network", "losses", "activations", "optimizers")
    assert {f"backproof.scratch.{name}" for name in names} <= set(sources("scratch").texts)


def test_modules_of_a_contenders_own_package_count() -> None:
    assert "tests.support.accuracy_contenders" in sources("tests.support.accuracy_contenders:Faithful").texts


def test_the_library_below_a_contender_counts_by_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {name: code_version(name) for name in ("torch", "scratch")}
    real = environment.version
    monkeypatch.setattr(environment, "version", lambda name: "9.9" if name == "torch" else real(name))
    assert code_version("torch") != before["torch"]
    assert code_version("scratch") == before["scratch"]


def test_the_library_of_a_contender_of_ones_own_counts(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("import torch\nclass MLP: pass\n")
    assert "torch" in sources(f"{tmp_path / 'mine.py'}:MLP").distributions


def test_a_file_that_is_no_python_still_has_a_figure(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("class MLP(:\n")
    assert len(code_version(f"{tmp_path / 'mine.py'}:MLP")) == 16
