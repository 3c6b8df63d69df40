"""What a wrong gradient may be instead: laws that make the true one of the claimed one.

With t the true derivative of f and g the claimed one, of one tensor theta:

    factor        t = g / c         the sign, 2, 1/2, N, 1/N, a rate, dL/dy of a loss, any other c
    layout        t = U(g)          transposed, reversed, shifted, axes swapped; of another tensor
    order         t = g[p]          rows, columns or entries in another order
    penalty       t = g - lambda theta

A law names the whole of t, so that it can be checked against every slope that was seen, entries and random
directions alike. It costs digits: what was chosen to fit must be paid for by what it then predicts.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import exp, log10, sqrt

import numpy as np

from backproof.comparisons.verdicts.shapes import Entries, Probes
from backproof.scratch.architecture import Array

LARGEST_COUNT = 1_000_000  # of which a factor may be the number
LARGEST_WIDTH = 10_000  # of which a factor may be the root
SMALLEST = 1e-60  # an error that is turned into a weight, of the largest number seen: no product overflows
PLAIN = {-1.0: "every entry has the wrong sign", 2.0: "every entry is twice what it should be",
         0.5: "every entry is half of what it should be",
         -2.0: "every entry is twice what it should be, and of the wrong sign",
         -0.5: "every entry is half of what it should be, and of the wrong sign"}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Probe:
    """One slope of f that is known: along an entry, or along a direction (n,)."""

    where: int | Array
    slope: float
    error: float


@dataclass(frozen=True, eq=False)
class Seen:
    """What is known of one tensor's gradient."""

    claimed: Array  # in the tensor's shape
    theta: Array  # in the same
    probes: tuple[Probe, ...]
    rounding: float  # of one claimed entry
    value: float  # f
    others: Mapping[str, Array]  # claimed gradients of the other tensors, by name

    def along(self, array: Array) -> Probes:
        """What an array in the tensor's shape has at the probes."""
        flat = array.ravel()
        return np.array([float(flat[p.where] if isinstance(p.where, int) else flat @ p.where)
                         for p in self.probes])  # fmt: skip

    @cached_property
    def slopes(self) -> Probes:
        return np.array([probe.slope for probe in self.probes])

    @cached_property
    def errors(self) -> Probes:
        """How far a slope found may be from what a right claim would say."""
        return np.array([probe.error for probe in self.probes]) + self.rounding

    @cached_property
    def weights(self) -> Probes:
        """One over the errors, as a fit weighs them."""
        seen = np.concatenate([self.slopes, self.along(self.theta), self.along(self.claimed)])
        largest = float(np.abs(seen[np.isfinite(seen)]).max(initial=0.0))
        return 1.0 / np.maximum(self.errors, SMALLEST * (largest or 1.0))

    @cached_property
    def whole(self) -> tuple[Entries, Entries] | None:
        """The true gradient and its errors, flat, where every entry was looked at."""
        known = {p.where: i for i, p in enumerate(self.probes) if isinstance(p.where, int)}
        if len(known) < self.claimed.size:
            return None
        order = [known[i] for i in range(self.claimed.size)]
        return self.slopes[order], self.errors[order]


@dataclass(frozen=True, eq=False)
class Law:
    """`truth` is the true gradient, if `sentence` is what went wrong and nothing else did."""

    sentence: str
    truth: Array  # in the tensor's shape
    grown: float = 1.0  # the claim's rounding in it
    fitted: int = 0  # numbers that were chosen to fit
    cost: float = 0.0  # digits paid for choosing this law out of several

    def digits(self, seen: Seen) -> float:
        """By how many digits it tells more than the claim itself, once paid for; -1 where it does not fit."""
        predicted = seen.along(self.truth)
        errors = seen.errors + seen.rounding * self.grown
        if not (np.abs(predicted - seen.slopes) <= errors).all():
            return -1.0
        told = np.abs(predicted - seen.along(seen.claimed)) / errors
        digits = np.sort(np.log10(np.maximum(told, 1.0)))[::-1]
        return float(digits[self.fitted :].sum()) - self.cost


def laws(seen: Seen) -> Iterator[Law]:
    """All of them, the simplest first.

    Parameters
    ----------
    seen
        What is known of one tensor's gradient.

    Yields
    ------
    Law
        Whether it fits is not asked here.
    """
    yield from factors(seen, seen.claimed, "", 0.0)
    arranged = list(layouts(seen))
    yield from arranged
    yield from penalty(seen)
    yield from factor_beside_penalty(seen)
    yield from orders(seen)
    for law in arranged:
        yield from factors(seen, law.truth, f"{law.sentence}; and ", law.cost)


# -- a factor


