"""What `backproof zoo` finds: one row per class of the zoo, and what the rows come to."""

from collections.abc import Mapping
from dataclasses import dataclass

from backproof.comparisons.verdicts.outcome import Outcome


@dataclass(frozen=True)
class Rivals:
    """What other checkers in everyday use say of a class; None where one was not asked."""

    gradcheck: bool  # whether it accepts
    check_grad: bool
    check_grads: bool | None  # JAX's; None where JAX is not installed
    threshold: bool | None
    test_accuracy: float | None  # what the threshold is held against


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
    rivals: Rivals
    seconds: float


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
    gradcheck_killed: int
    check_grad_killed: int
    check_grads_killed: int
    threshold_killed: int


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
    command: str = ""
