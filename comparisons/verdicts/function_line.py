"""A black box at one point, and the lines that lead away from it.

phi(s) = f(theta + s d) for a direction d within one tensor: along one entry, or a random one. Where the
claimed gradient g is right, psi(s) = phi(s) - g . (what was really moved) has slope 0 at s = 0; to take the
claim out first also takes out that theta + s d is rounded (in float32 it is, entry by entry). The slope of
psi is the claim's error.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from backproof.comparisons.verdicts.parameter_tree import (
    InPlace,
    Tensor,
    as_numpy,
    coarsest,
    dtype_name,
    like,
)
from backproof.comparisons.verdicts.shapes import Claimed, Entries, Values
from backproof.reference.nested import rebuilt
from backproof.scratch.architecture import Array
from backproof.scratch.errors import InputError, InputTypeError

CALLS = (64, 512)  # at one point, before a function is said to have a wrong gradient
OUTSIDE = (ArithmeticError, ValueError)  # what Python raises where NumPy gives NaN: math.log(-1), 1 / 0


def scalar(value: Any) -> Annotated[Array, "1"]:
    """The one real number that f gives, (1,).

    Parameters
    ----------
    value
        A float, or what NumPy, torch or JAX call an array of one number.

    Returns
    -------
    array (1,)
        In float64.

    Raises
    ------
    InputTypeError
        For a tuple or list, complex numbers, no number, or more than one.
    """
    if isinstance(value, float | np.floating):
        return np.array([float(value)])
    if isinstance(value, tuple | list):
        raise InputTypeError(
            f"f: expected a real scalar, got a {type(value).__name__} of {len(value)}; return the value alone"
        )
    kind = dtype_name(value)
    plain = np.asarray(value.detach().cpu().double() if hasattr(value, "detach") else value)
    if plain.size != 1 or "complex" in kind or plain.dtype.kind not in "fiuV":
        raise InputTypeError(
            f"f: expected a real scalar, got {kind} of shape {plain.shape}; return a real scalar"
        )
    return plain.astype(np.float64).reshape(1)


class Point:
    """f where the gradient is claimed: one or several (m) real functions of the same parameters.

    `function` takes the parameters in their own nesting, or nothing, if `in_place`; `read` makes the values
    (m,) of what it gives, and `kind` names the dtype they were computed in. `rounding` (m,) is what the
    values are sure to be off by, where more is known of how they came about.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        tree: Any,
        found: Sequence[Tensor],
        in_place: bool,
        read: Callable[[Any], Values] = scalar,
        kind: Callable[[Any], str] = dtype_name,
        rounding: Values | float = 0.0,
    ) -> None:
        self.tensors, self.rounding = tuple(found), rounding
        self._function, self._tree, self._read = function, tree, read
        self._in_place = InPlace(found) if in_place else None
        self.evaluations = 0
        self._asked_again = False
        returned = self.call(self._function)
        self._kind = kind
        self.base = self._values(returned)
        if not np.isfinite(self.base).all():
            raise InputError("f: expected a finite value at params, found NaN or Inf; choose another point")
        self.again = self._values(self.call(self._function))

    def _values(self, returned: Any) -> Array:
        self.evaluations += 1
        return self._read(returned)

    def spread(self) -> Values:
        """How far the values (m,) of further calls at this very point lie from the first one.

        As many calls as were made so far, within CALLS: a mask that is rarely drawn otherwise shows itself
        rarely. `again` becomes the furthest.
        """
        if not self._asked_again:
            self._asked_again = True
            for _ in range(min(max(self.evaluations, CALLS[0]), CALLS[1])):
                value = self._values(self.call(self._function))
                further = np.abs(value - self.base) > np.abs(self.again - self.base)
                self.again = np.where(further, value, self.again)
        found: Array = np.abs(self.again - self.base)
        return found

    def call(self, function: Callable[..., Any], moved: dict[int, Entries] | None = None) -> Any:
        """function at the parameters, some of them moved."""
        return self.moved_call(function, moved or {})[0]

    def moved_call(
        self, function: Callable[..., Any], moved: dict[int, Entries]
    ) -> tuple[Any, dict[int, Entries]]:
        """What the function gives, and where the moved tensors really were, in float64 (n,)."""
        if self._in_place is None:
            arrays, really = self._copies(moved)
            return function(rebuilt(self._tree, iter(arrays))), really
        try:
            really = {number: self._in_place.write(number, flat) for number, flat in moved.items()}
            return function(), really
        finally:
            self._in_place.restore(moved)

    def _copies(self, moved: dict[int, Array]) -> tuple[list[Any], dict[int, Array]]:
        arrays, really = [], dict(moved)
        for number, tensor in enumerate(self.tensors):
            values = moved.get(number, tensor.flat)
            array = like(tensor.original, values.reshape(tensor.shape))
            if number in moved and not isinstance(array, np.ndarray):
                really[number] = as_numpy(array).ravel()
            arrays.append(array)
        return arrays, really

    def values(self, number: int, flat: Entries) -> tuple[Values, Entries]:
        """The values (m,) with one tensor moved to `flat`, NaN outside f's domain; where it really was."""
        try:
            with np.errstate(all="ignore"):
                returned, really = self.moved_call(self._function, {number: flat})
        except InputError:
            raise
        except OUTSIDE:
            return np.full(self.base.shape, np.nan), flat
        return self._values(returned), really[number]

    def anywhere(self, s: float, directions: Sequence[Entries]) -> Values:
        """The values (m,) with all tensors moved by s along their directions, NaN outside f's domain."""
        try:
            returned = self.everywhere(self._function, s, directions)
        except InputError:
            raise
        except OUTSIDE:
            return np.full(self.base.shape, np.nan)
        return self._values(returned)

    def dtype_at(self, s: float, directions: Sequence[Entries]) -> str:
        """The dtype that f's values are computed in, away from where its parameters may be round numbers."""
        try:
            return coarsest([self._kind(self.everywhere(self._function, s, directions))])
        except OUTSIDE:
            return coarsest([self._kind(self.call(self._function))])

    def everywhere(self, function: Callable[..., Any], s: float, directions: Sequence[Entries]) -> Any:
        """What any function gives with all tensors moved by s along their directions."""
        moved = {i: t.flat + s * d for i, (t, d) in enumerate(zip(self.tensors, directions, strict=True))}
        with np.errstate(all="ignore"):
            return self.call(function, moved)


