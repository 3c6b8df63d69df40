"""Per-sample gradients: is row i of (N, ...) the gradient of sample i alone, and do the rows make the whole?

    samples     R_i = g_i                  g_i the gradient of a batch of sample i alone
    together    sum_i w_i R_i = G          w_i the weights of the batch's reduction              (`laws`)

R comes from `torch.func.vmap(grad)`, `jax.vmap(grad)`, hooks that keep a ``grad_sample``, or a loop, and goes
wrong in ways of its own. With g_i = 1, 2, 6 of three samples, a mean over the batch:

    1/3 2/3 2    the mean's share: divided by N          3 3 3    the mean, broadcast
    1 3 9        added up: never zeroed in between       6 6 6    one array, kept three times
    6 2 1        in another order

A sample that changes what the others get (batch normalisation in training) has no gradient of its own.

Two right ways to g_i differ by the rounding of its sums, and by what one rounding of the inputs makes of it,
as in `measured`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from backproof.comparisons.batches.causes import told
from backproof.comparisons.batches.examples import Examples
from backproof.comparisons.batches.laws import right_weights
from backproof.comparisons.batches.measured import JITTER_SAFETY, LEAST, Gradients, gamma
from backproof.comparisons.batches.partitions import Partition, partition
from backproof.comparisons.batches.repeats import failed
from backproof.comparisons.verdicts.cause import DESCRIBES, Cause
from backproof.comparisons.verdicts.function_noise import EPS
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.parameter_tree import as_numpy, coarsest, dtype_name
from backproof.comparisons.verdicts.verdict import Verdict, sensitivity
from backproof.reference.nested import leaves
from backproof.scratch.architecture import Array
from backproof.scratch.errors import InputError, InputTypeError

MOST = 64  # samples that are looked at alone
NORMALISED = "examples influence one another, as in batch normalisation in training"
ALIKE = "the samples' gradients are all the same: give other samples, or their order would not be seen"
SHARED = "the same array is kept for every sample, and never copied"


@dataclass(frozen=True, eq=False)
class Samples:
    """Per-sample gradients of one batch, and what they are held to."""

    gradients: Gradients
    examples: Examples
    given: Any  # a function of a batch, or what it gives for this one

    @cached_property
    def chosen(self) -> Array:
        """The samples that are looked at, of those that count."""
        alive = np.flatnonzero(self.examples.tokens)
        return alive[np.linspace(0, len(alive) - 1, min(len(alive), MOST)).astype(np.intp)]

    @cached_property
    def rows(self) -> Array:
        """(n, N): all of them, flat."""
        given = self.given(self.examples.batch) if callable(self.given) else self.given
        return self.flattened(given, self.examples.n)

    def flattened(self, given: Any, n: int) -> Array:
        """(n, N). Raises InputError for arrays without the samples as their first axis."""
        arrays = [(name.replace("params", "per_sample", 1), array) for name, array in leaves(given)]
        wanted = self.gradients.tensors
        if len(arrays) != len(wanted):
            raise InputError(
                f"per_sample: expected {len(wanted)} arrays, nested as gradient gives them, got {len(arrays)}"
            )
        return np.concatenate(
            [_rows(*one, n, tensor.name, tensor.shape) for one, tensor in zip(arrays, wanted, strict=True)],
            axis=1,
        )

    @cached_property
    def alone(self) -> Array:
        """(K, N): each chosen sample as a batch of its own."""
        return self._each(self.examples)

    def _each(self, examples: Examples) -> Array:
        return np.array([self.gradients.of(examples.take([i]).batch) for i in self.chosen])

    @cached_property
    def bound(self) -> Array:
        """(K, N): how far two right ways to the same may be apart."""
        given = [dtype_name(array) for _, array in leaves(self.given if not callable(self.given) else [])]
        eps = EPS[coarsest([self.gradients.dtype, *given])]
        longest = [max(t.flat.size // t.shape[0], *t.shape) if t.shape else 1 for t in self.gradients.tensors]
        m = self.examples.positions + self.examples.features + 2 * sum(longest)
        moved = self.examples.jittered(np.random.default_rng(0))
        jitter = np.zeros_like(self.alone) if moved is None else np.abs(self._each(moved) - self.alone)
        sizes, off = self._largest(np.abs(self.alone)), self._largest(jitter)
        floor = LEAST * eps * sizes.max(axis=1, keepdims=True, initial=0.0)
        per_tensor = 2 * gamma(m, eps / 2) * sizes + 2 * JITTER_SAFETY * off + floor
        spread: Array = np.array([self.gradients.spread(one) for one in per_tensor])
        return np.maximum(spread, np.finfo(np.float64).tiny)

    def _largest(self, rows: Array) -> Array:
        """(K, tensors)"""
        return np.array([self.gradients.largest(row) for row in rows])

    # -- the laws

    def samples(self) -> Verdict:
        """Every row beside the gradient of its sample alone."""
        found = self.rows[self.chosen]
        verdict = self._compared(found, self.alone)
        words = "each sample's gradient is that of the sample alone"
        if verdict.outcome == Outcome.FAIL:
            return replace(failed(verdict, words), causes=self.causes())
        apart = np.abs(self.alone - self.alone.mean(axis=0))
        if verdict and (apart <= self.bound).all():
            return replace(verdict, outcome=Outcome.INCONCLUSIVE, reason=ALIKE)
        looked = len(self.chosen), np.count_nonzero(self.examples.tokens)
        which = f"{looked[0]} samples" if looked[0] == looked[1] else f"{looked[0]} of {looked[1]:,} samples"
        words = f"{which}, {words}; {sensitivity(verdict.resolution)}"
        return replace(verdict, reason=words) if verdict else verdict

    def _compared(self, found: Array, expected: Array) -> Verdict:
        """Tensor by tensor, the samples of each behind one another."""
        slices = self.gradients.slices
        ends = np.cumsum([0, *(expected[:, where].size for where in slices)])
        groups = [slice(int(a), int(b)) for a, b in pairwise(ends)]
        found, expected, bound = (
            np.concatenate([one[:, where].ravel() for where in slices])
            for one in (found, expected, self.bound)
        )
        alive = [g for g in groups if np.abs(expected[g]).max(initial=0.0) > bound[g].max(initial=0.0)]

        def name(entry: int) -> str:
            t = next(i for i, group in enumerate(groups) if group.start <= entry < group.stop)
            sample, own = divmod(entry - groups[t].start, slices[t].stop - slices[t].start)
            return f"sample {self.chosen[sample]}: {self.gradients.name(slices[t].start + own)}"

        return self.gradients.listed(found, expected, bound, name, alive)

    def together(self, reduction: str, whole: Array, bound_of: Callable[[Array], Array]) -> Verdict:
        """The weighted sum of all rows beside the gradient of the batch."""
        p = partition(self.examples, [np.array([i]) for i in np.flatnonzero(self.examples.tokens)])
        weighed = right_weights(reduction, p) @ self.rows[np.concatenate(p.indices)]
        bound = 2 * bound_of(whole)
        alive = [s for s in self.gradients.slices if np.abs(whole[s]).max(initial=0.0) > bound[s].max()]
        verdict = self.gradients.compared(weighed, whole, bound, alive)
        words = f"the {reduction} of the samples' gradients is the gradient of the batch"
        if verdict.outcome == Outcome.FAIL:
            return replace(failed(verdict, words), causes=self._of_the_sum(p, whole, bound))
        return replace(verdict, reason=f"{words}; {sensitivity(verdict.resolution)}") if verdict else verdict

    def _of_the_sum(self, p: Partition, whole: Array, bound: Array) -> tuple[Cause, ...]:
        """Which other sum it would be."""
        rows = self.rows[np.concatenate(p.indices)]
        others = {
            "added up they are the gradient of the batch: each is its share of it, divided by the number of "
            "samples": rows.sum(axis=0),
            "their plain mean is the gradient of the batch": rows.mean(axis=0),
        }
        return told([words for words, one in others.items() if (np.abs(one - whole) <= bound).all()])

    # -- what is behind it

    def causes(self) -> tuple[Cause, ...]:
        """Of the tensors that are wrong; which these are is said where it is not all of them."""
        off = np.abs(self.rows[self.chosen] - self.alone) > self.bound
        wrong = [t for t, where in enumerate(self.gradients.slices) if off[:, where].any()]
        columns = np.concatenate([np.arange(self.gradients.slices[t].start, self.gradients.slices[t].stop)
                                  for t in wrong])  # fmt: skip
        rows, alone = self.rows[np.ix_(self.chosen, columns)], self.alone[:, columns]
        bound = self.bound[:, columns]
        sentences = [*_laws(rows, alone, bound, self.chosen, self.examples.n)] or [*self._leaks(columns)]
        names = ", ".join(self.gradients.tensors[t].name for t in wrong)
        of = "" if len(wrong) == len(self.gradients.tensors) else f"of {names}: "
        if sentences:
            return told([of + one for one in sentences])
        words = (
            f"{of}no factor and no order of the samples' own gradients makes it: is a sample lost, or do "
            f"{NORMALISED}?"
        )
        return (Cause(words, DESCRIBES),)

    def _leaks(self, columns: Array) -> Iterator[str]:
        """Whether half of the batch is given other gradients than it has in the whole of it."""
        if not callable(self.given):
            return
        half = np.flatnonzero(self.examples.tokens)[: max(2, self.examples.n // 2)]
        part = self.flattened(self.given(self.examples.take(half).batch), len(half))
        apart = np.abs(part[:, columns] - self.rows[np.ix_(half, columns)])
        if len(half) < self.examples.n and (apart > 2 * self.bound[:, columns].max()).any():
            yield f"a sample's gradient changes with the other samples of the batch: {NORMALISED}"


def _rows(name: str, array: Any, n: int, gradient: str, shape: tuple[int, ...]) -> Array:
    if array is None:
        raise InputTypeError(f"{name}: expected an array of shape {(n, *shape)}, got None; pass zeros")
    found = as_numpy(array)
    if found.shape != (n, *shape):
        raise InputError(
            f"{name}: expected shape {(n, *shape)}, the samples before {gradient}'s own, got {found.shape}"
        )
    if not np.isfinite(found).all():
        raise InputError(f"{name}: expected finite numbers, found NaN or Inf; choose another batch")
    return found.reshape(n, -1)


def _laws(rows: Array, alone: Array, bound: Array, chosen: Array, n: int) -> Iterator[str]:
    """What predicts every row (K, N) from the samples' own gradients, and is no right answer."""

    def near(predicted: Array) -> bool:
        size = np.abs(alone).max(initial=0.0)
        grown = max(1.0, float(np.abs(predicted).max(initial=0.0) / size)) if size else 1.0
        return bool((np.abs(rows - predicted) <= 2 * grown * bound.max(axis=0)).all())

    if not rows.any():
        yield "every sample's gradient is zero"
        return
    yield from _factor(rows, alone, near, n)
    if len(chosen) < n:
        return  # sums and orders are of all samples
    if near(np.cumsum(alone, axis=0)):
        yield "each sample's gradient is added to those before it: zero_grad is forgotten between samples"
    yield from _broadcast(alone, near)
    yield from _order(rows, alone, bound, chosen)


