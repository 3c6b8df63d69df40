"""`Reading`: how a network is built, given samples and read, and `Run`: one evaluation of it.

Everything here was declared or found out by `trying`; nothing is decided any more, and no number is changed:
arrays are reshaped and turned as the weights lie, copied, and handed over.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

import numpy as np

from backproof.comparisons.contenders.named.calls import OUTPUTS, Call, Word, item_of
from backproof.comparisons.contenders.named.stated import Names, own_cost
from backproof.comparisons.contenders.own_network import NotTold, Place

# How one example x (n,) is handed to a network that takes one at a time.
ALONE: dict[str, Callable[[Any], Any]] = {
    "(n,)": lambda x: x,
    "(1, n)": lambda x: x[None],
    "(n, 1)": lambda x: x[:, None],
    "one (1, n) in a list": lambda x: x[None, None],
    "one (n, 1) in a list": lambda x: x[None, :, None],
}

ITSELF = Place((), ())  # the answer, no part of it


@dataclass(frozen=True)
class Lying:
    """Where the gradient of a network of one depth lies: in an answer, or in the network."""

    places: tuple[Place, ...]  # W1, b1, W2, ... or the W alone
    in_network: bool = False


def beside(kind: type, wraps: Any, net: Any) -> Mapping[str, Any]:
    """The names that lie beside the network in its file, and in the adapter's."""
    modules = (kind.__module__, type(net).__module__, getattr(wraps, "__module__", ""))
    known = [vars(sys.modules[name]) for name in modules if name in sys.modules and name != "builtins"]
    own = {own_cost(kind): kind().cost} if callable(getattr(kind, "cost", None)) else {}
    return {**{name: value for names in known for name, value in names.items()}, **own}


@dataclass(frozen=True)
class Reading:
    """See the module. `outputs` lie in the forward pass's answer; the last three are by number of sizes."""

    names: Names
    make: Callable[[Sequence[int]], Any] | None = None
    scope: Mapping[str, Any] = field(default_factory=dict)  # functions beside the network
    samples: str = "rows"
    alone: str = "(n,)"
    learns: str = ""  # gradient | step
    outputs: Place = ITSELF
    calls: Mapping[str, Call] = field(default_factory=dict)
    forward_first: bool = False
    targets: str = ""  # labels | one_hot | values
    weights: Mapping[int, tuple[Place, ...]] = field(default_factory=dict)
    rates: Mapping[int, tuple[Place, ...]] = field(default_factory=dict)
    gradients: Mapping[int, Lying] = field(default_factory=dict)

    def function(self, net: Any, name: str) -> Callable[..., Any]:
        """The network's method, or the function beside it. Raises NotTold with those that are there."""
        found = getattr(net, name, None) if self.is_method(net, name) else self.scope.get(name)
        if callable(found):
            return cast(Callable[..., Any], found)
        kind = type(net)
        there = [one for one in dir(kind) if not one.startswith("_") and callable(getattr(kind, one, None))]
        if kind.__module__ == "builtins":
            there = [one for one, value in self.scope.items() if callable(value) and not one.startswith("_")]
        raise NotTold(f"{name}: {kind.__name__} has no such method; it has {', '.join(there) or 'none'}")

    @staticmethod
    def is_method(net: Any, name: str) -> bool:
        return type(net).__module__ != "builtins" and callable(getattr(net, name, None))


