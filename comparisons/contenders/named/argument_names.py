"""What people call things: what a parameter of this name is given, and what a function says that it returns.

Names are English words and the symbols of the field; nothing here runs anybody's code.
"""

import ast
import inspect
import re
import textwrap
from collections.abc import Callable
from typing import Any

RATE = re.compile(r"^(rate|lr|l_?rate|eta|alpha|learn(ing)?_?rate)$", re.I)
OUTPUT = re.compile(r"^(probs?|out|outputs?|y_?hat|y_?pred|AL|[ao]\d*)$", re.I)
WEIGHT = re.compile(r"^(W|w|weights?|theta|params?|parameters|layers?|biases|bias|b)(_?\d*|s|_[a-z])?$")
# What one of a network's functions is given for a parameter of this name.
ARGUMENTS = (
    (re.compile(r"^(xs?|inputs?|data|features|examples|batch_?x)(_?batch|_?train|_data|_list)?$", re.I), "x"),
    (re.compile(r"^samples$", re.I), "x"),
    (re.compile(r"^(t|ys?|targets?|labels?|truth|batch_?y)(_?(true|batch|train|list))?$", re.I), "targets"),
    (re.compile(r"^(outs?|outputs?|scores|logits|y_?hat|y_?pred(ict)?)$", re.I), "outputs"),
    (re.compile(r"^(pred(iction)?s?|probs?|p|a\d|al)$", re.I), "outputs"),
    (RATE, "rate"),
    (re.compile(r"^(m|n|n_?samples|num_?examples|batch_?size)$", re.I), "len(x)"),
    (re.compile(r"^(n_?|num_?)?(epochs?|iters?|iterations|passes|steps)$", re.I), "1"),
    (re.compile(r"^(training|train|is_training)$", re.I), "True"),
)  # fmt: skip
# What its constructor is given.
SIZES = (
    (re.compile(r"^(layers?|(layers?_?)?(sizes?|dims?)|architecture|shape)$", re.I), "sizes"),
    (re.compile(r"hid|^h\d?$|^hnodes", re.I), "hidden"),
    (re.compile(r"(?<!drop)out|class|^k$|^c$|^onodes", re.I), "outputs"),
    (re.compile(r"^l?_?r(ate)?$|learn|^lr$|^eta$|^alpha$", re.I), "rate"),
    (re.compile(r"(^|_)n?in(puts?)?(_|$|nodes|dim|size)|input|feature|^inodes|^d$", re.I), "inputs"),
)  # fmt: skip


def argument(name: str) -> str:
    """The word of ARGUMENTS for a parameter; empty for a name that tells nothing."""
    return next((what for names, what in ARGUMENTS if names.match(name)), "")


def size(name: str) -> str:
    """The word of SIZES for a parameter of a constructor; empty for a name that tells nothing."""
    return next((what for names, what in SIZES if names.search(name)), "")


def returned(node: ast.FunctionDef) -> tuple[tuple[str, ...], bool]:
    """Names that its last line returns in a row, or the keys of a dictionary that was written out."""
    value = node.body[-1].value if isinstance(node.body[-1], ast.Return) else None
    if isinstance(value, ast.Name):
        filled = _keys_stored(node, value.id)
        if filled:
            return filled, True
        made = [
            child.value
            for child in ast.walk(node)
            if isinstance(child, ast.Assign) and ast.unparse(child.targets[0]) == value.id
        ]
        value = made[-1] if made else value
    if isinstance(value, ast.Dict) and all(isinstance(key, ast.Constant) for key in value.keys):
        return tuple(str(key.value) for key in value.keys if isinstance(key, ast.Constant)), True
    if isinstance(value, ast.Tuple) and all(isinstance(item, ast.Name) for item in value.elts):
        return tuple(item.id for item in value.elts if isinstance(item, ast.Name)), False
    return (), False


def _keys_stored(node: ast.FunctionDef, name: str) -> tuple[str, ...]:
    """The words under which something is put into the dictionary `name`, by their numbers."""
    keys = [
        child.slice.value
        for child in ast.walk(node)
        if isinstance(child, ast.Subscript) and isinstance(child.ctx, ast.Store)
        if ast.unparse(child.value) == name and isinstance(child.slice, ast.Constant)
        if isinstance(child.slice.value, str)
    ]
    numbers = {key: re.findall(r"\d+", key) for key in keys}
    return tuple(sorted(dict.fromkeys(keys), key=lambda key: int(numbers[key][-1]) if numbers[key] else 0))


def names_in_a_row(function: Callable[..., Any]) -> tuple[str, ...]:
    """The names of the tuple that it returns, read from its source; none where that cannot be read."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return ()
    node = tree.body[0] if tree.body else None
    names, keys = returned(node) if isinstance(node, ast.FunctionDef) else ((), True)
    return () if keys else names
