"""A whole claimed gradient at one point: every tensor of every function, and one verdict.

The point has one or several (m) functions, whose values come from the same evaluations: their lines are
shared. A tensor of up to `one_by_one` entries is looked at entry by entry; of a larger one `sampled` entries
are, and all of them along random directions.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np

from backproof.comparisons.verdicts import gradient_words as words
from backproof.comparisons.verdicts.cause import DESCRIBES, MOST, Cause
from backproof.comparisons.verdicts.function_line import Idle, Line, Point
from backproof.comparisons.verdicts.function_noise import EPS, SPACINGS, Noise, grid, line_noise
from backproof.comparisons.verdicts.gradient_causes import causes, explained
from backproof.comparisons.verdicts.gradient_laws import Probe, Seen
from backproof.comparisons.verdicts.gradient_verdict import GradientVerdict
from backproof.comparisons.verdicts.inner_precision import agreement, coarser, is_rounding, off_by
from backproof.comparisons.verdicts.nearest_jump import nearest_jump
from backproof.comparisons.verdicts.outcome import Outcome, worst
from backproof.comparisons.verdicts.parameter_tree import Tensor
from backproof.comparisons.verdicts.random_directions import directions, missed_size
from backproof.comparisons.verdicts.shapes import Claimed
from backproof.comparisons.verdicts.tensor_judge import (
    OWN_ROUNDINGS,
    RESOLUTION,
    Claim,
    Judged,
    judge_directions,
    judge_entries,
    locate,
)
from backproof.comparisons.verdicts.verdict import Tier, Verdict
from backproof.reference.program import AGAIN
from backproof.scratch.architecture import Array

ONE_BY_ONE = 64  # a tensor of so many entries is looked at entry by entry
SAMPLED = 20  # of a larger one
HARDLY = 1e-3  # of the whole gradient, f moves with an entry
UNEXPLAINED = 1e-3  # a bound times so long a step: more than noise would have made of it
FAR = 10.0  # where f shows how large its terms may be
NOISY = 64.0  # roundings of f, beyond which it is asked whether it is drawn anew
NEARBY = 0.37  # how far to look for a change before f is said to ignore its argument


@dataclass(frozen=True)
class Claims:
    """The gradient as it is claimed."""

    gradients: Sequence[Array]  # per tensor (m, n)
    dtype: str  # the coarsest in which it was computed
    noise: "GradientNoise | None" = None  # where it can be evaluated elsewhere
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


def _of_functions(several: Sequence["Looks"], lines: "_Lines", claims: Claims, choice: Choice) -> Verdict:
    """The verdict on one tensor: that of the function it is worst of, with what may be behind a FAIL."""
    several = [_but_for_rounding(_confirmed(found, lines), lines, claims, choice) for found in several]
    outcome = worst(found.outcome for found in several)
    which = next(i for i, found in enumerate(several) if found.outcome == outcome)
    chosen = several[which]
    verdict = _of_output(_tensor_verdict(chosen, lines), claims.labels, which)
    if outcome != Outcome.FAIL:
        return verdict
    behind = causes(_seen(chosen, lines, claims), _value(chosen, lines))
    if chosen.inner:
        agrees = agreement(off_by(chosen.all, chosen.claim.largest))
        others = [cause for cause in behind if cause.certainty != DESCRIBES]
        behind = (Cause(f"it {agrees}", DESCRIBES), *others)[:MOST]
    return replace(verdict, causes=behind)


def _confirmed(found: "Looks", lines: "_Lines") -> "Looks":
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


def _but_for_rounding(found: "Looks", lines: "_Lines", claims: Claims, choice: Choice) -> "Looks":
    """Judged once more as what was computed in fewer digits inside, where it fails and looks like it.

    Where the caller asks for more digits than those, that is what fails it.
    """
    claim, finer = found.claim, found.claim.dtype
    if found.outcome != Outcome.FAIL:
        return found
    for kind in coarser(finer, [gradient[claim.component] for gradient in claims.gradients]):
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


def function_noises(point: Point, seed: int) -> tuple[list[Noise], bool]:
    """The noise of every function along one random line in all parameters; and whether any moved.

    Far out on that line f shows how large its terms may be. A loss of 1e-43 is the difference of logits near
    100: where f is less than a rounding of them, and so is all of the claimed gradient, both may be off by
    that much.

    Parameters
    ----------
    point
        f and its parameters.
    seed
        Of the line's direction.

    Returns
    -------
    tuple (list of Noise, bool)
        A `Noise` for every function.
    """
    rng = np.random.default_rng(seed)
    ways = [
        rng.choice([-1.0, 1.0], t.flat.shape)
        * rng.uniform(0.5, 1.0, t.flat.shape)
        * np.maximum(1.0, np.abs(t.flat))
        for t in point.tensors
    ]

    def at(s: float) -> Array:
        return point.base if s == 0 else point.anywhere(s, ways)

    level, seen = line_noise(at)
    moved = bool((seen != point.base).any())
    moved = moved or any(bool((at(step) != point.base).any()) for step in (NEARBY, -NEARBY))
    level = np.fmax(np.fmax(level, np.abs(point.again - point.base)), point.rounding)
    computed = EPS[point.dtype_at(SPACINGS[-1], ways)]
    eps = [max(computed, EPS[grid(seen[:, c])]) for c in range(len(level))]
    far = np.array([at(FAR), at(-FAR)])
    size = np.where(np.isfinite(far), np.abs(far), 0.0).max(axis=0)
    hidden = [
        its * one if abs(base) <= its * one else 0.0
        for its, one, base in zip(eps, size, point.base, strict=True)
    ]
    return [
        Noise(float(one), its, float(rest), float(large) / FAR)
        for one, its, rest, large in zip(level, eps, hidden, size, strict=True)
    ], moved


def _default_resolution(noises: Sequence[Noise], kind: str) -> float:
    eps = max([EPS[kind], *(noise.eps for noise in noises)])
    return max(RESOLUTION[name] for name in RESOLUTION if EPS[name] <= eps)


class GradientNoise:
    """The noise of a gradient function entry by entry, read when it is first asked for.

    `gradient` is called as f is; `split` makes the arrays (m, n) of what it gives, one per tensor.
    """

    def __init__(
        self,
        point: Point,
        gradient: Callable[..., Any],
        split: Callable[[Any], list[Array]],
        seed: int,
    ) -> None:
        self._point, self._gradient, self._split, self._seed = point, gradient, split, seed

    def __call__(self, number: int) -> Claimed:
        """Of one tensor, (m, n)."""
        return self._levels[number]

    @cached_property
    def _levels(self) -> list[Array]:
        rng = np.random.default_rng([self._seed, 1])
        found = self._point.tensors
        ways = [rng.uniform(0.5, 1.0, t.flat.shape) * np.maximum(1.0, np.abs(t.flat)) for t in found]
        shapes: list[tuple[int, ...]] = []

        def flat(s: float) -> Array:
            parts = self._split(self._point.everywhere(self._gradient, s, ways))
            shapes[:] = [part.shape for part in parts]
            return np.concatenate([part.ravel() for part in parts])

        level, _ = line_noise(flat)
        ends = np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1]
        return [part.reshape(shape) for part, shape in zip(np.split(level, ends), shapes, strict=True)]


def _looks(claim: Claim, lines: _Lines, label: Callable[[int], str]) -> "Looks":
    return Looks(
        claim,
        judge_entries(claim, lines.by_entry, lines.entries),
        judge_directions(claim, lines.by_direction, lines.drawn),
        label,
    )


def _seen(found: "Looks", lines: _Lines, claims: Claims, dtype: str = "") -> Seen:
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


def _value(found: "Looks", lines: _Lines) -> Callable[[int, float], float]:
    """f with one of the entries that were looked at moved."""
    by_entry = dict(zip(lines.entries, lines.by_entry, strict=True))
    return lambda entry, s: float(by_entry[entry].at(s).values[found.claim.component])


def _tensor_verdict(found: "Looks", lines: _Lines) -> Verdict:
    claim = found.claim
    if not found.all:
        return _verdict(found, None, "nothing was compared")
    shown = words.worst_of(found.all, found.outcome)
    if found.outcome == Outcome.FAIL and shown.entry is None:
        shown = locate(claim, lines.drawn[found.through.index(shown)])
    return _verdict(found, shown, _reason(found, shown) + _drawn_anew(claim))


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
