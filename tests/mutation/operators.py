"""The mistakes that are planted: a term left out, a sign, an axis, a seed, an option not passed on.

Every operator takes one node of a module's syntax tree and yields what could stand in its place (in that of
its condition, where the node is an `if`). Each is a mistake that a person makes in numerical code and that
changes what is computed. What is no computation (`quiet`) is left alone: messages, types, docstrings, sizes
that only make it faster. So is what is bound to crash (a required argument not passed on) and what hardly
ever differs (`<` for `<=` between two numbers that are rounded).
"""

import ast
import copy
import re
from collections.abc import Callable, Iterator

from tests.mutation.options import may_be_left_out

Alternatives = Iterator[tuple[str, ast.AST]]
Operator = Callable[[ast.AST], Alternatives]

_ROUND: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.Gt,
    ast.LtE: ast.GtE,
    ast.Gt: ast.Lt,
    ast.GtE: ast.LtE,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_BOUNDARY: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
}
_PAIRS = (("min", "max"), ("minimum", "maximum"), ("argmin", "argmax"), ("any", "all"), ("fmin", "fmax"))
_OPPOSITES = {**dict(_PAIRS), **{there: here for here, there in _PAIRS}}
_EXTREMES = {"min", "max", "minimum", "maximum", "fmin", "fmax"}
_OTHER_AXIS = {0: 1, 1: 0, -1: 0, 2: 1, -2: -1}
_SEEDS = {"seed", "rng_seed", "random_state", "spawn_key", "entropy"}
# Calls whose only effect is on what a person sees, or on time and memory.
_NOT_A_STEP = {
    *("print", "echo", "log", "debug", "info", "warning", "warn", "write", "flush", "close", "sleep"),
    *("advance", "show", "say", "tick", "begin", "cache_clear", "collect", "rule", "shutdown"),
}


def term(node: ast.AST) -> Alternatives:
    """One term of a sum."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub) and _numeric(node):
        yield f"left out: {_short(node.right)}", node.left
        if isinstance(node.op, ast.Add):
            yield f"left out: {_short(node.left)}", node.right


def factor(node: ast.AST) -> Alternatives:
    """One factor of a product, the divisor, the exponent."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div | ast.Pow) and _numeric(node):
        yield f"left out: {_short(node.right)}", node.left
        if isinstance(node.op, ast.Mult):
            yield f"left out: {_short(node.left)}", node.right


def sign(node: ast.AST) -> Alternatives:
    """A sign the other way, a negation dropped."""
    swapped: dict[type[ast.operator], type[ast.operator]] = {ast.Add: ast.Sub, ast.Sub: ast.Add}
    if isinstance(node, ast.BinOp) and type(node.op) in swapped and _numeric(node):
        yield "sign", ast.BinOp(node.left, swapped[type(node.op)](), node.right)
    if isinstance(node, ast.AugAssign) and type(node.op) in swapped and _number_like(node.value):
        yield "sign", ast.AugAssign(node.target, swapped[type(node.op)](), node.value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not | ast.Invert):
        yield "sign or negation dropped", node.operand