def factors(seen: Seen, base: Array, before: str, cost: float) -> Iterator[Law]:
    """t = base / c, with c the value that fits best, and its name where it has one.

    Parameters
    ----------
    seen
        What is known of one tensor's gradient.
    base
        What is off by the factor: the claim, or a rearrangement of it, in the tensor's shape.
    before
        Words that stand before the law's own.
    cost
        Digits already paid for `base`.

    Yields
    ------
    Law
        None where the factor is 1 within the errors.
    """
    found, weights = seen.along(base), seen.weights
    scale = float((weights * np.abs(seen.slopes)).max(initial=0.0))
    if not scale or not np.isfinite(found).all():
        return
    x, y = weights * seen.slopes / scale, weights * found / scale
    c = float(x @ y / (x @ x))
    steepest = int(np.argmax(weights * np.abs(seen.slopes)))
    doubt = 4 * float(seen.errors[steepest] / abs(seen.slopes[steepest])) * (1 + abs(c))
    if not c or abs(c - 1) <= doubt:
        return
    for value, sentence, fitted, price in _named_factors(c, doubt, seen.value):
        yield Law(before + sentence, base / value, abs(1 / value), fitted, cost + price)


def _named_factors(c: float, doubt: float, value: float) -> Iterator[tuple[float, str, int, float]]:
    """(c, sentence, fitted numbers, digits paid): the first that fits names it."""
    named = [*_plain(c, doubt), *_counts(c, doubt), *_losses(c, doubt, value), *_roots(c, doubt)]
    yield from named[:1] or [(c, f"every entry is {c:.6g} times what it should be", 1, 0.0)]


def _plain(c: float, doubt: float) -> Iterator[tuple[float, str, int, float]]:
    for plain, sentence in PLAIN.items():
        if abs(c - plain) <= doubt:
            yield plain, sentence, 0, 0.0


def _counts(c: float, doubt: float) -> Iterator[tuple[float, str, int, float]]:
    """N or 1/N, where the doubt leaves no other N."""
    size, sign = abs(c), ", and of the wrong sign" if c < 0 else ""
    if not 1 / (2 * LARGEST_COUNT) < size < 2 * LARGEST_COUNT:
        return
    many = round(max(size, 1 / size))
    blurred = doubt / min(size, 1) * many  # of N itself
    if not 2 < many <= LARGEST_COUNT or blurred >= 0.05 or abs(max(size, 1 / size) - many) > blurred:
        return
    if size > 1:
        words = f"every entry is {many} times too large{sign}: a sum where the mean over {many} belongs?"
    else:
        rate = f", or the step of a rate of {1 / many:g}" if log10(many).is_integer() else ""
        words = (
            f"every entry is {many} times too small{sign}: a mean over {many} where the sum belongs{rate}?"
        )
    exact = many if size > 1 else 1 / many
    yield (exact if c > 0 else -exact), words, 0, 1 + log10(many)


def _roots(c: float, doubt: float) -> Iterator[tuple[float, str, int, float]]:
    """sqrt(N) or 1/sqrt(N), as attention has it, where the doubt leaves no other N."""
    size, sign = abs(c), ", and of the wrong sign" if c < 0 else ""
    if not 1 / LARGEST_WIDTH < size < LARGEST_WIDTH:
        return
    many = round(max(size, 1 / size) ** 2)
    blurred = 2 * doubt / min(size, 1) * many
    if not 2 <= many <= LARGEST_WIDTH or blurred >= 0.05 or abs(max(size, 1 / size) ** 2 - many) > blurred:
        return
    exact, by = (sqrt(many), "large") if size > 1 else (1 / sqrt(many), "small")
    words = f"every entry is sqrt({many}) = {sqrt(many):.6g} times too {by}{sign}"
    yield (exact if c > 0 else -exact), words, 0, 1 + log10(many)


def _losses(c: float, doubt: float, value: float) -> Iterator[tuple[float, str, int, float]]:
    for factor, loss in _of_losses(value):
        if abs(c - factor) <= doubt:
            words = (
                f"the derivative of the output, not of the loss: the factor {1 / factor:.4g} is missing, "
                f"which {loss} would bring"
            )
            yield factor, words, 0, 1.0


def _of_losses(value: float) -> Iterator[tuple[float, str]]:
    """1 / (dL/dy) of one output y, as far as the value of the loss L tells it."""
    if value > 0:
        for sign in (1.0, -1.0):
            yield sign / sqrt(2 * value), "half a squared error"
            yield sign / (2 * sqrt(value)), "a squared error"
    if -20 < value < 20:
        yield -exp(-value), "-log p"


# -- another layout


def layouts(seen: Seen) -> Iterator[Law]:
    """t = U(g) for every U that is one line of NumPy.

    Parameters
    ----------
    seen
        What is known of one tensor's gradient.

    Yields
    ------
    Law
        A transpose, a reversal or a shift of the claim, or another tensor's claim.
    """
    g = seen.claimed
    arranged = [*_transposes(g), *_reversals(g), *_shifts(g)]
    cost = log10(max(1, len(arranged) + len(seen.others)))
    for sentence, truth in arranged:
        yield Law(sentence, truth, cost=cost)
    for name, other in seen.others.items():
        if other.shape == g.shape:
            yield Law(
                f"it is the gradient of another tensor: what is claimed for {name} fits", other, cost=cost
            )


