"""One tensor of a claimed gradient: its entries one by one, all of them along random directions, one verdict.

An entry is FAIL where the claim is not finite, or further from the slope found than all errors together: the
slope's estimated error times SAFETY, half of any jump that could hide in the noise, and the rounding of the
claim itself. At a kink it is FAIL outside the interval of one-sided slopes, and inside a valid subgradient:
automatic differentiation may give any of them and nothing else (Lee, Park, Aiken 2023). It passes only where
it was resolved (`Needs`); all else is INCONCLUSIVE.

Along a random direction several kinks may meet, and what is right for each of them need not lie between the
two slopes of their sum: relu(a) - relu(b) at a = b = 0 has the subgradient (0, 0), and the slopes 1 and 1
along (1, -1). There a claim outside is undecided.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from backproof.comparisons.verdicts.function_line import Line, Point
from backproof.comparisons.verdicts.function_noise import EPS, Noise, grid, line_noise
from backproof.comparisons.verdicts.line_judge import LineFinding, Needs, judge
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.shapes import Claimed, Directions, Entries
from backproof.scratch.architecture import Array

OF_ITSELF = (
    5e-3  # every single entry must be known to this at least, however small beside the tensor's largest
)
RESOLUTION = {"float64": 1e-6, "float32": 1e-3, "float16": 5e-3, "bfloat16": 5e-3}
OWN_ROUNDINGS = 16.0  # of the claim, in units of eps of its dtype times the tensor's largest entry
OF_ALL_ROUNDINGS = 4.0  # of the largest entry of all tensors, and of the terms they may be made of
MOST_HIDDEN = 2.0**-8  # of the tensor's largest entry: more than that is no rounding of its terms
OWN_NOISES = 8.0  # standard deviations of the claim's noise


@dataclass(frozen=True)
class Judged:
    """One slope with its outcome; `entry` is None for a random direction."""

    entry: int | None
    finding: LineFinding
    outcome: Outcome
    bound: float  # all errors together

    @property
    def by_rounding(self) -> bool:
        """Whether it is the claim's own rounding that keeps it from being seen finely enough."""
        return self.finding.bound < abs(self.finding.off) and 2 * self.finding.bound < self.bound < np.inf


@dataclass(frozen=True)
class Claim:
    """The gradient of one function with respect to one tensor, as it is claimed."""

    point: Point
    number: int  # of the tensor
    component: int  # of the functions
    gradient: Claimed  # of all the functions
    dtype: str
    noise: Noise
    resolution: float
    largest_of_all: float  # |g| of all tensors
    own_noise: Callable[[], Claimed | None]  # the claim's own noise, where it can be evaluated elsewhere

    @property
    def flat(self) -> Entries:
        """The claimed gradient of this function."""
        row: Array = self.gradient[self.component]
        return row

    @cached_property
    def largest(self) -> float:
        finite = np.abs(self.flat[np.isfinite(self.flat)])
        return float(finite.max(initial=0.0))

    @cached_property
    def needs(self) -> Needs:
        return Needs(self.resolution, max(self.resolution, OF_ITSELF), self.largest, self.largest_of_all)

    def own_rounding(self, direction: int | Entries) -> float:
        """How far a right claim may be off by its own rounding.

        What its noise is was read from nine values for each entry, of which some may agree by chance: an
        entry has that of a typical one at least. A tensor whose terms cancel has their rounding, which the
        size of the whole gradient tells, and f far out: softmax less one-hot of a network that is sure.
        """
        eps = EPS[self.dtype]
        coarser = eps > self.noise.eps  # than f: else f's own noise tells
        hidden = min(self.noise.steep, MOST_HIDDEN * self.largest / eps) if coarser else 0.0
        size = max(OWN_ROUNDINGS * self.largest, OF_ALL_ROUNDINGS * max(self.largest_of_all, hidden))
        own = np.full(self.flat.shape, eps * size)
        measured = self.own_noise()
        if measured is not None:
            each = measured[self.component]
            typical = np.sqrt(np.square(each).mean())
            own = np.fmax(own, OWN_NOISES * np.fmax(each, typical))
        return float(own[direction] if isinstance(direction, int) else np.sqrt(own**2 @ direction**2))


