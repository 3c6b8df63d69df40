"""Calls of somebody's functions by the names of their parameters, and what is handed over for each.

A parameter is given what its name says: x, the targets, the rate, the number of examples, 1 for a number of
epochs, True for training; the outputs of the forward pass where it names these, what the forward pass
returned under that very name, or all of it as a cache; the parts of a network that lies in lists. What names
nothing of these and has no default is not guessed at.
"""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backproof.comparisons.contenders.named.argument_names import WEIGHT, argument, names_in_a_row
from backproof.comparisons.contenders.own_network import NotTold

CACHE = re.compile(r"^(caches?|memory|store|outputs|activations|forward(_?(pass|out\w*))?)$", re.I)
PAIRS = re.compile(r"^(mini_?batch|training_data|pairs)$", re.I)
WHOLE = re.compile(r"^(params?|parameters|weights|theta|model|net|network|layers)$", re.I)
# What is written where a name does not say enough.
WRITE = {
    "forward": "def logits(self, x)",
    "gradient": "def loss_and_gradient(self, x, targets)",
    "step": "def step(self, x, targets, rate)",
    "cost": "def loss_and_gradient(self, x, targets)",
}


@dataclass(frozen=True)
class Named:
    """A function by its name, and where in its answer to look: keys, one inside the other."""

    name: str
    keys: tuple[str | int, ...] = ()


@dataclass(frozen=True)
class Word:
    """What an argument is.

    `kind`: x, targets, outputs, answer (of the forward pass), item (of it, by `key`), net (all of it, or a
    part by its number), rate, len(x), 1, True or pairs.
    """

    kind: str
    key: str | int = ""

    def __str__(self) -> str:
        if self.kind == "item":
            return str(self.key)
        return f"{self.kind}[{self.key}]" if self.kind == "net" and self.key != "" else self.kind


OUTPUTS, X, TARGETS = Word("outputs"), Word("x"), Word("targets")


@dataclass(frozen=True)
class Call:
    """A function's name, and its arguments: (keyword or empty, what)."""

    name: str
    words: tuple[tuple[str, Word], ...]

    def __str__(self) -> str:
        told = [f"{keyword}={word}" if keyword else str(word) for keyword, word in self.words]
        return f"{self.name}({', '.join(told)})"

    def kinds(self) -> set[str]:
        return {word.kind for _, word in self.words}

    def on(self, function: Callable[..., Any], value: Callable[[Word], Any]) -> Any:
        """What it returns; of a generator all that it yields."""
        positional = [value(word) for keyword, word in self.words if not keyword]
        answer = function(*positional, **{keyword: value(word) for keyword, word in self.words if keyword})
        return list(answer) if inspect.isgenerator(answer) else answer


@dataclass(frozen=True)
class Surroundings:
    """What a call may be given beside x and targets."""

    whole: bool = False  # the answer of the forward pass is more than an array
    items: tuple[str, ...] = ()  # names in a row that the forward pass returns
    parts: tuple[str, ...] = ()  # the names of a network that is a list of parts
    by_itself: bool = False  # the function is none of the network's methods: it is given the network
    learning: bool = False  # a forward pass before a backward one


def bound(what: str, named: Named, function: Callable[..., Any], around: Surroundings) -> Call:
    """How `function`, the network's `what`, is called. Raises NotTold for a parameter that names nothing."""
    parameters = _parameters(what, named.name, function)
    meant = _numbered({p.name: _meant(what, p.name, around) for p in parameters}, around)
    required = [p.name for p in parameters if p.default is p.empty]
    meant |= _left(what, meant, required)
    words: list[tuple[str, Word]] = []
    skipped = False
    for parameter in parameters:
        word, optional = meant[parameter.name], parameter.name not in required
        if word is None and not optional:
            raise NotTold(
                f"{what}: what is {parameter.name} of {named.name}? Write {WRITE[what]}, which calls it"
            )
        if word is None or (optional and word.kind == "True" and not around.learning):
            skipped = True
            continue
        words.append((parameter.name if skipped or parameter.kind is parameter.KEYWORD_ONLY else "", word))
    return Call(named.name, tuple(words))


def _parameters(what: str, name: str, function: Callable[..., Any]) -> Sequence[inspect.Parameter]:
    try:
        found = inspect.signature(function).parameters.values()
    except (ValueError, TypeError) as error:
        raise NotTold(f"{what}: the parameters of {name} cannot be read: write {WRITE[what]}") from error
    return [p for p in found if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]


def _meant(what: str, name: str, around: Surroundings) -> Word | None:
    if name in around.items:
        return Word("item", name)
    if around.by_itself:
        if name in around.parts:
            return Word("net", around.parts.index(name))
        if WEIGHT.match(name) if around.parts else WHOLE.match(name):
            return Word("net")
    if around.whole and CACHE.match(name) and not (what == "cost" and Word(argument(name)) == OUTPUTS):
        return Word("answer")
    if PAIRS.match(name):
        return Word("pairs")
    word = "rate" if what == "step" and name == "epsilon" else argument(name)
    return Word(word) if word and (word != "rate" or what == "step") else None


def _numbered(meant: dict[str, Word | None], around: Surroundings) -> dict[str, Word | None]:
    """The parts of a network in lists, in their order, where parameters have other names than these."""
    wanted = [name for name, word in meant.items() if around.parts and word == Word("net")]
    return {**meant, **{name: Word("net", i) for i, name in enumerate(wanted)}}


def _left(what: str, meant: Mapping[str, Word | None], required: Sequence[str]) -> dict[str, Word | None]:
    """The input of a forward pass, and the targets of what learns, may have any name, if it alone is left."""
    kinds = {word.kind for word in meant.values() if word is not None}
    free = [name for name in required if meant[name] is None or (what != "cost" and meant[name] == OUTPUTS)]
    if what == "forward":
        return {free[0]: X} if free and "x" not in kinds else {}
    return {free[0]: TARGETS} if len(free) == 1 and not kinds & {"targets", "pairs"} else {}


def item_of(answer: Any, key: str | int, function: Callable[..., Any]) -> Any:
    """An entry of an answer by its key, its number, or its name in the row that is returned."""
    if isinstance(key, str) and isinstance(answer, tuple | list):
        names = names_in_a_row(function)
        if key in names:
            return answer[names.index(key)]
    return answer[key]
