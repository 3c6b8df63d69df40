"""Which call of one model is which call of another: by names, kinds, sizes and order.

Calls form a tree: a module's own calls happen inside its call. Two lists of calls are aligned so that the sum
of their likenesses is largest, in order; what stands between two pairs and has no
counterpart is opened, and its own calls are tried instead. What remains without one (an activation that the
other side writes as a function) is no loss: it belongs to what stands between two pairs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, permutations

import numpy as np

from backproof.reference.record import Call
from backproof.scratch.architecture import Array

ENOUGH = 3  # of likeness, to be taken for the same


def pairs(ours: Sequence[Call], theirs: Sequence[Call]) -> dict[int, int]:
    """Index of our call -> index of theirs. The outermost calls are a pair whatever they are."""
    if not ours or not theirs:
        return {}
    found: dict[int, int] = {}
    _pair(ours, theirs, 0, 0, found)
    return dict(sorted(found.items()))


def _pair(ours: Sequence[Call], theirs: Sequence[Call], i: int, j: int, found: dict[int, int]) -> None:
    found[i] = j
    _align(ours, theirs, inside(ours, i), inside(theirs, j), found)


def inside(calls: Sequence[Call], parent: int) -> list[int]:
    """The calls that happened directly in this one, in order."""
    return [i for i, call in enumerate(calls) if call.parent == parent]


def _align(
    ours: Sequence[Call], theirs: Sequence[Call], mine: list[int], other: list[int], found: dict[int, int]
) -> None:
    matched = _best(ours, theirs, mine, other)
    for i, j in matched:
        _pair(ours, theirs, i, j, found)
    ends = [(-1, -1), *((mine.index(i), other.index(j)) for i, j in matched), (len(mine), len(other))]
    for (i, j), (next_i, next_j) in pairwise(ends):
        left, right = mine[i + 1 : next_i], other[j + 1 : next_j]
        opened = _opened(ours, left), _opened(theirs, right)
        if left and right and opened != (left, right):
            _align(ours, theirs, *opened, found)


def _opened(calls: Sequence[Call], some: Sequence[int]) -> list[int]:
    return [child for i in some for child in (inside(calls, i) or [i])]


def _best(
    ours: Sequence[Call], theirs: Sequence[Call], mine: Sequence[int], other: Sequence[int]
) -> list[tuple[int, int]]:
    best = np.zeros((len(mine) + 1, len(other) + 1))
    likeness = [[alike(ours[i], theirs[j]) for j in other] for i in mine]
    for a in reversed(range(len(mine))):
        for b in reversed(range(len(other))):
            here = likeness[a][b]
            taken = here + best[a + 1, b + 1] if here >= ENOUGH else 0.0
            best[a, b] = max(best[a + 1, b], best[a, b + 1], taken)
    found, a, b = [], 0, 0
    while a < len(mine) and b < len(other):
        here = likeness[a][b]
        if here >= ENOUGH and best[a, b] == here + best[a + 1, b + 1]:
            found.append((mine[a], other[b]))
            a, b = a + 1, b + 1
        elif best[a, b] == best[a + 1, b]:
            a += 1
        else:
            b += 1
    return found


def alike(mine: Call, other: Call) -> float:
    """How much speaks for these two being the same."""
    same_kind, same_name = mine.kind == other.kind, mine.name == other.name
    if (mine.n_parameters == 0) != (other.n_parameters == 0) and not same_kind:
        return 0.0
    if mine.n_parameters == 0 and not (same_kind or same_name):
        return 0.0
    same_size = mine.n_parameters == other.n_parameters != 0
    if not same_size and not (same_kind or same_name):
        return 0.0
    return 3.0 * same_size + 2.0 * same_kind + 1.5 * same_name + 1.0 * (_shape(mine) == _shape(other))


def _shape(call: Call) -> tuple[int, ...]:
    return call.outputs[0].shape if call.outputs else ()


@dataclass(frozen=True)
class Same:
    """One parameter of ours and what it is on the other side: one, its axes permuted, or several stacked."""

    ours: str
    theirs: tuple[str, ...]
    axes: tuple[int, ...]  # ours = theirs.transpose(axes)
    # "same"; "moved": the same numbers in other places, as by a wrong order of rows; "other": others, and
    # shape or name alone say which it is
    values: str = "same"

    def mapped(self, arrays: Mapping[str, Array]) -> Array | None:
        """Theirs in our layout; None where one is missing."""
        if any(name not in arrays for name in self.theirs):
            return None
        parts = [arrays[name] for name in self.theirs]
        whole = np.concatenate(parts) if len(parts) > 1 else parts[0]
        return whole.transpose(self.axes)

    def back(self, value: Array, like: Mapping[str, Array]) -> dict[str, Array]:
        """Ours in their layout."""
        whole = value.transpose(np.argsort(self.axes)) if self.axes else value
        sizes = [len(like[name]) for name in self.theirs] if len(self.theirs) > 1 else []
        parts = np.split(whole, np.cumsum(sizes)[:-1]) if sizes else [whole]
        return dict(zip(self.theirs, parts, strict=True))


def same_parameters(ours: Mapping[str, Array], theirs: Mapping[str, Array]) -> list[Same]:
    """Of two paired modules, by values first, then by name and shape, then by shape and order.

    Arrays of one number alone (biases that begin as zeros) say nothing by their values: they go with the
    others of their layer.
    """
    matching = _Matching(dict(ours), dict(theirs))
    telling = [name for name, value in ours.items() if not _is_constant(value)]
    for find in (matching.equal, matching.stacked):
        for name in telling:
            find(name)
    for name in ours:
        matching.stacked_siblings(name)
        matching.equal(name)
        matching.stacked(name)
    for name in ours:
        matching.of_its_shape(name)
    return matching.found


def _is_constant(value: Array) -> bool:
    return value.size < 2 or bool((value == value.flat[0]).all())


def _layer(name: str) -> str:
    return name.rpartition(".")[0]


def _last(name: str) -> str:
    return name.rpartition(".")[2]


@dataclass
class _Matching:
    """What is left on both sides, and what was found."""

    mine: dict[str, Array]
    other: dict[str, Array]
    found: list[Same] = field(default_factory=list)

    def _take(self, a: str, b: tuple[str, ...], axes: tuple[int, ...], values: str = "same") -> None:
        self.found.append(Same(a, b, axes, values))
        self.mine.pop(a)
        for name in b:
            self.other.pop(name)

    def _likely(self, name: str) -> list[str]:
        """Those of the layer that was found for its layer first, then those with the same last name."""
        layers = {_layer(b) for one in self.found if _layer(one.ours) == _layer(name) for b in one.theirs}
        return sorted(self.other, key=lambda b: (_layer(b) not in layers, _last(b) != _last(name)))

    def equal(self, a: str) -> None:
        """One that has the same numbers, in some order of its axes."""
        for b in self._likely(a) if a in self.mine else ():
            axes = equal_axes(self.mine[a], self.other[b])
            if axes is not None:
                self._take(a, (b,), axes)
                return

    def stacked(self, a: str) -> None:
        """Several neighbours that are this one when each is put below the one before."""
        for n in range(2, len(self.other) + 1) if a in self.mine else ():
            run = _stacked(self.mine[a], self.other, n)
            if run:
                self._take(a, run, tuple(range(self.mine[a].ndim)))
                return

    def stacked_siblings(self, a: str) -> None:
        """Of the layers whose other parameters are stacked in one of ours, those of one name."""
        for one in self.found if a in self.mine else ():
            if len(one.theirs) < 2 or _layer(one.ours) != _layer(a):
                continue
            for last in dict.fromkeys(_last(b) for b in self.other):
                run = tuple(f"{_layer(b)}.{last}" for b in one.theirs)
                if all(b in self.other for b in run) and _is_stack(
                    self.mine[a], [self.other[b] for b in run]
                ):
                    self._take(a, run, tuple(range(self.mine[a].ndim)))
                    return

    def of_its_shape(self, a: str) -> None:
        """One whose values are others."""
        likely = (
            [b for b in self._likely(a) if self.other[b].shape == self.mine[a].shape]
            if a in self.mine
            else []
        )
        if likely:
            moved = np.array_equal(np.sort(self.mine[a], None), np.sort(self.other[likely[0]], None))
            self._take(a, (likely[0],), tuple(range(self.mine[a].ndim)), "moved" if moved else "other")


def equal_axes(a: Array, b: Array) -> tuple[int, ...] | None:
    """The order of b's axes in which it equals a; None where there is none."""
    if a.ndim != b.ndim or sorted(a.shape) != sorted(b.shape):
        return None
    for axes in permutations(range(a.ndim)):
        if b.transpose(axes).shape == a.shape and (b.transpose(axes) == a).all():
            return axes
    return None


def _stacked(a: Array, other: Mapping[str, Array], n: int) -> tuple[str, ...]:
    """n neighbours of this shape that make up `a`."""
    same = [b for b, value in other.items() if value.ndim == a.ndim and value.shape[1:] == a.shape[1:]]
    for start in range(len(same) - n + 1):
        run = same[start : start + n]
        if _is_stack(a, [other[b] for b in run]):
            return tuple(run)
    return ()


def _is_stack(a: Array, parts: Sequence[Array]) -> bool:
    if not a.ndim or any(part.ndim != a.ndim or part.shape[1:] != a.shape[1:] for part in parts):
        return False
    whole = np.concatenate(parts)
    return whole.shape == a.shape and bool((whole == a).all())