def _transposes(g: Array) -> Iterator[tuple[str, Array]]:
    if g.ndim == 2 and 1 not in g.shape:
        if g.shape[0] == g.shape[1]:
            yield "it is transposed", g.T
        else:
            words = f"it is transposed, and reshaped to {g.shape} as if it were not"
            yield words, g.reshape(g.shape[::-1]).T
            yield words, g.T.reshape(g.shape)
    for i in range(g.ndim if g.ndim > 2 else 0):
        for j in range(i):
            if g.shape[i] == g.shape[j] > 1:
                yield f"axes {j} and {i} are swapped", np.swapaxes(g, i, j)


def _names(ndim: int) -> list[str]:
    return {1: ["entries"], 2: ["rows", "columns"]}.get(ndim, [f"slices of axis {i}" for i in range(ndim)])


def _reversals(g: Array) -> Iterator[tuple[str, Array]]:
    for axis, name in enumerate(_names(g.ndim)):
        if g.shape[axis] > 1:
            yield f"its {name} are in reverse order", np.flip(g, axis)
    if g.ndim >= 2 and 1 not in g.shape[-2:]:
        yield "it is flipped along the last two axes, as a kernel is", np.flip(g, (-2, -1))


def _shifts(g: Array) -> Iterator[tuple[str, Array]]:
    for axis, name in enumerate(_names(g.ndim)):
        for by in (1, -1) if g.shape[axis] > 2 else ():
            yield f"its {name} are shifted by one", np.roll(g, by, axis)


# -- another order


def orders(seen: Seen) -> Iterator[Law]:
    """t = g[p] along one axis, where every entry is known and p can be read off.

    Parameters
    ----------
    seen
        What is known of one tensor's gradient; of three entries at least along the axis.

    Yields
    ------
    Law
        At most one for every axis.
    """
    if seen.whole is None or seen.claimed.ndim > 2:
        return
    for axis, name in enumerate(_names(seen.claimed.ndim)):
        n = seen.claimed.shape[axis]
        if n < 3:
            continue
        g, t, e = (
            np.moveaxis(array.reshape(seen.claimed.shape), axis, 0).reshape(n, -1)
            for array in (seen.claimed, *seen.whole)
        )
        fits = (np.abs(g[None, :] - t[:, None]) <= e[:, None]).all(axis=2)  # [row of t, row of g]
        if (fits.sum(axis=0) == 1).all() and (fits.sum(axis=1) == 1).all():
            order = fits.argmax(axis=1)
            price = float(sum(log10(k) for k in range(1, n + 1)))
            yield Law(f"its {name} are in another order", np.take(seen.claimed, order, axis), cost=price)


# -- a penalty


def penalty(seen: Seen) -> Iterator[Law]:
    """t = g - lambda theta, with the lambda that fits best.

    Parameters
    ----------
    seen
        What is known of one tensor's gradient.

    Yields
    ------
    Law
        At most one.
    """
    weights = seen.weights
    theta, off = seen.along(seen.theta), seen.along(seen.claimed) - seen.slopes
    scale = float((weights * np.abs(theta)).max(initial=0.0))
    if not scale or not np.isfinite(off).all():
        return
    x, y = weights * theta / scale, weights * off / scale
    factor = float(x @ y / (x @ x))
    if not factor:
        return
    size = f"{abs(factor):.6g} times the parameter itself is"
    if factor > 0:
        words = f"{size} in it, and f has no such penalty"
    else:
        words = f"{size} missing: the derivative of a penalty that f has"
    grown = max(1.0, abs(factor))
    yield Law(words, seen.claimed - factor * seen.theta, grown, fitted=1)


def factor_beside_penalty(seen: Seen) -> Iterator[Law]:
    """g - lambda theta = c (t - lambda theta): all but the penalty is off by a factor, as it often is.

    Parameters
    ----------
    seen
        What is known of one tensor's gradient.

    Yields
    ------
    Law
        At most one.
    """
    weights = seen.weights
    theta, found = seen.along(seen.theta), seen.along(seen.claimed)
    scale = float((weights * np.abs(seen.slopes)).max(initial=0.0))
    if not scale or not theta.any() or not np.isfinite(found).all():
        return
    columns = np.stack([seen.slopes, theta], axis=1) * (weights / scale)[:, None]
    (c, mu), _, rank, _ = np.linalg.lstsq(columns, found * weights / scale)
    typical = float(np.median(np.abs(seen.slopes)))
    doubt = 100 * float(np.median(seen.errors)) / typical * (1 + abs(c)) if typical else np.inf
    if rank < 2 or not c or abs(c - 1) <= doubt or abs(mu) <= doubt * float(np.abs(c)):
        return
    for value, sentence, fitted, price in [*_plain(c, doubt), *_counts(c, doubt)][:1]:
        mu = float(theta @ (found - value * seen.slopes) / (theta @ theta))
        words = f"but for {mu / (1 - value):.6g} times the parameter itself, a penalty, {sentence}"
        grown = (1 + abs(mu)) / abs(value)
        yield Law(words, (seen.claimed - mu * seen.theta) / value, grown, fitted + 1, price + 1)
