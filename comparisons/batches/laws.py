"""How a batch's gradient may be made of its micro-batches' ones, rightly and wrongly.

With G_k the gradient of micro-batch k of K, t_k what counts in it (tokens where there is a mask, else
examples), n_k its examples, s_k its positions with the padding, and t, n, s their sums, the whole is

    mean               G = sum_k t_k / t  G_k          the mean over everything that counts
    sum                G = sum_k G_k
    mean per example   G = sum_k n_k / n  G_k          each example's own mean, then the mean over examples

and nothing else. Two micro-batches with 2 and 6 tokens and the gradients 1 and 5: the mean is 4, the mean of
the two means, which most trainers took, is 3.

A `Law` says by its weights what comes instead when accumulation goes wrong. The weights are of the
micro-batches' *means* Q_k = G_k, of a sum Q_k = G_k / t_k.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from backproof.comparisons.batches.partitions import Partition
from backproof.scratch.architecture import Array

MEAN, SUM, PER_EXAMPLE = "mean", "sum", "mean per example"
REDUCTIONS = (MEAN, SUM, PER_EXAMPLE)
Weights = Callable[[Partition], Array]  # (K,)


def right_weights(reduction: str, p: Partition) -> Array:
    """Of the micro-batches' own gradients G_k."""
    if reduction == SUM:
        return np.ones(p.K)
    counts = p.alive if reduction == PER_EXAMPLE else p.tokens
    weights: Array = counts / counts.sum()
    return weights


def unit(reduction: str, p: Partition) -> Array:
    """t_k, or the number of examples where each of these has its own mean."""
    return p.alive if reduction == PER_EXAMPLE else p.tokens


@dataclass(frozen=True)
class Law:
    """A way to go wrong, by the weights of the micro-batches' means."""

    sentence: str
    weights: Weights


def _last(p: Partition) -> Array:
    last: Array = np.arange(p.K) == p.K - 1
    return last


def _first(p: Partition) -> Array:
    first: Array = np.arange(p.K) == 0
    return first


def mistakes(reduction: str, masked: bool) -> Iterator[Law]:
    """The ways in which accumulation is known to go wrong, the most frequent first."""
    what = "tokens" if masked and reduction != PER_EXAMPLE else "examples"

    def u(p: Partition) -> Array:
        return unit(reduction, p)

    def share(p: Partition) -> Array:
        weights: Array = u(p) / u(p).sum()
        return weights

    def right(p: Partition) -> Array:
        return u(p) if reduction == SUM else share(p)

    short = (
        "whatever its tokens: divided by the number of micro-batches, not by the tokens of all of them"
        if what == "tokens"
        else "also where one is shorter than the others, as the last often is: weigh each by its examples"
    )
    yield Law(f"the mean of every micro-batch counts the same, {short}", lambda p: np.full(p.K, 1 / p.K))
    if reduction == SUM:
        yield Law(f"a mean where the sum belongs: divided by the number of {what}", share)
    added = "micro-batches' means are added up and never divided: a sum where the mean belongs"
    yield Law(
        f"{added}, as many times too large as there are micro-batches"
        if reduction != SUM
        else "micro-batches' means are added up, where their sums belong",
        lambda p: np.ones(p.K),
    )
    yield from _repeated(right)
    if masked:
        yield from _masked(reduction, u)
    if reduction != SUM:
        yield Law(
            f"summed over all {what} and never divided by their number: a sum where the mean belongs", u
        )
    yield Law("divided by the number of micro-batches twice", lambda p: right(p) / p.K)
    yield Law("multiplied by the number of micro-batches", lambda p: right(p) * p.K)
    yield from _wrong_counts(what, u)


def _repeated(right: Weights) -> Iterator[Law]:
    yield Law("everything is in it twice: accumulated twice", lambda p: 2 * right(p))
    yield Law("the last micro-batch is in it twice", lambda p: right(p) * (1 + _last(p)))
    yield Law("the first micro-batch is in it twice", lambda p: right(p) * (1 + _first(p)))
    yield Law("the last micro-batch is missing", lambda p: right(p) * ~_last(p))
    yield Law("the first micro-batch is missing", lambda p: right(p) * ~_first(p))
    only = "only the last micro-batch is in it: each overwrites what was accumulated before"
    yield Law(only, lambda p: 1.0 * _last(p))
    yield Law(only, lambda p: right(p) * _last(p))


def _masked(reduction: str, u: Weights) -> Iterator[Law]:
    if reduction == PER_EXAMPLE:
        words = "weighed by tokens, where each example's own mean belongs"
        yield Law(words, lambda p: p.tokens / p.tokens.sum())
        return
    words = (
        "weighed by examples, or by positions with the padding among them, where the tokens that count belong"
    )
    yield Law(words, lambda p: p.alive / p.alive.sum())
    yield Law(words, lambda p: p.positions / p.positions.sum())
    words = "the mask is ignored in the denominator: divided by all positions, the padding among them"
    yield Law(words, lambda p: u(p) / p.positions.sum())
    yield Law(f"{words}; and every micro-batch counts the same", lambda p: u(p) / p.positions / p.K)


def _wrong_counts(what: str, u: Weights) -> Iterator[Law]:
    wrong = "the last step, which is shorter, is scaled by the wrong count"
    yield Law(
        f"every micro-batch is weighed with the {what} of the first: {wrong}",
        lambda p: np.full(p.K, u(p)[0] / u(p).sum()),
    )
    yield Law(
        f"the {what} of all are taken to be K times those of the first micro-batch: {wrong}",
        lambda p: u(p) / (p.K * u(p)[0]),
    )
    yield Law(
        f"the {what} of all are taken to be K times those of the last micro-batch: scaled by the wrong count",
        lambda p: u(p) / (p.K * u(p)[-1]),
    )
    yield Law(
        f"divided by the {what} of the last micro-batch alone: scaled by the wrong count",
        lambda p: u(p) / u(p)[-1],
    )
    yield Law(
        f"the last micro-batch is divided by the number of micro-batches, the others by {what}: "
        "the last step is scaled by the wrong count",
        lambda p: np.where(_last(p), 1 / p.K, u(p) / u(p).sum()),
    )
