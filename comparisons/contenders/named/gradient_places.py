"""Where outputs and gradients lie in what somebody's functions return, told by shapes, then by names.

In a network of sizes that are all different an array of shape (3, 5) can only belong to W1. A bias gradient
may have lost its shape (summed to one number, or not summed at all): it is then the one that is called as its
bias is (db_h for b_h), or lies beside dW as it does in every other layer ([1][0] beside [0][0]).
"""

import re
from collections.abc import Callable, Collection, Sequence
from typing import Any

from backproof.comparisons.contenders.own_network import NotTold, Place, TwoFit, arrays

# What in a network is called a gradient, and what is left of such a name.
GRADIENT = re.compile(r"^_*(d_?(w|b|theta)|nabla|grad|delta_?[wb]|change)|_?(grads?|gradients?)$", re.I)
AFFIXES = re.compile(
    r"^_*(d_?(?=[wb])|grad(ient)?s?_?|nabla_?|delta_?|change_?)|_?(grads?|gradients?)$", re.I
)


def find_outputs(
    answer: Any, keys: Sequence[str | int], row: Sequence[str], fits: Callable[[tuple[int, ...]], bool]
) -> Place:
    """The array of the outputs' shape that lies least deep. `row`: names of a tuple. Raises NotTold."""
    steps = tuple(("item", row.index(key) if key in row else key) for key in keys)
    found = [p for p in arrays(answer, held=False) if p.steps[: len(steps)] == steps and fits(p.shape)]
    least = [p for p in found if len(p.steps) == min(len(one.steps) for one in found)]
    if len(least) == 1:
        return least[0]
    if not least:
        raise NotTold("returns no array of the outputs' shape")
    places = [p.path.strip("[]'") for p in least]
    raise TwoFit(
        f"returns {len(least)} arrays of the outputs' shape, {', '.join(places)}: which? "
        f"Declare forward as (name, {places[-1]!r})"
    )


def find_gradient(
    answer: Any, net: Any, weights: Sequence[tuple[Place, Place | None]], any_shape: bool
) -> tuple[list[Place], bool]:
    """Where dW1, db1, dW2, ... lie, and whether it is in the network. Raises NotTold where it is not told.

    `any_shape`: a bias gradient may have any, if its name or its place tells it.
    """
    of_weights = [place for pair in weights for place in pair if place is not None]
    own = {steps for place in of_weights for steps in (place.steps, *place.also)}
    inside = [p for p in arrays(net) if p.steps not in own and _is_gradient(p)]
    returned = list(arrays(answer, held=False))
    refused: list[str] = []
    for found, in_network in ((returned, False), (inside, True)):
        try:
            return _of_layers(found, weights, any_shape), in_network
        except NotTold as reason:
            refused.append(str(reason))
    raise NotTold(refused[0] if any(len(p.shape) > 1 for p in returned) else refused[1])


def _is_gradient(place: Place) -> bool:
    return any(isinstance(step, str) and GRADIENT.search(step) for _, step in place.steps)


def _of_layers(
    found: Sequence[Place], weights: Sequence[tuple[Place, Place | None]], any_shape: bool
) -> list[Place]:
    of_W = [
        _one(found, f"dW{layer}", (W.shape, W.shape[::-1]), W)
        for layer, (W, _) in enumerate(weights, start=1)
    ]
    taken = {place.steps for place in of_W}
    places = []
    for layer, ((_, b), dW) in enumerate(zip(weights, of_W, strict=True), start=1):
        places.append(dW)
        if b is not None:
            size = max(b.shape)
            left = [p for p in found if p.steps not in taken]
            shapes = ((size,), (1, size), (size, 1))
            places.append(_one(left, f"db{layer}", shapes, b, dW, any_shape))
    return places


def _one(
    found: Sequence[Place],
    what: str,
    shapes: Collection[tuple[int, ...]],
    weight: Place,
    beside: Place | None = None,
    any_shape: bool = False,
) -> Place:
    fitting = [p for p in found if p.shape in shapes]
    if len(fitting) == 1:
        return fitting[0]
    called = [p for p in fitting or found if _bare(p) and _bare(p) == _bare(weight)]
    if beside is not None and not called:
        called = [p for p in fitting or found if _lies_beside(p, beside)]
    if not fitting and not any_shape:
        called = [p for p in called if p.shape == ()]
    if len(called) == 1:
        return called[0]
    seen = ", ".join(f"{p.path or 'it'} {p.shape}" for p in (called or fitting or found)[:6]) or "no array"
    raise NotTold(f"{what}, of shape {next(iter(shapes))}, is not told among {seen}")


def _bare(place: Place) -> str:
    """Its last name without what makes it a gradient: b_h of db_h."""
    return AFFIXES.sub("", place.last).strip("_")


def _lies_beside(place: Place, other: Place) -> bool:
    """Do their paths differ in one step alone?"""
    pairs = list(zip(place.steps, other.steps, strict=False))
    return len(place.steps) == len(other.steps) and sum(a != b for a, b in pairs) == 1
