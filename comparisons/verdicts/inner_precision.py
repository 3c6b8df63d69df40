"""Was a claimed gradient computed in fewer digits than it comes in?

A kernel may compute in float32 whatever it is given, and hand out float64: a `.float()` on the way, a buffer
of another dtype, JAX's default. Beside a float64 f its gradient is off by what single precision rounds,
|e_i| <= 16 eps max |g|, and it is no mistake of anybody's calculus. It is taken for that where

    all errors                lie within the rounding of the coarser dtype;
    most entries              that are known finely enough to show such a rounding do show it: what one
                              entry alone has is a mistake;
    no law                    of `gradient_laws`, and no numerical gradient, tells what is wrong: a factor of
                              1.000001 is no rounding. One within a single rounding may be that of a constant.

Errors of half precision are as large as those of a formula that is a little off (gelu by tanh instead of
erf), so that it takes a trace of it: the claim is c times numbers of half precision, with one c for all.
Of a gradient given as a function the trace is its own noise, which `Claim.own_rounding` measures.
"""

from collections.abc import Sequence
from math import ceil, log10

import numpy as np

from backproof.comparisons.verdicts.function_noise import BITS, EPS
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.shapes import Entries
from backproof.comparisons.verdicts.tensor_judge import Judged

SHOWS = 0.125  # of the coarser dtype's eps: an entry known to this can show its rounding
TOLD = 2.0  # at least one in so many of those that can show it must
SINGLE = 2.0**-15  # an error of the largest entry up to this is that of single precision
FEWEST = 5  # numbers, before they are said to have a common factor
MOST = 64  # numbers that are looked at for it
SPARE = 2  # bits: numbers that need fewer than all but so many are integers
EXACT = 2.0**-36


def coarser(dtype: str, claimed: Sequence[Entries]) -> list[str]:
    """The dtypes that claims of this dtype may have been computed in.

    Parameters
    ----------
    dtype
        The one they come in.
    claimed
        The claimed gradient of every tensor, (n,) each.

    Returns
    -------
    list of str
        Those with fewer digits, the finest first.
    """
    kinds = ["float32", "float16"] if any(has_common_factor(one) for one in claimed) else ["float32"]
    return [kind for kind in kinds if EPS[kind] > EPS[dtype]]


def has_common_factor(values: Entries) -> bool:
    """Whether they are c times numbers of float16, with one c.

    With v one of the values and k = 1024 .. 2047 its significand, c = v / k up to powers of two: one of these
    must leave 11 bits of every value.

    Parameters
    ----------
    values
        (entries,), of any size.

    Returns
    -------
    bool
        False for fewer than FEWEST, and for integers times one factor.
    """
    numbers = np.unique(np.abs(values[np.isfinite(values) & (values != 0)]))
    if len(numbers) < FEWEST:
        return False
    numbers = numbers[:: ceil(len(numbers) / MOST)]
    bits = BITS["float16"]
    k = np.arange(2.0 ** (bits - 1), 2.0**bits)
    significands, _ = np.frexp(numbers / numbers[-1] * k[:, None])
    integers = np.ldexp(significands, bits)
    fits = (np.abs(integers - np.round(integers)) <= EXACT * integers).all(axis=1)
    coarse = np.ldexp(np.round(integers[fits]), -SPARE)
    full = (coarse != np.round(coarse)).mean(axis=1)
    return bool(fits.any() and full.min() >= 0.5)


def is_rounding(before: Sequence[Judged], after: Sequence[Judged], dtype: str) -> bool:
    """Whether what fails before its rounding is granted, and not after, is the rounding of this dtype.

    Most must be freed of their FAIL; and of those freed and those that never failed, as far as they are known
    finely enough to show such a rounding, at least half must show it.

    Parameters
    ----------
    before, after
        The same entries, judged without and with its rounding granted.
    dtype
        The coarser one.

    Returns
    -------
    bool
        False where nothing was freed.
    """
    pairs = [(one, other) for one, other in zip(before, after, strict=True) if other.outcome != Outcome.FAIL]
    freed = sum(one.outcome == Outcome.FAIL for one, _ in pairs)
    failing = len(before) - len(pairs)
    speaking = [one for one, _ in pairs if _shows(one, dtype)]
    shown = sum(one.outcome == Outcome.FAIL for one in speaking)
    return freed > failing and TOLD * shown >= len(speaking)


def _shows(one: Judged, dtype: str) -> bool:
    known = one.bound + one.finding.doubt
    return one.finding.kink is None and 0 < known <= SHOWS * EPS[dtype] * abs(one.finding.claimed)


def off_by(judged: Sequence[Judged], largest: float) -> float:
    """The largest error beside the tensor's largest entry.

    Parameters
    ----------
    judged
        Slopes; those at a kink are left out.
    largest
        |g| of the tensor.

    Returns
    -------
    float
        0 where there is nothing to compare.
    """
    off = max((abs(one.finding.off) for one in judged if one.finding.kink is None), default=0.0)
    return off / largest if largest else 0.0


def agreement(off: float, dtype: str = "") -> str:
    """``agrees to 7 digits: computed in single precision inside``.

    Parameters
    ----------
    off
        The relative error.
    dtype
        The one in which the claim comes, where that tells the error.

    Returns
    -------
    str
        Without its subject.
    """
    digits = int(-log10(off)) if off else 16
    kind = "single" if off <= SINGLE else "half"
    inside = f"it comes in {dtype}" if dtype else f"computed in {kind} precision inside"
    return f"agrees to {digits} digits: {inside}"
