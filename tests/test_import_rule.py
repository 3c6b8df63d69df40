"""The walls of the house: imports point one way, nothing goes in a circle, no framework comes uninvited.

    scratch <- reference <- comparisons <- tests
    in comparisons:  base rooms <- experiment <- questions <- report <- main_job <- commands <- cli

Read from the source with `ast`, so that an import inside a function counts as well; whether an import at the
top really stays away is seen in a fresh process.
"""

import ast
import shutil
import subprocess
import sys
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("scratch", "reference", "comparisons")
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
# What the references share with scratch: data (a network, a problem), and how bad input is refused.
SHARED = ("backproof.scratch.architecture.", "backproof.scratch.errors.", "backproof.scratch.problem.")

BASE = ("contenders", "data", "drawing", "results", "running", "verdicts")
QUESTIONS = (
    "accuracy",
    "batches",
    "check",
    "compare",
    "gradients",
    "lessons",
    "numerical",
    "race",
    "record",
    "speed",
    "zoo",
)
FLOORS = (
    {*BASE},
    {"experiment"},
    {*QUESTIONS},
    {"report"},
    {"api", "main_job"},
    {"commands"},
    {"cli"},
    {"__main__"},
)
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
MOST_MODULES = 6  # directly in comparisons/
BY_ITSELF = "backproof.scratch"


def sources(folder: str) -> list[Path]:
    """The modules under a folder, without those that students might have written."""
    return [path for path in sorted((ROOT / folder).rglob("*.py")) if "mutants" not in path.parts]


def name_of(path: Path) -> str:
    """The import name of a module of ours."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(("backproof", *(parts[:-1] if parts[-1] == "__init__" else parts)))


def imports(source: str, top_level_only: bool = False, package: str = "") -> set[str]:
    """The dotted names that a source text imports; `from a import b` counts as a and as a.b.

    `from .a import b` is package.a and package.a.b, and is allowed in scratch alone, which stands by itself.
    """
    tree = ast.parse(source)
    found = set()
    for node in _top_level(tree) if top_level_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level <= (package == BY_ITSELF), "relative import: expected an absolute name"
            module = f"{package}.{node.module}" if node.level else str(node.module)
            found |= {module} | {f"{module}.{alias.name}" for alias in node.names}
    return found


def imports_of(path: Path, top_level_only: bool = False) -> set[str]:
    """The same for a module of ours."""
    package = name_of(path).rpartition(".")[0]
    return imports(path.read_text(encoding="utf-8"), top_level_only, package)


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
    """`scratch` for backproof.scratch.losses, `numpy` for numpy.linalg."""
    ours = name.removeprefix("backproof.")
    return ours.partition(".")[0]


def modules(*folders: str) -> dict[str, Path]:
    return {name_of(path): path for folder in folders for path in sources(folder)}


def arrows(known: Mapping[str, Path], sources_of: Mapping[str, str]) -> dict[str, set[str]]:
    """For every module, those of `known` that it imports, anywhere in its text."""
    found = {}
    for name in known:
        package = name.rpartition(".")[0]
        found[name] = (imports(sources_of[name], package=package) & set(known)) - {name, package}
    return found


def circle(graph: Mapping[str, set[str]]) -> list[str]:
    """One circle of the graph, or nothing."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def room(name: str) -> str:
    """The folder, or the module, directly in comparisons that a name belongs to."""
    return name.removeprefix("backproof.comparisons.").partition(".")[0]


def upward(graph: Mapping[str, set[str]]) -> set[str]:
    """Arrows from a lower floor of comparisons to a higher one."""
    inside = [name for name in graph if name.startswith("backproof.comparisons.")]
    return {
        f"{name} imports {other}"
        for name in inside
        for other in graph[name]
        if other in inside and FLOOR[room(other)] > FLOOR[room(name)]
    }


