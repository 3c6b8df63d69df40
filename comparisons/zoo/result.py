"""What `backproof zoo` finds: one row per class of the zoo, and what the rows come to."""

from collections.abc import Mapping
from dataclasses import dataclass

from backproof.comparisons.verdicts.outcome import Outcome


@dataclass(frozen=True)
class Said:
    """What one other checker says of a class: whether it accepts it, None where it was not asked, and why."""

    accepts: bool | None
    note: str = ""


@dataclass(frozen=True)
class RivalCount:
    """What one other checker says of all: of the mutants it was asked of, and of the correct classes."""

    asked: int
    killed: int
    asked_correct: int
    alarms: int  # correct classes that it rejects
    note: str = ""  # why it was asked of none


@dataclass(frozen=True)
class Row:
    """What became of one class."""

    number: str  # in the list of known mistakes
    name: str
    place: str  # file.py:Class
    mistake: str
    group: str  # gradient | state | optimizer | data | field | pair | ... | held out | correct
    note: str
    blind: str
    expected: tuple[str, ...]  # checks, one of which must fail it
    verdict: Outcome
    outcomes: Mapping[str, str]  # by check: an Outcome, or that it is not offered or was not run
    killed_by: tuple[str, ...]
    as_expected: bool
    diagnosis: tuple[str, ...]  # causes in sentences, best first
    cause: str  # words that the first must contain
    cause_named: bool | None
    certainty: str  # of the first: explains | fits | describes
    rivals: Mapping[str, Said]  # by the keys of `known_rivals`
    seconds: float
    line: str = ""  # of the source that the first cause is told with


@dataclass(frozen=True)
class Counts:
    """The matrix in numbers."""

    mutants: int
    killed: int
    killed_as_expected: int
    correct: int
    correct_passed: int
    with_cause: int  # single mistakes whose cause can be named
    causes_named: int
    pairs: int  # two mistakes at once
    pairs_named: int  # both among the first three causes
    misled: int  # a first cause that "explains", and is not the true one
    held_out: int
    held_out_killed_blind: int
    held_out_killed: int
    rivals: Mapping[str, RivalCount]  # by the keys of `known_rivals`


@dataclass(frozen=True)
class Zoo:
    """The kill matrix."""

    verdict: Outcome
    seconds: float
    seed: int
    interrupted: bool
    checks: tuple[str, ...]
    rows: tuple[Row, ...]
    summary: Counts
    n_seeds: int = 1  # tried on every correct class
    command: str = ""