def _factor(rows: Array, alone: Array, near: Callable[[Array], bool], n: int) -> Iterator[str]:
    factor = float((rows * alone).sum() / (alone**2).sum()) if alone.any() else 0.0
    if factor == 0 or not near(factor * alone):
        return
    if np.isclose(factor, 1 / n, rtol=1e-3):
        yield (
            f"every sample's gradient is divided by the number of samples, {n}: it is that of the mean over "
            "the batch, not of its own loss"
        )
    elif np.isclose(factor, n, rtol=1e-3):
        yield f"every sample's gradient is multiplied by the number of samples, {n}"
    elif np.isclose(factor, -1.0, rtol=1e-3):
        yield "every sample's gradient has the wrong sign"
    else:
        yield f"every sample's gradient is {factor:.6g} times what it should be"


def _broadcast(alone: Array, near: Callable[[Array], bool]) -> Iterator[str]:
    everywhere = {
        "every row is the mean over the batch: it is broadcast to the samples": alone.mean(axis=0),
        "every row is the mean over the batch, divided by the number of samples once more": (
            alone.mean(axis=0) / len(alone)
        ),
        f"every row is the sum over the batch: it is broadcast to the samples, or {SHARED}": alone.sum(
            axis=0
        ),
        f"every row is the last sample's: {SHARED}": alone[-1],
        "every row is the first sample's": alone[0],
    }
    for sentence, row in everywhere.items():
        if near(np.broadcast_to(row, alone.shape)):
            yield sentence


def _order(rows: Array, alone: Array, bound: Array, chosen: Array) -> Iterator[str]:
    """Whose gradient stands in each row, where every sample's stands in one."""
    distance = np.abs(rows[:, None] - alone[None]).max(axis=2)  # (rows, samples)
    whose = distance.argmin(axis=1)
    if len(set(whose.tolist())) < len(alone) or (distance.min(axis=1) > 2 * bound.max()).any():
        return
    there = np.arange(len(alone))
    shift = int(whose[0])
    if (whose == there[::-1]).all():
        yield "the samples are in reverse order"
    elif (whose == np.roll(there, -shift)).all():
        yield f"the samples are shifted: the first row is sample {chosen[shift]}'s, and so on"
    else:
        row = int(np.flatnonzero(whose != there)[0])
        yield f"the samples are in another order: row {chosen[row]} is sample {chosen[whose[row]]}'s"


def refused(error: Exception) -> str:
    """Why there is nothing to say of samples that have no gradient of their own."""
    told_so = " ".join(str(error).split())[:160]
    return (
        f"the gradient of one example alone is refused ({told_so}): where {NORMALISED}, none has a gradient "
        "of its own; use evaluation mode, or a norm of each example such as group norm"
    )
