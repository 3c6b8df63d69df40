"""Gradients of batches as flat vectors, and how far a right one may be off by rounding.

The gradient of a batch is a sum of m terms, added in an order that nobody knows: examples, positions, and
along the way to each of them the products of every layer. In floating-point numbers of unit roundoff u such a
sum is off by at most

    gamma_m S,     gamma_m = m u / (1 - m u),      S = sum_i w_i |g_i|,

and, with roundings that are independent, by gamma~_m = exp(8 sqrt(m) u + m u^2 / (1 - u)) - 1 instead of
gamma_m with a probability of more than 1 - 3e-14 for each number. The smaller of the two is taken. m is read
from shapes: the positions of all examples, and twice the longest sum in every layer (forward and back); S
from the examples one by one, in each tensor's largest entry.

Inside the gradient of one example terms may cancel, which nothing outside shows. So inputs are moved by one
rounding, and what that changes is allowed four times over; and no tensor is asked for more digits than the
largest one has.

Reference: Higham, Mary 2019.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import exp, inf, sqrt
from typing import Any

import numpy as np

from backproof.comparisons.batches.examples import Examples
from backproof.comparisons.verdicts.function_noise import EPS
from backproof.comparisons.verdicts.parameter_tree import Tensor, matching, tensors
from backproof.comparisons.verdicts.tensor_judge import RESOLUTION
from backproof.comparisons.verdicts.verdict import Asked, Tier, Verdict, compare
from backproof.reference.nested import ROOT
from backproof.scratch.architecture import Array
from backproof.scratch.errors import InputError

LAMBDA = 8.0  # standard deviations
JITTERS, JITTER_SAFETY = 2, 4.0
LEAST = 16.0  # roundings of the largest tensor, which any entry may be off
SINGLES = 64  # examples are looked at one by one up to so many; else in so many groups


def gamma(m: int, u: float) -> float:
    """The relative error of a sum of m terms; see above."""
    worst_case = m * u / (1 - m * u) if m * u < 1 else inf
    return min(worst_case, exp(LAMBDA * sqrt(m) * u + m * u * u / (1 - u)) - 1)


class Gradients:
    """What a function gives for a batch, always nested as it was the first time: flat, in float64."""

    def __init__(
        self, gradient: Callable[[Any], Any], reset: Callable[[], object] | None, first: Any
    ) -> None:
        self._gradient, self._reset = gradient, reset
        self._start()
        given = gradient(first)
        self.tensors: Sequence[Tensor] = tensors(given, "gradient")
        self._form = [replace(t, name=t.name.replace("gradient", ROOT, 1)) for t in self.tensors]
        _, self.dtype = matching(given, self._form, "gradient")
        ends = np.cumsum([0, *(tensor.flat.size for tensor in self.tensors)])
        self.slices = [slice(int(a), int(b)) for a, b in pairwise(ends)]
        self.first = np.concatenate([tensor.flat for tensor in self.tensors])

    def _start(self) -> None:
        if self._reset is not None:
            self._reset()

    def of(self, batch: Any, again: bool = False) -> Array:
        """The gradient of a batch, or of a list of batches; `again`: without a reset before it."""
        if not again:
            self._start()
        flat, _ = matching(self._gradient(batch), self._form, "gradient")
        return np.concatenate(flat)

    def like(self, function: Callable[[Any], Any]) -> "Gradients":
        """Another function that gives gradients of the same form."""
        other = object.__new__(Gradients)
        other.__dict__.update(self.__dict__, _gradient=function)
        return other

    def name(self, entry: int) -> str:
        """``gradient['W'][3, 1]``."""
        for tensor, where in zip(self.tensors, self.slices, strict=True):
            if where.start <= entry < where.stop:
                return tensor.entry(entry - where.start)
        raise IndexError(entry)

    def compared(
        self,
        found: Array,
        expected: Array,
        bound: Array,
        groups: Sequence[slice],
        required: float | None = None,
    ) -> Verdict:
        """Entry by entry, by the names that these have; resolved as `required`, or as the dtype allows."""
        asked = Asked(required or RESOLUTION[self.dtype], Tier.PROBABILISTIC)
        return compare(found, expected, bound, self.name, groups, asked=asked)

    def listed(
        self, found: Array, expected: Array, bound: Array, name: Callable[[int], str], groups: Sequence[slice]
    ) -> Verdict:
        """The same of any list of entries, which `name` names."""
        asked = Asked(RESOLUTION[self.dtype], Tier.PROBABILISTIC)
        return compare(found, expected, bound, name, groups, asked=asked)

    def largest(self, flat: Array) -> Array:
        """Of every tensor, its largest entry."""
        return np.array([np.abs(flat[where]).max(initial=0.0) for where in self.slices])

    def spread(self, per_tensor: Array) -> Array:
        """One number a tensor as one an entry."""
        return np.repeat(per_tensor, [where.stop - where.start for where in self.slices])


@dataclass(frozen=True, eq=False)
class Rounding:
    """How far two right gradients of the same examples may be apart, and which tensors are alive."""

    bound: Array
    groups: list[slice]  # tensors whose entries are more than rounding


def parts_one_by_one(examples: Examples) -> list[Array]:
    """Indices of examples, one in each part, or in SINGLES groups; those that do not count are left out."""
    alive = np.flatnonzero(examples.tokens)
    return np.array_split(alive, min(len(alive), SINGLES))


def rounding(gradients: Gradients, examples: Examples, sizes: Array, whole: Array) -> Rounding:
    """`sizes`: per tensor sum_i w_i max |g_i|, of examples one by one; `whole`: the gradient of all."""
    u = EPS[gradients.dtype] / 2
    longest = [max(t.flat.size // t.shape[0], *t.shape) if t.shape else 1 for t in gradients.tensors]
    m = examples.n * examples.positions + examples.features + 2 * sum(longest)
    sizes = np.maximum(sizes, gradients.largest(whole))
    floor = LEAST * EPS[gradients.dtype] * float(sizes.max())
    per_tensor = 2 * gamma(m, u) * sizes + JITTER_SAFETY * _jitter(gradients, examples, whole) + floor
    alive = [s for s, size, bound in zip(gradients.slices, sizes, per_tensor, strict=True) if size > bound]
    return Rounding(gradients.spread(per_tensor), alive)


def _jitter(gradients: Gradients, examples: Examples, whole: Array) -> Array:
    """Per tensor: what one rounding of the inputs changes."""
    changed = np.zeros(len(gradients.tensors))
    for seed in range(JITTERS):
        other = examples.jittered(np.random.default_rng(seed))
        if other is None:
            break
        changed = np.maximum(changed, gradients.largest(gradients.of(other.batch) - whole))
    if not np.isfinite(changed).all():
        raise InputError("gradient: expected finite numbers, found NaN or Inf; choose another batch")
    return changed
