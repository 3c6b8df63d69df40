"""One claimed slope against values of f on its line: how far off it is, and how surely.

Of psi, f with the claim taken out (`function_line`), the slope at 0 is the claim's error. Two looks:

*A short one*, four values: central quotients E_1, E_2 of psi at two steps, the second 19.3 times shorter,
extrapolated to V = E_2 + (E_2 - E_1) / (19.3^2 - 1). It may only let pass: where V is zero within the noise
and a share of what the extrapolation took away, where an error of |V - E_2| + noise / h_2, times SAFETY, is
small enough (`Needs`), and where the jump of the one-sided quotients falls with the step as that of a smooth
function does. Nearly every right slope of a smooth function ends here. Where f does not move at these steps
at all, and zero is claimed, it remains to be seen whether it ever does.

*A long one*, up to 30 pairs of steps from 1/2 down to 1e-10 of the entry's scale, in `step_windows`: the
slope, the jump between the slopes from the right and from the left, and where there is one, both of them. The
steps are no powers of two: sin(2^23 pi t) is blind to those.

A claim that is zero, or as good as, needs a scale of its own: how steep f is nearby. A claim of 0 where f is
as flat wherever it is seen has not been checked. Where f does not move at all within the usual steps, longer
ones, up to 1e6, must show how far out it begins to (a relu that is off), and how steep it is there; or that
it does not depend on the entry: a change hidden in its noise is then small beside the rest of the gradient.
Where all zeros of a tensor stand still together, out there, none of them is asked on its own (`Idle`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from backproof.comparisons.verdicts.function_line import Line, Sample
from backproof.comparisons.verdicts.function_noise import EPS, Noise
from backproof.comparisons.verdicts.step_windows import CENTRAL, JUMP, ONE_SIDED, Limit, limit
from backproof.scratch.architecture import Array

SAFETY = 4.0
LEFT = 0.05  # of the truncation that the short look's extrapolation removes
SHORTER = 19.3  # the ratio of the short look's steps
FIRST, RATIO, ROWS, SHORTEST = 0.4871, 2.317, 30, 1e-10
AT_REST = 5  # rows without a change that two windows apart take, behind a jump of f
STILL = 2.0  # noises by which f has to change before it counts as moving
FAR = (1e1, 1e3, 1e6)
SHORT_OF_FAR = FIRST  # the longest of the usual steps
HALVINGS = 6  # of the way between two far steps, until f is seen where it begins to move
ROUNDINGS = (
    64.0  # a far slope that is less than so many, of the whole gradient, may be rounding of large arguments
)
STRAIGHT = 0.01  # a far slope may change by this, or is taken for rounding
INF = float("inf")


@dataclass(frozen=True)
class Needs:
    """How finely a slope must be known before its claim passes."""

    resolution: float  # of the tensor's largest entry
    of_itself: float  # of the entry
    largest: float  # |g| of the tensor
    of_all: float  # of the whole gradient

    def met(self, bound: float, claimed: float) -> bool:
        """Whether an error of that size, of the tensor's largest entry and of this one, would be seen."""
        return 2 * bound <= min(self.resolution * self.largest, self.of_itself * abs(claimed))


@dataclass(frozen=True)
class LineFinding:
    """What was seen of one claimed slope."""

    claimed: float
    off: float  # the slope found, less the claimed one; at a kink, the nearer end where the claim is outside
    bound: float  # SAFETY times the estimated error
    doubt: float = 0.0  # half of a jump between one-sided slopes that could hide in the noise
    steepness: float = 0.0  # how steep f is nearby
    kink: tuple[float, float] | None = None  # the interval of one-sided slopes
    still: bool = False  # f never moved, not at the longest steps either
    resolved: bool = False

    @property
    def outside(self) -> bool:
        return not np.isfinite(self.claimed) or abs(self.off) > self.bound + self.doubt


def short_look(line: Line, c: int, noise: Noise, needs: Needs) -> LineFinding | None:
    """A claim that passes by four values of f; None where it takes more to say.

    Parameters
    ----------
    line
        The line of parameters through the point.
    c
        The number of the function.
    noise
        Of that function.
    needs
        How finely the slope must be known.

    Returns
    -------
    LineFinding or None
        Resolved, or of a slope that is zero.
    """
    claimed = float(line.slope[c])
    h2 = line.scale * min(noise.eps**0.3, 0.4 / SHORTER)
    h1 = SHORTER * h2
    ends = [line.at(s) for s in (h1, -h1, h2, -h2)]
    p1, m1, p2, m2 = (float(end.residual[c]) for end in ends)
    base = float(line.at(0.0).values[c])
    central = (p1 - m1) / (2 * h1), (p2 - m2) / (2 * h2)
    value = central[1] + (central[1] - central[0]) / (SHORTER**2 - 1)
    level = _noise(noise, ends[2], ends[3], c)
    removed = abs(value - central[1])  # by the extrapolation; what it leaves is a small share of that
    bound = SAFETY * (removed + level / h2)
    zero = abs(value) <= SAFETY * level / h2 + LEFT * removed
    jumps = abs(p1 - 2 * base + m1) / h1, abs(p2 - 2 * base + m2) / h2
    smooth = jumps[1] <= 2 * jumps[0] / SHORTER + 16 * level / h2
    values = [float(end.values[c]) for end in ends]
    if claimed == 0 and all(value == base for value in values):
        found = LineFinding(claimed, 0.0, SAFETY * noise.of(base) / h1)
        idle = line.idle is not None and line.idle.stands_still(c, FAR)
        return _zero(line, c, noise, needs, found, () if idle else FAR)
    steepness = max(abs(values[0] - base), abs(base - values[1])) / h1
    if not (smooth and zero and needs.met(bound, claimed)):  # NaN is no pass
        return None
    return LineFinding(claimed, value, bound, steepness=steepness, resolved=True)


