"""`network(self, architecture)` in place of `load` and `weights`: an adapter returns the network it is for.

The arrays that are its weights are found inside it, by their shapes: in a network of sizes that are all
different (3, 5, 8, ...), an array of shape (3, 5) can only be the first layer's W, or something that is kept
beside it. What is found there is then set and read wherever it lies: attributes, entries of dictionaries and
lists, of objects inside objects. It is `self.net` from then on. W may lie as (out, in), biases in any form.
"""

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

SIZES = (3, 5, 8, 12, 17, 23, 30)  # no size is another plus one, which a bias inside W would add
DEEPEST = 6  # objects inside objects
# What is kept beside the weights and has their shape: gradients, moments, velocities, caches.
BESIDE = re.compile(
    r"^_*(d[wb_]|grad|delta|[vms]_?[wb]?\d*$|mom|vel|cache|best|prev|old|last|opt|init)", re.I
)


@dataclass(frozen=True)
class Place:
    """Where an array lies: the object that holds it is found again from the network at each use."""

    steps: tuple[tuple[str, Any], ...]  # ("attribute" | "item", name or key)
    shape: tuple[int, ...]  # in the network of SIZES
    turned: bool = False  # W lies transposed to what load is given

    @property
    def name(self) -> str:
        return "net" + "".join(
            f".{step}" if kind == "attribute" else f"[{step!r}]" for kind, step in self.steps
        )

    def get(self, net: Any) -> Any:
        for kind, step in self.steps:
            net = getattr(net, step) if kind == "attribute" else net[step]
        return net

    def put(self, net: Any, value: Any) -> None:
        holder = Place(self.steps[:-1], ()).get(net)
        kind, step = self.steps[-1]
        if kind == "attribute":
            setattr(holder, step, value)
        else:
            holder[step] = value


def with_load(kind: type) -> type:
    """The class; where it has `network` and no `load`, with a `load` and a `weights` of this module."""
    if not callable(getattr(kind, "network", None)) or hasattr(kind, "load"):
        return kind
    made = {"load": _load, "weights": getattr(kind, "weights", _weights)}
    return type(kind.__name__, (kind,), {**made, "__module__": kind.__module__, "__doc__": kind.__doc__})


def _load(self: Any, architecture: Any, weights: Any) -> None:
    """Make the network, and put copies of the weights into it."""
    self._places, self._pairs = _places(self, architecture, weights), not isinstance(weights[0], np.ndarray)
    self.net = self.network(architecture)
    self._given = [part.shape for part in _flat(weights)]
    for place, array in zip(self._places, _flat(weights), strict=True):
        place.put(self.net, _as_it_lies(place, array))


def _weights(self: Any) -> list[Any]:
    """Copies of what lies there, in the form in which load was given them."""
    parts = []
    for place, shape in zip(self._places, self._given, strict=True):
        array = np.array(place.get(self.net))
        parts.append(array.T.copy() if place.turned else array.reshape(shape))
    return list(zip(parts[::2], parts[1::2], strict=True)) if self._pairs else parts


def _as_it_lies(place: Place, array: Any) -> Any:
    """A copy: W turned where it lies turned; b as the vector, row or column that lies there."""
    if place.turned:
        return array.T.copy()
    if len(place.shape) == 1:
        return array.ravel().copy()
    if 1 in place.shape:
        return array.reshape(tuple(1 if n == 1 else -1 for n in place.shape)).copy()
    return array.copy()


def _flat(weights: Any) -> list[Any]:
    return [part for item in weights for part in ([item] if isinstance(item, np.ndarray) else item)]


def _places(adapter: Any, architecture: Any, weights: Any) -> list[Place]:
    """Of every W and b, in the order of the layers. Raises LookupError where one is not found, or several."""
    sizes = SIZES[: len(architecture.layer_sizes)]
    template = copy.copy(architecture)
    object.__setattr__(template, "layer_sizes", sizes)  # past its own check of names
    found = list(_arrays(adapter.network(template), (), set()))
    turned = getattr(adapter, "weight_layout", "in_out") == "out_in"
    folded = getattr(adapter, "biases", "") in ("first", "last")
    places = []
    for layer, (n_in, n_out) in enumerate(pairwise(sizes), start=1):
        shape = (n_in + folded, n_out)
        W = _only(found, f"W{layer}", (shape, shape[::-1]))
        places.append(Place(W.steps, W.shape, (W.shape != shape) != turned))
        if not isinstance(weights[0], np.ndarray):
            places.append(_only(found, f"b{layer}", ((n_out,), (1, n_out), (n_out, 1))))
    return places


def _only(found: Sequence[Place], what: str, shapes: Sequence[tuple[int, ...]]) -> Place:
    """The one array of these shapes, or of several the one whose name is not of something kept beside it."""
    fitting = [place for place in found if place.shape in shapes]
    likely = [p for p in fitting if not any(k == "attribute" and BESIDE.match(str(s)) for k, s in p.steps)]
    chosen = fitting if len(fitting) == 1 else likely
    if len(chosen) == 1:
        return chosen[0]
    names = ", ".join(place.name for place in chosen or fitting) or "none"
    wanted = " or ".join(map(str, shapes))
    raise LookupError(
        f"network(): {what}, an array of shape {wanted}, is not told apart (found {names}): write load"
    )


def _arrays(value: Any, steps: tuple[tuple[str, Any], ...], seen: set[int]) -> Iterator[Place]:
    """The arrays inside, each once, nearest first along every branch."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind == "f" and steps:
            yield Place(steps, value.shape)
        return
    if id(value) in seen or len(steps) > DEEPEST:
        return
    seen.add(id(value))
    inside: list[tuple[tuple[str, Any], Any]] = []
    if isinstance(value, Mapping):
        inside = [(("item", key), item) for key, item in value.items()]
    elif isinstance(value, list):
        inside = [(("item", i), item) for i, item in enumerate(value)]
    elif isinstance(value, tuple):  # its arrays cannot be set; those of objects inside it can
        inside = [(("item", i), item) for i, item in enumerate(value) if not isinstance(item, np.ndarray)]
    elif not isinstance(value, type | ModuleType | FunctionType | MethodType | str | bytes | int | float):
        inside = [(("attribute", name), item) for name, item in getattr(value, "__dict__", {}).items()]
    for step, item in inside:
        yield from _arrays(item, (*steps, step), seen)
