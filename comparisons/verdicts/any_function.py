"""A verdict on the gradient of any scalar function, of which nothing is known but its values.

`check_gradient(f, gradient, theta)` holds every entry against central differences. Where a network's own
arithmetic is known there are bounds (`bounds`, `certified`); here there are three estimates:

*Noise.* How far a value of f is off by its own rounding is read from values on a line so short that f is
smooth there. In their table of differences the columns of a smooth function die out, while those of noise
grow: the k-th has mean square (2k)! / (k!)^2 eps_f^2 (Moré, Wild 2011, ECnoise). It is
never taken to be less than one rounding of the value.

A gradient rounds, too: given as a function, its own noise is estimated entry by entry in the same way.

*Truncation.* Ridders' tableau (`scratch.differences.ridders`) over central differences at steps halved from
FIRST_STEP max(1, |t|), as long as the noise over the step is below the best estimate so far. A kink beside
theta makes the tableau disagree with itself until the steps are shorter than its distance.

*Kinks.* J(h) = (f(t + h) - f(t)) / h - (f(t) - f(t - h)) / h is h f'' + O(h^3) for a smooth f, so
2 J(h/2) - J(h) vanishes like h^3. At a kink it stays: the slopes from the left and from the right differ, a
convention such as relu'(0) = 0 decides, not f, and the entry is INCONCLUSIVE.

The estimates are multiplied by SAFETY: good guesses, not bounds that hold in every case. An entry whose
estimate is above WIDEST of the largest gradient entry (or of |f|, if that is more) is INCONCLUSIVE, too.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import factorial
from typing import Any

import numpy as np

from backproof.comparisons.verdicts.verdict import Verdict, compare
from backproof.scratch.architecture import Array
from backproof.scratch.differences import ridders
from backproof.scratch.errors import InputError, InputTypeError

Function = Callable[[Array], Any]  # theta (n,) -> a real number

SAFETY = 4.0
WIDEST = 1e-2
EPS = float(np.finfo(np.float64).eps)
FIRST_STEP = 2.0**-4
ROWS = 24  # at most: the shortest step is 2^-27 max(1, |t|)
FIRST_ROWS = 8
FEWEST_ROWS = 4
NOISE_POINTS = 9
NOISE_STEPS = tuple(10.0**exponent for exponent in range(-12, -6))
MEDIAN_OF_NORMAL = 0.6745  # of |x| for x ~ N(0, 1)


@dataclass(frozen=True)
class Slope:
    """One entry's derivative, as far as values of f can tell."""

    value: float
    error: float
    kink: bool


def check_gradient(
    f: Function,
    gradient: Array | Callable[[Array], Array],
    theta: Array,
    *,
    entries: Sequence[int] | None = None,
    name: Callable[[int], str] = "theta[{}]".format,
    seed: int = 0,
) -> Verdict:
    """Is `gradient` the derivative of f at theta, entry by entry?

    f takes a float64 vector like theta (n,) (its own copy each time) and gives a real number; `gradient` is
    the vector (n,) to be judged, or a function of theta that gives it. `entries` limits the check to some
    entries, `name` names them. About 20 to 50 evaluations of f per entry.

    Raises ValueError for a theta that is not a vector of finite numbers, for entries out of range, for a
    gradient of another shape, and where f(theta) is not finite; TypeError where f gives no real scalar.
    """
    point = np.array(theta, dtype=np.float64)
    if point.ndim != 1 or point.size == 0 or not np.isfinite(point).all():
        raise InputError(f"theta: expected a vector of finite numbers, got shape {point.shape}; flatten it")
    found = np.asarray(gradient(point.copy()) if callable(gradient) else gradient)
    if found.shape != point.shape:
        raise InputError(f"gradient: expected shape {point.shape} as theta's, got {found.shape}")
    chosen = np.arange(point.size) if entries is None else np.asarray(entries, dtype=np.intp)
    if chosen.size and (chosen.min() < 0 or chosen.max() >= point.size):
        raise InputError(
            f"entries: expected indices 0 .. {point.size - 1}, got {chosen.min()} .. {chosen.max()}"
        )
    base = _value(f, point)
    if not np.isfinite(base):
        raise InputError("f: expected a finite value at theta, found NaN or Inf; choose another theta")
    noise = estimate_noise(f, point, seed)
    own = EPS * np.abs(np.where(np.isfinite(found), found, 0.0))
    if callable(gradient):
        own = np.fmax(own, noise_levels(gradient, point, seed))
    slopes = [slope(f, point, int(i), noise) for i in chosen]
    return _verdict(
        found[chosen], own[chosen], slopes, abs(base) or 1.0, [name(int(i)) for i in chosen].__getitem__
    )


def _verdict(
    found: Array, own: Array, slopes: Sequence[Slope], size: float, name: Callable[[int], str]
) -> Verdict:
    expected = np.array([s.value for s in slopes])
    error = SAFETY * (np.array([s.error for s in slopes]) + own)
    kinks = np.array([s.kink for s in slopes], dtype=bool)
    finite = np.abs(np.concatenate([found[np.isfinite(found)], expected[np.isfinite(expected)], [size]]))
    wide = error > WIDEST * finite.max()
    why = "f has a kink there" if kinks.any() else "values of f are too noisy there to say"
    return compare(
        found,
        expected,
        np.where(kinks, np.inf, error),
        name,
        undecided=kinks | wide,
        why_undecided=why,
    )


