"""Verdicts: PASS, FAIL or INCONCLUSIVE, entry by entry, from a bound derived for the very case.

Entry i of a result f is held against an expected value g and a bound B on how far any correct
implementation may lie from it:

    FAIL           f_i is NaN or infinite, or |f_i - g_i| > B_i
    INCONCLUSIVE   B_i is infinite (overflow is possible), or the caller marks i as undecided,
                   or nothing was compared at all
    PASS           every entry is finite, decided and inside its bound

No norm of the whole vector is taken and no mean: one bad entry among millions fails, and a layer with small
gradients is judged by its own bounds. The *resolution* says what the check could have seen: scaling one
tensor (one group of entries) by 1 + r moves its entry i by r |f_i|, which is outside the bound for certain
when r |f_i| > 2 B_i; the tensor's resolution is the least such r over its entries, and the verdict's is
the largest over the tensors that are not all zero.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from backproof.comparisons.verdicts.outcome import Outcome
from backproof.scratch.architecture import Array
from backproof.scratch.errors import InputError


@dataclass(frozen=True)
class Verdict:
    """One comparison's outcome. The worst entry is the one with the largest error relative to its bound."""

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

    @property
    def passed(self) -> bool:
        return self.outcome == Outcome.PASS

    def as_json(self) -> dict[str, object]:
        """Plain types; what is not finite becomes None, which JSON has a word for."""
        return {
            key: None if isinstance(value, float) and not np.isfinite(value) else value
            for key, value in asdict(self).items()
        }

    def __str__(self) -> str:
        return f"{self.outcome}: {self.reason}"


def compare(
    found: Array,
    expected: Array,
    bound: Array | float,
    name: Callable[[int], str] = "[{}]".format,
    groups: Sequence[slice] | None = None,
    undecided: Array | None = None,
    why_undecided: str = "rounding decides it",
) -> Verdict:
    """Entry by entry: is `found` within `bound` of `expected`?

    All arrays have one shape and are read in C order; `name(i)` names entry i of that order; `groups` are
    the tensors the resolution is about (one group of everything by default). `undecided` marks entries that
    cannot be judged even though they lie inside their bound, and `why_undecided` says why.

    Raises ValueError for shapes that differ.
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
    return _decide(flat_found, flat_expected, errors, bounds, open_entries, name, groups, why_undecided)


def _decide(
    found: Array,
    expected: Array,
    errors: Array,
    bounds: Array,
    undecided: Array,
    name: Callable[[int], str],
    groups: Sequence[slice] | None,
    why_undecided: str,
) -> Verdict:
    unbounded = ~np.isfinite(bounds)
    not_finite = ~np.isfinite(found) & ~unbounded
    outside = not_finite | (~unbounded & ~(errors <= bounds))  # written so that NaN is outside
    inconclusive = (unbounded | undecided) & ~outside
    decided = ~inconclusive
    n_decided, n_inconclusive = int(decided.sum()), int(inconclusive.sum())
    seen = resolution(found, bounds, groups)
    if found.size == 0:
        return Verdict(Outcome.INCONCLUSIVE, np.nan, np.nan, np.inf, "", "nothing was compared", 0, 0)
    worst = _worst(errors, bounds, outside, decided)
    figures = float(errors[worst]), float(bounds[worst]), seen, name(worst)
    values = float(found[worst]), float(expected[worst])
    if outside.any():
        reason = _failure(name(worst), *values, *figures[:2], int(outside.sum()), found.size)
        return Verdict(Outcome.FAIL, *figures, reason, n_decided, n_inconclusive, *values)
    if n_inconclusive:
        first = int(np.flatnonzero(inconclusive)[0])
        why = why_undecided if undecided[first] else "its bound is infinite: overflow is possible"
        reason = f"{n_inconclusive} of {found.size} entries undecided, the first {name(first)}: {why}"
        return Verdict(Outcome.INCONCLUSIVE, *figures, reason, n_decided, n_inconclusive, *values)
    reason = f"all {found.size} entries within their bounds"
    return Verdict(Outcome.PASS, *figures, reason, n_decided, 0, *values)


def _worst(errors: Array, bounds: Array, outside: Array, decided: Array) -> int:
    """The entry with the largest error / bound, among those outside if there are any, else the decided.

    A value that is not finite comes first; an error against a bound of zero counts as infinite.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(errors == 0, 0.0, errors / bounds)
    ratio = np.where(np.isfinite(errors), np.minimum(ratio, np.finfo(np.float64).max), np.inf)
    eligible = outside if outside.any() else decided
    return int(np.argmax(np.where(eligible, ratio, -1.0)))


def _failure(
    name: str, found: float, expected: float, error: float, bound: float, n_outside: int, n: int
) -> str:
    where = f"{n_outside} of {n} entries outside their bounds, worst {name}: "
    if not np.isfinite(found):
        return where + f"found {found}, expected {expected:.9g}"
    return where + f"found {found:.9g}, expected {expected:.9g}, off by {error:.3g}, bound {bound:.3g}"


def resolution(found: Array, bounds: Array, groups: Sequence[slice] | None = None) -> float:
    """The largest over the groups of min_i 2 B_i / |f_i|; groups of zeros have nothing to scale."""
    per_group = [group_resolution(found[group], bounds[group]) for group in groups or [slice(None)]]
    real = [value for value in per_group if value is not None]
    return max(real, default=float("inf"))


def group_resolution(found: Array, bounds: Array) -> float | None:
    """min_i 2 B_i / |f_i| of one tensor; None when it is all zero."""
    magnitude = np.abs(found)
    alive = (magnitude > 0) & np.isfinite(magnitude)
    if not alive.any():
        return None
    with np.errstate(over="ignore"):  # a tensor of subnormal numbers: nothing can be seen of it
        return float(np.min(2.0 * bounds[alive] / magnitude[alive]))
