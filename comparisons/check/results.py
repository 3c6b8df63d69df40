"""What `check` found, as plain data: for results.json, --json, a grade book, and `backproof.check_class`."""

from dataclasses import dataclass

from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.verdict import Verdict


@dataclass(frozen=True)
class SourceLine:
    """A line of the class's own source. Where a name led to it and no traceback did, it is a guess."""

    file: str  # its name without folders
    number: int
    text: str  # without its indentation

    def __str__(self) -> str:
        return f"line {self.number}: {self.text}"


@dataclass(frozen=True)
class Cause:
    """A sentence, and how much of what was seen it accounts for.

    explains    it predicts every answer seen, right and wrong, entry for entry
    fits        it predicts every wrong answer of the kind it speaks of
    describes   it says what was seen, and no more
    """

    sentence: str
    certainty: str  # explains | fits | describes
    line: SourceLine | None = None  # of the class's source, where names in it lead to one


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