def foreign_files(source: str, own: str) -> set[str]:
    """Names of other packages of ours whose files a text reads: files("backproof.x"), PackageLoader(...)."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in {"files", "PackageLoader"}:
            found |= {a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)}
        if isinstance(node, ast.Attribute) and node.attr == "parents" and "__file__" in ast.unparse(node):
            found.add(ast.unparse(node))
    return {name for name in found if name != own}


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


def test_a_relative_import_is_read_by_its_whole_name_and_refused_outside_scratch() -> None:
    assert imports("from .errors import expect", package=BY_ITSELF) == {
        "backproof.scratch.errors",
        "backproof.scratch.errors.expect",
    }
    with pytest.raises(AssertionError, match="relative import"):
        imports("from .known import names", package="backproof.comparisons.contenders")
    with pytest.raises(AssertionError, match="relative import"):
        imports("from ..reference import program", package=BY_ITSELF)


def test_the_folder_scratch_works_by_itself_under_another_name(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "scratch", tmp_path / "mine", ignore=shutil.ignore_patterns("__pycache__"))
    names = sorted(path.stem for path in sources("scratch") if path.stem != "__init__")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        + "".join(f"import mine.{name}\n" for name in names)
        + "print(*(name for name in sys.modules if name.startswith('backproof.')))"
    )
    process = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert process.stdout.strip() == ""


def test_the_reader_of_top_level_imports_leaves_out_what_runs_later_or_never() -> None:
    source = "import a\nif TYPE_CHECKING:\n import b\ndef f():\n import c\ntry:\n import d\nfinally:\n pass"
    assert imports(source, top_level_only=True) == {"a", "d"}


def test_the_searches_find_a_circle_an_arrow_up_and_a_file_read_next_door() -> None:
    known = {f"backproof.comparisons.{name}": Path() for name in ("data.idx", "report.page")}
    texts = dict(zip(known, ("def f(): from backproof.comparisons.report import page", "x = 1"), strict=True))
    graph = arrows(known, texts)
    assert upward(graph) == {"backproof.comparisons.data.idx imports backproof.comparisons.report.page"}
    assert circle(graph) == []
    back = {**texts, "backproof.comparisons.report.page": "from backproof.comparisons.data.idx import f"}
    assert set(circle(arrows(known, back))) == set(known)
    reads = 'files("backproof.comparisons.zoo").joinpath("x"); Path(__file__).parents[2]'
    assert foreign_files(reads, "backproof.comparisons.data") == {
        "backproof.comparisons.zoo",
        "Path(__file__).parents",
    }


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_packages_import_in_one_direction(package: str) -> None:
    wrong = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources(package)
        for name in imports_of(path)
        if package_of(name) in {*PACKAGES, "tests"} and package_of(name) not in MAY_IMPORT[package]
    }
    assert wrong == set()


@pytest.mark.parametrize("folder", [*PACKAGES, "tests"])
def test_nothing_is_imported_under_a_name_that_a_user_may_have_for_his_own(folder: str) -> None:
    wrong = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources(folder)
        for name in imports_of(path)
        if name.partition(".")[0] in PACKAGES
    }
    assert wrong == set()


def test_no_import_goes_in_a_circle() -> None:
    known = modules(*PACKAGES)
    graph = arrows(known, {name: path.read_text(encoding="utf-8") for name, path in known.items()})
    assert circle(graph) == []


def test_no_import_goes_up_a_floor() -> None:
    known = modules("comparisons")
    graph = arrows(known, {name: path.read_text(encoding="utf-8") for name, path in known.items()})
    assert upward(graph) == set()


def test_every_room_of_comparisons_has_its_floor_and_few_modules_stand_in_the_hall() -> None:
    rooms = {path.stem for path in (ROOT / "comparisons").iterdir() if path.suffix == ".py" or path.is_dir()}
    assert rooms - {"__init__", "__pycache__"} == set(FLOOR)
    assert len(list((ROOT / "comparisons").glob("*.py"))) <= MOST_MODULES


def test_no_module_reads_the_files_of_another_folder() -> None:
    wrong = {
        f"{path.relative_to(ROOT)} reads {name}"
        for folder in PACKAGES
        for path in sources(folder)
        for name in foreign_files(path.read_text(encoding="utf-8"), name_of(path).rpartition(".")[0])
    }
    assert wrong == set()


def test_scratch_imports_numpy_and_the_standard_library_alone() -> None:
    allowed = {"scratch", "numpy", *sys.stdlib_module_names}
    wrong = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources("scratch")
        for name in imports_of(path)
        if package_of(name) not in allowed
    }
    assert wrong == set()


def test_the_references_take_only_descriptions_from_scratch_and_none_of_its_numerics() -> None:
    wrong = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources("reference")
        for name in imports_of(path)
        if package_of(name) == "scratch" and not f"{name}.".startswith(SHARED)
    }
    assert wrong == set()


def test_a_framework_is_imported_at_the_top_of_a_reference_or_a_single_lesson_only() -> None:
    # A lesson's module is loaded when that lesson is asked for, as a reference's is.
    wrong = {
        f"{path.relative_to(ROOT)} imports {name}"
        for package in ("scratch", "comparisons")
        for path in sources(package)
        for name in imports_of(path, top_level_only=True)
        if package_of(name) in FRAMEWORKS and path.parent.name != "lessons"
    }
    assert wrong == set()


def test_command_modules_import_no_more_than_typer_at_the_top() -> None:
    allowed = {"comparisons", "scratch", "typer", *sys.stdlib_module_names}
    wrong = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in [*sources("comparisons/commands"), ROOT / "comparisons" / "cli.py"]
        for name in imports_of(path, top_level_only=True)
        if package_of(name) not in allowed
    }
    assert wrong == set()


def modules_after(statement: str) -> set[str]:
    """The packages that a fresh interpreter has loaded after `statement`; ours by the name of the folder."""
    code = f"import sys\n{statement}\nprint(*sys.modules)"
    process = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    return {package_of(name) for name in process.stdout.split()}


def test_importing_the_whole_of_scratch_needs_numpy_alone() -> None:
    names = ", ".join(name for name in modules("scratch"))
    loaded = modules_after(f"import {names}")
    others = {"scipy", "rich", "typer", "pooch", "plotly", "comparisons", "reference"}
    assert loaded & (FRAMEWORKS | others) == set()


def test_importing_the_packages_loads_no_framework() -> None:
    statement = (
        "import backproof.reference.contender, backproof.comparisons.contenders.registry, "
        "backproof.comparisons.experiment, backproof.comparisons.main_job"
    )
    assert modules_after(statement) & FRAMEWORKS == set()


def test_importing_backproof_loads_the_standard_library_alone() -> None:
    assert modules_after("import backproof") <= {
        "backproof",
        *modules_after("pass"),
        *sys.stdlib_module_names,
    }


def test_the_command_line_starts_without_numpy() -> None:
    assert "numpy" not in modules_after("from backproof.comparisons.cli import make_app; make_app()")
