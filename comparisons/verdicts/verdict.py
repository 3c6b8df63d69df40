"""Verdicts: PASS, FAIL or INCONCLUSIVE, entry by entry, from a bound derived for the very case.

Entry i of a result f is checked against an expected value g and a bound B on how far any correct
implementation may lie from it:

    FAIL           f_i is NaN or infinite, or |f_i - g_i| > B_i
    INCONCLUSIVE   B_i is infinite (overflow is possible), or the caller marks i as undecided,
                   or nothing was compared at all, or a tensor is resolved too coarsely
    PASS           every entry is finite, decided and inside its bound, and every tensor is resolved

No norm of the whole vector is taken and no mean: one bad entry among millions fails, and a layer with small
gradients is judged by its own bounds.

PASS means that a mistake would have been seen. The *resolution* of a tensor (a group of entries) is the least
relative error of the whole tensor that is certain to be seen. A right f_i with |f_i - g_i| <= B_i, scaled by
1 + r, lies at least |r| |f_i| - B_i from g_i, and |f_i| >= |g_i| - B_i; so it is outside where

    |r| > R = min_i 2 B_i / (|g_i| - B_i)      over the i with |g_i| > B_i; infinite without any.

A tensor of which all g_i = 0 and B_i = 0 is *zero by proof*: any other value fails, and there is nothing to
scale. In every other tensor a gradient of zeros lies inside its bounds only where R is infinite. The
verdict's resolution is the largest R of its tensors, and it is PASS only where that is finite and at most
`required`.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum

import numpy as np

from backproof.comparisons.verdicts import shown
from backproof.comparisons.verdicts.cause import Cause, told
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.shapes import Entries
from backproof.scratch.architecture import Array
from backproof.scratch.errors import InputError

REQUIRED_RESOLUTION = {"float32": 1e-3, "float64": 1e-6}  # of every tensor of a network's gradient


class Tier(StrEnum):
    """What kind of bound decided a verdict, the strongest first."""

    WORST_CASE = "worst case"  # holds for every order of summation and every rounding
    PROBABILISTIC = "probabilistic"  # fails with a stated probability, roundings being independent
    ESTIMATE = "estimated"  # measured, not derived


@dataclass(frozen=True, repr=False)
class Verdict:
    """What one comparison came to, figures and words; it is true only if it is a PASS.

    So ``assert check_gradient(...)`` says what it seems to say. The worst entry is the one with the largest
    error relative to its bound.

    Attributes
    ----------
    outcome
        PASS, FAIL or INCONCLUSIVE.
    error, bound
        |found - expected| of the worst entry, and how much it may be; in the units of what was compared.
    found, expected
        Of the worst entry.
    resolution
        The smallest relative error of one tensor that is sure to be seen; infinity where none is.
    worst
        The worst entry's name, such as ``W2[3, 1]``; empty where nothing was compared.
    reason
        One sentence.
    n_compared, n_inconclusive
        How many entries were decided, and how many were not.
    required
        The resolution that a PASS takes; None where an absolute bound was asked for.
    tier
        What kind of bound decided: worst case, probabilistic or estimated.
    causes
        What may be behind a FAIL, the best first, up to three.
    """

    outcome: Outcome
    error: float  # |found - expected| of the worst entry
    bound: float  # that entry's bound
    resolution: float  # smallest relative error of one tensor that is sure to be seen; inf: none is
    worst: str  # the worst entry's name, "" when nothing was compared
    reason: str  # one sentence
    n_compared: int  # entries that were decided
    n_inconclusive: int  # entries that were not
    found: float = float("nan")  # of the worst entry
    expected: float = float("nan")
    required: float | None = None  # the resolution that a PASS takes; None: an absolute bound was asked for
    tier: Tier = Tier.WORST_CASE
    causes: tuple[Cause, ...] = ()  # what may be behind a FAIL, the best first

    def __bool__(self) -> bool:
        return self.outcome == Outcome.PASS

    @property
    def passed(self) -> bool:
        return bool(self)

    @property
    def sensitivity(self) -> str:
        """What would have been seen, in words: ``an error of 1 part in 40,000 would have been seen``."""
        return sensitivity(self.resolution)

    def as_json(self) -> dict[str, object]:
        """Plain types; what is not finite becomes None, which JSON has a word for."""
        return {
            key: None if isinstance(value, float) and not np.isfinite(value) else value
            for key, value in asdict(self).items()
        }

    def raise_if_failed(self) -> None:
        """Raise AssertionError, with the reason, unless it is a PASS: what was not shown was not passed."""
        __tracebackhide__ = True  # pytest: show the line that asked
        if not self:
            raise AssertionError(str(self))

    def __str__(self) -> str:
        return f"{self.outcome}: {self.reason}{told(self.causes)}"

    def __repr__(self) -> str:
        return shown.line(self)

    def _repr_markdown_(self) -> str:
        return shown.markdown(self, {"": self})

    def _repr_html_(self) -> str:
        return shown.html(self, {"": self})


@dataclass(frozen=True)
class Asked:
    """What a PASS takes, beside every entry inside its bound.

    `required` is the resolution of every tensor, as every gradient needs it; infinity asks only that zeros
    would have been seen, and None for nothing, where closeness alone is the question (a loss, an update's
    twin). `tier` is the kind of bound that is given.
    """

    required: float | None = None
    tier: Tier = Tier.WORST_CASE


CLOSENESS = Asked()


def compare(
    found: Array,
    expected: Array,
    bound: Array | float,
    name: Callable[[int], str] = "[{}]".format,
    groups: Sequence[slice] | None = None,
    undecided: Array | None = None,
    asked: Asked = CLOSENESS,
) -> Verdict:
    """Entry by entry: is `found` within `bound` of `expected`?

    Parameters
    ----------
    found, expected
        Real numbers of one shape, read in C order.
    bound
        Not negative, broadcast to that shape; infinity and NaN say nothing.
    name
        Names entry i of that order.
    groups
        The tensors that the resolution is about, as slices of that order; by default one of everything.
    undecided
        Marks the entries that cannot be judged even though they lie inside their bound, since rounding
        decides them.
    asked
        What a PASS takes beside that; by default nothing.

    Returns
    -------
    Verdict
        Of all entries together, with the worst by name.

    Raises
    ------
    InputError
        For shapes that differ.
    """
    found, expected = np.asarray(found), np.asarray(expected)
    if found.shape != expected.shape:
        raise InputError(f"found: expected shape {expected.shape}, got {found.shape}; compare like with like")
    shape = expected.shape
    bounds = np.broadcast_to(np.asarray(bound, dtype=np.float64), shape).ravel()
    open_entries = np.zeros(bounds.shape, dtype=bool) if undecided is None else np.ravel(undecided)
    flat_found = found.ravel().astype(np.float64)
    flat_expected = expected.ravel().astype(np.float64)
    # NaN as a bound or an expected value says nothing: no bound at all.
    bounds = np.where(np.isnan(bounds) | ~np.isfinite(flat_expected), np.inf, bounds)
    with np.errstate(invalid="ignore", over="ignore"):
        errors = np.abs(flat_found - flat_expected)
    compared = _Compared(flat_found, flat_expected, errors, bounds, open_entries, groups or [slice(None)])
    verdict = _decided(compared, name)
    return _resolved(replace(verdict, required=asked.required, tier=asked.tier), compared, name)


@dataclass(frozen=True)
class _Compared:
    """Everything flat, in float64."""

    found: Array
    expected: Array
    errors: Array
    bounds: Array  # infinite where nothing is known
    undecided: Array
    groups: Sequence[slice]


def _decided(compared: _Compared, name: Callable[[int], str]) -> Verdict:
    """The verdict on the entries, whatever was resolved."""
    found, errors, bounds = compared.found, compared.errors, compared.bounds
    unbounded = ~np.isfinite(bounds)
    not_finite = ~np.isfinite(found) & ~unbounded
    outside = not_finite | (~unbounded & ~(errors <= bounds))  # written so that NaN is outside
    inconclusive = (unbounded | compared.undecided) & ~outside
    decided = ~inconclusive
    n_decided, n_inconclusive = int(decided.sum()), int(inconclusive.sum())
    seen = resolution(compared.expected, bounds, compared.groups)
    if found.size == 0:
        return Verdict(Outcome.INCONCLUSIVE, np.nan, np.nan, np.inf, "", "nothing was compared", 0, 0)
    worst = _worst(errors, bounds, outside, decided)
    figures = float(errors[worst]), float(bounds[worst]), seen, name(worst)
    values = float(found[worst]), float(compared.expected[worst])
    if outside.any():
        reason = _failure(name(worst), *values, *figures[:2], int(outside.sum()), found.size)
        return Verdict(Outcome.FAIL, *figures, reason, n_decided, n_inconclusive, *values)
    if n_inconclusive:
        first = int(np.flatnonzero(inconclusive)[0])
        by_rounding = compared.undecided[first]
        why = "rounding decides it" if by_rounding else "its bound is infinite: overflow is possible"
        reason = f"{n_inconclusive:,} of {found.size:,} entries undecided, the first {name(first)}: {why}"
        return Verdict(Outcome.INCONCLUSIVE, *figures, reason, n_decided, n_inconclusive, *values)
    reason = f"all {found.size:,} entries within their bounds"
    return Verdict(Outcome.PASS, *figures, reason, n_decided, 0, *values)


def _resolved(verdict: Verdict, compared: _Compared, name: Callable[[int], str]) -> Verdict:
    """A PASS only where every tensor is resolved as finely as required; it says how finely that is."""
    if verdict.outcome != Outcome.PASS or verdict.required is None:
        return verdict
    for group in compared.groups:
        seen = group_resolution(compared.expected[group], compared.bounds[group])
        if seen is not None and not (seen <= verdict.required and np.isfinite(seen)):
            reason = _too_coarse(name, group, seen, verdict.required)
            return replace(verdict, outcome=Outcome.INCONCLUSIVE, reason=reason)
    by = "" if verdict.tier == Tier.WORST_CASE else f" ({verdict.tier} bounds)"
    return replace(verdict, reason=f"{verdict.reason}; {verdict.sensitivity}{by}")


def _too_coarse(name: Callable[[int], str], group: slice, seen: float, required: float) -> str:
    tensor = name(group.start or 0).split("[")[0] or "the result"  # W1 of W1[0, 0]
    if not np.isfinite(seen):
        return (
            f"{tensor} was not checked: its bounds are as large as its entries, and zeros would pass; "
            "float64 or fewer layers would help"
        )
    return (
        f"{tensor} is resolved to {seen:.2g} only, where {required:.2g} is required; "
        "float64, fewer layers or a larger required resolution would help"
    )


def sensitivity(resolution: float) -> str:
    """A resolution in words: ``an error of 1 part in 40,000 would have been seen``.

    Parameters
    ----------
    resolution
        A relative error, infinity where none is sure to be seen.

    Returns
    -------
    str
        Two significant digits, rounded towards the coarser.
    """
    if not np.isfinite(resolution):
        return "not even an error of the whole size would have been seen"
    if resolution >= 0.5:
        return f"an error of {resolution:.2g} times the size would have been seen"
    if resolution == 0:
        return "any error would have been seen"
    # Two significant digits, rounded down: never more than is so.
    parts = 1.0 / resolution
    unit = 10.0 ** max(0, int(np.floor(np.log10(parts))) - 1)
    return f"an error of 1 part in {np.floor(parts / unit) * unit:,.0f} would have been seen"


def _worst(errors: Array, bounds: Array, outside: Array, decided: Array) -> int:
    """The entry with the largest error / bound, among those outside if there are any, else the decided.

    A value that is not finite comes first; an error against a bound of zero counts as infinite.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ratio = np.where(errors == 0, 0.0, errors / bounds)
    ratio = np.where(np.isfinite(errors), np.minimum(ratio, np.finfo(np.float64).max), np.inf)
    eligible = outside if outside.any() else decided
    return int(np.argmax(np.where(eligible, ratio, -1.0)))


