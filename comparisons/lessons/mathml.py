r"""Formulas for a page without a network: a small part of LaTeX, as MathML or as plain text.

    formula  ::=  item*
    item     ::=  base ( "_" base | "^" base )*
    base     ::=  letter | number | sign | "{" formula "}" | \name | \frac base base | \sqrt base
               |  \hat base | \text{...} | \matrix{ a & b \\ c & d }

Browsers draw MathML Core by themselves; the terminal gets the same formula in Unicode. An unknown command
raises InputError, so that a slip in a text is found by the tests and not by a reader.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import zip_longest

from markupsafe import Markup, escape

from backproof.scratch.errors import InputError

_SIGNS = {
    "partial": "∂", "sum": "∑", "cdot": "·", "times": "×", "le": "≤", "ge": "≥", "ne": "≠", "approx": "≈",
    "in": "∈", "to": "→", "gets": "←", "infty": "∞", "top": "⊤", "odot": "⊙", "pm": "±", "ldots": "…",
    "langle": "⟨", "rangle": "⟩", "nabla": "∇", "quad": "\u2003", "colon": ":", "forall": "∀", "cup": "∪",
    "Rightarrow": "⇒", "iff": "⇔", "mid": "|", "sim": "∼", "gg": "≫",
}  # fmt: skip
_LETTERS = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "eta": "η", "theta": "θ",
    "lambda": "λ", "mu": "μ", "pi": "π", "sigma": "σ", "tau": "τ", "varphi": "φ", "Delta": "Δ", "ell": "ℓ",
}  # fmt: skip
_NAMES = (
    "log",
    "exp",
    "tanh",
    "max",
    "min",
    "softmax",
    "logsumexp",
    "relu",
    "step",
    "onehot",
    "ln",
    "Im",
    "argmax",
)
_TOKEN = re.compile(r"\\text\{[^}]*\}|\\[A-Za-z]+|\\\\|\d+(?:\.\d+)?|\S")
_SUPERSCRIPTS = str.maketrans("0123456789+-−nTabcijklhxyz⊤′", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻ⁿᵀᵃᵇᶜⁱʲᵏˡʰˣʸᶻᵀ′")
_SUBSCRIPTS = str.maketrans("0123456789+-−=aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ")


@dataclass(frozen=True)
class Node:
    """`kind` is i (letter or name), n (number), o (operator), sign (a leading minus), text, row, frac, sqrt,
    hat, sub, sup, matrix or line (one row of a matrix)."""

    kind: str
    value: str = ""
    parts: tuple["Node", ...] = ()


@dataclass
class _Reader:
    tokens: list[str]
    at: int = 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        token = self.peek()
        if not token:
            raise InputError("formula: expected more, found its end")
        self.at += 1
        return token

    def formula(self, *ends: str) -> Node:
        parts: list[Node] = []
        while self.peek() and self.peek() not in ends:
            # A minus at the start, or after a bracket or a sign, belongs to what follows.
            leading = not parts or (parts[-1].kind == "o" and parts[-1].value not in ")]⟩′")
            sign = self.peek() == "-" and leading
            parts.append(self.item())
            if sign:
                parts[-1] = Node("sign", "−")
        return parts[0] if len(parts) == 1 else Node("row", parts=tuple(parts))

    def item(self) -> Node:
        node = self.base()
        while self.peek() in ("_", "^"):
            kind = "sub" if self.take() == "_" else "sup"
            node = Node(kind, parts=(node, self.base()))
        return node

    def base(self) -> Node:
        token = self.take()
        if token in ("}", "&", "\\\\"):
            raise InputError(f"formula: unexpected {token!r}")
        if token == "{":
            inside = self.formula("}")
            self.take()
            return inside
        if token.startswith("\\"):
            return self.command(token[1:])
        if token[0].isdigit():
            return Node("n", token)
        if token.isalpha():
            return Node("i", token)
        return Node("o", {"-": "−", "'": "′", "*": "∗"}.get(token, token))

    def command(self, name: str) -> Node:
        if name.startswith("text{"):
            return Node("text", name[5:-1])
        if name in ("frac", "sqrt", "hat"):
            return Node(name, parts=tuple(self.base() for _ in range(2 if name == "frac" else 1)))
        if name == "matrix":
            return self.matrix()
        if name in _LETTERS:
            return Node("i", _LETTERS[name])
        if name in _NAMES:
            return Node("i", name)
        if name in _SIGNS:
            return Node("o", _SIGNS[name])
        raise InputError(f"formula: unknown command \\{name}")

    def matrix(self) -> Node:
        self.take()
        lines, cells = [], [self.formula("&", "\\\\", "}")]
        while (token := self.take()) != "}":
            if token == "\\\\":
                lines.append(Node("line", parts=tuple(cells)))
                cells = []
            cells.append(self.formula("&", "\\\\", "}"))
        return Node("matrix", parts=(*lines, Node("line", parts=tuple(cells))))


@cache
def parse(formula: str) -> Node:
    """The tree of a formula. Raises ValueError for an unknown command or a brace without its partner."""
    return _Reader(_TOKEN.findall(formula)).formula()


def to_mathml(formula: str, display: bool = False) -> Markup:
    """A `math` element with the plain text as its accessible name."""
    return Markup('<math{block} aria-label="{label}">{body}</math>').format(
        block=Markup(' display="block"') if display else "", label=to_text(formula), body=_ml(parse(formula))
    )


def _ml(node: Node) -> Markup:
    inner = Markup("").join(_with_space(node.parts) if node.kind == "row" else map(_ml, node.parts))
    if node.kind == "text":  # a browser trims plain spaces at the ends
        return Markup("<mtext>{}</mtext>").format(node.value.replace(" ", "\u00a0"))
    tag = {"i": "mi", "n": "mn", "sub": "msub", "sup": "msup", "frac": "mfrac",
           "sqrt": "msqrt", "row": "mrow"}.get(node.kind)  # fmt: skip
    if tag:
        return Markup(f"<{tag}>") + escape(node.value) + inner + Markup(f"</{tag}>")
    if node.kind == "o":
        # A bare bracket keeps its size: stretching it around a fraction would need a matching pair.
        fixed = Markup(' stretchy="false"') if node.value in "()[]|⟨⟩" else ""
        return Markup("<mo{}>{}</mo>").format(fixed, node.value)
    if node.kind == "sign":
        return Markup('<mo form="prefix">−</mo>')
    if node.kind == "hat":
        return Markup("<mover>{}<mo>^</mo></mover>").format(inner)
    if node.kind == "line":
        cells = Markup("").join(Markup("<mtd>{}</mtd>").format(_ml(part)) for part in node.parts)
        return Markup("<mtr>{}</mtr>").format(cells)
    return Markup("<mrow><mo>[</mo><mtable>{}</mtable><mo>]</mo></mrow>").format(inner)


def _with_space(parts: tuple[Node, ...]) -> Iterator[Markup]:
    """The parts of a row; a thin space after a function's name unless a bracket follows: ln 10, log(1)."""
    for part, after in zip_longest(parts, parts[1:]):
        yield _ml(part)
        name = part.parts[0] if part.kind in ("sub", "sup") else part
        if name.value in _NAMES and after is not None and after.value not in ("(", "′", "[", ",", ")"):
            yield Markup('<mspace width="0.17em"></mspace>')


