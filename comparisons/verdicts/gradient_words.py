"""What a verdict on a black box says, in one sentence or two."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, isfinite, log10

from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.random_directions import MISS
from backproof.comparisons.verdicts.tensor_judge import Judged
from backproof.comparisons.verdicts.verdict import sensitivity

FEWEST_DIGITS, MOST_DIGITS = 9, 17


def differing(a: float, b: float) -> tuple[str, str]:
    """Two numbers with as many digits as it takes to tell them apart: 9 to 17.

    Parameters
    ----------
    a, b
        Any two numbers; FEWEST_DIGITS where they are equal or not finite.

    Returns
    -------
    tuple of two str
        In the order given.
    """
    if not (isfinite(a) and isfinite(b)) or a == b:
        return f"{a:.{FEWEST_DIGITS}g}", f"{b:.{FEWEST_DIGITS}g}"
    needed = ceil(log10(max(abs(a), abs(b)) / abs(a - b))) + 2
    digits = min(max(FEWEST_DIGITS, needed), MOST_DIGITS)
    return f"{a:.{digits}g}", f"{b:.{digits}g}"


def looked_at(entries: int, n: int, n_directions: int, missed: float, norm: float) -> str:
    """``20 of 16,000 entries one by one, all through 8 directions: ...``.

    Parameters
    ----------
    entries
        How many were looked at one by one.
    n
        How many there are.
    n_directions
        Through how many random directions all were looked at; 0 for none.
    missed
        The norm of a mistake that these would miss; not finite where they say nothing.
    norm
        Of the gradient; 0 tells the size by itself.

    Returns
    -------
    str
        Part of a sentence.
    """
    if not n_directions:
        return (
            f"all {n:,} entries"
            if entries == n
            else f"{entries:,} of {n:,} entries, the others not looked at"
        )
    if not isfinite(missed):
        return f"{entries:,} of {n:,} entries one by one; along all {n_directions} directions f has a kink"
    size = f"{missed / norm:.0e} of the gradient's norm" if norm else f"{missed:.0e}"
    return (
        f"{entries:,} of {n:,} entries one by one, all through {n_directions} directions: a mistake of "
        f"{size} anywhere is missed with probability < {MISS:.0e}"
    )


def failure(name: str, judged: Judged, n_failed: int, n: int) -> str:
    """Found and expected of the worst entry, and at a kink the interval.

    Parameters
    ----------
    name
        Of the worst entry, or of the direction.
    judged
        What was found there.
    n_failed
        How many entries failed.
    n
        How many there are.

    Returns
    -------
    str
        A sentence without its full stop.
    """
    finding = judged.finding
    where = f"{n_failed:,} of {n:,} entries outside their bounds, worst {name}: "
    if not n_failed:
        where = f"none of {n:,} entries looked at one by one, but through random directions {name}: "
    if not isfinite(finding.claimed):
        return where + f"found {finding.claimed}"
    if finding.kink:
        low, high = finding.kink
        return where + f"found {finding.claimed:.9g}, the slopes at the kink are {low:.9g} .. {high:.9g}"
    found, expected = differing(finding.claimed, finding.claimed + finding.off)
    return (
        where + f"found {found}, expected {expected}, off by {abs(finding.off):.3g}, bound {judged.bound:.3g}"
    )


@dataclass(frozen=True)
class Jump:
    """Where f jumps beside the point."""

    place: float  # the entry's value there
    here: float  # its value at the point


def undecided(
    name: str,
    judged: Judged,
    n_undecided: int,
    n: int,
    noise: float,
    jump: Jump | None = None,
    flat: bool = False,
) -> str:
    """Why the first entry that is undecided is so, and what would help.

    Parameters
    ----------
    name
        Of that entry, or of the direction.
    judged
        What was found there.
    n_undecided
        How many entries are undecided.
    n
        How many there are.
    noise
        The error of one value of f.
    jump
        The nearest one of f, along that entry; None where none was seen.
    flat
        Whether zero is claimed, and f hardly moves with that entry, beside how steep it is in others.

    Returns
    -------
    str
        A sentence without its full stop.
    """
    finding = judged.finding
    where = f"{n_undecided:,} of {n:,} entries undecided, the first {name}: "
    if judged.entry is None:
        where = f"{name} is undecided: "
    if not isfinite(judged.bound):
        return where + "f is not finite beside it"
    if finding.kink:
        return where + "f has a kink there, and its slopes are too noisy to say"
    claimed = f"claimed {finding.claimed:.3g}"
    if jump is not None:
        there, here = differing(jump.place, jump.here)
        return where + (
            f"{claimed}, but f jumps nearby, where this entry is {there} (here {here}), and steps that see "
            "the jump tell of no slope; a point further from it would help"
        )
    if flat:
        return where + (
            f"{claimed}, known to {judged.bound:.1g}, but f moves by at most {finding.steepness:.1g} a unit "
            "wherever it was seen: too little to tell a slope of zero from one that is missing; another "
            "point would help"
        )
    return where + (
        f"{claimed}, known only to {judged.bound:.1g}, since values of f are off by {noise:.1g}; more digits "
        "in f (float64), another point or a coarser `resolution` would help"
    )


def rounded(name: str, n_undecided: int, n: int, agrees: str, bound: float) -> str:
    """Why entries are undecided whose claim is rounded more than f is.

    Parameters
    ----------
    name
        The first one's.
    n_undecided, n
        How many are undecided, of how many.
    agrees
        To how many digits the gradient agrees, and why.
    bound
        The first one's, of the tensor's largest entry.

    Returns
    -------
    str
        One sentence.
    """
    return (
        f"{n_undecided:,} of {n:,} entries undecided, the first {name}: the gradient {agrees}, and so it is "
        f"known to {bound:.1g} of its largest entry only; float64, or a coarser `resolution`, would help"
    )


def unused(entries: int, n: int, n_directions: int, resolution: float) -> str:
    """What is said of a tensor on which f does not depend, as far as was looked.

    Parameters
    ----------
    entries
        How many were looked at one by one.
    n
        How many there are.
    n_directions
        Through how many random directions all were looked at; 0 for none.
    resolution
        The relative error of the whole gradient that would have been seen.

    Returns
    -------
    str
        A sentence without its full stop.
    """
    beside = f"zero; beside the whole gradient {sensitivity(resolution)}"
    if entries == n:
        return (
            f"f does not depend on it, and {'its entry is' if n == 1 else f'all {n:,} entries are'} {beside}"
        )
    if not n_directions:
        some = f"{entries:,} of {n:,} entries"
        return f"f does not depend on the {some} that were looked at, and these are {beside}"
    return (
        f"f moves with none of {entries:,} of {n:,} entries one by one, nor with all of them along "
        f"{n_directions} random directions, and the gradient is {beside}"
    )


def passed(looked: str, resolution: float, kinks: Sequence[tuple[str, Judged]]) -> str:
    """What is said of a tensor that passes: what was looked at, what would have been seen, and kinks.

    Parameters
    ----------
    looked
        As `looked_at` says it.
    resolution
        The relative error that would have been seen.
    kinks
        The entries that stand at a kink, by name.

    Returns
    -------
    str
        A sentence without its full stop.
    """
    words = f"{looked}; {sensitivity(resolution)}"
    if not kinks:
        return words
    name, judged = kinks[0]
    low, high = judged.finding.kink or (0.0, 0.0)
    more = f" and {len(kinks) - 1} more" if len(kinks) > 1 else ""
    return f"{words}; {name}{more} at a kink: a valid subgradient, between {low:.3g} and {high:.3g}"


def worst_of(judged: Sequence[Judged], outcome: Outcome) -> Judged:
    """The one furthest outside its bound of those that ended so.

    Parameters
    ----------
    judged
        Entries or directions.
    outcome
        One of them at least ended so.

    Returns
    -------
    Judged
        One of those given.
    """
    those = [one for one in judged if one.outcome == outcome]
    return max(those, key=_excess)


def _excess(judged: Judged) -> float:
    off, bound = abs(judged.finding.off), judged.bound
    if not isfinite(judged.finding.claimed):
        return float("inf")
    return off / bound if bound else (float("inf") if off else 0.0)