class Run:
    """One evaluation: the forward pass is made once, when it is first needed."""

    def __init__(self, reading: Reading, net: Any, x: Any, targets: Any = None, rate: Any = None) -> None:
        self.reading, self.net, self.rate = reading, net, rate
        self.single = reading.samples == "single"
        self.x = ALONE[reading.alone](x) if self.single else x
        self.targets = self._alone(targets) if self.single else targets
        self.learnt: Any = None  # what the gradient's function, or the step, returned

    def _alone(self, target: Any) -> Any:
        """One example's row, shaped as the example is; its label as a number, or in a list as that."""
        if isinstance(target, np.ndarray):
            return ALONE[self.reading.alone](target)
        return np.array([target]) if target is not None and "list" in self.reading.alone else target

    @cached_property
    def answer(self) -> Any:
        """Of the forward pass: of that for learning, where there are targets."""
        call = self.reading.calls["forward" if self.targets is None else "learning forward"]
        return call.on(self._function("forward"), self.value)

    def outputs(self) -> Any:
        """A copy of the outputs as the class's form has them: of a batch turned, if they came turned."""
        found = np.array(self.value(OUTPUTS))
        if self.single:
            return found.ravel()
        return found.T if self.reading.outputs.turned else found

    def value(self, word: Word) -> Any:
        """What is handed over for it. Targets that nobody told are zeros: a forward pass may ask for some."""
        if word.kind == "item":
            return item_of(self.answer, word.key, self._function("forward"))
        if word.kind == "net":
            return self.net if word.key == "" else self.net[word.key]
        values: dict[str, Callable[[], Any]] = {
            "x": lambda: self.x,
            "targets": lambda: np.zeros(self.examples, int) if self.targets is None else self.targets,
            "outputs": lambda: self.reading.outputs.get(self.answer),
            "answer": lambda: self.answer,
            "rate": lambda: self.rate,
            "len(x)": lambda: self.examples,
            "1": lambda: 1,
            "True": lambda: True,
            "pairs": self.pairs,
        }
        return values[word.kind]()

    @property
    def examples(self) -> int:
        if self.single:
            return 1
        return int(self.x.shape[1] if self.reading.samples == "columns" else len(self.x))

    def pairs(self) -> list[tuple[Any, Any]]:
        """Samples and their targets one by one, as a mini-batch in a list has them."""
        if self.single:
            return [(self.x, self.targets)]
        turned, shaped = self.reading.samples == "columns", ALONE[self.reading.alone]
        rows = (self.x.T, self.targets.T) if turned else (self.x, self.targets)
        return [(shaped(x), shaped(t) if np.ndim(t) else t) for x, t in zip(*rows, strict=True)]

    def learn(self) -> None:
        """The gradient's function is called, after the forward pass where it needs what that leaves."""
        if self.reading.forward_first:
            self.answer  # noqa: B018 - it is made once, when it is first asked for
        self.learnt = self._called("gradient")

    def read(self, lying: Lying, weights: Sequence[Place]) -> list[Any]:
        """Copies of dW1, db1, ...: dW turned as W is."""
        holder, parts = self.net if lying.in_network else self.learnt, []
        for place, weight in zip(lying.places, weights, strict=True):
            part = place.get(holder)
            part = np.array(part) if isinstance(part, np.ndarray) else part
            parts.append(np.swapaxes(part, -1, -2) if weight.turned and np.ndim(part) > 1 else part)
        return parts

    def step(self, n_sizes: int) -> Any:
        """One step; what is said of the loss, before it where that is another function's."""
        for place in self.reading.rates.get(n_sizes, ()):
            place.put(self.net, self.rate)
        by_step = self.reading.names.cost_of == "step"
        before = None if by_step else self.cost()
        if self.reading.forward_first:
            self.answer  # noqa: B018 - as above
        self.learnt = self._called("step")
        return self.cost() if by_step else before

    def cost(self) -> Any:
        """The loss as it is told, a number where it is one; None of a network that tells none."""
        of, named = self.reading.names.cost_of, self.reading.names.cost
        if named is None:
            return None
        if of == "cost" and "forward" in self.reading.calls:
            self.answer  # noqa: B018 - it may read what the forward pass has kept
        found = self.answer if of == "forward" else self.learnt if of != "cost" else self._called("cost")
        for key in named.keys:
            found = item_of(found, key, self._function(of))
        one = np.size(found) == 1 and np.asarray(found).dtype.kind in "fiu"
        return float(np.squeeze(found)) if one else found

    def _function(self, what: str) -> Callable[..., Any]:
        return self.reading.function(self.net, getattr(self.reading.names, what).name)

    def _called(self, what: str) -> Any:
        return self.reading.calls[what].on(self._function(what), self.value)
