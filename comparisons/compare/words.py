"""What a comparison says, in sentences: the same in the terminal and on the page."""

from collections import Counter
from collections.abc import Sequence

from backproof.comparisons.compare.result import Compared, Comparison, Link
from backproof.comparisons.verdicts.outcome import Outcome


def answer(found: Comparison) -> str:
    """The whole in one sentence."""
    wrong = [name for i, name in enumerate(found.names) if failures(found, i)]
    if wrong:
        both = " and ".join(wrong)
        return f"{both} part{'s' * (len(wrong) == 1)} from what the formulas give by more than rounding."
    if found.verdict is Outcome.INCONCLUSIVE:
        return "No gradient of both could be compared."
    return f"{found.names[0]} and {found.names[1]} differ by rounding only."


def tallies(found: Comparison) -> list[str]:
    """What a campaign counted, a line for each implementation and dtype."""
    return [
        f"{one.name}, {one.dtype}: {one.alarms} of {one.problems:,} problems with a tensor off by more than "
        f"rounding; {one.tensors:,} tensors compared, {one.undecided:,} undecided, since they may overflow"
        for one in found.campaign
    ]


def failures(found: Comparison, i: int) -> list[tuple[str, Link]]:
    """(problem, first tensor that is off) of one side."""
    firsts = [(one.problem, one.sides[i].first) for one in found.problems]
    return [(problem, link) for problem, link in firsts if link is not None]


def summary(found: Comparison, i: int) -> str:
    """One side in one line: how many tensors, and how close the closest is to its bound."""
    links = [link for one in found.problems for link in one.sides[i].links]
    if not links:
        return "nothing could be compared"
    n_problems = sum(bool(one.sides[i].links) for one in found.problems)
    shares = [link.error / link.bound for link in links if link.bound > 0 and link.outcome is Outcome.PASS]
    closest = f"; the closest uses {max(shares):.0%} of its bound" if shares else ""
    n_right = sum(link.outcome is Outcome.PASS for link in links)
    return f"{n_right:,} of {len(links):,} tensors of {n_problems} problems within rounding{closest}"


def first_difference(problem: str, link: Link) -> str:
    """The worst entry, and how far off it is."""
    if link.found != link.found:  # NaN: there is no entry to name, a shape is wrong
        return f"{link.tensor} ({problem})"
    return (
        f"{link.worst}: found {link.found:.9g}, expected {link.expected:.9g}, off by {size(link)} ({problem})"
    )


def size(link: Link) -> str:
    """How many roundings it is off."""
    return f"{link.roundings:,.0f} roundings" if link.roundings < 1e6 else f"{link.roundings:.1e} roundings"


def causes(firsts: Sequence[tuple[str, Link]]) -> list[str]:
    """What explains the first differences, those that explain most problems first."""
    counts = Counter(cause for _, link in firsts for cause in link.causes)
    return [
        f"{cause}{f' ({n} of {len(firsts)} problems)' if len(firsts) > 1 else ''}"
        for cause, n in counts.most_common(3)
    ]


def refused(problems: Sequence[Compared], i: int) -> list[str]:
    """What a side did not offer, each reason once."""
    return list(dict.fromkeys(reason for one in problems for reason in one.sides[i].not_offered))
