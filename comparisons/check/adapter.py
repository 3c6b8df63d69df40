"""`--init FILE --from homework.py`: an adapter for the network found there, every guess marked as one.

The file is read, not run (`found_network`).
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from backproof.comparisons.check.found_network import LOSS, Found, Function, found_in
from backproof.comparisons.check.short_adapter import comments, made_by, short_lines
from backproof.comparisons.contenders.named.argument_names import OUTPUT, WEIGHT, argument, size
from backproof.scratch.errors import InputError

GUESS = "  # guess"
SIZES_OF = "architecture.layer_sizes"
# What a constructor is given for a parameter of this meaning.
SIZE_CODE = {
    "sizes": f"list({SIZES_OF})",
    "hidden": f"{SIZES_OF}[1]",
    "outputs": f"{SIZES_OF}[-1]",
    "rate": "1.0",
    "inputs": f"{SIZES_OF}[0]",
    "": "",
}
SOFTMAX = re.compile(r"softmax|exp\w*\s*/\s*np\.sum|exp\([^)]*\)\s*/", re.I)
BINARY = re.compile(r"log\(\s*1\.?0?\s*-")
SQUARES = re.compile(r"\([^()]*\w\s*-\s*\w[^()]*\)\s*\*\*\s*2|square\([^()]*-|power\([^()]*-|mse", re.I)
COLUMNS = re.compile(
    r"(\bd_?b|grad_?b|bias)[\w\]'\".\[]*\s*[-+]?=.*(sum|mean)\(.*axis\s*=\s*1|shape\[1\]\b.*m\b"
)
OUT_IN = re.compile(
    r"(dot|matmul)\(\s*(self\.)?(\w+\.)?_?(W\w{0,4}|w\w{0,3}|weights?|params\[['\"]W\d?['\"]\])\s*,"
    r"|\b_?(W\d?|w\w{0,3}|weights?)(\[\w+\])?\s*@\s*\w|\bW\d?\.dot\(\s*\w"
)
ROW = re.compile(r"(zeros|randn?|uniform)\(\(?\s*1\s*,")
COLUMN = re.compile(r"(zeros|randn?|uniform)\(\(?[^()=]*,\s*1\s*\)")


def adapter(source: Path, destination: Path, owner: str = "") -> tuple[str, int]:
    """The adapter's text, and how many guesses it holds, for the class `owner` or what is likeliest.

    Raises InputError for what is no such file, or has no such class.
    """
    try:
        text = source.read_text(encoding="utf-8")
        tree = ast.parse(text)
    except (SyntaxError, UnicodeDecodeError, ValueError) as error:
        raise InputError(f"--from: {source} is not Python that can be read: {error}") from error
    beside = "\n".join([text, *_imported_beside(tree, source, destination)])
    module = _module(source, destination)
    found = found_in(tree, str(source), owner)
    written = _written(found, _form(text, beside, found), module, destination)
    return written, written.count(GUESS)


def _module(source: Path, destination: Path) -> str:
    """The name under which the adapter imports it: through its folders, where they lie beside it."""
    try:
        inside = source.resolve().relative_to(destination.resolve().parent)
    except ValueError:
        return source.stem
    return ".".join([*inside.parts[:-1], inside.stem])


def _imported_beside(tree: ast.Module, source: Path, destination: Path) -> Iterator[str]:
    """The texts of the files beside it that it imports from: its layers may be there."""
    for node in ast.walk(tree):
        names = [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for name in names:
            for folder in (source.parent, destination.resolve().parent):
                file = folder.joinpath(*name.split(".")).with_suffix(".py")
                if file.is_file():
                    yield file.read_text(encoding="utf-8", errors="replace")


def _written(found: Found, form: list[str], module: str, destination: Path) -> str:
    where = f"{module}.{found.owner}" if found.owner else module
    short = short_lines(found, GUESS)
    if short is not None:
        return "\n".join(_short(found, short, form, (where, module, str(destination)))) + "\n"
    writer = _Writer(found, module)
    body = [
        f'"""{where} as backproof asks for it:  backproof check {destination}:Adapter"""',
        "",
        *writer.imports(),
        "",
        "",
        "class Adapter:",
        *form,
        "",
        *writer.loading(),
        "",
        *writer.logits(),
        "",
        *writer.gradient(),
    ]
    return "\n".join(body) + "\n"


def _short(found: Found, names: list[str], form: list[str], places: tuple[str, str, str]) -> list[str]:
    """By names alone: of the form its loss is declared, and what would not be told by trying."""
    where, module, destination = places
    told = [line for line in form if line.split()[0] == "supports" and line.endswith(GUESS)]
    if found.forward is None:  # its outputs would tell which activation it has
        told += [line for line in form if line.split()[0] == "activation" and line.endswith(GUESS)]
    loss = (
        []
        if any("supports" in line for line in told)
        else [f'    supports = {{"loss": ["cross_entropy"]}}{GUESS}']
    )
    return [
        f'"""{where} as backproof asks for it:  backproof check {destination}:Adapter"""',
        "",
        f"from {module} import {made_by(found)}",
        "",
        "",
        "class Adapter:",
        *(f"    {line}" for line in names),
        *told,
        *loss,
        *(f"    {line}" for line in comments()),
    ]


def _form(text: str, beside: str, found: Found) -> list[str]:
    """What the file looks like, as class attributes; what it does not look like, as comments.

    How arrays lie may be seen in the files beside it; these often have more losses than are used.
    """
    entropy = bool(SOFTMAX.search(text) or BINARY.search(text))
    one, loss = _activation(text), _loss(text)
    row, column = bool(ROW.search(beside)), bool(COLUMN.search(beside))
    sizes = found.functions.get("__init__", Function("", ())).parameters
    shallow = sum(bool(_size(p.name)) and "[" in _size(p.name) for p in sizes) == 3
    guesses = [
        ('outputs = "probabilities"', entropy),
        ('targets = "one_hot"', bool(re.search(r"one[-_ ]?hot|to_categorical|np\.eye", text, re.I))),
        ('samples = "columns"', bool(COLUMNS.search(beside))),
        ('weight_layout = "out_in"', bool(OUT_IN.search(beside))),
        (f'biases = "{"row" if row else "column"}"', row != column),
        ("hidden_layers = 1", shallow),
        (f'activation = "{one or "relu"}"', bool(one)),
        (f'supports = {{"loss": ["{loss or "cross_entropy"}"]}}', bool(loss)),
    ]
    return [f"    {'' if sure else '# '}{line}{GUESS if sure else ''}" for line, sure in guesses]


def _activation(text: str) -> str:
    """The one of the hidden layers, where only one is spoken of beside that of the outputs."""
    spoken = [
        name
        for name in ("tanh", "relu", "sigmoid")
        if re.search(rf"{name}|expit" if name == "sigmoid" else name, text, re.I)
    ]
    hidden = (
        [name for name in spoken if name != "sigmoid"] if len(spoken) == 2 and BINARY.search(text) else spoken
    )
    return hidden[0] if len(hidden) == 1 else ""


def _loss(text: str) -> str:
    if SOFTMAX.search(text):
        return "" if SQUARES.search(text) and "log" not in text else "cross_entropy"
    if BINARY.search(text):
        return "binary_cross_entropy"
    return "mse" if re.search(r"mean|/", text) and SQUARES.search(text) else ""


def _size(parameter: str) -> str:
    """What the constructor is given for a parameter of this name."""
    return SIZE_CODE[size(parameter)]


class _Writer:
    """The methods, each call by its parameters' names."""

    def __init__(self, found: Found, module: str) -> None:
        self.found, self.module = found, module
        self.net = "self.net" if found.owner else module
        self.called = {p.name for f in found.functions.values() for p in f.parameters}

    def imports(self) -> list[str]:
        return (
            [f"import {self.module}"] if self.found.owner else ["import numpy as np", f"import {self.module}"]
        )

    def loading(self) -> list[str]:
        if not self.found.owner:
            return self._of_functions()
        made = f"{self.module}.{self.found.owner}({', '.join(self._sizes())})"
        return [
            "    def network(self, architecture):  # its weights are found in it, by their shapes",
            f"        return {made}{GUESS}: its arguments",
        ]

    def _sizes(self) -> Iterator[str]:
        """The constructor's arguments: those without a default, and sizes that have one."""
        skipped = False
        for parameter in self.found.functions.get("__init__", Function("", ())).parameters:
            what = _size(parameter.name)
            if parameter.has_default and not what:
                skipped = True
            else:
                yield f"{parameter.name}={what or '...'}" if skipped else what or "..."

    def _of_functions(self) -> list[str]:
        """The weights, which the functions are given, or find in their module."""
        W, b = self._kept("Ww"), self._kept("b")
        if len(W) == 1 and len(b) == 1 and not any(c.isdigit() for c in W[0]):
            kept = [
                f"        {self._at(W[0])} = [np.array(W) for W, _ in weights]{GUESS}",
                f"        {self._at(b[0])} = [np.array(b) for _, b in weights]{GUESS}",
            ]
            pairs = f"zip({self._at(W[0])}, {self._at(b[0])})"
        else:
            each = list(zip(W, b, strict=False))
            kept = [
                f"        {self._at(one)}, {self._at(two)} = map(np.array, weights[{i}]){GUESS}"
                for i, (one, two) in enumerate(each)
            ] or [f"        ...{GUESS}: put the weights where its functions look for them"]
            pairs = f"[{', '.join(f'({self._at(one)}, {self._at(two)})' for one, two in each)}]"
        return [
            "    def load(self, architecture, weights):",
            *kept,
            "",
            "    def weights(self):",
            f"        return [(W.copy(), b.copy()) for W, b in {pairs}]{GUESS}",
        ]

    def _kept(self, initials: str) -> list[str]:
        """Names of weights that the functions take; where they take none, that the module has."""
        names = [p.name for f in self.found.functions.values() for p in f.parameters if WEIGHT.match(p.name)]
        chosen = [name for name in dict.fromkeys(names) if name[0] in initials]
        words = [name for name in chosen if len(name) > 1 and not name[-1].isdigit()]
        return words[:1] or chosen or [name for name in self.found.weights if name[0] in initials]

    def _at(self, name: str) -> str:
        return f"self.its_{name}" if name in self.called else f"{self.module}.{name}"

    def logits(self) -> list[str]:
        return ["    def logits(self, x):", f"        return {self._outputs('x')}{GUESS}"]

    def _outputs(self, *given: str) -> str:
        forward = self.found.forward or Function("forward", ())
        called = self._call(forward, *given).replace("targets", "np.zeros(len(x), int)")
        if forward.keys and forward.returned:
            return f"{called}[{forward.returned[-1]!r}]"
        likely = self._likely(forward)
        return f"{called}[{forward.returned.index(likely[0])}]" if likely else called

    def _likely(self, forward: Function) -> list[str]:
        """Of the names that it returns in a row, the outputs'."""
        return sorted((name for name in forward.returned if OUTPUT.match(name)), reverse=True)[:1]

    def gradient(self) -> list[str]:
        if self.found.step is not None:
            return self._step(self.found.step)
        backward = self.found.backward or Function("backward", ())
        loss, forward = self.found.named(LOSS), self.found.forward
        told = self._call(loss, "outputs", "targets") if loss else "..."
        first = f"outputs = {self._outputs('x')}"
        if forward is not None and forward.keys and forward.returned:  # the backward pass takes them all
            first = f"outputs = {self._call(forward, 'x')}"
            told = told.replace("outputs", f"outputs[{forward.returned[-1]!r}]")
        if forward is not None and len(forward.returned) > 1 and not forward.keys:
            first = f"{', '.join(forward.returned)} = {self._call(forward, 'x', 'targets')}"
            told = self._call(loss, *self._likely(forward), "targets") if loss else "..."
        return [
            "    def loss_and_gradient(self, x, targets):",
            f"        {first}{GUESS}",
            *(
                []
                if forward is not None and "loss" in forward.returned
                else [f"        loss = {told}{GUESS}"]
            ),
            *self._gradient(backward),
            f"        return loss, gradient{GUESS}: pairs (dW, db), or one list, or two",
        ]

    def _gradient(self, backward: Function) -> list[str]:
        called = self._call(backward, "x", "targets")
        names = backward.returned
        if backward.keys:
            keys = [f"d{name}" for name in self.found.weights if f"d{name}" in names] or list(names)
            picked = ", ".join(f"found[{key!r}]" for key in keys)
            return [
                f"        found = {called}{GUESS}",
                f"        gradient = [{picked}]{GUESS}: first layer first",
            ]
        paired = len(names) > 2 and all("wb"[i % 2] in name.lower() for i, name in enumerate(names))
        if not paired:
            return [f"        gradient = {called}{GUESS}"]
        pairs = ", ".join(f"({W}, {b})" for W, b in zip(names[::2], names[1::2], strict=True))
        return [f"        {', '.join(names)} = {called}{GUESS}", f"        gradient = [{pairs}]{GUESS}"]

    def _step(self, step: Function) -> list[str]:
        lines = ["    def step(self, x, targets, rate):  # the gradient is read from the weights it changes"]
        if not step.rate() and self.found.rate:
            lines.append(f"        {self.net}.{self.found.rate} = rate{GUESS}")
        if step is self.found.backward and self.found.forward is not None:
            lines.append(f"        {self._call(self.found.forward, 'x', 'True')}{GUESS}")
        return [*lines, f"        {self._call(step, 'x', 'targets', 'rate')}{GUESS}"]

    def _call(self, function: Function, *given: str) -> str:
        """By the parameters' names; one that says nothing gets what is left of what is given, in order."""
        meant = [self._meant(function, parameter.name) for parameter in function.parameters]
        left = iter([one for one in given if one not in meant and one != "True"])
        told, skipped = [], False
        for parameter, what in zip(function.parameters, meant, strict=True):
            if parameter.has_default and (not what or (what == "True" and what not in given)):
                skipped = True
                continue
            value = what or next(left, "...")
            told.append(f"{parameter.name}={value}" if skipped else value)
        if not function.parameters:
            told = [] if function.name in self.found.functions else [*given]
        return f"{self.net}.{function.name}({', '.join(told)})"

    def _meant(self, function: Function, name: str) -> str:
        if name == function.rate():
            return "rate"
        forward = self.found.forward
        if forward is not None and function is not forward and name in forward.returned and not forward.keys:
            return name
        if not self.found.owner and WEIGHT.match(name):
            return f"self.its_{name}"
        return argument(name)
