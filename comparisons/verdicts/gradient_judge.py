"""A whole claimed gradient at one point: every tensor of every function, and one verdict.

The point has one or several (m) functions, whose values come from the same evaluations: their lines are
shared. A tensor of up to `one_by_one` entries is looked at entry by entry; of a larger one `sampled` entries
are, and all of them along random directions.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from backproof.comparisons.verdicts.cause import DESCRIBES, MOST, Cause
from backproof.comparisons.verdicts.function_line import Idle, Line, Point
from backproof.comparisons.verdicts.function_noise import EPS, Noise
from backproof.comparisons.verdicts.gradient_causes import causes, explained
from backproof.comparisons.verdicts.gradient_laws import Probe, Seen
from backproof.comparisons.verdicts.gradient_noise import GradientNoise, function_noises
from backproof.comparisons.verdicts.gradient_verdict import GradientVerdict
from backproof.comparisons.verdicts.inner_precision import agreement, coarser, is_rounding, off_by
from backproof.comparisons.verdicts.outcome import Outcome, worst
from backproof.comparisons.verdicts.parameter_tree import Tensor
from backproof.comparisons.verdicts.random_directions import directions
from backproof.comparisons.verdicts.tensor_judge import (
    OWN_ROUNDINGS,
    RESOLUTION,
    Claim,
    judge_directions,
    judge_entries,
)
from backproof.comparisons.verdicts.tensor_verdict import Looks, tensor_verdict
from backproof.comparisons.verdicts.verdict import Tier, Verdict
from backproof.scratch.architecture import Array

ONE_BY_ONE = 64  # a tensor of so many entries is looked at entry by entry
SAMPLED = 20  # of a larger one
NOISY = 64.0  # roundings of f, beyond which it is asked whether it is drawn anew


@dataclass(frozen=True)
class Claims:
    """The gradient as it is claimed."""

    gradients: Sequence[Array]  # per tensor (m, n)
    dtype: str  # the coarsest in which it was computed
    noise: GradientNoise | None = None  # where it can be evaluated elsewhere
    labels: Sequence[str] = ()  # of the functions, where there are several outputs to tell apart


@dataclass(frozen=True)
class Choice:
    """What is looked at, and how finely."""

    entries: Sequence[Array | None]  # per tensor: indices; None for all, or a sample with directions
    resolution: float | None = None  # None: as the dtypes allow
    seed: int = 0
    one_by_one: int = ONE_BY_ONE
    sampled: int = SAMPLED


def judge(
    point: Point, claims: Claims, choice: Choice, name: Callable[[int], str] | None = None
) -> GradientVerdict:
    """The verdicts on the claimed gradients of all functions, the worst function's for each tensor.

    Parameters
    ----------
    point
        f and its parameters.
    claims
        The gradient that is judged.
    choice
        What is looked at, and how finely.
    name
        Names an entry by its index; by default as the tensor does.

    Returns
    -------
    GradientVerdict
        By the tensors' names, with causes where one fails.
    """
    noises, moved = function_noises(point, choice.seed)
    resolution = choice.resolution or _default_resolution(noises, claims.dtype)
    largest = [max(_largest(gradient[c]) for gradient in claims.gradients) for c in range(len(noises))]
    verdicts = {}
    for number, (tensor, gradient) in enumerate(zip(point.tensors, claims.gradients, strict=True)):
        if not moved:
            verdicts[tensor.name] = _standing_still(point, gradient, tensor)
            continue
        lines = _Lines(point, number, gradient, choice)
        own = partial(claims.noise, number) if claims.noise else _nothing
        several = [
            _looks(
                Claim(point, number, c, gradient, claims.dtype, noise, resolution, largest[c], own),
                lines,
                name or tensor.entry,
            )
            for c, noise in enumerate(noises)
        ]
        verdicts[tensor.name] = _of_functions(several, lines, claims, choice)
    return GradientVerdict(verdicts)


def _of_functions(several: Sequence[Looks], lines: "_Lines", claims: Claims, choice: Choice) -> Verdict:
    """The verdict on one tensor: that of the function it is worst of, with what may be behind a FAIL."""
    several = [_but_for_rounding(_confirmed(found, lines), lines, claims, choice) for found in several]
    outcome = worst(found.outcome for found in several)
    which = next(i for i, found in enumerate(several) if found.outcome == outcome)
    chosen = several[which]
    verdict = _of_output(tensor_verdict(chosen, lines.drawn), claims.labels, which)
    if outcome != Outcome.FAIL:
        return verdict
    behind = causes(_seen(chosen, lines, claims), _value(chosen, lines))
    if chosen.inner:
        agrees = agreement(off_by(chosen.all, chosen.claim.largest))
        others = [cause for cause in behind if cause.certainty != DESCRIBES]
        behind = (Cause(f"it {agrees}", DESCRIBES), *others)[:MOST]
    return replace(verdict, causes=behind)


def _confirmed(found: Looks, lines: "_Lines") -> Looks:
    """What fails, judged once more with the noise of a function that gives other values when called again.

    What is undecided by much noise is asked as well, whether it is drawn anew.
    """
    claim = found.claim
    noise, base = claim.noise, float(claim.point.base[claim.component])
    quiet = noise.level <= NOISY * noise.eps * abs(base)
    if found.outcome == Outcome.PASS or (found.outcome == Outcome.INCONCLUSIVE and quiet):
        return found
    spread = float(claim.point.spread()[claim.component])
    if found.outcome != Outcome.FAIL or spread <= noise.level:
        return found
    return _looks(replace(claim, noise=replace(noise, level=spread)), lines, found.label)


def _but_for_rounding(found: Looks, lines: "_Lines", claims: Claims, choice: Choice) -> Looks:
    """Judged once more as what was computed in fewer digits inside, where it fails and looks like it.

    Where the caller asks for more digits than those, that is what fails it.
    """
    claim, finer = found.claim, found.claim.dtype
    rows = [gradient[claim.component] for gradient in claims.gradients]
    for kind in coarser(finer, rows) if found.outcome == Outcome.FAIL else ():
        if found.outcome != Outcome.FAIL:
            break
        seen = _seen(found, lines, claims, finer)
        again = _looks(replace(claim, dtype=kind), lines, found.label)
        if is_rounding(found.one_by_one, again.one_by_one, kind) and not explained(
            seen, _value(found, lines), EPS[kind] * claim.largest_of_all
        ):
            demanded = choice.resolution is not None and off_by(again.all, claim.largest) > choice.resolution
            found = replace(found if demanded else again, inner=kind)
        finer = kind
    return found


def _of_output(verdict: Verdict, labels: Sequence[str], which: int) -> Verdict:
    """What is no PASS says of which function it was seen, where they have labels."""
    if verdict.outcome == Outcome.PASS or not (labels and labels[which]):
        return verdict
    return replace(verdict, reason=f"{verdict.reason} (of {labels[which]})")


def _nothing() -> None:
    return None


def _largest(gradient: Array) -> float:
    return float(np.abs(gradient[np.isfinite(gradient)]).max(initial=0.0))


class _Lines:
    """The lines of one tensor, shared by all functions that are judged along them."""

    def __init__(self, point: Point, number: int, gradient: Array, choice: Choice) -> None:
        n, chosen = point.tensors[number].flat.size, choice.entries[number]
        self.drawn = np.empty((0, n))
        if chosen is not None:
            self.entries = [int(i) for i in chosen]
        elif n <= choice.one_by_one:
            self.entries = list(range(n))
        else:
            rng = np.random.default_rng([choice.seed, number])
            self.entries = sorted(int(i) for i in rng.choice(n, choice.sampled, replace=False))
            self.drawn = directions(n, [choice.seed, number, 1])
        idle = Idle(point, number, gradient, self.entries, choice.seed)
        self.by_entry = [Line(point, number, gradient, i, idle) for i in self.entries]
        self.by_direction = [Line(point, number, gradient, d) for d in self.drawn]


def _default_resolution(noises: Sequence[Noise], kind: str) -> float:
    eps = max([EPS[kind], *(noise.eps for noise in noises)])
    return max(RESOLUTION[name] for name in RESOLUTION if EPS[name] <= eps)


def _looks(claim: Claim, lines: _Lines, label: Callable[[int], str]) -> Looks:
    return Looks(
        claim,
        judge_entries(claim, lines.by_entry, lines.entries),
        judge_directions(claim, lines.by_direction, lines.drawn),
        label,
    )


def _seen(found: Looks, lines: _Lines, claims: Claims, dtype: str = "") -> Seen:
    """The slopes that were found, for a cause to be checked against; at a kink there is none.

    `dtype` is the one whose rounding the claim may have; by default its own.
    """
    claim, tensor = found.claim, found.tensor
    places = [*lines.entries, *lines.drawn]
    known = [
        Probe(where, one.finding.claimed + one.finding.off, one.finding.bound + one.finding.doubt)
        for where, one in zip(places, found.all, strict=False)  # directions end at the first that fails
        if one.finding.kink is None and np.isfinite([one.finding.off, one.finding.bound]).all()
    ]
    others = {
        other.name: gradient[claim.component].reshape(other.shape)
        for other, gradient in zip(claim.point.tensors, claims.gradients, strict=True)
        if other is not tensor
    }
    rounding = OWN_ROUNDINGS * EPS[dtype or claim.dtype] * claim.largest
    value = float(claim.point.base[claim.component])
    shape = tensor.shape
    return Seen(claim.flat.reshape(shape), tensor.flat.reshape(shape), tuple(known), rounding, value, others)


def _value(found: Looks, lines: _Lines) -> Callable[[int, float], float]:
    """f with one of the entries that were looked at moved."""
    by_entry = dict(zip(lines.entries, lines.by_entry, strict=True))
    return lambda entry, s: float(by_entry[entry].at(s).values[found.claim.component])


def _standing_still(point: Point, gradient: Array, tensor: Tensor) -> Verdict:
    reason = (
        f"f gives {point.base[0]:.9g} wherever {tensor.name} is moved: it ignores its argument, or moves by "
        "less than it rounds; let it use the parameters that it is given"
    )
    outcome = Outcome.INCONCLUSIVE
    if not np.isfinite(gradient).all():
        outcome, reason = Outcome.FAIL, "the gradient is not finite, and " + reason
    nan, inf = float("nan"), float("inf")
    return Verdict(outcome, nan, nan, inf, "", reason, 0, tensor.flat.size, tier=Tier.ESTIMATE)
