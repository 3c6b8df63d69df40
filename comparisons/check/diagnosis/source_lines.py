"""Which line of the source may it be? Looked for by the names people give to what a cause speaks of.

A cause says what it is `about`: the gradient of the weights, of the biases, delta at the output, what is
passed back, an activation's derivative, the loss, the softmax, a step of training. The statements of the
class are read (never run), its own methods or those of its bases in the same file where it has none, then
what these name there, and held to patterns of the usual names: ``dW1 = ...``, ``grads["W1"]``, or what a
method called weight_gradient returns. Where no name leads to a line, or several lead to different methods,
there is none: a wrong line is worse than no line.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from backproof.comparisons.check.results import Cause, SourceLine
from backproof.comparisons.contenders.loading import Target
from backproof.scratch.architecture import ACTIVATIONS, LOSSES

Scope = Sequence["Statement"]


@dataclass(frozen=True)
class Statement:
    """``target = value`` or ``return value``, with the method and the branches it stands in."""

    function: str
    target: str  # empty for a return
    value: str
    branches: str  # the conditions of the ifs around it, and the method's name
    number: int

    @property
    def text(self) -> str:
        return f"{self.target} = {self.value}" if self.target else f"return {self.value}"


@dataclass(frozen=True)
class Pattern:
    """What a statement's method, target and value look like; an empty one is everything."""

    function: str = ""
    target: str = ""
    value: str = ""

    def matches(self, one: Statement) -> bool:
        pairs = ((self.function, one.function), (self.target, one.target), (self.value, one.value))
        return all(re.search(pattern, text, re.IGNORECASE) for pattern, text in pairs if pattern)


# d, g, grad, nabla ... of W or of b, as a name, an attribute or a key: dW1, self.grad_w, grads["W1"].
_OF = r"(^|[._\W])(d|g|grads?|gradients?|nabla|delta)_?(\[['\"])?d?_?({})s?_?\d*\b"
_OR = r"(^|[._\W])({})s?_?(grads?|gradients?|d)\d*\b"
_WEIGHT, _BIAS = "w|weight|kernel", "b|bias|biase"
_DELTA = r"(^|[._\W])(delta|d_?z|d_?out|d_?output|d_?logits|d_?scores|error|err)_?\d*\b"
_BACKWARD = r"back|grad|loss|delta|train|step|update|propag"
_PRODUCT = r"@|dot\(|matmul\(|einsum\(|outer\("
_ARITHMETIC = r"[-+*/@]|dot\(|where\(|mean\(|sum\(|sign\("
_LOSS = r"loss|cost|entropy|objective|mse|criterion"
_TRAINING = r"train|step|update|fit|optimi|sgd|descen|momentum|adam|decay"
_DERIVATIVE = r"prime|deriv|grad|slope|backward|^d_?"

