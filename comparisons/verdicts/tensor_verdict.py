"""All that was seen of one tensor, and its verdict in words.

What is worst tells the outcome, and is shown: a direction that fails is first followed to an entry. A PASS
says how much was looked at, and how small a mistake would have been seen; what is undecided, what keeps it
from being decided.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from backproof.comparisons.verdicts import gradient_words as words
from backproof.comparisons.verdicts.function_line import Line
from backproof.comparisons.verdicts.inner_precision import agreement, off_by
from backproof.comparisons.verdicts.nearest_jump import nearest_jump
from backproof.comparisons.verdicts.outcome import Outcome, worst
from backproof.comparisons.verdicts.parameter_tree import Tensor
from backproof.comparisons.verdicts.random_directions import missed_size
from backproof.comparisons.verdicts.shapes import Directions
from backproof.comparisons.verdicts.tensor_judge import Claim, Judged, locate
from backproof.comparisons.verdicts.verdict import Tier, Verdict
from backproof.reference.program import AGAIN

HARDLY = 1e-3  # of the whole gradient, f moves with an entry
UNEXPLAINED = 1e-3  # a bound times so long a step: more than noise would have made of it


@dataclass(frozen=True, eq=False)
class Looks:
    """All that was seen of one tensor."""

    claim: Claim
    one_by_one: Sequence[Judged]
    through: Sequence[Judged]  # random directions
    label: Callable[[int], str]
    inner: str = ""  # the dtype it seems to be computed in, where that is coarser than its own

    @property
    def all(self) -> list[Judged]:
        return [*self.one_by_one, *self.through]

    @cached_property
    def outcome(self) -> Outcome:
        return worst(one.outcome for one in self.all)

    @property
    def tensor(self) -> Tensor:
        return self.claim.point.tensors[self.claim.number]

    def name(self, one: Judged) -> str:
        return f"{self.tensor.name} along a random direction" if one.entry is None else self.label(one.entry)

    def count(self, outcome: Outcome) -> int:
        return sum(one.outcome == outcome for one in self.one_by_one)

    @cached_property
    def resolution(self) -> float:
        """The least relative error of the tensor that is sure to be seen in one of its entries.

        Of a tensor of zeros: beside how steep f is nearby, in the entry where that is worst.
        """
        sizes = [(one.bound, abs(one.finding.claimed)) for one in self.one_by_one]
        alive = [2 * bound / (size - bound) for bound, size in sizes if np.isfinite(size) and size > bound]
        if alive:
            return float(min(alive))
        steep = [(one.bound, one.finding.steepness) for one in self.one_by_one if not one.finding.still]
        inf = float("inf")
        if self.one_by_one and not steep:  # f does not depend on it: beside the whole gradient
            return max(2 * one.bound for one in self.one_by_one) / (self.claim.largest_of_all or 1.0)
        return max((2 * bound / size if size else inf for bound, size in steep), default=inf)

    @property
    def still(self) -> bool:
        """Whether f moves with no entry that was looked at, nor along any direction."""
        return bool(self.all) and all(one.finding.still for one in self.all)


def tensor_verdict(found: Looks, drawn: Directions) -> Verdict:
    """The verdict on one tensor, its worst slope with it, and why.

    Parameters
    ----------
    found
        All that was seen of it.
    drawn
        The random directions that were looked along, (directions, n).

    Returns
    -------
    Verdict
        Made of estimates; of nothing, INCONCLUSIVE.
    """
    claim = found.claim
    if not found.all:
        return _verdict(found, None, "nothing was compared")
    shown = words.worst_of(found.all, found.outcome)
    if found.outcome == Outcome.FAIL and shown.entry is None:
        shown = locate(claim, drawn[found.through.index(shown)])
    return _verdict(found, shown, _reason(found, shown) + _drawn_anew(claim))


def _reason(found: Looks, shown: Judged) -> str:
    claim = found.claim
    if found.outcome == Outcome.FAIL:
        return words.failure(found.name(shown), shown, found.count(Outcome.FAIL), len(found.one_by_one))
    if found.outcome == Outcome.INCONCLUSIVE:
        those = [one for one in found.all if one.outcome == Outcome.INCONCLUSIVE]
        level = claim.noise.of(float(claim.point.base[claim.component]))
        if those[0].by_rounding:
            comes_in = "" if found.inner or claim.dtype == "float64" else claim.dtype
            agrees = agreement(off_by(those, claim.largest), comes_in)
            known = those[0].bound / claim.largest
            return words.rounded(found.name(those[0]), len(those), len(found.all), agrees, known)
        jump = _jump(found, those[0], level)
        flat = _is_flat(those[0], claim)
        return words.undecided(found.name(those[0]), those[0], len(those), len(found.all), level, jump, flat)
    n = found.tensor.flat.size
    smooth = [one.bound for one in found.through if not one.finding.kink]
    missed = missed_size(smooth, n) if smooth else float("inf")
    norm = float(np.linalg.norm(claim.flat))
    if found.still:
        return words.unused(len(found.one_by_one), n, len(found.through), found.resolution)
    looked = words.looked_at(len(found.one_by_one), n, len(found.through), missed, norm)
    kinks = [(found.name(one), one) for one in found.one_by_one if one.finding.kink]
    return words.passed(looked, found.resolution, kinks)


def _jump(found: Looks, one: Judged, noise: float) -> words.Jump | None:
    """The jump of f beside an entry whose slope is known far less well than f's noise explains."""
    if one.entry is None or not np.isfinite(one.bound) or one.bound * UNEXPLAINED <= noise:
        return None
    claim = found.claim
    here = float(found.tensor.flat[one.entry])
    evaluations = claim.point.evaluations
    step = nearest_jump(Line(claim.point, claim.number, claim.gradient, one.entry), claim.component, noise)
    claim.point.evaluations = evaluations  # those of a sentence decide nothing
    return None if step is None else words.Jump(here + step, here)


def _is_flat(one: Judged, claim: Claim) -> bool:
    """Whether zero is claimed of an entry with which f hardly moves."""
    finding = one.finding
    return abs(finding.claimed) <= one.bound and 0 < finding.steepness <= HARDLY * claim.largest_of_all


def _drawn_anew(claim: Claim) -> str:
    first, second = claim.point.base[claim.component], claim.point.again[claim.component]
    if abs(first - second) <= claim.noise.eps**AGAIN * abs(first):  # a sum in an order of its own
        return ""
    one, other = words.differing(float(first), float(second))
    return f"; f gave {one} and {other} at one point: fix its random seed"


def _verdict(found: Looks, shown: Judged | None, reason: str) -> Verdict:
    """A Verdict as this module makes them: from estimates."""
    claim, undecided = found.claim, found.count(Outcome.INCONCLUSIVE)
    decided = len(found.one_by_one) - undecided
    if shown is None:
        nan = float("nan")
        return Verdict(Outcome.INCONCLUSIVE, nan, nan, found.resolution, "", reason, decided, undecided)
    finding = shown.finding
    expected = finding.claimed + finding.off
    figures = abs(finding.off), shown.bound, found.resolution, found.name(shown)
    known = claim.resolution, Tier.ESTIMATE
    return Verdict(found.outcome, *figures, reason, decided, undecided, finding.claimed, expected, *known)
