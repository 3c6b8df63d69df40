"""`network(self, architecture)` in place of `load` and `weights`: an adapter returns the network it is for.

The arrays that are its weights are found inside it, by their shapes: in a network of sizes that are all
different (3, 5, 8, ...), an array of shape (3, 5) can only be the first layer's W, or something that is kept
beside it. What is found there is then set and read wherever it lies: attributes, entries of dictionaries and
lists, of objects inside objects. It is `self.net` from then on. W may lie as (out, in), biases in any form.
"""

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
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
FLOWS = re.compile(r"^_*(last_?)?(in|out)(puts?)?(_data)?$", re.I)  # what went through a layer


class NotTold(LookupError):  # noqa: N818 - what could not be told of a network, in one sentence for its author
    """Raised instead of a guess."""


class TwoFit(NotTold):
    """Two things fit: its author must say which."""


@dataclass(frozen=True)
class Place:
    """Where an array lies: the object that holds it is found again from the network at each use."""

    steps: tuple[tuple[str, Any], ...]  # ("attribute" | "item", name or key)
    shape: tuple[int, ...]  # in the network of SIZES
    turned: bool = False  # W lies transposed to what load is given
    also: tuple[tuple[tuple[str, Any], ...], ...] = ()  # other ways to the very same array

    @property
    def name(self) -> str:
        return "net" + self.path

    @property
    def is_matrix(self) -> bool:
        """Is it W's, not a bias's?"""
        return len(self.shape) == 2 and 1 not in self.shape

    @property
    def path(self) -> str:
        return "".join(f".{step}" if kind == "attribute" else f"[{step!r}]" for kind, step in self.steps)

    @property
    def last(self) -> str:
        """The name at the end of its path, with its numbers: ``W1``; empty where it has none."""
        return next((step for _, step in reversed(self.steps) if isinstance(step, str)), "")

    @property
    def words(self) -> str:
        """Its path without numbers: ``layers.W`` of layers[0].W1."""
        words = [re.sub(r"_?\d+$", "", step) for _, step in self.steps if isinstance(step, str)]
        return ".".join(filter(None, words))

    def get(self, net: Any) -> Any:
        for kind, step in self.steps:
            net = getattr(net, step) if kind == "attribute" else net[step]
        return net

    def put(self, net: Any, value: Any) -> None:
        for *before, (kind, step) in (self.steps, *self.also):
            holder = Place(tuple(before), ()).get(net)
            if kind == "attribute":
                setattr(holder, step, value)
            else:
                holder[step] = value


def with_load(kind: type) -> type:
    """The class; where it has `network` and no `load`, with a `load` and a `weights` of this module."""
    if not callable(getattr(kind, "network", None)) or hasattr(kind, "load"):
        return kind
    made = {"load": _load, "weights": getattr(kind, "weights", weights)}
    return type(kind.__name__, (kind,), {**made, "__module__": kind.__module__, "__doc__": kind.__doc__})


def _load(self: Any, architecture: Any, given: Any) -> None:
    """Make the network, and put copies of the weights into it."""
    places = _places(self, architecture, given)
    put(self, self.network(architecture), places, given)


def put(adapter: Any, net: Any, places: Sequence[Place], given: Any) -> None:
    """The network is the adapter's `net` from now on, with copies of the weights in these places."""
    adapter.net, adapter._places, adapter._pairs = net, places, not isinstance(given[0], np.ndarray)
    adapter._given = [part.shape for part in _flat(given)]
    for place, array in zip(places, _flat(given), strict=True):
        place.put(net, as_it_lies(place, array))


def weights(self: Any) -> list[Any]:
    """Copies of what lies there, in the form in which load was given them."""
    parts = []
    for place, shape in zip(self._places, self._given, strict=True):
        array = np.array(place.get(self.net))
        parts.append(array.T.copy() if place.turned else array.reshape(shape))
    return list(zip(parts[::2], parts[1::2], strict=True)) if self._pairs else parts


def as_it_lies(place: Place, array: Any) -> Any:
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
    """Of every W and b, in the order of the layers. Raises NotTold where one is not found, or several."""
    sizes = SIZES[: len(architecture.layer_sizes)]
    template = copy.copy(architecture)
    object.__setattr__(template, "layer_sizes", sizes)  # past its own check of names
    turned = getattr(adapter, "weight_layout", "in_out") == "out_in"
    net = adapter.network(template)
    try:
        pairs = find_weights(
            net,
            sizes,
            folded=getattr(adapter, "biases", "") in ("first", "last"),
            biases=not isinstance(weights[0], np.ndarray),
            named=getattr(adapter, "_weights_named", ()),
        )
    except NotTold as reason:
        raise NotTold(f"network(): {reason}: write load") from reason
    return [
        place for W, b in pairs for place in (replace(W, turned=W.turned != turned), b) if place is not None
    ]