PATTERNS: dict[str, tuple[Pattern, ...]] = {
    "weight": (
        Pattern(r"weight_?grad|grad_?(of_?)?w|^d_?w", value=_PRODUCT),
        Pattern(r"weight_?grad|grad_?(of_?)?w|^d_?w"),
        Pattern(target=_OF.format(_WEIGHT), value=_PRODUCT),
        Pattern(target=_OR.format(_WEIGHT), value=_PRODUCT),
        Pattern(_BACKWARD, value=rf"^\(.*({_PRODUCT}).*,.*(sum|mean)\("),
    ),
    "bias": (
        Pattern(r"bias_?grad|grad_?(of_?)?b(ias)?$|^d_?b"),
        Pattern(target=_OF.format(_BIAS), value=r"sum|mean|delta|d_?z|error|ones"),
        Pattern(target=_OR.format(_BIAS), value=r"sum|mean|delta|d_?z|error|ones"),
        Pattern(_BACKWARD, value=rf"^\(.*({_PRODUCT}).*,.*(sum|mean)\("),
    ),
    "output": (
        Pattern(r"output_?delta|loss_?(grad|deriv|prime)|(grad|deriv)\w*_?(loss|cost)|cost_?deriv|^delta$"),
        Pattern(_BACKWARD, target=_DELTA, value=r" - "),
    ),
    "pull": (
        Pattern(r"pull|upstream"),
        Pattern(_BACKWARD, target=rf"{_DELTA}|(^|[._\W])d_?(a|h|hidden|x)_?\d*\b", value=rf"{_PRODUCT}"),
    ),
    "slope": (
        Pattern(rf"({_DERIVATIVE}).*activ|activ\w*_?({_DERIVATIVE})"),
        Pattern(rf"({_DERIVATIVE})\w*(NAME)|(NAME)\w*({_DERIVATIVE})"),
        Pattern(_BACKWARD, value=r"SHAPE"),
        Pattern(_BACKWARD, value=r"ROUGHLY"),
    ),
    "loss": (
        Pattern(target=r"(^|[._\W])(loss|cost|j)\b", value=r"TERMS"),
        Pattern(_LOSS, value=r"TERMS"),
    ),
    "softmax": (
        Pattern(r"soft", value=r"sum|norm"),
        Pattern(r"soft", value=r"exp|/"),
        Pattern(target=r"prob|(^|\W)(p|y|yhat|y_hat|out|output|a\d)\b", value=r"exp.*sum|/.*sum"),
    ),
    "momentum": (
        Pattern(target=r"(^|[._\W])(v|vel\w*|momentum\w*|m)(\W|\d*$)", value=r"\*"),
        Pattern(r"momentum|sgd|nesterov|ahead"),
    ),
    "adam": (Pattern(r"adam"), Pattern(_TRAINING, value=r"sqrt")),
    "decay": (Pattern(r"decay"), Pattern(_TRAINING, value=r"decay|lambda|lam\b|l2|\breg")),
    "update": (Pattern(_TRAINING, value=r"\b(\w*rate|lr|eta|alpha)\b.*\*|\*.*\b(\w*rate|lr|eta|alpha)\b"),),
}
# How the derivative of an activation looks where it stands in the middle of a backward pass; and when wrong.
SHAPES = {
    "relu": r"> ?=? ?0",
    "sigmoid": r"\(1(\.0)? - ",
    "tanh": r"1(\.0)? - .*(\*\* ?2|\*|square)",
}
ROUGHLY = {"sigmoid": r"1(\.0)? [-+] \w", "tanh": r"1(\.0)? [-+] \w"}
# What a loss cannot be computed without.
TERMS = {
    "cross_entropy": r"log",
    "binary_cross_entropy": r"log",
    "mse": r"\*\* ?2|square|\*",
    "sum_of_squares": r"\*\* ?2|square|\*",
}
NEVER = r"$^"
# Words of a sentence, and what the line they speak of must have in it.
WORDS = (
    ("exp(-z)", r"exp\("),
    ("eps", r"eps|1e-"),
    ("bias correction", r"\*\* ?\w*(t|step)|\bt\b|step\w* [+=]"),
    ("bias-corrected", r"/"),
    ("second moment", r"\*\* ?2|g \* g|square"),
    ("look-ahead", r"^(?!.*\bv(el\w*)?\b[^=]* = ).*(mu\b|momentum)"),
    ("step counter", r"\+ ?1|\+= 1|\bt\b"),
    ("lambda", r"lam|reg|decay|l2|\* self\.W|\* W"),
)
ELSEWHERE = re.compile(r"^super\(\)\.\w+\([^()]*\)$")


def with_lines(causes: Sequence[Cause], target: Target, tensor: str = "") -> tuple[Cause, ...]:
    """Each cause with its line, where one can be told; `tensor` is the one that was seen wrong, as ``W2``."""
    scopes = _scopes(target)
    return tuple(replace(cause, line=_line(cause, scopes, target, tensor)) for cause in causes)


def _line(cause: Cause, scopes: Sequence[Scope], target: Target, tensor: str) -> SourceLine | None:
    about, _, name = cause.about.partition(" ")
    for scope in scopes:
        for pattern in PATTERNS.get(about, ()):
            found = _narrowed([s for s in scope if _named(pattern, name).matches(s)], cause, name, tensor)
            if len({s.function for s in found}) == 1:
                whole = not (pattern.value or pattern.target or about == "adam")
                one = _result(found) if whole else found[0]
                return SourceLine(Path(target.place).name, one.number, _source_line(target, one))
            if found:
                return None  # several methods: which of them cannot be told
    return None


def _result(found: Sequence[Statement]) -> Statement:
    """Of a method's statements that which computes what it returns."""
    computing = [s for s in found if re.search(_ARITHMETIC, s.value)] or list(found)
    return next((s for s in computing if not s.target), computing[-1])


