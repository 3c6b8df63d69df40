"""What `check` found, as plain data: for results.json, --json, a grade book, and `backproof.check_class`."""

from dataclasses import dataclass

# The causes of a class are results too.
from backproof.comparisons.verdicts.cause import Cause as Cause
from backproof.comparisons.verdicts.cause import SourceLine as SourceLine
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.verdict import Verdict


@dataclass(frozen=True)
class CheckRow:
    """One check of one class."""

    check: str
    question: str
    verdict: str  # an Outcome, or "not offered", "not run", "not judged"
    text: str
    cases: int
    undecided: int
    seconds: float
    comparison: Verdict | None  # the comparison that failed


@dataclass(frozen=True)
class CheckedClass:
    """One class: `assert checked.passed`, or print `checked.causes`."""

    target: str
    outcome: Outcome
    seconds: float
    checks: tuple[CheckRow, ...]
    causes: tuple[Cause, ...]  # best supported first
    notes: tuple[str, ...]  # its form and its conventions, in sentences
    tried_with: str  # one line: the networks it was tried with
    code: str = ""  # the smallest case of the first cause, as a program
    code_shows: str = ""  # what the program shows, in words
    advice: tuple[str, ...] = ()  # what to do next, where the class could not be tried

    @property
    def passed(self) -> bool:
        return self.outcome == Outcome.PASS

    def __bool__(self) -> bool:
        """`assert check_class(...)` holds for a PASS alone."""
        return self.passed

    def __str__(self) -> str:
        first = f": {self.causes[0].sentence}" if self.causes else ""
        return f"{self.outcome}{first}"


@dataclass(frozen=True)
class CheckPart:
    """All classes of one command."""

    verdict: Outcome
    classes: tuple[CheckedClass, ...]
