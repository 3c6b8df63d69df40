"""What is no computation, and never mutated: messages, annotations, what is raised, what only saves time."""

import ast
import re
from collections.abc import Iterator

# Sizes, periods and widths: other ones give the same result, sooner or later.
_SPEED_ALONE = re.compile(
    r"BLOCK|CHUNK|CACHE|SECONDS|TIMEOUT|PERIOD|WIDTH|COLUMNS|BYTES|MEMORY|__tracebackhide__|^KEPT$", re.I
)
_KEYWORDS = {
    *("timeout", "stacklevel", "indent", "width", "sep", "end", "maxsize", "encoding", "errors", "flush"),
    *("check", "text", "daemon", "exist_ok", "parents", "prefix", "suffix", "newline", "file", "strict"),
    "copy",
}
_FOR_PEOPLE = {"__repr__", "__str__", "_repr_html_", "_repr_markdown_", "main"}


def quiet(tree: ast.Module) -> set[int]:
    """The `id` of every node that is no computation."""
    return {id(child) for node in ast.walk(tree) for root in _inside(node) for child in ast.walk(root)}


def _inside(node: ast.AST) -> Iterator[ast.AST]:
    """The parts of this node that are left alone, with all that is in them."""
    if isinstance(node, ast.Raise | ast.JoinedStr | ast.Import | ast.ImportFrom | ast.Assert):
        yield node
    elif isinstance(node, ast.arg | ast.AnnAssign) and node.annotation:
        yield node.annotation
    elif isinstance(node, ast.FunctionDef):
        yield from [node] if _for_people(node) else [*node.decorator_list, *filter(None, [node.returns])]
    elif isinstance(node, ast.ClassDef):
        yield from node.decorator_list
    elif isinstance(node, ast.Call):
        yield from _in_call(node)
    elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        yield from [node.slice] if isinstance(node.slice.value, str) else []
    elif isinstance(node, ast.IfExp):
        yield from [node] if _is_words(node.body) or _is_words(node.orelse) else []
    elif isinstance(node, ast.If):
        yield from [node] if ast.unparse(node.test) in {"TYPE_CHECKING", "__name__ == '__main__'"} else []
    elif isinstance(node, ast.Assign):
        yield from [node.value] if _SPEED_ALONE.search(" ".join(map(ast.unparse, node.targets))) else []


def _in_call(node: ast.Call) -> Iterator[ast.AST]:
    name = ast.unparse(node.func).split(".")[-1]
    if name.startswith("expect") or name in {"cast", "round", "TypeVar", "InputError"}:
        yield from node.args[1:]
    yield from (keyword.value for keyword in node.keywords if keyword.arg in _KEYWORDS)


def _for_people(node: ast.FunctionDef) -> bool:
    """A function that writes sentences."""
    writes = any(isinstance(part, ast.JoinedStr) or _is_words(part) for part in ast.walk(node))
    text = node.returns is not None and ast.unparse(node.returns) in {"str", "list[str]", "tuple[str, ...]"}
    return node.name in _FOR_PEOPLE or (text and writes)


def _is_words(node: ast.AST) -> bool:
    """A text with a space in it, or none at all; how much is logged."""
    if isinstance(node, ast.JoinedStr) or ast.unparse(node).startswith("logging."):
        return True
    value = node.value if isinstance(node, ast.Constant) else None
    return isinstance(value, str) and (not value or " " in value)
