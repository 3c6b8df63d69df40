"""Which sums the bounds are made of: every addition in a module, function by function."""

import ast
import inspect
from types import ModuleType


def additions(module: ModuleType) -> dict[str, int]:
    """How often each function or method of the module adds, those inside it included; without the zeros."""
    found: dict[str, int] = {}
    for name, node in _functions(ast.parse(inspect.getsource(module)), ""):
        count = sum(_adds(part) for part in ast.walk(node))
        if count:
            found[name] = count
    return found


def home_of(module: ModuleType, text: str) -> str:
    """The function or method of the module whose source holds this text."""
    source = inspect.getsource(module)
    for name, node in _functions(ast.parse(source), ""):
        if text in (ast.get_source_segment(source, node) or ""):
            return name
    raise AssertionError(f"{module.__name__} has no function with {text!r}")


def _functions(tree: ast.AST, prefix: str) -> list[tuple[str, ast.AST]]:
    found: list[tuple[str, ast.AST]] = []
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef):
            found.append((prefix + node.name, node))
        elif isinstance(node, ast.ClassDef):
            found += _functions(node, f"{node.name}.")
    return found


def _adds(node: ast.AST) -> bool:
    return isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Add)