def along(claim: Claim, line: Line, entry: int | None, direction: int | Entries) -> Judged:
    """Judge one line.

    Parameters
    ----------
    claim
        The gradient of one function with respect to one tensor, with what is known of f.
    line
        Along the entry or direction.
    entry
        Its index; None for a direction.
    direction
        The index once more, or the direction (n,).

    Returns
    -------
    Judged
        A kink on a direction is never a FAIL: a sum over entries has no interval of its own.
    """
    c = claim.component

    def own_noise() -> Noise:
        level, seen = line_noise(lambda s: line.at(s * line.scale).values)
        finest = max(claim.noise.eps, EPS[grid(seen[:, c])])
        return replace(claim.noise, level=max(claim.noise.level, float(level[c])), eps=finest)

    needs = claim.needs
    if entry is None:  # a direction is a sum over all entries, and is judged by the whole tensor's size
        norm = float(np.sqrt(np.square(claim.flat) @ np.square(np.asarray(direction))))
        needs = replace(needs, of_itself=float("inf"), largest=norm)
    finding = judge(line, c, claim.noise, needs, own_noise)
    bound = finding.bound
    if finding.outside and np.isfinite(finding.claimed):
        own = claim.own_rounding(direction)
        bound += own
        hidden = claim.noise.hidden if claim.largest_of_all <= claim.noise.hidden else 0.0
        resolved = finding.resolved and needs.met(bound, finding.claimed)
        finding = replace(finding, resolved=resolved, doubt=finding.doubt + hidden)
    outcome = _outcome(finding, bound)
    if entry is None and finding.kink and outcome == Outcome.FAIL:
        outcome = Outcome.INCONCLUSIVE
    return Judged(entry, finding, outcome, bound)


def _outcome(finding: LineFinding, bound: float) -> Outcome:
    if not np.isfinite(finding.claimed) or abs(finding.off) > bound + finding.doubt:
        return Outcome.FAIL
    if finding.resolved and abs(finding.off) <= bound:
        return Outcome.PASS
    return Outcome.INCONCLUSIVE


def judge_entries(claim: Claim, lines: Sequence[Line], entries: Sequence[int]) -> list[Judged]:
    """A judgement of each entry.

    Parameters
    ----------
    claim
        The gradient of one function with respect to one tensor.
    lines
        One for every entry.
    entries
        Their indices.

    Returns
    -------
    list of Judged
        In their order.
    """
    return [along(claim, line, i, i) for line, i in zip(lines, entries, strict=True)]


def judge_directions(claim: Claim, lines: Sequence[Line], drawn: Directions) -> list[Judged]:
    """All of them, or those up to the first that fails.

    Parameters
    ----------
    claim
        The gradient of one function with respect to one tensor.
    lines
        One for every direction.
    drawn
        (directions, n).

    Returns
    -------
    list of Judged
        In their order.
    """
    found: list[Judged] = []
    for line, direction in zip(lines, drawn, strict=True):
        found.append(along(claim, line, None, direction))
        if found[-1].outcome == Outcome.FAIL:
            break
    return found


def locate(claim: Claim, direction: Entries) -> Judged:
    """The entry behind a direction that fails: the direction is halved until one entry is left.

    Where the mistake is spread so thinly that neither half shows it, the last direction that fails is
    returned.

    Parameters
    ----------
    claim
        The gradient of one function with respect to one tensor.
    direction
        One that fails, (n,).

    Returns
    -------
    Judged
        Of that entry, or of the last direction that fails.
    """
    found, support = None, np.arange(direction.size)
    while len(support) > 1:
        halves = np.array_split(support, 2)
        judged = [_restricted(claim, direction, half) for half in halves]
        failing = [i for i in (0, 1) if judged[i].outcome == Outcome.FAIL]
        if not failing:
            break
        worst = max(failing, key=lambda i: abs(judged[i].finding.off))
        found, support = judged[worst], halves[worst]
    if len(support) == 1:
        entry = int(support[0])
        line = Line(claim.point, claim.number, claim.gradient, entry)
        return along(claim, line, entry, entry)
    return found or _restricted(claim, direction, np.arange(direction.size))


def _restricted(claim: Claim, direction: Array, support: Array) -> Judged:
    part = np.zeros_like(direction)
    part[support] = direction[support] * np.sqrt(direction.size / len(support))
    return along(claim, Line(claim.point, claim.number, claim.gradient, part), None, part)
