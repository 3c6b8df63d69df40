"""What a file of somebody's network has, read without running it: which class, which functions.

A class is taken for the network if it has what looks like a forward or a backward pass: before its layers the
one that calls theirs, then the one that has more of what a network does, and never one that is abstract. A
file of functions is called function by function.
"""

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from backproof.comparisons.contenders.named.argument_names import RATE, WEIGHT, returned
from backproof.scratch.errors import InputError

FORWARD = re.compile(r"^_?(forward|predict|feed_?forward|logits|run|fprop|query|propagate|__call__)", re.I)
PASS = re.compile(r"^_?(forward|feed_?forward|logits|fprop|propagate|__call__)", re.I)
BACKWARD = re.compile(r"(backward|back_?prop|grad(?!ient_?(descent|check))|bprop|derivative)", re.I)
LOSS = re.compile(r"(loss|cost|error|objective|^J$|entropy|mse)", re.I)
STEP = re.compile(r"^(step|update|train|fit|sgd)", re.I)


@dataclass(frozen=True)
class Parameter:
    name: str
    has_default: bool


@dataclass(frozen=True)
class Function:
    """A function or method: its parameters without self, and what its last return gives."""

    name: str
    parameters: tuple[Parameter, ...]
    returned: tuple[str, ...] = ()  # names in a row, or keys of a dictionary
    keys: bool = False
    returns: bool = True  # anything at all
    chooses: bool = False  # it gives the class with the largest output, not the outputs

    def rate(self) -> str:
        """Its learning rate's name; empty where it takes none."""
        names = [parameter.name for parameter in self.parameters]
        return next((name for name in names if RATE.match(name)), "epsilon" if "epsilon" in names else "")


@dataclass(frozen=True)
class Found:
    """One class (or none), the functions by purpose, names that look like weights."""

    owner: str
    functions: dict[str, Function]
    weights: tuple[str, ...]
    rate: str  # the attribute that holds the learning rate

    def named(self, pattern: re.Pattern[str]) -> Function | None:
        return next((f for name, f in self.functions.items() if pattern.search(name)), None)

    @property
    def forward(self) -> Function | None:
        """One that predicts is taken where there is no other, and never one that gives classes."""
        found = self.named(PASS) or self.named(FORWARD)
        return None if found is not None and found.chooses else found

    @property
    def backward(self) -> Function | None:
        return self.named(BACKWARD)

    @property
    def step(self) -> Function | None:
        """What changes the weights: a backward pass that takes a rate, or a training loop without one."""
        if self.backward is not None:
            changes = self.backward.rate() or (self.rate and not self.backward.returns)
            return self.backward if changes else None
        return self.named(STEP)


def found_in(tree: ast.Module, source: str, owner: str = "") -> Found:
    """The class `owner`, or else what is likeliest.

    Raises InputError for a class that is not there, and for a script that has neither classes nor functions.
    """
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    if owner:
        return _of(owner, _named(classes, owner, source))
    best = max(classes, key=_likeness, default=None)
    if best is not None and _likeness(best).is_network:
        return _of(best.name, best)
    found = _of("", tree)
    if found.forward is None and found.backward is None and found.step is None:
        raise InputError(
            f"--from: {source} has no class and no function that looks like a forward or a backward pass. "
            "Write a skeleton with --init FILE alone, and move the script's lines into its methods: the "
            "forward pass into logits, what it does to the weights into step(self, x, targets, rate)"
        )
    return found


def _named(classes: Sequence[ast.ClassDef], name: str, source: str) -> ast.ClassDef:
    found = next((node for node in classes if node.name == name), None)
    if found is None:
        there = ", ".join(node.name for node in classes) or "none"
        raise InputError(f"--from: {source} has no class {name}; its classes: {there}")
    return found


class _Likeness(NamedTuple):
    """In the order in which it counts."""

    is_network: bool
    has_parts: bool  # it calls the forward or backward passes of others: of its layers
    purposes: int
    is_made: bool  # it has a constructor


def _likeness(node: ast.ClassDef) -> _Likeness:
    functions = [f for f in node.body if isinstance(f, ast.FunctionDef)]
    names = [f.name for f in functions]
    purposes = sum(any(pattern.search(name) for name in names) for pattern in (FORWARD, BACKWARD, STEP))
    abstract = any("abstract" in ast.unparse(d) for f in functions for d in f.decorator_list)
    return _Likeness(purposes > 0 and not abstract, _calls_parts(node), purposes, "__init__" in names)


def _calls_parts(node: ast.ClassDef) -> bool:
    """One after the other, in a loop, or several by name; one by name is a network that it wraps."""
    loops = [child.target for child in ast.walk(node) if isinstance(child, ast.For | ast.comprehension)]
    each = {name.id for target in loops for name in ast.walk(target) if isinstance(name, ast.Name)}
    parts = {
        ast.unparse(child.func.value)
        for child in ast.walk(node)
        if isinstance(child, ast.Call) and isinstance(child.func, ast.Attribute)
        if re.match(r"_?(forward|backward)", child.func.attr, re.I)
    } - {"self", "super()"}
    several = [part for part in parts if part.startswith("self.") and not LOSS.search(part)]
    return len(several) > 1 or any(part in each or "[" in part for part in parts)


def _of(owner: str, node: ast.ClassDef | ast.Module) -> Found:
    functions = {f.name: _function(f) for f in node.body if isinstance(f, ast.FunctionDef)}
    stored = [
        child.attr if isinstance(child, ast.Attribute) else child.id
        for child in ast.walk(node)
        if isinstance(child, ast.Attribute if owner else ast.Name) and isinstance(child.ctx, ast.Store)
    ]
    weights = dict.fromkeys(name for name in stored if WEIGHT.match(name))
    rate = next((name for name in stored if RATE.match(name)), "") if owner else ""
    return Found(owner, functions, tuple(weights), rate)


def _function(node: ast.FunctionDef) -> Function:
    arguments = [a.arg for a in node.args.args]
    first_default = len(arguments) - len(node.args.defaults)
    parameters = tuple(
        Parameter(name, i >= first_default) for i, name in enumerate(arguments) if name not in ("self", "cls")
    )
    names, keys = returned(node)
    returns = any(isinstance(child, ast.Return) and child.value is not None for child in ast.walk(node))
    chooses = "argmax" in ast.unparse(node.body[-1])
    return Function(node.name, parameters, names, keys, returns, chooses)