def _failure(
    name: str, found: float, expected: float, error: float, bound: float, n_outside: int, n: int
) -> str:
    where = f"{n_outside:,} of {n:,} entries outside their bounds, worst {name}: "
    if not np.isfinite(found):
        return where + f"found {found}, expected {expected:.9g}"
    return where + f"found {found:.9g}, expected {expected:.9g}, off by {error:.3g}, bound {bound:.3g}"


def resolution(expected: Entries, bounds: Entries, groups: Sequence[slice] | None = None) -> float:
    """The largest resolution of the groups.

    Parameters
    ----------
    expected, bounds
        (entries,) float64.
    groups
        Slices of them; by default one of everything.

    Returns
    -------
    float
        0 where all groups are zero by proof, infinity without any entry.
    """
    if expected.size == 0:
        return float("inf")
    per_group = [group_resolution(expected[group], bounds[group]) for group in groups or [slice(None)]]
    return max((value for value in per_group if value is not None), default=0.0)


def group_resolution(expected: Entries, bounds: Entries) -> float | None:
    """min_i 2 B_i / (|g_i| - B_i) of one tensor.

    Parameters
    ----------
    expected, bounds
        g and B, (entries,) float64.

    Returns
    -------
    float or None
        None where the tensor is zero by proof, or empty; infinity where no entry is clear of its bound.
    """
    size = np.abs(expected)
    if not (size.any() or bounds.any()):
        return None
    clear = np.isfinite(size) & (size > bounds)
    if not clear.any():
        return float("inf")
    with np.errstate(over="ignore"):  # a tensor of subnormal numbers: nothing can be seen of it
        return float(np.min(2.0 * bounds[clear] / (size[clear] - bounds[clear])))