def find_weights(
    net: Any, sizes: Sequence[int], *, folded: bool = False, biases: bool = True, named: Sequence[str] = ()
) -> list[tuple[Place, Place | None]]:
    """Per layer of a network of these sizes (W, b): W turned where it lies as (out, in).

    `named`: what their places are called, where shapes alone do not tell; W's, then b's. Without `biases`, b
    is None. Raises NotTold where one is not found, or several.
    """
    found = _once(net)
    of_W, of_b = [_called(found, name) for name in (*named, "", "")[:2]]
    pairs = []
    for layer, (n_in, n_out) in enumerate(pairwise(sizes), start=1):
        shape = (n_in + folded, n_out)
        W = _only(of_W, f"W{layer}", (shape, shape[::-1]))
        b = _only(of_b, f"b{layer}", ((n_out,), (1, n_out), (n_out, 1))) if biases and not folded else None
        pairs.append((replace(W, turned=W.shape != shape), b))
    return pairs


def _once(net: Any) -> list[Place]:
    """Its arrays, each once: what lies in a dictionary and in the layers made of it is put in both."""
    found: dict[int, list[Place]] = {}
    for place in arrays(net):
        found.setdefault(id(place.get(net)), []).append(place)
    return [replace(first, also=tuple(other.steps for other in others)) for first, *others in found.values()]


def has_biases(net: Any, sizes: Sequence[int]) -> bool:
    """Is there an array of the shape of any layer's bias?"""
    shapes = {shape for n in sizes[1:] for shape in ((n,), (1, n), (n, 1))}
    return any(place.shape in shapes and not _beside(place) for place in arrays(net))


def _beside(place: Place) -> bool:
    return bool(FLOWS.match(place.last)) or any(
        k == "attribute" and BESIDE.match(str(s)) for k, s in place.steps
    )


def _called(found: Sequence[Place], name: str) -> Sequence[Place]:
    return [p for p in found if f".{p.words}".endswith(f".{name}")] if name else found


def _only(found: Sequence[Place], what: str, shapes: Sequence[tuple[int, ...]]) -> Place:
    """The one array of these shapes, or of several the one whose name is not of something kept beside it."""
    fitting = [place for place in found if place.shape in shapes]
    likely = [place for place in fitting if not _beside(place)]
    chosen = fitting if len(fitting) == 1 and not FLOWS.match(fitting[0].last) else likely
    if len(chosen) == 1:
        return chosen[0]
    names = ", ".join(place.name for place in chosen or fitting) or "none"
    wanted = " or ".join(map(str, shapes))
    raise NotTold(f"{what}, an array of shape {wanted}, is not told apart (found {names})")


def arrays(value: Any, *, held: bool = True) -> Iterator[Place]:
    """The arrays of floating point numbers inside, nearest first along every branch.

    `held`: only those that can be replaced where they lie; without it also the value itself, what a tuple
    holds, and plain numbers as arrays without axes.
    """
    yield from _arrays(value, (), set(), held)


def _arrays(value: Any, steps: tuple[tuple[str, Any], ...], seen: set[int], held: bool) -> Iterator[Place]:
    if isinstance(value, np.ndarray):
        if value.dtype.kind == "f" and (steps or not held):
            yield Place(steps, value.shape)
        return
    if isinstance(value, float | np.floating) and not held:
        yield Place(steps, ())
    if id(value) in seen or len(steps) > DEEPEST:
        return
    seen.add(id(value))
    inside: list[tuple[tuple[str, Any], Any]] = []
    if isinstance(value, Mapping):
        inside = [(("item", key), item) for key, item in value.items()]
    elif isinstance(value, list):
        inside = [(("item", i), item) for i, item in enumerate(value)]
    elif isinstance(value, tuple):  # its arrays cannot be set; those of objects inside it can
        inside = [(("item", i), v) for i, v in enumerate(value) if not (held and isinstance(v, np.ndarray))]
    elif not isinstance(value, type | ModuleType | FunctionType | MethodType | str | bytes | int | float):
        inside = [(("attribute", name), item) for name, item in getattr(value, "__dict__", {}).items()]
    for step, item in inside:
        yield from _arrays(item, (*steps, step), seen, held)
