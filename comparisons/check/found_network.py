"""What a file of somebody's network has, read without running it: which class, which functions.

A class is taken for the network if it has what looks like a forward and a backward pass (of two alike, the
one that is not abstract); a file of functions is called function by function.
"""

import ast
import re
from dataclasses import dataclass

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


def found_in(tree: ast.Module, source: str) -> Found:
    """Raises InputError for a script that has neither classes nor functions."""
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    best = max(classes, key=_likeness, default=None)
    if best is not None and _likeness(best)[0] > 0:
        return _of(best.name, best)
    found = _of("", tree)
    if found.forward is None and found.backward is None and found.step is None:
        raise InputError(
            f"--from: {source} has no class and no function that looks like a forward or a backward pass. "
            "Write a skeleton with --init FILE alone, and move the script's lines into its methods: the "
            "forward pass into logits, what it does to the weights into step(self, x, targets, rate)"
        )
    return found


def _likeness(node: ast.ClassDef) -> tuple[int, int, int]:
    functions = [f for f in node.body if isinstance(f, ast.FunctionDef)]
    names = [f.name for f in functions]
    purposes = sum(any(pattern.search(name) for name in names) for pattern in (FORWARD, BACKWARD, STEP))
    abstract = sum("abstract" in ast.unparse(d) for f in functions for d in f.decorator_list)
    return purposes * (abstract == 0), purposes, "__init__" in names


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
