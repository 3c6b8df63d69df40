"""`Mutant`: one mistake in one place, as the lines that are there and the lines that stand in their place.

A mutant is known by its text, not by the number of its line: it outlives changes elsewhere in the file, and
one whose own lines have changed is noticed (`MovedError`).
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from tests.mutation.operators import OPERATORS, Operator, default, number
from tests.mutation.quiet import quiet


class MovedError(ValueError):
    """The lines that a mutant changes are no longer in the file."""


@dataclass(frozen=True)
class Mutant:
    """One mistake in one file."""

    path: str
    function: str  # the outermost function, with its class; empty in the body of a module
    operator: str
    what: str
    old: str  # whole lines
    new: str
    nth: int = 0  # of the places where these lines are

    @property
    def key(self) -> str:
        """A name that outlives changes elsewhere in the file."""
        place = f" #{self.nth}" if self.nth else ""
        return f"{self.path}{place}: {_flat(self.old)} -> {_flat(self.new)}"


def mutants(path: str, source: str) -> list[Mutant]:
    """Every mutant of a module's source, in the order of its lines; what looks the same is given once."""
    tree = ast.parse(source)
    left_alone, defaults, lines = quiet(tree), _defaults(tree), source.splitlines()
    found: dict[str, Mutant] = {}
    for function, node in _with_function(tree):
        if id(node) in left_alone:
            continue
        for operator in _fitting(node, defaults):
            for what, other in operator(node):
                mutant = _mutant(lines, node, other, (path, function, operator.__name__, what))
                found.setdefault(mutant.key, mutant)
    return list(found.values())


def line_of(mutant: Mutant, source: str) -> int:
    """The number of the first line that it changes, from 1; raises MovedError where it is gone."""
    places = _places(source.split("\n"), mutant.old.split("\n"))
    if len(places) <= mutant.nth:
        raise MovedError(mutant.key)
    return places[mutant.nth] + 1


def planted(mutant: Mutant, source: str) -> str:
    """The source with this mistake; raises MovedError where its lines are gone."""
    lines, start = source.split("\n"), line_of(mutant, source) - 1
    lines[start : start + len(mutant.old.split("\n"))] = mutant.new.split("\n")
    return "\n".join(lines)


def _mutant(lines: list[str], node: ast.AST, other: ast.AST, named: tuple[str, str, str, str]) -> Mutant:
    target = node.test if isinstance(node, ast.If) else node
    assert isinstance(target, ast.expr | ast.stmt)
    assert target.end_lineno
    assert target.end_col_offset
    first, last = target.lineno - 1, target.end_lineno - 1
    before, after = _cut(lines[first], target.col_offset)[0], _cut(lines[last], target.end_col_offset)[1]
    old = "\n".join(lines[first : last + 1])
    nth = _places(lines, old.split("\n")).index(first)
    return Mutant(*named, old, before + _text(other) + after, nth)


def _cut(line: str, at: int) -> tuple[str, str]:
    """The line in two; the syntax tree counts bytes."""
    encoded = line.encode()
    return encoded[:at].decode(), encoded[at:].decode()


def _text(node: ast.AST) -> str:
    text = ast.unparse(ast.fix_missing_locations(node))
    binds = ast.BinOp | ast.BoolOp | ast.Compare | ast.UnaryOp | ast.IfExp | ast.Lambda
    return f"({text})" if isinstance(node, binds) else text


def _places(lines: list[str], old: list[str]) -> list[int]:
    """Where these lines stand, by index."""
    return [i for i, line in enumerate(lines) if line == old[0] and lines[i : i + len(old)] == old]


def _flat(lines: str) -> str:
    return " ".join(line.strip() for line in lines.split("\n"))


def _fitting(node: ast.AST, defaults: set[int]) -> tuple[Operator, ...]:
    """A constant that is a default is mutated as one."""
    other = number if id(node) in defaults else default
    return tuple(operator for operator in OPERATORS if operator is not other)


def _defaults(tree: ast.Module) -> set[int]:
    """Defaults of parameters and of fields."""
    found: list[ast.expr | None] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.arguments):
            found += [*node.defaults, *node.kw_defaults]
        elif isinstance(node, ast.ClassDef):
            found += [part.value for part in node.body if isinstance(part, ast.AnnAssign)]
    return {id(node) for node in found if node is not None}


def _with_function(tree: ast.AST, function: str = "") -> Iterator[tuple[str, ast.AST]]:
    """Every node in the order of the text, with the outermost function that it is in."""
    for node in ast.iter_child_nodes(tree):
        name = function
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not function.endswith("()"):
            name = f"{function}{node.name}" + ("." if isinstance(node, ast.ClassDef) else "()")
        yield name.removesuffix("()").removesuffix("."), node
        yield from _with_function(node, name)
