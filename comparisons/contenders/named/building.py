"""Networks of sizes that are all different, built as somebody's constructor allows: `Builder`.

A constructor is called by what its parameters' names say of sizes, those without a default first, then all;
then with all sizes as one list, and one by one. Which way is right is seen from the weights: in a network of
such sizes an array's shape tells what it is, and all of them must be there.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from backproof.comparisons.contenders.named.argument_names import size
from backproof.comparisons.contenders.named.stated import Names, Stated
from backproof.comparisons.contenders.own_network import (
    SIZES,
    NotTold,
    Place,
    as_it_lies,
    find_weights,
    has_biases,
)
from backproof.scratch.architecture import Architecture

EXAMPLES = 20  # a number that is none of the sizes
WORDS = {
    "sizes": "all sizes",
    "hidden": "the hidden size",
    "outputs": "outputs",
    "inputs": "inputs",
    "rate": "1.0",
}
Make = Callable[[Sequence[int]], Any]
Pairs = list[tuple[Place, Place | None]]


@contextmanager
def told_of(what: object) -> Iterator[None]:
    """Whatever somebody's code raises here tells that it was not meant so: NotTold, with `what` in front."""
    try:
        with np.errstate(all="ignore"):  # a form that is not the network's may give anything
            yield
    except NotTold as reason:
        raise type(reason)(f"{what} {reason}") from reason
    except (Exception, SystemExit) as error:  # somebody's code may raise anything
        raise NotTold(f"{what} raises {type(error).__name__}: {str(error)[:120]}") from error


def in_a_list(net: Any) -> Any:
    """What is a tuple of weights, as a list in which they can be replaced."""
    return list(net) if isinstance(net, tuple) else net


@dataclass(frozen=True)
class Way:
    """`told`: parameter -> word of argument_names.SIZES; `as_list`: hidden sizes in a list, however many."""

    function: Callable[..., Any]
    told: Mapping[str, str]
    as_list: bool = False

    @property
    def fixed(self) -> int | None:
        """How many sizes it takes, where that is fixed."""
        words = set(self.told.values())
        if "sizes" in words or ("hidden" in words and self.as_list):
            return None
        return 3 if "hidden" in words else 2

    def __str__(self) -> str:
        words = {**WORDS, "hidden": "the hidden sizes"} if self.as_list else WORDS
        return ", ".join(f"{name}={words[word]}" for name, word in self.told.items())

    def __call__(self, sizes: Sequence[int]) -> Any:
        if self.fixed not in (None, len(sizes)):
            raise ValueError(f"it has {self.fixed} sizes")
        values = {
            "sizes": list(sizes),
            "hidden": list(sizes[1:-1]) if self.as_list else sizes[1],
            "outputs": sizes[-1],
            "inputs": sizes[0],
            "rate": 1.0,
        }
        return self.function(**{name: values[word] for name, word in self.told.items()})


def ways_to_build(function: Callable[..., Any]) -> Iterator[tuple[str, Make]]:
    """(in words, what makes a network of these sizes), the likeliest first."""
    parameters = _parameters(function)
    for chosen in ([p for p in parameters if p.default is p.empty], parameters):
        words = {p.name: size(p.name) for p in chosen}
        told = {name: word for name, word in words.items() if word}
        unknown = [p for p in chosen if not words[p.name] and p.default is p.empty]
        enough = "sizes" in told.values() or {"inputs", "outputs"} <= set(told.values())
        if enough and not unknown:
            for as_list in dict.fromkeys((False, "hidden" in told.values())):
                yield str(Way(function, told, as_list)), Way(function, told, as_list)
    yield "all sizes in a list", lambda sizes: function(list(sizes))
    yield "the sizes one by one", lambda sizes: function(*sizes)


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    try:
        found = inspect.signature(function).parameters.values()
    except (ValueError, TypeError):  # written in C, say
        return []
    return [p for p in found if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]


@dataclass(frozen=True)
class Built:
    """A way to build networks of these sizes, and where their weights lie in them."""

    how: str
    make: Make
    sizes: tuple[int, ...]
    places: Pairs

    @property
    def flat(self) -> tuple[Place, ...]:
        return tuple(place for pair in self.places for place in pair if place is not None)

    def loaded(self) -> Any:
        """A network with weights that are always the same."""
        net, rng = in_a_list(self.make(self.sizes)), np.random.default_rng(7)
        for W, b in self.places:
            shape = W.shape[::-1] if W.turned else W.shape
            W.put(net, as_it_lies(W, rng.standard_normal(shape) / np.sqrt(shape[0])))
            if b is not None:
                b.put(net, as_it_lies(b, 0.3 * rng.standard_normal(max(b.shape))))
        return net

    def weights(self, net: Any) -> list[Any]:
        return [np.array(place.get(net)) for place in self.flat]


class Builder:
    """The networks of one class: those of its `network` method, where it has that, else of what it wraps."""

    def __init__(self, kind: type, names: Names, stated: Stated) -> None:
        self.kind, self.names, self.stated = kind, names, stated
        self.found: Built | None = None  # in this way, once it is found

    def built(self, hidden_layers: int) -> Built:
        """The first way in which all weights are found; then always the same. Raises NotTold."""
        sizes, reasons = SIZES[: hidden_layers + 2], []
        for how, make in self._ways() if self.found is None else [(self.found.how, self.found.make)]:
            for samples in ("none", "rows", "columns"):
                try:
                    with told_of(how):
                        built = Built(
                            how, make, sizes, self._places(self._called(make, sizes, samples), sizes)
                        )
                except NotTold as reason:
                    reasons.append(reason)
                else:
                    self.found = built
                    return built
        written = callable(getattr(self.kind, "network", None))
        raise NotTold(
            f"{reasons[0]}{'' if written else ': write network(self, architecture), which returns it'}"
        )

    @property
    def is_of_one_depth(self) -> bool:
        """Does its constructor take the sizes one by one, so that no other number of layers is meant?"""
        return self.found is not None and getattr(self.found.make, "fixed", None) is not None

    def _ways(self) -> Iterator[tuple[str, Make]]:
        if callable(getattr(self.kind, "network", None)):
            yield "network(self, architecture)", self._written
            return
        wraps = self.names.wraps
        if not callable(wraps):
            raise NotTold(f"wraps: expected a class or a function that makes a network, got {wraps!r:.80}")
        for told, make in ways_to_build(wraps):
            yield f"{getattr(wraps, '__name__', 'wraps')}({told})", make

    def _written(self, sizes: Sequence[int]) -> Any:
        form = (tuple(sizes), self.stated.activation, self.stated.loss, "float64")
        return self.kind().network(Architecture(*form))  # type: ignore[arg-type]  # known names

    def _called(self, make: Make, sizes: Sequence[int], samples: str) -> Any:
        """A network; some make their weights when they are first called: with samples lying so."""
        net, x = make(sizes), np.zeros((EXAMPLES, sizes[0]))
        forward = self.names.forward.name if self.names.forward is not None else ""
        if samples != "none" and hasattr(net, forward):
            getattr(net, forward)(x if samples == "rows" else x.T)
        return in_a_list(net)

    def _places(self, net: Any, sizes: Sequence[int]) -> Pairs:
        biases = has_biases(net, sizes) if not self.stated.biases else self.stated.biases != "none"
        return find_weights(net, sizes, folded=self.stated.folded, biases=biases, named=self.names.weights)