class Idle:
    """Entries of one tensor of which zero is claimed, moved far out all at once.

    A function that stands still then, bit for bit, while every entry goes another way of its own, depends on
    none of them: what one of them does alone would have to be undone by the others at every step.
    """

    def __init__(
        self, point: Point, number: int, claimed: Claimed, entries: Sequence[int], seed: int
    ) -> None:
        self._point, self._number, self._claimed = point, number, claimed
        self._entries = np.asarray(entries, dtype=np.intp)
        rng = np.random.default_rng([seed, number, 3])
        signs, lengths = rng.choice([-1.0, 1.0], len(entries)), rng.uniform(0.5, 1.0, len(entries))
        start = point.tensors[number].flat
        self._way = signs * lengths * np.maximum(1.0, np.abs(start[self._entries]))
        self._known: dict[bytes, Array] = {}

    def stands_still(self, c: int, steps: Sequence[float]) -> bool:
        """Whether function c does, as all entries of which zero is claimed for it are moved by +- steps."""
        chosen = self._claimed[c, self._entries] == 0
        if np.count_nonzero(chosen) < 2:
            return False
        key = chosen.tobytes()
        if key not in self._known:
            ends = [self._at(s, chosen) for step in steps for s in (step, -step)]
            self._known[key] = (np.array(ends) == self._point.base).all(axis=0)
        return bool(self._known[key][c])

    def _at(self, s: float, chosen: Array) -> Values:
        flat = self._point.tensors[self._number].flat.copy()
        flat[self._entries[chosen]] += s * self._way[chosen]
        return self._point.values(self._number, flat)[0]


@dataclass(frozen=True)
class Sample:
    """f at one place of a line."""

    values: Array  # (m,)
    residual: Array  # (m,): values less what the claimed gradient makes of the move
    claimed: Array  # (m,): the size of that


class Line:
    """theta + s scale d within one tensor; d is one entry, or a vector (n,)."""

    def __init__(
        self,
        point: Point,
        number: int,
        claimed: Claimed,
        direction: int | Entries,
        idle: Idle | None = None,
    ) -> None:
        """`claimed` (m, n) is the claimed gradient of every function with respect to this tensor.

        `idle` knows the entries that are looked at one by one, where this is one of them.
        """
        self.point, self.number, self._claimed, self._direction = point, number, claimed, direction
        self.idle = idle
        t = point.tensors[number].flat
        if isinstance(direction, np.ndarray):
            self.scale, self.shortest = 1.0, 1.0
            self.slope = claimed @ direction
        else:
            here = abs(float(t[direction]))
            self.scale = max(1.0, here)
            self.shortest = min(1.0, here or 1.0)
            self.slope = claimed[:, direction]
        self._known: dict[float, Sample] = {}
        self._rest = Sample(point.base, point.base, np.zeros_like(point.base))

    def at(self, s: float) -> Sample:
        """f at s, in the units of theta."""
        if s == 0.0:
            return self._rest
        if s not in self._known:
            self._known[s] = self._sample(s)
        return self._known[s]

    def _sample(self, s: float) -> Sample:
        start = self.point.tensors[self.number].flat
        if isinstance(self._direction, np.ndarray):
            values, really = self.point.values(self.number, start + s * self._direction)
            claimed = self._claimed @ (really - start)
        else:
            i = self._direction
            flat = start.copy()
            flat[i] += s
            values, really = self.point.values(self.number, flat)
            claimed = self.slope * (really[i] - start[i])
        return Sample(values, values - claimed, np.abs(claimed))
