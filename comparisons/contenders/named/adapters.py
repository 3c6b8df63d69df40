"""An adapter without methods: plain class attributes name what the wrapped network calls its things.

    class Adapter:
        wraps = Network                                     # or a function that makes one from its sizes
        forward, gradient = "feedforward", "backprop"       # or step = "train": it changes the weights
        supports = {"loss": ["cross_entropy"]}

    forward   gives the outputs; ("forward", "A2"): an entry of what it returns
    gradient  gives dW and db, or leaves them in the network
    cost      gives the loss: a method, or ("forward", "loss"); without it the loss is not judged. Where the
              network tells none it may be written: def cost(self, outputs, targets)
    rate      where the learning rate lies, for a step that takes none: "optimizer.lr"
    weights   where the weights lie, if shapes do not tell: ("W", "b")

How the network is built, where its weights and their gradients lie, and in which form it is given samples is
found out on networks of sizes that are all different, where an array's shape tells what it is (`building`,
`trying`). What was found is said. What is not told apart is refused with one sentence, and nothing is
repaired: answers are handed over as they come. Any of the methods may be written instead, `network` too.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from backproof.comparisons.contenders import own_network
from backproof.comparisons.contenders.named.building import in_a_list
from backproof.comparisons.contenders.named.reading import Run
from backproof.comparisons.contenders.named.stated import Names, names_of
from backproof.comparisons.contenders.named.trying import tried
from backproof.comparisons.contenders.own_network import NotTold

OWN = ("logits", "loss_and_gradient", "step", "weights", "network")  # what it may have written itself


def is_adapter(kind: type) -> bool:
    """Has it a `load`, or what one can be made from?"""
    return hasattr(kind, "load") or callable(getattr(kind, "network", None)) or hasattr(kind, "wraps")


def with_methods(kind: type) -> type:
    """The class; where it has no `load`, with the methods for which its attributes are enough.

    Raises NotTold where they are not.
    """
    names = None if hasattr(kind, "load") else names_of(kind)
    return own_network.with_load(kind) if names is None else _named(kind, names)


def _named(kind: type, names: Names) -> type:
    """The class with methods; what was found out stands in its attributes."""
    written = {name for name in OWN if callable(getattr(kind, name, None))}
    learns = "" if written & {"loss_and_gradient", "step"} else names.learns
    if not written & {"loss_and_gradient", "step"} and (not learns or (names.gradient and names.step)):
        raise NotTold(
            f'{kind.__name__}: declare gradient = "..." or step = "...", one of them: the name of what gives '
            "the gradient, or changes the weights"
        )
    made: dict[str, Callable[..., Any]] = {"load": _load, "weights": own_network.weights, "network": _network}
    if names.forward is not None:
        made["logits"] = _logits
    if learns:
        made |= {"loss_and_gradient": _loss_and_gradient} if learns == "gradient" else {"step": _step}
    left = {name: method for name, method in made.items() if name not in written}
    about = {"__module__": kind.__module__, "__doc__": kind.__doc__}
    return type(kind.__name__, (kind,), {**left, **dict(tried(kind, names, learns).attributes()), **about})


def _load(self: Any, architecture: Any, weights: Any) -> None:
    """Make the network, and put copies of the weights where they were found."""
    self._size = len(architecture.layer_sizes)
    if self._size not in self._reading.weights:
        raise NotImplementedError(f"it was not built with {self._size - 2} hidden layers")
    turned = getattr(self, "weight_layout", "in_out") == "out_in"
    places = [
        replace(place, turned=place.turned != turned) if place.is_matrix else place
        for place in self._reading.weights[self._size]
    ]
    own_network.put(self, self.network(architecture), places, weights)


def _network(self: Any, architecture: Any) -> Any:
    return in_a_list(self._reading.make(architecture.layer_sizes))


def _logits(self: Any, x: Any) -> Any:
    return Run(self._reading, self.net, x).outputs()


def _loss_and_gradient(self: Any, x: Any, targets: Any) -> tuple[Any, list[Any]]:
    run = Run(self._reading, self.net, x, targets)
    run.learn()
    if self._size not in self._reading.gradients:
        raise LookupError(f"no gradient was found with {self._size - 2} hidden layers as with others")
    parts = run.read(self._reading.gradients[self._size], self._places)
    return run.cost(), list(zip(parts[::2], parts[1::2], strict=True)) if self._pairs else parts


def _step(self: Any, x: Any, targets: Any, rate: Any) -> Any:
    return Run(self._reading, self.net, x, targets, rate).step(self._size)