def _value(f: Function, theta: Array) -> float:
    """f at a copy of theta, as a float."""
    value = np.asarray(f(theta.copy()))
    if value.ndim != 0 or value.dtype.kind not in "fiu":
        raise InputTypeError(
            f"f: expected a real scalar, got {value.dtype} of shape {value.shape}; return a scalar"
        )
    return float(value)


def estimate_noise(f: Function, theta: Array, seed: int = 0) -> float:
    """The level of f's own rounding near theta, at least one rounding of its value."""
    level = noise_levels(lambda point: np.array([_value(f, point)]), theta, seed)[0]
    return float(level) or EPS  # a zero, too, is taken to be the result of sums that round


def noise_levels(f: Callable[[Array], Array], theta: Array, seed: int = 0) -> Array:
    """Per component of f: theta (n,) -> (m,), the largest level of any line from theta, (m,).

    The lines go in a random direction, each entry in proportion to max(1, |t|), with the steps NOISE_STEPS.
    """
    direction = np.random.default_rng(seed).uniform(0.5, 1.0, theta.shape) * np.maximum(1.0, np.abs(theta))
    levels = EPS * np.abs(np.asarray(f(theta.copy()), dtype=np.float64))
    for step in NOISE_STEPS:
        values = np.array([f(theta + k * step * direction) for k in range(NOISE_POINTS)], dtype=np.float64)
        if not np.isfinite(values).all():
            break
        levels = np.maximum(levels, np.maximum(_quantum(values), _settled_level(values)))
    return levels


def _quantum(values: Array) -> Array:
    """Where steps are too short to see more than the quantum in which a value moves: that quantum, else 0.

    A single change among the values may be the jump of a kink, and is no quantum.
    """
    changes = np.abs(np.diff(values, axis=0))
    n_changes = np.count_nonzero(changes, axis=0)
    seen = (n_changes > 1) & (n_changes <= len(changes) // 2)
    quantum: Array = np.where(seen, changes.max(axis=0), 0.0)
    return quantum


def _settled_level(values: Array) -> Array:
    """The noise level of equally spaced values (points, m): where three columns in a row agree, else 0.

    The median takes the place of the mean square, so that one jump of a relu's slope is not noise.
    """
    differences = np.diff(values, axis=0)
    levels, changes = [], []
    for order in range(1, len(values) - 2):
        share = np.sqrt(factorial(order) ** 2 / factorial(2 * order))
        levels.append(np.median(np.abs(differences), axis=0) / MEDIAN_OF_NORMAL * share)
        changes.append((differences[1:] * differences[:-1] < 0).any(axis=0))
        differences = np.diff(differences, axis=0)
    found = np.zeros(values.shape[1])
    for start in reversed(range(len(levels) - 2)):
        three = np.array(levels[start : start + 3])
        agree = (three.max(axis=0) <= 4 * three.min(axis=0)) & changes[start]
        found = np.where(agree, levels[start], found)
    return found


def slope(f: Function, theta: Array, entry: int, noise: float) -> Slope:
    """df/dt of one entry by extrapolated central differences, with the error that the tableau estimates."""
    base = _value(f, theta)
    rows: list[tuple[float, float, float]] = []  # h, f(t + h), f(t - h)
    for row in range(ROWS):
        ends = _ends(f, theta, entry, FIRST_STEP / 2**row)
        if not np.isfinite(ends).all():
            rows.clear()  # outside f's domain: only shorter steps count
            continue
        rows.append(ends)
        if len(rows) >= FIRST_ROWS:
            best = _extrapolated(np.array(rows), base, noise)
            if 2 * noise / ends[0] > best.error:
                break
    # Far away f may be so large that it rounds more than near theta: try without the longest steps.
    table = np.array(rows).reshape(-1, 3)
    candidates = [_extrapolated(table[start:], base, noise) for start in range(len(table) - FEWEST_ROWS + 1)]
    return min(candidates, key=lambda s: s.error, default=Slope(0.0, float("inf"), False))


def _ends(f: Function, theta: Array, entry: int, step: float) -> tuple[float, float, float]:
    t = theta[entry]
    h = step * 2.0 ** np.floor(np.log2(max(1.0, abs(t))))  # a power of two, exact beside all but huge t
    plus, minus = theta.copy(), theta.copy()
    plus[entry], minus[entry] = t + h, t - h
    # What was really moved: (t + h) - (t - h), halved.
    return float(plus[entry] - minus[entry]) / 2, _value(f, plus), _value(f, minus)


def _extrapolated(rows: Array, base: float, noise: float) -> Slope:
    h, plus, minus = rows.T
    noise = max(noise, EPS * float(np.abs(rows[:, 1:]).max()))
    quotients = ((plus - minus) / (2 * h))[:, None]
    value, error = ridders(quotients, h[:, None], noise)
    # The quotient itself is rounded as well.
    rounding = EPS * np.abs(value)
    return Slope(float(value[0]), float((error + rounding)[0]), _has_kink(h, plus, minus, base, noise))


def _has_kink(h: Array, plus: Array, minus: Array, base: float, noise: float) -> bool:
    """Whether the slopes from both sides differ by more than their errors, in the limit of short steps."""
    jump = (plus - 2 * base + minus) / h  # J(h)
    limit = 2 * jump[1:] - jump[:-1]
    error = np.abs(np.diff(limit)) + 12 * SAFETY * noise / h[2:]
    surest = int(np.argmin(error))
    return bool(abs(limit[surest + 1]) > SAFETY * error[surest])
