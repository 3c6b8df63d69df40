"""Which options a call may do without: those whose parameter has a default, as the project's source says."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("scratch", "reference", "comparisons")
# Options of NumPy, SciPy and Python that change what is computed.
OF_LIBRARIES = {
    *("axis", "keepdims", "dtype", "ddof", "initial", "where", "default", "key", "reverse", "alternative"),
    *("endpoint", "side", "replace", "p", "method", "nan", "posinf", "neginf", "rtol", "atol", "equal_nan"),
    *("start", "minlength", "return_counts", "return_index", "return_inverse", "ord", "loc", "scale"),
}


@dataclass(frozen=True)
class _Parameters:
    """Of one function or class."""

    optional: set[str]
    required: set[str]


def may_be_left_out(function: str, keyword: str) -> bool:
    """Whether a call of a function of this name runs without the keyword."""
    known = _signatures().get(function, [])
    optional = keyword in OF_LIBRARIES or any(keyword in one.optional for one in known)
    return optional and not any(keyword in one.required for one in known)


@cache
def _signatures() -> dict[str, list[_Parameters]]:
    """The parameters of every function, method and class that has this name."""
    found: dict[str, list[_Parameters]] = {}
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "mutants" not in path.parts:
                for name, parameters in _of(ast.parse(path.read_text(encoding="utf-8"))):
                    found.setdefault(name, []).append(parameters)
    return found


def _of(tree: ast.Module) -> Iterator[tuple[str, _Parameters]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            yield node.name, _of_function(node.args)
        elif isinstance(node, ast.ClassDef):
            yield node.name, _of_class(node)


def _of_class(node: ast.ClassDef) -> _Parameters:
    """Those of its `__init__`, or the fields."""
    for part in node.body:
        if isinstance(part, ast.FunctionDef) and part.name == "__init__":
            return _of_function(part.args)
    fields = [part for part in node.body if isinstance(part, ast.AnnAssign)]
    optional = {ast.unparse(field.target) for field in fields if field.value}
    return _Parameters(optional, {ast.unparse(field.target) for field in fields} - optional)


def _of_function(given: ast.arguments) -> _Parameters:
    optional = _with_default(given)
    every = {one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)}
    return _Parameters(optional, every - optional)


def _with_default(given: ast.arguments) -> set[str]:
    positional = [*given.posonlyargs, *given.args]
    optional = positional[len(positional) - len(given.defaults) :]
    named = (one for one, value in zip(given.kwonlyargs, given.kw_defaults, strict=True) if value is not None)
    return {one.arg for one in (*optional, *named)}
