"""The mistakes that are planted: a term left out, a sign, an axis, a seed, an option not passed on.

Every operator takes one node of a module's syntax tree and yields what could stand in its place. Each is a
mistake that a person makes in numerical code and that changes what is computed; spelling, messages, types
and docstrings are left alone.
"""

import ast
import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

Operator = Callable[[ast.AST], Iterator[tuple[str, ast.AST]]]

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_PAIRS = (("min", "max"), ("minimum", "maximum"), ("argmin", "argmax"), ("any", "all"), ("fmin", "fmax"))
_OPPOSITES = {**dict(_PAIRS), **{there: here for here, there in _PAIRS}}
_WORDS = {"axis": {0: 1, 1: 0, -1: 0, 2: 1}, "ddof": {0: 1, 1: 0}}


def left_out(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """One term of a sum, or one factor of a product."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub | ast.Mult | ast.Div | ast.Pow):
        kind = "term" if isinstance(node.op, ast.Add | ast.Sub) else "factor"
        yield f"{kind} left out: {_short(node.right)}", node.left
        if isinstance(node.op, ast.Add | ast.Mult):
            yield f"{kind} left out: {_short(node.left)}", node.right


def sign(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """A sign the other way, a product for a quotient."""
    swapped = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}
    if isinstance(node, ast.BinOp) and type(node.op) in swapped:
        yield "operator", ast.BinOp(node.left, swapped[type(node.op)](), node.right)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not | ast.Invert):
        yield "sign or negation dropped", node.operand


def comparison(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """A comparison that takes or leaves the boundary; `and` for `or`."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _COMPARISONS:
        yield "comparison", ast.Compare(node.left, [_COMPARISONS[type(node.ops[0])]()], node.comparators)
    if isinstance(node, ast.BoolOp):
        yield "and/or", ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)


def opposite(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """The largest where the smallest belongs, any for all."""
    if isinstance(node, ast.Call):
        function = copy.deepcopy(node.func)
        if isinstance(function, ast.Name) and function.id in _OPPOSITES:
            function.id = _OPPOSITES[function.id]
        elif isinstance(function, ast.Attribute) and function.attr in _OPPOSITES:
            function.attr = _OPPOSITES[function.attr]
        else:
            return
        yield (
            f"{ast.unparse(function)} for {ast.unparse(node.func)}",
            ast.Call(function, node.args, node.keywords),
        )


def number(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """A constant that is a little off: one more, or twice as much."""
    if not isinstance(node, ast.Constant):
        return
    value = node.value
    if isinstance(value, bool):
        yield f"{value} becomes {not value}", ast.Constant(not value)
    elif isinstance(value, int | float):
        other = value + 1 if isinstance(value, int) else value * 2 or 1.0
        yield f"{value!r} becomes {other!r}", ast.Constant(other)


def option(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """An option not passed on; another axis."""
    if not isinstance(node, ast.Call):
        return
    for i, keyword in enumerate(node.keywords):
        if keyword.arg is None:
            continue
        rest = [*node.keywords[:i], *node.keywords[i + 1 :]]
        yield f"{keyword.arg} not passed on", ast.Call(node.func, node.args, rest)
        others = _WORDS.get(keyword.arg, {})
        value = keyword.value.value if isinstance(keyword.value, ast.Constant) else None
        if isinstance(value, int) and value in others:
            changed = ast.keyword(keyword.arg, ast.Constant(others[value]))
            keywords = [*node.keywords[:i], changed, *node.keywords[i + 1 :]]
            yield f"another {keyword.arg}", ast.Call(node.func, node.args, keywords)


def seed(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """A generator that is not given its seed."""
    if not isinstance(node, ast.Call) or not node.args or isinstance(node.args[0], ast.Constant):
        return
    if ast.unparse(node.func).split(".")[-1] in {"default_rng", "SeedSequence"}:
        yield "seed ignored", ast.Call(node.func, [ast.Constant(0)], node.keywords)


def statement(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """A step that is not taken."""
    effects = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    if effects or isinstance(node, ast.AugAssign):
        yield f"not done: {_short(node)}", ast.Pass()


OPERATORS: tuple[Operator, ...] = (left_out, sign, comparison, opposite, number, option, seed, statement)


@dataclass(frozen=True)
class Mutant:
    """One mistake in one file: at which node, numbered in the order of `ast.walk`, and what it is."""

    path: str
    line: int
    node: int
    operator: str
    which: int  # of the operator's alternatives for this node
    what: str

    @property
    def key(self) -> str:
        """A name that outlives changes elsewhere in the file."""
        return f"{self.path}: {self.operator}: {self.what}"


def mutants(path: str, source: str) -> list[Mutant]:
    """Every mutant of a module's source, in the order of its lines."""
    tree = ast.parse(source)
    quiet = _not_computed(tree)
    found = [
        Mutant(path, getattr(node, "lineno", 0), index, operator.__name__, which, what)
        for index, node in enumerate(ast.walk(tree))
        if id(node) not in quiet
        for operator in OPERATORS
        for which, (what, _) in enumerate(operator(node))
    ]
    return sorted(found, key=lambda mutant: (mutant.line, mutant.node))


def planted(mutant: Mutant, source: str) -> str:
    """The source with this mistake."""
    tree = ast.parse(source)
    target = list(ast.walk(tree))[mutant.node]
    operator = next(one for one in OPERATORS if one.__name__ == mutant.operator)
    _, other = list(operator(target))[mutant.which]
    return ast.unparse(ast.fix_missing_locations(_Replace(target, other).visit(tree)))


class _Replace(ast.NodeTransformer):
    def __init__(self, target: ast.AST, other: ast.AST) -> None:
        self.target, self.other = target, other

    def visit(self, node: ast.AST) -> ast.AST:
        return self.other if node is self.target else self.generic_visit(node)


def _not_computed(tree: ast.Module) -> set[int]:
    """What is no computation: messages, annotations, decorators, what is raised."""
    quiet: set[int] = set()
    for node in ast.walk(tree):
        inside: Sequence[ast.AST] = []
        if isinstance(node, ast.Raise | ast.JoinedStr | ast.Import | ast.ImportFrom | ast.Assert):
            inside = [node]
        elif isinstance(node, ast.arg | ast.AnnAssign) and node.annotation:
            inside = [node.annotation]
        elif isinstance(node, ast.FunctionDef):
            inside = [*node.decorator_list, *([node.returns] if node.returns else [])]
        elif isinstance(node, ast.ClassDef):
            inside = [*node.decorator_list]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1].startswith("expect"):
            inside = node.args[1:]
        elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            inside = [node.slice] if isinstance(node.slice.value, str) else []
        for root in inside:
            quiet |= {id(child) for child in ast.walk(root)}
    return quiet


def _short(node: ast.AST) -> str:
    text = ast.unparse(node)
    return text if len(text) <= 60 else text[:57] + "..."
