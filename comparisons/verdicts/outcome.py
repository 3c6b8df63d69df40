"""`Outcome`: the three words in which every comparison of this project ends, in one place.

Their order, their exit codes and how several become one are stated here and nowhere else.
"""

from collections.abc import Iterable
from enum import StrEnum


class Outcome(StrEnum):
    """What a comparison says. Its text is its value, in results.json as on the screen."""

    PASS = "PASS"  # a mistake of the stated size would have been seen, and none was
    FAIL = "FAIL"  # outside a bound: no correct implementation gives this
    INCONCLUSIVE = "INCONCLUSIVE"  # nothing failed, and something could not be decided

    @property
    def rank(self) -> int:
        """0 for the worst: FAIL before INCONCLUSIVE before PASS."""
        return _WORST_FIRST.index(self)

    @property
    def exit_code(self) -> int:
        """0 PASS, 1 FAIL, 3 INCONCLUSIVE; 2 is bad input."""
        return _EXIT_CODES[self]


_WORST_FIRST = (Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.PASS)
_EXIT_CODES = {Outcome.PASS: 0, Outcome.FAIL: 1, Outcome.INCONCLUSIVE: 3}


def worst(outcomes: Iterable[Outcome | str]) -> Outcome:
    """The worst of them.

    Parameters
    ----------
    outcomes
        Or their words, in any order.

    Returns
    -------
    Outcome
        Of nothing, INCONCLUSIVE: nothing was compared.
    """
    return min(map(Outcome, outcomes), key=lambda outcome: outcome.rank, default=Outcome.INCONCLUSIVE)


def exit_code(outcomes: Iterable[Outcome | str]) -> int:
    """The exit code of the worst.

    Parameters
    ----------
    outcomes
        Or their words, in any order.

    Returns
    -------
    int
        0 for PASS, 1 for FAIL, 3 for INCONCLUSIVE.
    """
    return worst(outcomes).exit_code
