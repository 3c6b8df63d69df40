"""Why a whole is not what its parts make of it: the laws of `laws` checked against all partitions at once."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from backproof.comparisons.batches.examples import Examples
from backproof.comparisons.batches.laws import (
    MEAN,
    PER_EXAMPLE,
    SUM,
    mistakes,
    right_weights,
    unit,
)
from backproof.comparisons.batches.measured import Gradients
from backproof.comparisons.batches.partitions import Partition
from backproof.comparisons.verdicts.cause import DESCRIBES, EXPLAINS, FITS, MOST, Cause
from backproof.scratch.architecture import Array

Padded = tuple[Array, float] | None  # the gradient with more padding; positions now, per position before
EACH_FIRST = "the loss is averaged over each example first, and these means over the batch"


@dataclass(frozen=True, eq=False)
class Evidence:
    """What was measured: the whole, the parts of every partition, and, when asked for, every example."""

    examples: Examples
    whole: Array
    measured: Sequence[tuple[Partition, Array]]
    singles: Callable[[], tuple[Partition, Array]]
    bound_of: Callable[[Array], Array]
    gradients: Gradients

    @property
    def masked(self) -> bool:
        return self.examples.mask is not None

    def is_near(self, found: Array, predicted: Array) -> bool:
        return bool((np.abs(found - predicted) <= 2 * self.bound_of(predicted)).all())

    def all_near(self, found: Sequence[Array], predicted: Sequence[Array]) -> bool:
        return all(self.is_near(one, other) for one, other in zip(found, predicted, strict=True))


def told(sentences: Sequence[str]) -> tuple[Cause, ...]:
    """What predicts everything explains it; where several do, nothing tells them apart, and each fits."""
    unique = list(dict.fromkeys(sentences))[:MOST]
    return tuple(Cause(sentence, EXPLAINS if len(unique) == 1 else FITS) for sentence in unique)


# -- the gradient of a batch


def cause_of_parts(seen: Evidence, candidates: Sequence[str], padded: Padded) -> tuple[Cause, ...]:
    """Why no reduction that was looked for makes the whole of its parts."""
    wholes = [seen.whole] * len(seen.measured)

    def fits(weights: Callable[[Partition], Array]) -> bool:
        return seen.all_near(wholes, [weights(p) @ parts for p, parts in seen.measured])

    for name in (MEAN, SUM):
        if name not in candidates and fits(lambda p, name=name: right_weights(name, p)):  # type: ignore[misc]  # a default binds the name
            return (Cause(f"it is the {name}, where the {candidates[0]} belongs", EXPLAINS),)
    if seen.masked and fits(lambda p: p.positions / p.positions.sum()):
        return (Cause(_of_the_mask(seen, padded), EXPLAINS),)
    if fits(lambda p: right_weights(PER_EXAMPLE, p)):
        return (Cause(f"{EACH_FIRST}: declare it as reduction={PER_EXAMPLE!r} if that is meant", EXPLAINS),)
    for size, sentence, predicted in _in_chunks(seen):
        if seen.is_near(seen.whole, predicted):
            return (Cause(f"it is cut into micro-batches of {size} inside, and {sentence}", EXPLAINS),)
    words = (
        "no weights make the whole of its parts: examples influence one another (batch normalisation in "
        "training, pairs in the loss), or part of the batch is lost"
    )
    return (Cause(words, DESCRIBES),)


def _of_the_mask(seen: Evidence, padded: Padded) -> str:
    """Weights by positions: whose fault that is shows when there is more padding."""
    if padded is not None and seen.is_near(padded[0], seen.whole / padded[1]):
        return "the mask is ignored in the denominator: divided by all positions, the padding among them"
    if padded is not None and not seen.is_near(padded[0], seen.whole):
        return "padding is counted in the loss: the mask does not reach it"
    if padded is None:
        return (
            "weights by examples, or by positions with the padding among them: the mask is ignored in the "
            "denominator, or the loss averaged over each example first"
        )
    return f"{EACH_FIRST}: declare it as reduction={PER_EXAMPLE!r} if that is meant"


def _in_chunks(seen: Evidence) -> Iterator[tuple[int, str, Array]]:
    """(size, sentence, the whole): micro-batches of every size inside, the mean of each counting the same."""
    p, gradients = seen.singles()
    if seen.examples.n > p.K:
        return
    for size in range(1, seen.examples.n):
        cuts = np.split(np.arange(p.K), range(size, p.K, size))
        means = [p.tokens[cut] / p.tokens[cut].sum() @ gradients[cut] for cut in cuts]
        yield size, "the mean of each counts the same, a short last one too", np.mean(means, axis=0)
        yield (
            size,
            "their means are added up and never divided: a sum where the mean belongs",
            np.sum(means, axis=0),
        )
        yield size, "only the last of them is in it", means[-1]


# -- what is accumulated


def cause_of_accumulation(
    seen: Evidence, found: Sequence[Array], reduction: str, padded: Padded
) -> tuple[Cause, ...]:
    """Why what was accumulated over each partition is not the gradient of the whole.

    `found` are the accumulated ones, in the order of the partitions; `padded` is the first of them once more,
    with more padding in every micro-batch.
    """
    means = [
        (p, parts / unit(reduction, p)[:, None] if reduction == SUM else parts) for p, parts in seen.measured
    ]
    sentences = [
        law.sentence
        for law in mistakes(reduction, seen.masked)
        if seen.all_near(found, [law.weights(p) @ q for p, q in means])
    ]
    sentences = sentences or [*_each_first(seen, found, reduction)]
    sentences = sentences or [*_constant(seen, found, reduction, means)]
    if sentences:
        return told(sentences)
    if padded is not None and not seen.is_near(padded[0], found[0]):
        words = "padding is counted in the loss: more of it changes what is accumulated"
        return (Cause(words, EXPLAINS),)
    words = (
        "no weights of the micro-batches make it: is something left of an earlier step, or some of it lost?"
    )
    return (Cause(words, DESCRIBES),)


def _each_first(seen: Evidence, found: Sequence[Array], reduction: str) -> Iterator[str]:
    """Each example's own mean first; then over the batch, or over each micro-batch and then over these."""
    p, gradients = seen.singles()
    if not seen.masked or reduction == PER_EXAMPLE or np.count_nonzero(seen.examples.tokens) > p.K:
        return
    own = gradients / p.tokens[:, None] if reduction == SUM else gradients
    place = {int(one[0]): i for i, one in enumerate(p.indices)}

    def mean_of(examples: Array) -> Array:
        chosen: Array = own[[place[int(i)] for i in examples if int(i) in place]]
        mean: Array = chosen.mean(axis=0)
        return mean

    everything = own.mean(axis=0)
    if seen.all_near(found, [everything] * len(found)):
        yield EACH_FIRST
    each = [np.mean([mean_of(one) for one in q.indices], axis=0) for q, _ in seen.measured]
    if seen.all_near(found, each):
        yield f"{EACH_FIRST}; and every micro-batch counts the same"


def _constant(
    seen: Evidence, found: Sequence[Array], reduction: str, means: Sequence[tuple[Partition, Array]]
) -> Iterator[str]:
    """One number for every partition, however many micro-batches it has."""
    added = [q.sum(axis=0) for _, q in means]
    weighed = [right_weights(reduction, p) @ parts for p, parts in seen.measured]
    fixed = (
        "the micro-batches' means are divided by {by:.6g}, however many there are: "
        "a last step that has fewer of them is scaled by the wrong count"
    )
    for base, words in ((added, fixed), (weighed, "it is {times:.6g} times what it should be")):
        x, y = np.concatenate(base), np.concatenate(list(found))
        factor = float(x @ y / (x @ x)) if x.any() else 0.0
        if factor and seen.all_near(found, [factor * one for one in base]):
            yield words.format(by=1 / factor, times=factor)
            return