def _noise(noise: Noise, plus: Sample, minus: Sample, c: int) -> float:
    rounding = EPS["float64"] * float(max(plus.claimed[c], minus.claimed[c]))
    return noise.of(float(plus.values[c]), float(minus.values[c])) + rounding


@dataclass(frozen=True)
class Rows:
    """Values of psi at steps in one ratio, the longest first."""

    h: Array
    plus: Array
    minus: Array
    noise: Array  # of one value
    change: Array  # of f itself: the larger of the two sides'
    base: float

    def slope(self) -> Limit:
        return limit((self.plus - self.minus) / (2 * self.h), self.h, self.noise / self.h, CENTRAL)

    def jump(self) -> Limit:
        quotients = (self.plus - 2 * self.base + self.minus) / self.h
        return limit(quotients, self.h, 4 * self.noise / self.h, JUMP)

    def one_sided(self) -> tuple[Limit, Limit]:
        right = limit((self.plus - self.base) / self.h, self.h, 2 * self.noise / self.h, ONE_SIDED)
        left = limit((self.base - self.minus) / self.h, self.h, 2 * self.noise / self.h, ONE_SIDED)
        return left, right


def rows_of(line: Line, c: int, noise: Noise) -> Rows:
    """Values at shorter and shorter steps, until f stands still or the steps are at their shortest.

    Rows before one that is not finite are left out: they reach outside f's domain.

    Parameters
    ----------
    line
        The line of parameters through the point.
    c
        The number of the function.
    noise
        Of that function.

    Returns
    -------
    Rows
        Arrays (rows,) in float64, the longest step first.
    """
    base = float(line.at(0.0).values[c])
    table: list[tuple[float, ...]] = []
    still = 0
    for row in range(3 * ROWS):
        step = FIRST * RATIO**-row
        h = line.scale * step
        if h < SHORTEST * line.shortest:
            break
        plus, minus = line.at(h), line.at(-h)
        ends = float(plus.values[c]), float(minus.values[c])
        if not np.isfinite(ends).all():
            table.clear()
            continue
        change = max(abs(ends[0] - base), abs(ends[1] - base))
        level = _noise(noise, plus, minus, c)
        table.append((h, float(plus.residual[c]), float(minus.residual[c]), level, change))
        still = still + 1 if change <= STILL * level else 0
        if still >= AT_REST and len(table) >= 8:
            break
    columns = np.array(table, dtype=np.float64).reshape(-1, 5).T
    return Rows(columns[0], columns[1], columns[2], columns[3], columns[4], base)


def _of_a_staircase(rows: Rows) -> Rows:
    """The rows with the noise of a staircase, where f climbs one; else as they are.

    f stands still at the shortest steps and moves by a quantum q at the next longer one, and there and one
    step further out the claim is right to within 2 q: values of f are rounded to q, as far as this line can
    tell. A relu that begins out there leaves a claim of zero by more: at the second step f has moved by 3.3 q
    or more.
    """
    moving = np.flatnonzero(rows.change)
    if len(moving) < 2 or len(rows.h) - 1 - moving[-1] < 2:
        return rows
    last = moving[-1]
    quantum = rows.change[last]
    off = np.abs(np.array([rows.plus, rows.minus])[:, last - 1 : last + 1] - rows.base).max()
    return replace(rows, noise=np.maximum(rows.noise, quantum)) if off <= 2 * quantum else rows


def long_look(line: Line, c: int, noise: Noise, needs: Needs) -> LineFinding:
    """The claim against all windows of steps.

    Parameters
    ----------
    line
        The line of parameters through the point.
    c
        The number of the function.
    noise
        Of that function.
    needs
        How finely the slope must be known.

    Returns
    -------
    LineFinding
        Its bound is infinite where f is finite at fewer than three steps.
    """
    claimed = float(line.slope[c])
    rows = _of_a_staircase(rows_of(line, c, noise))
    if len(rows.h) < 3:
        return LineFinding(claimed, 0.0, INF)
    slope, jump = rows.slope(), rows.jump()
    moved = rows.change > 4 * STILL * rows.noise
    steepness = float((rows.change / rows.h)[moved].max(initial=0.0))
    if abs(jump.value) > SAFETY * jump.error:
        return _at_kink(rows, claimed, steepness, needs)
    doubt = (abs(jump.value) + SAFETY * jump.error) / 2
    found = LineFinding(claimed, slope.value, SAFETY * slope.error, doubt, steepness)
    if needs.met(found.bound, claimed):
        return replace(found, resolved=True)
    if abs(claimed) > found.bound or abs(found.off) > found.bound:
        return found
    return _zero(line, c, noise, needs, found)


