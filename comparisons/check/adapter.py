"""`--init FILE --from homework.py`: an adapter for the network found there, every guess marked as one.

The file is read, not run. A class is taken for the network if it has what looks like a forward and a backward
pass; a file of functions is called function by function.
"""

import ast
import re
from dataclasses import dataclass
from pathlib import Path

from backproof.scratch.errors import InputError

GUESS = "  # guess"
FORWARD = re.compile(r"^(forward|predict|feed_?forward|logits|run|fprop|query|propagate|__call__)", re.I)
BACKWARD = re.compile(r"(backward|back_?prop|grad|bprop|derivative)", re.I)
LOSS = re.compile(r"(loss|cost|error|objective|^J$|entropy|mse)", re.I)
STEP = re.compile(r"^(step|update|train|fit|sgd)", re.I)
WEIGHT = re.compile(r"^(W|w|weights?|theta|params?|parameters|layers?|biases|bias|b)(_?\d*|s)?$")
SOFTMAX = re.compile(r"softmax", re.I)
COLUMNS = re.compile(r"\bd_?b\w*[\]'\"]*\s*=.*axis\s*=\s*1|shape\[1\]\b.*m\b")  # db sums over columns
# What a parameter of this name is given: by one of the network's functions, and by its constructor.
ARGUMENTS = (
    (re.compile(r"^(x|inputs?|data|features|batch_?x|xs)(_?batch|_?train)?$", re.I), "x"),
    (re.compile(r"^(t|y|ys|targets?|labels?|y_?true|truth|batch_?y)(_?batch|_?train)?$", re.I), "targets"),
    (re.compile(r"^(out|outputs?|scores|logits|y_?hat|y_?pred|preds?|probs?|p|a\d|al)$", re.I), "outputs"),
    (re.compile(r"^(rate|lr|eta|alpha|learning_?rate)$", re.I), "rate"),
)
SIZES = (
    (re.compile(r"^(layers?|sizes|layer_?(sizes|dims)|dims|architecture|shape)$", re.I), "list({})"),
    (re.compile(r"hid|^h\d?$", re.I), "{}[1]"),
    (re.compile(r"out|class|^k$|^c$", re.I), "{}[-1]"),
    (re.compile(r"in|feature|^d$", re.I), "{}[0]"),
)


@dataclass(frozen=True)
class Found:
    """What a file has: one class (or none), the callables by purpose, attributes that look like weights."""

    owner: str
    forward: str
    backward: str
    loss: str
    step: str
    weights: tuple[str, ...]
    parameters: dict[str, list[str]]
    source: str
    returned: tuple[str, ...] = ()  # by the backward pass, where it is a row of names: dW1, db1, ...


def adapter(source: Path, destination: Path) -> tuple[str, int]:
    """The adapter's text, and how many guesses it holds. Raises InputError for what is not Python."""
    try:
        tree = ast.parse(source.read_text(encoding="utf-8"))
    except (SyntaxError, UnicodeDecodeError, ValueError) as error:
        raise InputError(f"--from: {source} is not Python that can be read: {error}") from error
    text = _written(_found(tree, source.stem), source, destination)
    return text, text.count(GUESS)


def _found(tree: ast.Module, source: str) -> Found:
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    best = max(classes, key=_likeness, default=None)
    if best is not None and _likeness(best) > 0:
        return _of(best.name, best, source)
    return _of("", tree, source)


def _likeness(node: ast.ClassDef) -> int:
    names = [f.name for f in node.body if isinstance(f, ast.FunctionDef)]
    patterns = (FORWARD, BACKWARD, STEP)
    return sum(any(pattern.search(name) for name in names) for pattern in patterns)


def _of(owner: str, node: ast.ClassDef | ast.Module, source: str) -> Found:
    functions = [f for f in node.body if isinstance(f, ast.FunctionDef)]
    parameters = {f.name: [a.arg for a in f.args.args if a.arg != "self"] for f in functions}

    def named(pattern: re.Pattern[str]) -> str:
        return next((name for name in parameters if pattern.search(name)), "")

    return Found(
        owner,
        named(FORWARD),
        named(BACKWARD),
        named(LOSS),
        named(STEP),
        tuple(dict.fromkeys(_weights(node, bool(owner)))),
        parameters,
        source,
        _returned(functions, named(BACKWARD)),
    )


def _returned(functions: list[ast.FunctionDef], backward: str) -> tuple[str, ...]:
    """The names of gradients of W and b in turn that the backward pass returns; else nothing."""
    for function in functions:
        last = function.body[-1]
        if function.name == backward and isinstance(last, ast.Return) and isinstance(last.value, ast.Tuple):
            names = [one.id for one in last.value.elts if isinstance(one, ast.Name)]
            pairs = len(names) == len(last.value.elts) and len(names) % 2 == 0
            if pairs and all("wb"[i % 2] in name.lower() for i, name in enumerate(names)):
                return tuple(names)
    return ()