def comparison(node: ast.AST) -> Alternatives:
    """A comparison the other way round; one that takes or leaves a boundary that is met; `and` for `or`."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        kind, others = type(node.ops[0]), node.comparators
        yield "comparison turned round", ast.Compare(node.left, [_ROUND[kind]()], others)
        if kind in _BOUNDARY and (_is_exact(node.left) or _is_exact(others[0])):
            yield "boundary", ast.Compare(node.left, [_BOUNDARY[kind]()], others)
    if isinstance(node, ast.BoolOp):
        yield "and/or", ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)


def extreme(node: ast.AST) -> Alternatives:
    """The largest where the smallest belongs, any for all; one side of a maximum, or `abs`, left out."""
    if not isinstance(node, ast.Call):
        return
    name = _last_name(node.func)
    if name in _OPPOSITES:
        function = copy.deepcopy(node.func)
        if isinstance(function, ast.Attribute):
            function.attr = _OPPOSITES[name]
        elif isinstance(function, ast.Name):
            function.id = _OPPOSITES[name]
        what = f"{ast.unparse(function)} for {ast.unparse(node.func)}"
        yield what, ast.Call(function, node.args, node.keywords)
    if name in _EXTREMES and len(node.args) == 2 and not node.keywords:
        yield f"left out: {_short(node.args[1])}", node.args[0]
        yield f"left out: {_short(node.args[0])}", node.args[1]
    if name in {"abs", "fabs"} and len(node.args) == 1:
        yield "absolute value not taken", node.args[0]


def number(node: ast.AST) -> Alternatives:
    """A constant that is off: one more, twice as much, a switch the other way."""
    if isinstance(node, ast.Constant) and (other := _other(node.value)) is not None:
        yield f"{node.value!r} becomes {other!r}", ast.Constant(other)


def default(node: ast.AST) -> Alternatives:
    """Another default of a parameter or a field; planted where `number` would be (see `mutants`)."""
    for what, other in number(node):
        yield f"default {what}", other


def option(node: ast.AST) -> Alternatives:
    """An option not passed on."""
    if isinstance(node, ast.Call):
        for i, keyword in enumerate(node.keywords):
            if keyword.arg and may_be_left_out(_last_name(node.func), keyword.arg):
                rest = [*node.keywords[:i], *node.keywords[i + 1 :]]
                yield f"{keyword.arg} not passed on", ast.Call(node.func, node.args, rest)


def axis(node: ast.AST) -> Alternatives:
    """Another axis, a transposition not made, /n for /(n - 1)."""
    if isinstance(node, ast.Call):
        for i, keyword in enumerate(node.keywords):
            value = _integer(keyword.value)
            others = _OTHER_AXIS if keyword.arg == "axis" else {0: 1, 1: 0} if keyword.arg == "ddof" else {}
            if value in others:
                changed = ast.keyword(keyword.arg, ast.Constant(others[value]))
                keywords = [*node.keywords[:i], changed, *node.keywords[i + 1 :]]
                yield f"another {keyword.arg}", ast.Call(node.func, node.args, keywords)
    if isinstance(node, ast.Attribute) and node.attr == "T" and isinstance(node.ctx, ast.Load):
        yield "not transposed", node.value
    if isinstance(node, ast.Subscript) and _last_name(node.value) == "shape":
        value = _integer(node.slice)
        if value in _OTHER_AXIS:
            yield "another axis", ast.Subscript(node.value, ast.Constant(_OTHER_AXIS[value]), node.ctx)


def seed(node: ast.AST) -> Alternatives:
    """A generator that is not given its seed, or a seed that is not handed on."""
    if not isinstance(node, ast.Call):
        return
    drawn = _last_name(node.func) in {"default_rng", "SeedSequence"}
    if drawn and node.args and not isinstance(node.args[0], ast.Constant):
        yield "seed ignored", ast.Call(node.func, [ast.Constant(0)], node.keywords)
    for i, keyword in enumerate(node.keywords):
        if keyword.arg in _SEEDS and not isinstance(keyword.value, ast.Constant):
            changed = ast.keyword(keyword.arg, ast.Constant(0))
            keywords = [*node.keywords[:i], changed, *node.keywords[i + 1 :]]
            yield "seed ignored", ast.Call(node.func, node.args, keywords)


def step(node: ast.AST) -> Alternatives:
    """A step that is not taken."""
    called = node.value if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) else None
    if (called and _last_name(called.func) not in _NOT_A_STEP) or isinstance(node, ast.AugAssign):
        yield f"not done: {_short(node)}", ast.Pass()


def branch(node: ast.AST) -> Alternatives:
    """A condition that is negated, a case that is never told apart, a refusal left out."""
    if isinstance(node, ast.If) and isinstance(node.body[0], ast.Raise):
        yield "refusal left out", ast.Constant(False)
    elif isinstance(node, ast.If) and not isinstance(node.test, ast.Compare | ast.BoolOp | ast.UnaryOp):
        yield "condition negated", ast.UnaryOp(ast.Not(), node.test)
    elif isinstance(node, ast.IfExp):
        yield f"always {_short(node.body)}", node.body
        yield f"always {_short(node.orelse)}", node.orelse


OPERATORS: tuple[Operator, ...] = (
    *(term, factor, sign, comparison, extreme, number, default, option, axis, seed, step, branch),
)


def _numeric(node: ast.BinOp) -> bool:
    of_paths = isinstance(node.op, ast.Div) and re.search("folder|path", ast.unparse(node.left), re.I)
    return not of_paths and _number_like(node.left) and _number_like(node.right)


def _number_like(node: ast.AST) -> bool:
    """No text and no list, as far as can be seen."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, int | float | complex)
    if isinstance(node, ast.BinOp):
        return _numeric(node)
    return not isinstance(node, ast.JoinedStr | ast.List | ast.Tuple | ast.ListComp | ast.Set | ast.Dict)


def _is_exact(node: ast.AST) -> bool:
    """A value that another one meets exactly: a constant, a size, a count."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, int | float)
    if isinstance(node, ast.Call):
        return _last_name(node.func) == "len"
    if isinstance(node, ast.Subscript):
        return _last_name(node.value) == "shape"
    return isinstance(node, ast.Attribute) and node.attr in {"size", "ndim"}


def _other(value: object) -> bool | int | float | None:
    """Another value of this constant, none where it is no number."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, float):
        usual = value == 0 or 1e-3 <= abs(value) <= 1e3
        # Twice a tolerance of 1e-9 is as good a tolerance.
        return value * 2 or 1.0 if usual else value * 1e3 if abs(value) < 1 else value / 1e3
    return None


def _integer(node: ast.AST) -> int | None:
    negative = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)
    inner = node.operand if isinstance(node, ast.UnaryOp) else node
    if isinstance(inner, ast.Constant) and type(inner.value) is int:
        return -inner.value if negative else inner.value
    return None


def _last_name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _short(node: ast.AST) -> str:
    text = ast.unparse(node)
    return text if len(text) <= 60 else text[:57] + "..."
