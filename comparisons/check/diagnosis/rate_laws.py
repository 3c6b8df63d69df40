"""A learning rate that changes from step to step, unasked: each right step, taken by a share of its own.

`rate_law` is given, for every setting tried, how much of each right step was taken. Where that is the same
everywhere, the rule of training is right and the rate is not.
"""

from collections.abc import Callable, Sequence

from backproof.scratch.architecture import DtypeName

SAME = {"float64": 1e-6, "float32": 1e-3}  # of each other, or of 1
DIGITS = {"float64": 6, "float32": 2}

# The share that step t takes, t = 0, 1, ..., given the share c of the first step that is not whole.
_LAWS: tuple[tuple[str, Callable[[float, int], float], Callable[[float, int], float]], ...] = (
    (
        "the learning rate falls as 1/(1 + {} t), unasked",
        lambda c, t: (1 / c - 1) / t,
        lambda k, t: 1 / (1 + k * t),
    ),
    (
        "the learning rate is multiplied by {} after every step, unasked",
        lambda c, t: c ** (1 / t),
        lambda r, t: r**t,
    ),
    (
        "the learning rate falls by {} of itself with every step, unasked",
        lambda c, t: (1 - c) / t,
        lambda k, t: 1 - k * t,
    ),
    ("the learning rate falls as 1/sqrt(t), unasked", lambda c, t: 1.0, lambda k, t: (1 + t) ** -0.5),
)


def rate_law(shares: Sequence[Sequence[float] | None], dtype: DtypeName = "float64") -> str:
    """The sentence, or nothing where the settings do not agree or every step is whole. `dtype`: the class's.

    >>> rate_law([[1.0, 0.5, 0.25]])
    'the learning rate is multiplied by 0.5 after every step, unasked'
    """
    known = [one for one in shares if one]
    if not known or len(known) < len(shares):
        return ""
    longest, same = max(known, key=len), SAME[dtype]
    if any(not _close(a, b, same) for one in known for a, b in zip(one, longest, strict=False)):
        return ""
    if all(_close(share, 1.0, same) for share in longest):
        return ""
    if all(_close(share, longest[0], same) for share in longest):
        return f"every step is {longest[0]:.{DIGITS[dtype]}g} times what the learning rate asks"
    return _named(
        longest, dtype
    ) or "the learning rate changes from step to step: {} of what is asked".format(
        ", ".join(f"{share:.3g}" for share in longest)
    )


def _named(shares: Sequence[float], dtype: DtypeName) -> str:
    """The law that gives these, t counted from 0 or from 1."""
    for sentence, constant, law in _LAWS:
        for start in (0, 1):
            first = 1 - start  # the first step whose share is not 1
            if len(shares) <= first or shares[first] <= 0:
                continue
            k = constant(shares[first], first + start)
            if all(_close(share, law(k, t + start), SAME[dtype]) for t, share in enumerate(shares)):
                return sentence.format(f"{k:.{DIGITS[dtype]}g}")
    return ""


def _close(a: float, b: float, same: float) -> bool:
    return abs(a - b) <= same * max(1.0, abs(b))