def to_text(formula: str) -> str:
    """The formula in Unicode, for a terminal and for screen readers."""
    plain = re.sub(rf"\\b({'|'.join(_NAMES)}) +(?=[(′⁰-⁹²³])", r"\1", _plain(parse(formula)))
    return re.sub(r" +", " ", plain).strip()


def _plain(node: Node) -> str:
    parts = [_plain(part) for part in node.parts]
    if node.kind == "sign":
        return node.value
    if node.kind in ("i", "n", "text"):
        return f"{node.value} " if node.value in _NAMES else node.value
    if node.kind == "o":
        return node.value if node.value in "()[]|⟨⟩′,.!·∂∇" else f" {node.value} "
    if node.kind == "row":
        # h²/6 M, not h²/6M: what follows a fraction stands apart from its denominator.
        return "".join(
            part + " " * (child.kind == "frac") for part, child in zip(parts, node.parts, strict=True)
        )
    if node.kind == "frac":
        top, bottom = (part.strip() if _single(child) else f"({part.strip()})"
                       for part, child in zip(parts, node.parts, strict=True))  # fmt: skip
        return f"{top}/{bottom}"
    if node.kind == "sqrt":
        return f"√({parts[0].strip()})"
    if node.kind == "hat":
        return f"{parts[0]}\u0302"
    if node.kind in ("sub", "sup"):
        return _script(parts[0], parts[1].replace(" ", ""), node.kind)
    if node.kind == "line":
        return " ".join(part.strip() for part in parts)
    return "[" + "; ".join(parts) + "]"


def _script(base: str, script: str, kind: str) -> str:
    moved = script.translate(_SUBSCRIPTS if kind == "sub" else _SUPERSCRIPTS)
    small = all(character not in script or character in "′" for character in moved)
    mark = "_" if kind == "sub" else "^"
    plain = script if len(script) == 1 else f"({script})"
    return base.rstrip() + (moved if small else mark + plain)


def _single(node: Node) -> bool:
    """Whether a part of a fraction reads without brackets: one symbol, or ∂ and one symbol."""
    if node.kind == "row":
        return len(node.parts) == 2 and node.parts[0].value == "∂"
    return node.kind in ("i", "n", "text", "sub", "sup", "hat")
