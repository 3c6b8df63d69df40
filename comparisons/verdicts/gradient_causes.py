"""What may be behind a wrong gradient of which only f is known: `gradient_laws` held to what was seen.

A law explains where it predicts every slope that was seen, inside the very bounds of the verdict, and by
enough digits that this is no chance. Where no law does, the claim may be a numerical gradient or a rounded
one, or what is wrong has something in common: that is said, and not called an explanation.
"""

from collections.abc import Callable, Iterator
from math import floor, log10

import numpy as np

from backproof.comparisons.verdicts.cause import DESCRIBES, EXPLAINS, FITS, MOST, Cause
from backproof.comparisons.verdicts.gradient_laws import Law, Seen, laws
from backproof.comparisons.verdicts.truncation import numerical_cause
from backproof.scratch.architecture import Array

SURE = 4.0  # digits by which a law must tell more than the claim
POSSIBLE = 2.0
SINGLE = (2.0**-26, 2.0**-17)  # relative errors of what was computed in float32
FEWEST_ROUNDED = 3

Value = Callable[[int, float], float]  # f with one entry moved


# A law is asked of slopes of any size; one that overflows there, or divides by nothing, fits nothing.
@np.errstate(over="ignore", divide="ignore", invalid="ignore")
def causes(seen: Seen, value: Value) -> tuple[Cause, ...]:
    """At most three, the best first; nothing that was not seen.

    Parameters
    ----------
    seen
        What is known of the tensor's gradient.
    value
        f near the point, for causes that lie in how a gradient was taken numerically.

    Returns
    -------
    tuple of Cause
        Empty where nothing explains it.
    """
    if not np.isfinite(seen.claimed).all():
        return ()
    if not seen.claimed.any():
        return (Cause("every entry is zero: never computed, or never written?", EXPLAINS),)
    found = _explaining(seen)
    if found:
        return found
    entries = [i for i, p in enumerate(seen.probes) if isinstance(p.where, int)]
    if not entries:
        return ()
    right, error = seen.slopes[entries], seen.errors[entries]
    claimed = seen.along(seen.claimed)[entries]
    numerical = _numerical(seen, value)
    if numerical:
        return (numerical,)
    return tuple(_common(claimed, right, error, len(entries) == seen.claimed.size))[:MOST]


@np.errstate(over="ignore", divide="ignore", invalid="ignore")
def explained(seen: Seen, value: Value, blur: float) -> bool:
    """Whether it is known what is wrong: it is a numerical gradient, or a law explains it.

    Parameters
    ----------
    seen
        What is known of one tensor.
    value
        value(i, s) is f with entry i moved by s.
    blur
        A law that moves no entry by more than this may be rounding, and explains nothing.

    Returns
    -------
    bool
        True also for what is zero or not finite.
    """
    if not np.isfinite(seen.claimed).all() or not seen.claimed.any():
        return True
    for law in laws(seen):
        if law.digits(seen) >= SURE and np.abs(law.truth - seen.claimed).max() > blur:
            return True
    numerical = _numerical(seen, value)
    return numerical is not None and numerical.certainty == EXPLAINS


def _numerical(seen: Seen, value: Value) -> Cause | None:
    entries = [i for i, p in enumerate(seen.probes) if isinstance(p.where, int)]
    if not entries:
        return None
    where = [int(p.where) for p in seen.probes if isinstance(p.where, int)]
    claimed = seen.along(seen.claimed)[entries]
    return numerical_cause(value, where, claimed, seen.slopes[entries], seen.errors[entries])


def _explaining(seen: Seen) -> tuple[Cause, ...]:
    """The laws that fit; of those that say the same of the truth, the first."""
    chosen: list[tuple[float, Law]] = []
    for law in laws(seen):
        digits = law.digits(seen)
        if digits >= POSSIBLE and not any(_alike(law, other, seen) for _, other in chosen):
            chosen.append((digits, law))
    sure = [law for digits, law in chosen if digits >= SURE]
    if sure:
        return tuple(Cause(law.sentence, EXPLAINS) for law in sure[:MOST])
    return tuple(Cause(law.sentence, FITS) for _, law in chosen[:MOST])


def _alike(one: Law, other: Law, seen: Seen) -> bool:
    return bool((np.abs(seen.along(one.truth) - seen.along(other.truth)) <= 2 * seen.errors).all())


def _common(claimed: Array, right: Array, error: Array, all_known: bool) -> Iterator[Cause]:
    """What the wrong entries have in common."""
    wrong = np.abs(claimed - right) > error
    if not wrong.any():
        return
    certainty = EXPLAINS if all_known else FITS
    clear = np.abs(right) > 10 * error
    if (np.abs(claimed - np.abs(right)) <= error).all() and wrong.sum() > 1 and (clear & (right > 0)).any():
        yield Cause("the signs are lost: it holds absolute values", certainty)
        return
    largest = float(np.abs(claimed).max())
    cut = np.clip(right, -largest, largest)
    if wrong.sum() > 1 and (np.abs(cut - claimed) <= error).all() and (clear & ~wrong).any():
        yield Cause(f"it is cut off at {largest:.6g}: clipped", certainty)
    elif not claimed[wrong].any():
        yield Cause(f"the wrong entries ({wrong.sum()} of {wrong.size}) are all zero: never written?", FITS)
    off = np.abs(claimed - right)
    relative = float(off.max() / max(np.abs(right).max(), 1e-300))
    if wrong.sum() >= FEWEST_ROUNDED and SINGLE[0] <= relative <= SINGLE[1] and wrong.mean() >= 0.5:
        digits = floor(-log10(relative))
        yield Cause(f"it agrees to {digits} digits and no more: computed in float32 somewhere?", DESCRIBES)