def _named(pattern: Pattern, name: str) -> Pattern:
    """With the name of the activation or the loss, or how it looks, put in."""
    value = pattern.value
    for word, looks in (("SHAPE", SHAPES), ("ROUGHLY", ROUGHLY), ("TERMS", TERMS)):
        value = value.replace(word, looks.get(name, NEVER))
    return replace(pattern, function=pattern.function.replace("NAME", name or "never"), value=value)


def _narrowed(found: Sequence[Statement], cause: Cause, name: str, tensor: str) -> list[Statement]:
    """Those in the branch of this loss or activation, with what the sentence speaks of, of this tensor."""
    left = [s for s in found if not _of_another(s, name)]
    left = [s for s in left if name and name in s.branches] or left
    if cause.about in ("momentum", "decay", "update"):
        left = [s for s in left if "adam" not in s.branches.lower()] or left
    for words, value in WORDS:
        if words in cause.sentence:
            left = [s for s in left if re.search(value, s.text)]
            break
    digit = tensor[1:]
    mine = [s for s in left if digit and re.search(rf"[a-zA-Z_]{digit}\b", s.target)]
    return mine if mine and cause.about in ("weight", "bias") else left


def _of_another(statement: Statement, name: str) -> bool:
    """Does it stand in the branch of another loss or activation, and not of this one?"""
    if not name or name in statement.branches:
        return False
    kind = LOSSES if name in LOSSES else ACTIVATIONS
    asked = re.findall(r"== '(\w+)'", statement.branches)
    return any(other in kind and other != name for other in asked)


# -- the statements of a file


def _scopes(target: Target) -> list[Scope]:
    """Its own methods and what they name in the file; its bases' only where it computes nothing itself.

    Empty where no file can be read. A class that overrides methods has its mistake in these, most likely.
    """
    try:
        tree = ast.parse(Path(target.place).read_bytes()) if target.is_file else ast.Module([], [])
    except (OSError, SyntaxError, ValueError):
        return []
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    own = [target.name] if target.name in classes else []
    bases = list(_bases(classes, own))
    named = {
        part.id for name in (*own, *bases) for part in ast.walk(classes[name]) if isinstance(part, ast.Name)
    }
    others = named - {*own, *bases}
    rest: list[ast.stmt] = [node for node in tree.body if getattr(node, "name", "") in others]
    groups: list[list[ast.stmt]] = [[classes[name] for name in own], [classes[name] for name in bases], rest]
    mine, above, beside = ([s for node in g for s in _statements(ast.Module([node], []))] for g in groups)
    return [mine or above, beside]


def _bases(classes: dict[str, ast.ClassDef], own: Sequence[str]) -> Iterator[str]:
    for name in own:
        above = [base.id for base in classes[name].bases if isinstance(base, ast.Name) and base.id in classes]
        yield from above
        yield from _bases(classes, above)


def _statements(node: ast.AST, function: str = "", branches: str = "") -> Iterator[Statement]:
    """All below this node, in order, that compute something."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef):
            name = f"{function}.{child.name}" if function else child.name
            yield from _statements(child, name, name)
        elif isinstance(child, ast.If):
            test = f"{branches} {ast.unparse(child.test)}"
            yield from _statements(ast.Module(child.body, []), function, test)
            yield from _statements(ast.Module(child.orelse, []), function, branches)
        elif function and isinstance(child, ast.Assign | ast.AugAssign | ast.Return) and child.value:
            yield from _computed(child, function, branches)
        else:
            yield from _statements(child, function, branches)


def _computed(
    child: ast.Assign | ast.AugAssign | ast.Return, function: str, branches: str
) -> Iterator[Statement]:
    """The statement, unless it only asks somebody else; of ``a, b = x, y`` each part on its own."""
    assert child.value is not None
    value = ast.unparse(child.value)
    if isinstance(child, ast.Return):
        targets = [""]
    elif isinstance(child, ast.AugAssign):
        sign = {ast.Sub: "-", ast.Add: "+", ast.Mult: "*", ast.Div: "/"}.get(type(child.op), "?")
        targets, value = [ast.unparse(child.target)], f"{ast.unparse(child.target)} {sign} ({value})"
    else:
        targets = [ast.unparse(one) for one in child.targets]
    if not ELSEWHERE.match(value):
        yield from (Statement(function, target, value, branches, child.lineno) for target in targets)


def _source_line(target: Target, statement: Statement) -> str:
    lines = Path(target.place).read_text(encoding="utf-8", errors="replace").splitlines()
    return lines[statement.number - 1].strip() if statement.number <= len(lines) else statement.text
