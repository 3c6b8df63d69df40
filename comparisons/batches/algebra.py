"""Batch algebra: is the gradient of a whole batch what the gradients of its parts make of it?

    check_batches(gradient, (x, labels))                                    a gradient of batches
    check_batches(gradient, batch, accumulate=step, mask="mask")            and what accumulates it
    check_per_sample(gradient, vmap(grad(loss)), batch)                     and what it is of each example

Seven laws, each with a verdict of its own:

    twice         two calls in a row give the same; with `reset`, twice as much without it in between
    parts         the whole is the weighted sum of any partition, unequal ones too             (`laws`)
    padding       more padding changes nothing
    accumulated   what is accumulated over micro-batches is the gradient of the whole
    and again     the next accumulation gives the same: nothing is left of the one before
    samples       each row of the per-sample gradients is the gradient of its sample alone    (`per_sample`)
    together      and their weighted sum is the gradient of the batch

Two gradients of the same examples differ by the rounding of their sums, and by no more (`measured`). PASS
means that a wrong weight would have been seen: the laws that are wrong for this batch (micro-batches that all
count the same, a sum for a mean) must miss by more than that.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from backproof.comparisons.batches.causes import Evidence, cause_of_accumulation, cause_of_parts
from backproof.comparisons.batches.examples import Examples, Mask, examples_of
from backproof.comparisons.batches.laws import MEAN, PER_EXAMPLE, REDUCTIONS, SUM, right_weights
from backproof.comparisons.batches.measured import Gradients, Rounding, parts_one_by_one, rounding
from backproof.comparisons.batches.partitions import Partition, drawn, partition
from backproof.comparisons.batches.per_sample import Samples, refused
from backproof.comparisons.batches.repeats import FORGOTTEN, failed, in_a_row, worst_of
from backproof.comparisons.verdicts.gradient_verdict import GradientVerdict
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.verdict import Verdict, sensitivity
from backproof.scratch.architecture import Array
from backproof.scratch.errors import InputError

PADDING = 2  # positions, or examples, more
REFUSED = (ValueError, TypeError, RuntimeError, IndexError, ArithmeticError)  # by code of one length


def check_batches(
    gradient: Callable[[Any], Any],
    batch: Any,
    *,
    accumulate: Callable[[list[Any]], Any] | None = None,
    mask: Mask = None,
    reduction: str | None = None,
    reset: Callable[[], object] | None = None,
    seed: int = 0,
) -> GradientVerdict:
    """Is the gradient of a batch the weighted sum of its parts' ones, and what is accumulated over them it?

    Parameters
    ----------
    gradient
        Takes a batch such as `batch` and gives the gradient of its loss: an array, a list, a dict or any
        nesting of them, of NumPy, torch or JAX arrays.
    batch
        Arrays, nested anyhow, whose first axis are the examples; three or more, and not all alike.
    accumulate
        Takes a list of such batches, of unequal sizes, and gives what your trainer accumulates over them. It
        is checked against `gradient` of all of them at once.
    mask
        What counts: the key of an array (n,) or (n, positions) in `batch`, or a function of a batch that
        gives one, such as ``lambda batch: batch["labels"] != -100``. Examples are then weighed by tokens.
    reduction
        "mean" (over all that counts), "sum", or "mean per example" (each one's own mean, then the mean of
        these). By default mean or sum, whichever is found.
    reset
        Given where calls add to what is there (``optimizer.zero_grad``): it is called before each.
    seed
        Of the partitions.

    Returns
    -------
    GradientVerdict
        A verdict for each law ("twice", "parts", "padding", "accumulated", "and again"; those that
        apply), and one overall, true only where it is a PASS. A FAIL has its `causes`.

    Raises
    ------
    InputError
        For a batch without examples, arrays of different lengths, a mask of another shape, an unknown
        reduction, and gradients that are not finite.
    InputTypeError
        For gradients that are no floating-point arrays.

    Notes
    -----
    Some 20 gradients, and one of each example (of up to 64 of them). Partitions are drawn at random; the
    first is a loader's, with a short last micro-batch. The bound is the rounding of sums in the gradient's
    dtype, their roundings taken as independent.

    References
    ----------
    Higham, Mary 2019.
    """
    if reduction not in (None, *REDUCTIONS):
        raise InputError(f"reduction: expected one of {', '.join(REDUCTIONS)}, or None; got {reduction!r}")
    examples = examples_of(batch, mask)
    case = Case(Gradients(gradient, reset, batch), examples, reduction, reset is not None, seed)
    laws = {"twice": case.twice()}
    if laws["twice"].outcome == Outcome.PASS:
        if case.refusal:
            return GradientVerdict({**laws, "parts": _undecided(case.refusal)}, "laws")
        laws |= case.of_parts_and_padding()
        if accumulate is not None:
            laws |= case.accumulated(case.gradients.like(accumulate))
    return GradientVerdict(laws, "laws")


def check_per_sample(
    gradient: Callable[[Any], Any],
    per_sample: Any,
    batch: Any,
    *,
    mask: Mask = None,
    reduction: str | None = None,
    seed: int = 0,
) -> GradientVerdict:
    """Are per-sample gradients each the gradient of that sample alone, and together that of the batch?

    Parameters
    ----------
    gradient
        Takes a batch and gives the gradient of its loss, as for `check_batches`.
    per_sample
        Takes a batch and gives the gradient of each of its examples, nested as `gradient` does, with the
        examples as a first axis: (n, ...) for an array (...). As ``torch.func.vmap(grad(loss), (None, 0))``
        and ``jax.vmap(jax.grad(loss), (None, 0))`` do, or hooks that leave a ``grad_sample``. Or such arrays
        for `batch` themselves. Each is of its example's own loss: not divided by the size of the batch.
    batch
        Arrays, nested anyhow, whose first axis are the examples; three or more, and not all alike.
    mask, reduction, seed
        Those of `check_batches`.

    Returns
    -------
    GradientVerdict
        A verdict for each law ("twice" and "parts" of `gradient`; "samples", "together"), and one overall,
        true only where it is a PASS. A FAIL has its `causes`.

    Raises
    ------
    InputError
        For arrays of another form, and as `check_batches`.
    InputTypeError
        For gradients that are no floating-point arrays.

    Notes
    -----
    Up to 64 examples are looked at alone; all of them enter the sum.
    """
    if reduction not in (None, *REDUCTIONS):
        raise InputError(f"reduction: expected one of {', '.join(REDUCTIONS)}, or None; got {reduction!r}")
    case = Case(Gradients(gradient, None, batch), examples_of(batch, mask), reduction, False, seed)
    laws = {"twice": case.twice()}
    if laws["twice"].outcome == Outcome.PASS and case.refusal:
        laws["parts"] = _undecided(case.refusal)
    elif laws["twice"].outcome == Outcome.PASS:
        laws |= {"parts": case.parts(), **case.of_samples(per_sample)}
    return GradientVerdict(laws, "laws")


@dataclass(frozen=True, eq=False)
class Case:
    """One gradient and one batch, with all that was measured of them."""

    gradients: Gradients
    examples: Examples
    declared: str | None
    accumulates: bool
    seed: int

    @property
    def whole(self) -> Array:
        return self.gradients.first

    @cached_property
    def partitions(self) -> list[Partition]:
        return drawn(self.examples, self.seed)

    def of_parts(self, p: Partition) -> Array:
        """(K, N)"""
        return np.array([self.gradients.of(self.examples.take(one).batch) for one in p.indices])

    @cached_property
    def measured(self) -> list[tuple[Partition, Array]]:
        return [(p, self.of_parts(p)) for p in self.partitions]

    @cached_property
    def refusal(self) -> str:
        """Why an example alone has no gradient; empty where it has one."""
        try:
            self.gradients.of(self.examples.take([int(np.flatnonzero(self.examples.tokens)[0])]).batch)
        except InputError:
            raise
        except REFUSED as error:
            return refused(error)
        return ""

    @cached_property
    def singles(self) -> tuple[Partition, Array]:
        """Examples one by one."""
        p = partition(self.examples, parts_one_by_one(self.examples))
        return p, self.of_parts(p)

    @cached_property
    def rounding(self) -> Rounding:
        p, gradients = self.singles
        largest = np.array([self.gradients.largest(one) for one in gradients])
        weights = [right_weights(name, p) for name in self.candidates]
        nearest = min(weights, key=lambda w: float(np.abs(w @ gradients - self.whole).sum()))
        return rounding(self.gradients, self.examples, nearest @ largest, self.whole)

    @cached_property
    def candidates(self) -> list[str]:
        """The reductions that may be found: the declared one, or the mean first."""
        return [self.declared] if self.declared else [MEAN, SUM]

    @cached_property
    def reduction(self) -> str | None:
        """The first of the candidates that holds for every partition."""
        return next((name for name in self.candidates if self.holds(name)), None)

    def predicted(self, reduction: str) -> list[Array]:
        return [right_weights(reduction, p) @ parts for p, parts in self.measured]

    def misses(self, reduction: str) -> float:
        """By how many bounds a reduction is off, at the most."""
        off = [np.abs(one - self.whole) / self.bound_of(one) for one in self.predicted(reduction)]
        return float(np.nan_to_num(np.max(off), nan=np.inf))

    def holds(self, reduction: str) -> bool:
        return self.misses(reduction) <= 1

    def bound_of(self, predicted: Array) -> Array:
        """Larger gradients are off by more."""
        size = float(np.abs(self.whole).max(initial=0.0))
        grown = max(1.0, float(np.abs(predicted).max(initial=0.0)) / size) if size else 1.0
        return np.maximum(self.rounding.bound * grown, np.finfo(np.float64).tiny)

    @property
    def evidence(self) -> Evidence:
        return Evidence(
            self.examples, self.whole, self.measured, lambda: self.singles, self.bound_of, self.gradients
        )

    def compared(self, found: Array, expected: Array) -> Verdict:
        return self.gradients.compared(found, expected, self.bound_of(expected), self.rounding.groups)

    # -- the laws

    def of_parts_and_padding(self) -> dict[str, Verdict]:
        """ "parts", and "padding" where there is some."""
        parts, padding = self.parts(), self.padding()
        if padding is not None:
            return {"parts": parts, "padding": padding}
        words = "" if self.examples.mask is None else f"; {self.not_padded}"
        return {"parts": replace(parts, reason=parts.reason + words)}

    def of_samples(self, per_sample: Any) -> dict[str, Verdict]:
        """ "samples"; and "together", where the batch is known to be the sum or mean of its parts."""
        rows = Samples(self.gradients, self.examples, per_sample)
        samples = rows.samples()
        if self.reduction is None:
            return {"samples": samples}
        return {"samples": samples, "together": rows.together(self.reduction, self.whole, self.bound_of)}

    def twice(self) -> Verdict:
        """A second call beside the first."""
        if not self.whole.any():
            return _undecided("every entry of the gradient is zero: there is nothing to compare")
        if not self.accumulates:
            behind = f"each call adds to the one before: {FORGOTTEN}, or pass it as `reset`"
            words = "two calls in a row give the same"
        else:
            behind = "a call overwrites what is there: leave `reset` out"
            words = "two calls without a reset give twice as much"
        return in_a_row(self.gradients, self.examples.batch, self.whole, self.accumulates, (words, behind))

    def parts(self) -> Verdict:
        """The whole beside the weighted sums of all partitions."""
        reduction = self.reduction or self.candidates[0]
        verdict = worst_of([self.compared(self.whole, one) for one in self.predicted(reduction)])
        if verdict.outcome == Outcome.FAIL:
            causes = cause_of_parts(self.evidence, self.candidates, self.longer(self.gradients, None))
            return replace(failed(verdict, f"the whole is the {reduction} of its parts"), causes=causes)
        if verdict.outcome != Outcome.PASS:
            return verdict
        alike = self.alike(reduction)
        if alike:
            return replace(verdict, outcome=Outcome.INCONCLUSIVE, reason=alike)
        sizes = f"{len(self.partitions)} partitions into 2 to {max(p.K for p in self.partitions)} parts"
        words = f"{sizes}: the whole is their {_said(reduction, self.examples)}"
        return replace(verdict, reason=f"{words}; {sensitivity(verdict.resolution)}")

    def alike(self, reduction: str) -> str:
        """Why a wrong weight would not have been seen; empty where it would."""
        if self.examples.mask is not None and reduction != SUM:
            rival = PER_EXAMPLE if reduction == MEAN else MEAN
            if self.examples.counted.ndim == 2 and self.holds(rival):
                return (
                    "weights by tokens and by examples come to the same for this batch; "
                    "give one of which some examples count more tokens than others"
                )
        equal = [parts.mean(axis=0) for _, parts in self.measured]
        if reduction != SUM and all((np.abs(e - self.whole) <= self.bound_of(e)).all() for e in equal):
            return f"micro-batches that all count the same {MORE}"
        if reduction != MEAN and self.holds(MEAN):
            return f"sum and mean {MORE}"
        return ""

    def longer(self, gradients: Gradients, indices: Sequence[Array] | None) -> tuple[Array, float] | None:
        """(the gradient with more padding, positions now per position before); None where it cannot be had.

        With `indices` it is of these micro-batches, each of them padded.
        """
        parts = [self.examples] if indices is None else [self.examples.take(one) for one in indices]
        padded = [part.padded(PADDING) for part in parts]
        grown = [one or part for one, part in zip(padded, parts, strict=True)]
        if not any(padded):
            return None
        try:
            found = gradients.of(grown[0].batch if indices is None else [one.batch for one in grown])
        except REFUSED:
            return None
        before, after = (sum(part.n * part.positions for part in some) for some in (parts, grown))
        return found, after / before

    def padding(self) -> Verdict | None:
        """The gradient with more padding beside the one without; None where the batch has no padding."""
        longer = self.longer(self.gradients, None)
        if self.examples.mask is None or longer is None:
            return None
        verdict, words = self.compared(longer[0], self.whole), "more padding changes nothing"
        if verdict.outcome == Outcome.FAIL:
            scaled = self.compared(longer[0], self.whole / longer[1])
            return failed(verdict, words, IGNORED if scaled.outcome == Outcome.PASS else COUNTED)
        return replace(verdict, reason=f"{words}; {sensitivity(verdict.resolution)}")

    @property
    def not_padded(self) -> str:
        """Why no more padding was tried."""
        if self.examples.counted.all():
            return "more padding was not tried, since this batch has none"
        return "more padding was not tried, since the gradient takes batches of this length alone"

    def accumulated(self, over: Gradients) -> dict[str, Verdict]:
        """What is accumulated beside the gradient of the whole, for every partition; and once more."""
        cut = [[self.examples.take(one).batch for one in p.indices] for p in self.partitions]
        first = over.of(cut[0])
        if self.accumulates:
            words, behind = "accumulating without a reset adds", "it is reset inside: leave `reset` out"
        else:
            words = "the next accumulation gives the same: nothing is left of the one before"
            behind = f"what was accumulated before is still in it: {FORGOTTEN} between two steps"
        again = in_a_row(over, cut[0], first, self.accumulates, (words, behind))
        if again.outcome != Outcome.PASS:
            return {"and again": again}
        found = [first, *(over.of(batches) for batches in cut[1:])]
        verdict = worst_of([self.compared(one, self.whole) for one in found])
        words = "what is accumulated is the gradient of the whole"
        if verdict.outcome == Outcome.FAIL:
            padded = self.longer(over, self.partitions[0].indices)
            reduction = self.reduction or self.candidates[0]
            causes = cause_of_accumulation(self.evidence, found, reduction, padded)
            verdict = replace(failed(verdict, words), causes=causes)
        elif verdict.outcome == Outcome.PASS:
            verdict = replace(verdict, reason=f"{words}; {sensitivity(verdict.resolution)}")
        return {"accumulated": verdict, "and again": again}


MORE = "come to the same for this batch; give more and other examples"
IGNORED = "the mask is ignored in the denominator: divided by all positions, the padding among them"
COUNTED = "padding is counted in the loss: the mask does not reach it"


def _undecided(reason: str) -> Verdict:
    nan = float("nan")
    return Verdict(Outcome.INCONCLUSIVE, nan, nan, float("inf"), "", reason, 0, 0)


def _said(reduction: str, examples: Examples) -> str:
    if reduction == SUM:
        return "sum"
    if reduction == PER_EXAMPLE:
        return f"mean over {np.count_nonzero(examples.tokens)} examples, each with its own mean"
    what = "examples" if examples.mask is None else "tokens that count"
    return f"mean over {examples.tokens.sum():,} {what}"
