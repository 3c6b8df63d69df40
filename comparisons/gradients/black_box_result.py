"""What the campaign for black boxes finds: right gradients that failed, wrong ones that passed, the cost."""

from collections.abc import Mapping
from dataclasses import dataclass

from backproof.comparisons.verdicts.outcome import Outcome


@dataclass(frozen=True)
class RightOnes:
    """The verdicts on right gradients."""

    cases: int
    false_alarms: int
    undecided: int
    first_failure: str


@dataclass(frozen=True)
class WrongOnes:
    """The verdicts on gradients with one kind of mistake."""

    cases: int
    missed: int  # PASS
    found: int  # FAIL; the rest is undecided


@dataclass(frozen=True)
class Rival:
    """What another checker said of some of the same gradients, right ones and wrong ones (1e-2 and more)."""

    right: int
    rejected: int
    wrong: int
    accepted: int


@dataclass(frozen=True)
class FunctionRow:
    """A family of functions, a group of families, or all."""

    family: str
    group: str
    right: RightOnes
    wrong: Mapping[str, WrongOnes]  # by the kind of mistake
    rivals: Mapping[str, Rival]
    median_resolution: float  # of the right gradients that passed
    worst_resolution: float
    milliseconds: float  # of CPU per verdict


@dataclass(frozen=True)
class FunctionCampaign:
    """Functions of every kind, with right and wrong gradients."""

    verdict: Outcome
    totals: FunctionRow
    groups: tuple[FunctionRow, ...]
    families: tuple[FunctionRow, ...]
    n_per_family: int
    rivals_per_family: int
    seed: int
    workers: int
    seconds: float
    interrupted: bool
    command: str = ""
