"""The trial: every check on every kind of case, the first failure of each shrunk by Hypothesis.

A class that hangs, crashes or floods is not asked the same thing twice: such a finding ends its check at
once, and after MAX_FATAL of them the rest is not run. Everything a class does is a finding; only a target
that is not there is an error of the user's.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import seed as with_seed
from hypothesis.errors import Flaky

from backproof.comparisons.check.battery.battery import CHECKS, Check
from backproof.comparisons.check.battery.findings import Mismatch, Undecided
from backproof.comparisons.check.subject.subject import Call, Misbehaviour, Subject
from backproof.comparisons.contenders.loading import Target
from backproof.comparisons.verdicts.outcome import Outcome, worst
from backproof.comparisons.verdicts.verdict import Verdict
from backproof.scratch.errors import InputError, did_you_mean

NOT_OFFERED = "not offered"
NOT_RUN = "not run"
MAX_FATAL = 3  # hangs and crashes after which a class is given up
EXAMPLES, QUICK_EXAMPLES = 60, 15  # per check of weight 1
# Cases tried for making one failure small: a number, so that it repeats. The seconds are for a class so slow
# that the number alone would take too long.
SHRINK, QUICK_SHRINK = 150, 40
SHRINK_SECONDS, QUICK_SHRINK_SECONDS = 12.0, 4.0


@dataclass(frozen=True)
class CheckResult:
    """What one check came to."""

    check: Check
    verdict: str  # PASS | FAIL | INCONCLUSIVE | not offered | not run
    text: str
    n_cases: int = 0
    n_undecided: int = 0
    seconds: float = 0.0
    calls: Sequence[Call] = ()  # those of the smallest case that fails
    comparison: Verdict | None = None
    kind: str = ""  # mismatch, or the kind of Misbehaviour


@dataclass(frozen=True)
class Trial:
    """All outcomes of one class."""

    target: Target
    outcomes: Sequence[CheckResult]
    seconds: float

    @property
    def verdict(self) -> str:
        """FAIL if any check failed, else INCONCLUSIVE if any was or none ran, else PASS."""
        run = [o.verdict for o in self.outcomes if o.verdict != NOT_OFFERED]
        return worst([Outcome.INCONCLUSIVE if verdict == NOT_RUN else verdict for verdict in run])

    def failed(self) -> list[CheckResult]:
        return [outcome for outcome in self.outcomes if outcome.verdict == Outcome.FAIL]


@dataclass(frozen=True)
class Effort:
    """How much a trial tries."""

    examples: int  # per check of weight 1
    shrink_cases: int
    shrink_seconds: float

    def examples_of(self, check: Check) -> int:
        return max(3, round(self.examples * check.weight))


class _GiveUp(BaseException):
    """Leaves Hypothesis at once: trying again would only cost time."""


def run_trial(
    target: Target,
    *,
    only: Sequence[str] = (),
    seed: int = 0,
    quick: bool = False,
    shrink: bool = True,
    time_limit: float = 60.0,
    call_limit: float = 10.0,
    on_check: Callable[[Check], None] = lambda check: None,
) -> Trial:
    """Try the class on every check its methods allow, or on those named in `only`.

    Without `shrink` the first case that fails is left as it is: quick, where nobody reads it.
    `time_limit` seconds for all checks together, `call_limit` for one call. Raises InputError for a class
    that is not there and for unknown names in `only`.
    """
    checks = _chosen(only)
    started = time.monotonic()
    try:
        subject = Subject(target, call_limit)
    except Misbehaviour as finding:
        outcome = CheckResult(CHECKS[0], Outcome.FAIL, finding.text, kind=finding.kind)
        return Trial(target, [outcome], time.monotonic() - started)
    effort = Effort(EXAMPLES, SHRINK, SHRINK_SECONDS)
    if quick:
        effort = Effort(QUICK_EXAMPLES, QUICK_SHRINK, QUICK_SHRINK_SECONDS)
    if not shrink:
        effort = replace(effort, shrink_cases=0)
    deadline = started + time_limit
    outcomes: list[CheckResult] = []
    try:
        for check in checks:
            on_check(check)
            outcomes.append(_outcome(subject, check, outcomes, effort, seed, deadline))
    finally:
        subject.close()
    return Trial(subject.target, outcomes, time.monotonic() - started)


def _chosen(only: Sequence[str]) -> list[Check]:
    names = [check.name for check in CHECKS]
    for name in only:
        if name not in names:
            hint = did_you_mean(name, names)
            raise InputError(f"only: expected some of {', '.join(names)}; got {name!r}{hint}")
    return [check for check in CHECKS if not only or check.name in only]


def _outcome(
    subject: Subject,
    check: Check,
    before: Sequence[CheckResult],
    effort: "Effort",
    seed: int,
    deadline: float,
) -> CheckResult:
    missing = [method for method in check.needs if method not in subject.methods]
    if missing:
        return CheckResult(check, NOT_OFFERED, f"no method {' and no method '.join(missing)}")
    if check.needs_parameter and check.needs_parameter[1] not in subject.methods[check.needs_parameter[0]]:
        return CheckResult(
            check, NOT_OFFERED, f"{check.needs_parameter[0]} takes no {check.needs_parameter[1]}"
        )
    if sum(outcome.kind in ("hang", "crash", "output") for outcome in before) >= MAX_FATAL:
        return CheckResult(check, NOT_RUN, "given up after three hangs or crashes")
    if time.monotonic() > deadline:
        return CheckResult(check, NOT_RUN, "the time limit was reached before")
    return _Hunt(subject, check, effort, deadline).run(seed)


class _Hunt:
    """One check's search for a failing case."""

    def __init__(self, subject: Subject, check: Check, effort: Effort, deadline: float) -> None:
        self.subject, self.check = subject, check
        self.effort, self.deadline = effort, deadline
        self.shrink_cases = effort.shrink_cases
        self.n_cases = self.n_undecided = 0
        self.calls: list[Call] = []
        self.finding: Mismatch | Misbehaviour | None = None

    def run(self, seed: int) -> CheckResult:
        started = time.monotonic()
        try:
            for drawn in self.check.grid(seed):
                self._try(drawn)
        except (Mismatch, Misbehaviour, _GiveUp):
            pass  # noted; now for a smaller one
        if self.finding is None or (self.effort.shrink_cases and not self._fatal()):
            self._draw(self.effort.examples_of(self.check), seed)
        return self._conclude(time.monotonic() - started)

    def _draw(self, examples: int, seed: int) -> None:
        trial = settings(
            max_examples=examples,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            verbosity=Verbosity.quiet,
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
        )(with_seed(seed)(given(self.check.tried_on)(self._try)))
        try:
            trial()
        except (Mismatch, Misbehaviour, _GiveUp, Flaky):
            if self.finding is None:
                raise  # not the subject's doing
            # Else the last and smallest finding is noted in self.finding.

    def _fatal(self) -> bool:
        return isinstance(self.finding, Misbehaviour) and self.finding.fatal

    def _try(self, drawn: tuple[Any, ...]) -> None:
        if self.finding is None and time.monotonic() > self.deadline:
            return
        if self.finding is not None:
            self.shrink_cases -= 1
            if self.shrink_cases < 0 or time.monotonic() > self.deadline:
                raise _GiveUp  # small enough
        if self.finding is None:
            self.n_cases += 1
        try:
            self.subject.renew()
            self.check.run(self.subject, *drawn)
        except Undecided:
            if self.finding is None:
                self.n_undecided += 1
        except (Mismatch, Misbehaviour) as finding:
            if self.finding is None:  # what is left is for making it small
                self.deadline = min(self.deadline, time.monotonic() + self.effort.shrink_seconds)
            self.calls, self.finding = self.subject.calls, finding
            if self._fatal():
                raise _GiveUp from finding
            raise

    def _conclude(self, seconds: float) -> CheckResult:
        counts = (self.n_cases, self.n_undecided, seconds)
        if isinstance(self.finding, Mismatch):
            comparison = self.finding.verdict
            return CheckResult(
                self.check, Outcome.FAIL, self.finding.text, *counts, self.calls, comparison, "mismatch"
            )
        if isinstance(self.finding, Misbehaviour):
            return CheckResult(
                self.check, Outcome.FAIL, self.finding.text, *counts, self.calls, None, self.finding.kind
            )
        decided = self.n_cases - self.n_undecided
        if decided == 0:
            return CheckResult(self.check, Outcome.INCONCLUSIVE, "no case could be decided", *counts)
        return CheckResult(self.check, Outcome.PASS, f"{decided} cases", *counts)
