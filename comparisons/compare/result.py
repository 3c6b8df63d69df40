"""What a comparison found, tensor by tensor."""

from dataclasses import dataclass

from backproof.comparisons.verdicts.outcome import Outcome


@dataclass(frozen=True)
class Link:
    """One tensor of one implementation, judged given what it was computed from."""

    tensor: str  # "z1", "loss", "dW2", "adam, step 2: W1"
    outcome: Outcome
    error: float  # of the worst entry
    bound: float
    worst: str  # its name: "dW2[3, 1]"
    found: float
    expected: float
    roundings: float  # the error in units of the dtype's rounding of the largest entry
    causes: tuple[str, ...] = ()  # what else fits all of its entries, best first


@dataclass(frozen=True)
class Side:
    """One implementation on one problem."""

    name: str
    links: tuple[Link, ...]
    not_offered: tuple[str, ...] = ()  # what it could not be asked for, with the reason

    @property
    def first(self) -> Link | None:
        """The first tensor that is off by more than rounding: the others may only follow from it."""
        return next((link for link in self.links if link.outcome is Outcome.FAIL), None)


@dataclass(frozen=True)
class Compared:
    """Both implementations on one problem."""

    problem: str  # "5-4-3 tanh, mse, float64, batch 7"
    sides: tuple[Side, Side]


@dataclass(frozen=True)
class Tally:
    """Of a campaign: one implementation in one dtype."""

    name: str
    dtype: str
    problems: int = 0
    alarms: int = 0  # problems with a tensor that is off
    tensors: int = 0
    undecided: int = 0  # tensors that may overflow


@dataclass(frozen=True)
class Comparison:
    """All problems of a run; of a campaign, those with an alarm, and how many there were."""

    verdict: Outcome
    seconds: float
    names: tuple[str, str]
    problems: tuple[Compared, ...]
    campaign: tuple[Tally, ...] = ()