def _zero(
    line: Line, c: int, noise: Noise, needs: Needs, found: LineFinding, far: Sequence[float] = FAR
) -> LineFinding:
    """A claim that cannot be told from zero is resolved beside the slopes nearby, or where f never moves."""
    if 2 * found.bound <= needs.resolution * found.steepness:
        return replace(found, resolved=True)
    last = SHORT_OF_FAR
    for step in far:
        steepness = _steepness(line, c, noise, needs, step)
        if steepness is None:
            break  # outside f's domain: inside it, it never moved
        if steepness > 0:
            found = replace(found, steepness=min(max(found.steepness, steepness), needs.of_all))
            return _beside(line, c, noise, needs, found, (last, step))
        last = step
    base = float(line.at(0.0).values[c])
    hidden = 8 * STILL * noise.of(base) / line.scale  # the slope of a change that is lost in the noise
    still = found.steepness == 0.0 and hidden <= needs.resolution * needs.of_all
    return replace(found, still=still, resolved=still)


def _steepness(line: Line, c: int, noise: Noise, needs: Needs, step: float) -> float | None:
    """How steep f is on the way to a far step; 0 where it stands still, None where it is not finite."""
    base, h = float(line.at(0.0).values[c]), line.scale * step
    ends = float(line.at(h).values[c]), float(line.at(-h).values[c])
    if not np.isfinite(ends).all():
        return None
    change = max(abs(ends[0] - base), abs(ends[1] - base))
    tiny = change <= ROUNDINGS * noise.eps * needs.of_all * h
    moves = change > 4 * STILL * noise.of(*ends) and not (tiny and not _is_straight(line, c, h))
    return change / h if moves else 0.0


def _beside(
    line: Line, c: int, noise: Noise, needs: Needs, found: LineFinding, between: tuple[float, float]
) -> LineFinding:
    """Resolved beside how steep f is on the way to where it begins to move, between two far steps.

    At the longer one f may have long come to rest again: a cosine moves by 2 at most, and 2 over a million is
    no measure of its slopes. The interval is halved, in its logarithm, until the finding is resolved.
    """
    still, moving = between
    for _ in range(HALVINGS):
        if 2 * found.bound <= needs.resolution * found.steepness:
            break
        step = float(np.sqrt(still * moving))
        steepness = _steepness(line, c, noise, needs, step) or 0.0
        still, moving = (still, step) if steepness else (step, moving)
        found = replace(found, steepness=min(max(found.steepness, steepness), needs.of_all))
    return replace(found, resolved=2 * found.bound <= needs.resolution * found.steepness)


def _is_straight(line: Line, c: int, h: float) -> bool:
    """Whether f has one slope at h and further out: what only rounds at so large an argument has not."""
    steps = (h, RATIO * h, RATIO**2 * h)
    near, *far = (float(line.at(s).values[c] - line.at(-s).values[c]) / (2 * s) for s in steps)
    return near != 0 and all(abs(near - one) <= STRAIGHT * abs(near) for one in far)


def _at_kink(rows: Rows, claimed: float, steepness: float, needs: Needs) -> LineFinding:
    """Inside the interval of one-sided slopes a claim is a subgradient; psi's slopes put it at 0."""
    left, right = rows.one_sided()
    low, high = sorted((left, right), key=lambda side: side.value)
    bound = SAFETY * max(low.error, high.error)
    off = low.value if low.value > 0 else min(high.value, 0.0)
    kink = claimed + low.value, claimed + high.value
    size = max(abs(kink[0]), abs(kink[1]), abs(claimed))
    return LineFinding(
        claimed, off, bound, 0.0, steepness, kink, resolved=2 * bound <= needs.of_itself * size
    )


def judge(line: Line, c: int, noise: Noise, needs: Needs, own_noise: Callable[[], Noise]) -> LineFinding:
    """The finding on one line; `own_noise` reads f's noise on this very line, where that is needed.

    Parameters
    ----------
    line
        The line of parameters through the point.
    c
        The number of the function.
    noise
        Of that function, on a line through all parameters.
    needs
        How finely the slope must be known.
    own_noise
        Called at most once.

    Returns
    -------
    LineFinding
        Whether the claim holds is for the reader of it.
    """
    if not np.isfinite(line.slope[c]):
        return LineFinding(float(line.slope[c]), INF, 0.0)
    return short_look(line, c, noise, needs) or long_look(line, c, own_noise(), needs)