def _weights(node: ast.AST, of_self: bool) -> list[str]:
    """Attributes (of a script: names) that are assigned and called like weights."""
    names = []
    for child in ast.walk(node):
        if of_self and isinstance(child, ast.Attribute) and isinstance(child.ctx, ast.Store):
            names.append(child.attr)
        elif not of_self and isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
            names.append(child.id)
    return [name for name in names if WEIGHT.match(name)]


def _written(found: Found, source: Path, destination: Path) -> str:
    made = f"{found.owner}({', '.join(map(_size, found.parameters.get('__init__', [])))})"
    where = f"{found.source}.{found.owner}" if found.owner else found.source
    body = [
        f'"""{where} as backproof asks for it:  backproof check {destination}:Adapter"""',
        "",
        "import numpy as np",
        f"import {found.source}",
        "",
        "",
        "class Adapter:",
        *_form(source),
        "",
        "    def load(self, architecture, weights):",
        f"        self.net = {found.source}.{made if found.owner else '__dict__'}{GUESS}: its arguments",
        *_loading(found),
        "",
        "    def weights(self):",
        f"        return [(W.copy(), b.copy()) for W, b in {_pairs(found)}]{GUESS}",
        "",
        "    def logits(self, x):",
        f"        return {_call(found, found.forward or 'forward', 'x')}{GUESS}",
        "",
        *_gradient(found),
    ]
    return "\n".join(body) + "\n"


def _form(source: Path) -> list[str]:
    text = source.read_text(encoding="utf-8")
    guesses = [
        ('outputs = "probabilities"', bool(SOFTMAX.search(text))),
        ('targets = "one_hot"', bool(re.search(r"one_?hot|to_categorical|np\.eye", text, re.I))),
        ('samples = "columns"', bool(COLUMNS.search(text))),
        ('weight_layout = "out_in"', bool(re.search(r"(dot\(\s*(self\.)?W|W\d?\s*@)", text))),
        ('supports = {"activation": ["relu"], "loss": ["cross_entropy"], "dtype": ["float64"]}', False),
    ]
    return [f"    {'' if sure else '# '}{line}{GUESS if sure else ''}" for line, sure in guesses]


def _pairs(found: Found) -> str:
    weights = [name for name in found.weights if name[0] in "Ww"]
    biases = [name for name in found.weights if name[0] == "b"]
    net = "self.net." if found.owner else f"{found.source}."
    if len(weights) == 1 and len(biases) == 1:
        return f"zip({net}{weights[0]}, {net}{biases[0]})"
    pairs = ", ".join(f"({net}{W}, {net}{b})" for W, b in zip(weights, biases, strict=False))
    return f"[{pairs}]" if pairs else f"{net}layers"


def _loading(found: Found) -> list[str]:
    weights = [name for name in found.weights if name[0] in "Ww"]
    biases = [name for name in found.weights if name[0] == "b"]
    net = "self.net." if found.owner else f"{found.source}."
    if len(weights) == 1 and len(biases) == 1:
        return [
            f"        {net}{weights[0]} = [np.array(W) for W, _ in weights]{GUESS}",
            f"        {net}{biases[0]} = [np.array(b) for _, b in weights]{GUESS}",
        ]
    lines = [
        f"        {net}{W}, {net}{b} = map(np.array, weights[{i}]){GUESS}"
        for i, (W, b) in enumerate(zip(weights, biases, strict=False))
    ]
    return lines or [f"        ...{GUESS}: put the weights into it; none were recognised"]


def _size(parameter: str) -> str:
    """What the constructor is given for a parameter of this name."""
    sizes = "architecture.layer_sizes"
    return next((what.format(sizes) for names, what in SIZES if names.search(parameter)), "...")


def _call(found: Found, name: str, *arguments: str) -> str:
    """By the parameters' names; one that says nothing gets what is left of the arguments, in order."""
    owner = "self.net" if found.owner else found.source
    if name not in found.parameters:
        return f"{owner}.{name}({', '.join(arguments)})"
    meant = [
        next((what for names, what in ARGUMENTS if names.match(parameter)), "")
        for parameter in found.parameters[name]
    ]
    left = iter([one for one in arguments if one not in meant])
    return f"{owner}.{name}({', '.join(what or next(left, '...') for what in meant)})"


def _gradient(found: Found) -> list[str]:
    if not found.backward and found.step:
        return [
            "    def step(self, x, targets, rate):  # the gradient is read from the weights it changes",
            f"        {_call(found, found.step, 'x', 'targets', 'rate')}{GUESS}",
        ]
    loss = _call(found, found.loss, "outputs", "targets") if found.loss else "..."
    called = _call(found, found.backward or "backward", "x", "targets")
    pairs = ", ".join(f"({W}, {b})" for W, b in zip(found.returned[::2], found.returned[1::2], strict=True))
    lines = [f"        gradient = {called}{GUESS}"]
    if pairs:
        lines = [
            f"        {', '.join(found.returned)} = {called}{GUESS}",
            f"        gradient = [{pairs}]{GUESS}",
        ]
    return [
        "    def loss_and_gradient(self, x, targets):",
        "        outputs = self.logits(x)",
        f"        loss = {loss}{GUESS}",
        *lines,
        f"        return float(loss), gradient{GUESS}: pairs (dW, db), first layer first",
    ]
