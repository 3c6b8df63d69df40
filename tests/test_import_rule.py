"""Imports point one way, scratch <- reference <- comparisons <- tests, and no framework comes uninvited.

Read from the source with `ast`, so that an import inside a function counts as well; whether an import at the
top really stays away is seen in a fresh process.
"""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = ("scratch", "reference", "comparisons", "tests")
MAY_IMPORT = {
    "scratch": {"scratch"},
    "reference": {"scratch", "reference"},
    "comparisons": {"scratch", "reference", "comparisons"},
}
FRAMEWORKS = {
    "torch",
    "jax",
    "jaxlib",
    "tensorflow",
    "keras",
    "sklearn",
    "dask",
    "distributed",
    "tensorboard",
}


def sources(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imports(source: str, top_level_only: bool = False) -> set[str]:
    """The dotted names that a source text imports; `from a import b` counts as a and as a.b."""
    tree = ast.parse(source)
    found = set()
    for node in _top_level(tree) if top_level_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import: the rule is read from absolute names"
            found |= {str(node.module)} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _top_level(tree: ast.Module) -> list[ast.AST]:
    """Statements that run on import: the module's own and those under its ifs and trys, no type-only ones."""
    found: list[ast.AST] = []
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        found.append(node)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.If | ast.Try | ast.With | ast.ClassDef):
            waiting += list(ast.iter_child_nodes(node))
    return found


def package_of(name: str) -> str:
    return name.partition(".")[0]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import a.b, c", {"a.b", "c"}),
        ("from a.b import c", {"a.b", "a.b.c"}),
        ("def f():\n    import hidden", {"hidden"}),
        ("try:\n    import a\nexcept ImportError:\n    import b", {"a", "b"}),
    ],
)
def test_the_reader_of_imports_sees_them_wherever_they_are(source: str, expected: set[str]) -> None:
    assert imports(source) == expected


def test_the_reader_of_top_level_imports_leaves_out_what_runs_later_or_never() -> None:
    source = "import a\nif TYPE_CHECKING:\n import b\ndef f():\n import c\ntry:\n import d\nfinally:\n pass"
    assert imports(source, top_level_only=True) == {"a", "d"}


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_packages_import_in_one_direction(package: str) -> None:
    wrong = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources(package)
        for name in imports(path.read_text(encoding="utf-8"))
        if package_of(name) in OURS and package_of(name) not in MAY_IMPORT[package]
    }
    assert wrong == set()


def test_scratch_imports_numpy_and_the_standard_library_alone() -> None:
    allowed = {"scratch", "numpy", *sys.stdlib_module_names}
    wrong = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources("scratch")
        for name in imports(path.read_text(encoding="utf-8"))
        if package_of(name) not in allowed
    }
    assert wrong == set()


def test_the_references_take_only_data_types_from_scratch() -> None:
    wrong = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources("reference")
        for name in imports(path.read_text(encoding="utf-8"))
        if package_of(name) == "scratch" and not f"{name}.".startswith("scratch.architecture.")
    }
    assert wrong == set()


def test_a_framework_is_imported_at_the_top_of_a_reference_or_a_single_lesson_only() -> None:
    # A lesson's module is loaded when that lesson is asked for, as a reference's is.
    wrong = {
        f"{path.relative_to(ROOT)} imports {name}"
        for package in ("scratch", "comparisons")
        for path in sources(package)
        for name in imports(path.read_text(encoding="utf-8"), top_level_only=True)
        if package_of(name) in FRAMEWORKS and path.parent.name != "lessons"
    }
    assert wrong == set()


def test_command_modules_import_no_more_than_typer_at_the_top() -> None:
    allowed = {"comparisons", "typer", *sys.stdlib_module_names}
    wrong = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in [*sources("comparisons/commands"), ROOT / "comparisons" / "cli.py"]
        for name in imports(path.read_text(encoding="utf-8"), top_level_only=True)
        if package_of(name) not in allowed
    }
    assert wrong == set()


def modules_after(statement: str) -> set[str]:
    """The top-level packages that a fresh interpreter has loaded after `statement`."""
    code = f"import sys\n{statement}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    return set(process.stdout.split())


def test_importing_the_whole_of_scratch_needs_numpy_alone() -> None:
    names = ", ".join(f"scratch.{path.stem}" for path in sources("scratch") if path.stem != "__init__")
    loaded = modules_after(f"import {names}")
    assert (
        loaded & (FRAMEWORKS | {"scipy", "rich", "typer", "pooch", "plotly", "comparisons", "reference"})
        == set()
    )


def test_importing_the_packages_loads_no_framework() -> None:
    statement = (
        "import reference, reference.contender, comparisons.registry, comparisons.plan, comparisons.runner"
    )
    assert modules_after(statement) & FRAMEWORKS == set()


def test_the_command_line_starts_without_numpy() -> None:
    assert "numpy" not in modules_after("from comparisons.cli import make_app; make_app()")
