"""The trial: every check on every kind of problem, the first failure of each shrunk by Hypothesis.

Everything a class does is a finding; only a target that is not there is an error of the user's.

- A method that is absent, and whatever raises NotOffered or NotImplementedError, is not offered.
- Any other exception is one finding of its own, told with the condition under which it happens; every check
  is judged on the problems without it.
- Where a check fails that another one follows from, that other one's failure is not judged: one mistake, one
  FAIL.
- Softmax cross-entropy with exactly one output is degenerate: the loss is 0 whatever the weights are. What is
  wrong there and nowhere else is a limit and no mistake, unless `strict` or a declared `loss` asks for it.
- A class that hangs, crashes, floods or comes back twice (from a fork) is not asked the same thing twice:
  such a finding ends its check at once, and after MAX_FATAL of them the rest is not run.
"""

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis.errors import Flaky

from backproof.comparisons.check.battery.battery import CHECKS
from backproof.comparisons.check.battery.cases import NothingToTryError, Story, TrainingProblem
from backproof.comparisons.check.battery.check import Arguments, Check
from backproof.comparisons.check.battery.findings import Mismatch, Undecided
from backproof.comparisons.check.conditions import only_where
from backproof.comparisons.check.drawn import drawn, grid, search
from backproof.comparisons.check.exploration import Explored, explore
from backproof.comparisons.check.subject.subject import Call, Misbehaviour, Subject
from backproof.comparisons.contenders.loading import Target
from backproof.comparisons.running.sandbox import Mode
from backproof.comparisons.verdicts.outcome import Outcome, worst
from backproof.comparisons.verdicts.verdict import Verdict
from backproof.scratch.errors import InputError, did_you_mean
from backproof.scratch.problem import Problem

NOT_OFFERED = "not offered"
NOT_RUN = "not run"
NOT_JUDGED = "not judged"
EXCEPTIONS, EXCEPTIONS_QUESTION = "exceptions", "Does it answer without an exception?"
# Checks of a loss and its gradient: what these see with one output alone is a limit. State is judged there.
OF_LOSSES = frozenset(
    {"loss", "gradient", "duplication", "extremes", "large outputs", "float32", "long sums", "differences"}
)
FATAL = ("hang", "crash", "output", "copies")  # the kinds of Misbehaviour that are dear to repeat
MAX_FATAL = 3  # of them, after which a class is given up
EXAMPLES, QUICK_EXAMPLES = 60, 15  # per check of weight 1
# Problems tried for making one failure small: a number, so that it repeats. The seconds are for a class so
# slow that the number alone would take too long.
SHRINK, QUICK_SHRINK = 150, 40
SHRINK_SECONDS, QUICK_SHRINK_SECONDS = 12.0, 4.0


@dataclass(frozen=True)
class Counts:
    """Problems tried, those that could not be decided, and the seconds it took."""

    tried: int = 0
    undecided: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class CheckResult:
    """What one check came to."""

    check: str  # its name
    question: str
    verdict: str  # an Outcome, or one of NOT_OFFERED, NOT_RUN, NOT_JUDGED
    text: str
    counts: Counts = Counts()
    calls: Sequence[Call] = ()  # those of the smallest problem that fails
    comparison: Verdict | None = None
    kind: str = ""  # mismatch, or the kind of Misbehaviour


@dataclass(frozen=True)
class Trial:
    """All results of one class."""

    target: Target
    results: Sequence[CheckResult]
    explored: Explored | None
    seconds: float
    whole: bool = True  # every check was asked for
    limits: Sequence[str] = ()  # what was not judged, and what the class does there

    @property
    def verdict(self) -> Outcome:
        """FAIL if any check failed, else INCONCLUSIVE if any was or no gradient was compared, else PASS."""
        run = [r.verdict for r in self.results if r.verdict != NOT_OFFERED]
        open_ends = (NOT_RUN, NOT_JUDGED)
        outcome = worst(Outcome.INCONCLUSIVE if verdict in open_ends else verdict for verdict in run)
        if outcome == Outcome.PASS and self.whole and not self._has_gradient():
            return Outcome.INCONCLUSIVE
        return outcome

    def _has_gradient(self) -> bool:
        return any(r.check == "gradient" and r.verdict == Outcome.PASS for r in self.results)

    def failed(self) -> list[CheckResult]:
        return [result for result in self.results if result.verdict == Outcome.FAIL]


@dataclass(frozen=True)
class Settings:
    """How a class is tried.

    `narrow` names activations, losses, hidden_layers and dtypes to keep to; `strict` holds conventions to
    ours; without `shrink` the first problem that fails is left as it is: quick, where nobody reads it;
    `time_limit` seconds of the class's own for all checks together, `call_limit` for one call.
    """

    only: Sequence[str] = ()
    seed: int = 0
    quick: bool = False
    shrink: bool = True
    strict: bool = False
    time_limit: float = 60.0
    call_limit: float = 10.0
    narrow: dict[str, tuple[str | int, ...]] = field(default_factory=dict)
    sandbox: Mode = "auto"


@dataclass(frozen=True)
class Effort:
    """How much a check tries."""

    examples: int
    shrink_cases: int
    shrink_seconds: float
    deadline: float


@dataclass(frozen=True)
class Seen:
    """A problem on which a check was run: whether it raised, what and by which calls."""

    check: str
    problem: Problem
    raised: str = ""
    calls: Sequence[Call] = ()


class _GiveUp(BaseException):
    """Leaves Hypothesis at once: trying again would only cost time."""


def run_trial(
    target: Target, settings: Settings, on_check: Callable[[str], None] = lambda name: None
) -> Trial:
    """Explore the class, then try it on every check its methods allow, or on those named in `only`.

    Raises InputError for a class that is not there and for unknown names.
    """
    checks = _chosen(settings.only)
    started = time.monotonic()
    try:
        subject = Subject(target, settings.call_limit, settings.sandbox)
    except Misbehaviour as finding:
        result = CheckResult(EXCEPTIONS, EXCEPTIONS_QUESTION, Outcome.FAIL, finding.text, kind=finding.kind)
        return Trial(target, [result], None, time.monotonic() - started, not settings.only)
    try:
        on_check("what it can do")
        explored = explore(subject, settings.narrow, settings.strict, settings.seed)
        run = _Run(explored, settings, settings.time_limit)
        for check in checks:
            on_check(check.name)
            run.ask(check)
        results = run.finished()
    finally:
        subject.close()
    seconds = time.monotonic() - started
    return Trial(subject.target, results, explored, seconds, not settings.only, run.limits())


def _chosen(only: Sequence[str]) -> list[Check]:
    names = [check.name for check in CHECKS]
    for name in only:
        if name not in names:
            hint = did_you_mean(name, names)
            raise InputError(f"only: expected some of {', '.join(names)}; got {name!r}{hint}")
    return [check for check in CHECKS if not only or check.name in only]


class _Run:
    """All checks of one class, one after another."""

    def __init__(self, explored: Explored, settings: Settings, deadline: float) -> None:
        self.explored, self.settings, self.deadline = explored, settings, deadline
        self.results: list[CheckResult] = []
        self.seen: list[Seen] = []
        self.unjudged: list[str] = []  # with one output
        self.one_output = settings.strict or "loss" in explored.candidate.subject.attributes

    def ask(self, check: Check) -> None:
        result = self._missing(check) or self._hunt(check)
        roots = [r.check for r in self.results if r.verdict == Outcome.FAIL and _leads(r, result, check)]
        if result.verdict == Outcome.FAIL and roots:
            result = replace(result, verdict=NOT_JUDGED, text=f"follows from {roots[0]}: {result.text}")
        self.results.append(result)

    def finished(self) -> list[CheckResult]:
        return [*self.results, *self._exceptions()]

    def limits(self) -> list[str]:
        """One sentence, with the first of what was seen."""
        if not self.unjudged or any(result.verdict == Outcome.FAIL for result in self.finished()):
            return []
        return [f"not judged with one output, whose softmax is always 1 (--strict does): {self.unjudged[0]}"]

    def _missing(self, check: Check) -> CheckResult | None:
        """Why it cannot be asked at all."""
        absent = [need for need in check.needs if not self._offers(need)]
        if absent:
            return _unasked(check, NOT_OFFERED, f"no method {' and no method '.join(absent)}")
        if not self.explored.space.kinds:
            return _unasked(check, NOT_OFFERED, "no network could be tried")
        if sum(result.kind in FATAL for result in self.results) >= MAX_FATAL:
            return _unasked(check, NOT_RUN, "given up after three hangs, crashes, floods or copies")
        if self.explored.own_seconds > self.deadline:
            return _unasked(check, NOT_RUN, "the time limit was reached before")
        return None

    def _offers(self, need: str) -> bool:
        method, _, parameter = need.rstrip(")").partition("(")
        candidate = self.explored.candidate
        return candidate.offers(method) and (not parameter or parameter in candidate.methods[method])

    def _hunt(self, check: Check) -> CheckResult:
        follows = any(r.verdict == Outcome.FAIL and r.check in check.follows for r in self.results)
        quick, shrink = self.settings.quick, self.settings.shrink and not follows  # nobody reads those
        examples = max(3, round((QUICK_EXAMPLES if quick else EXAMPLES) * check.weight))
        effort = Effort(
            examples,
            (QUICK_SHRINK if quick else SHRINK) if shrink else 0,
            QUICK_SHRINK_SECONDS if quick else SHRINK_SECONDS,
            self.deadline,
        )
        hunt = _Hunt(self.explored, check, effort, self.one_output)
        result = hunt.run(self.settings.seed)
        self.seen += hunt.seen
        self.unjudged += hunt.unjudged
        return result

    def _exceptions(self) -> list[CheckResult]:
        """One result for all exceptions, the condition of the commonest told; none where nothing raised."""
        raising = [seen for seen in self.seen if seen.raised]
        if not raising:
            return []
        texts = [seen.raised for seen in raising]
        text = max(dict.fromkeys(texts), key=texts.count)
        mine = [seen for seen in raising if seen.raised == text]
        # Of two networks, one after the other, either may have raised: they tell no condition.
        mine = [seen for seen in mine if seen.check != "reload"] or mine
        checks = {seen.check for seen in mine}
        others = [seen.problem for seen in self.seen if not seen.raised and seen.check in checks]
        where = only_where([seen.problem for seen in mine], others)
        smallest = min(mine, key=lambda seen: _size(seen.problem))
        what, colon, rest = text.partition(": ")
        said = f"{what} {where}{colon}{rest}" if where else text
        counts = Counts(len(self.seen), 0, 0.0)
        return [
            CheckResult(
                EXCEPTIONS, EXCEPTIONS_QUESTION, Outcome.FAIL, said, counts, smallest.calls, kind="raised"
            )
        ]


def _leads(earlier: CheckResult, result: CheckResult, check: Check) -> bool:
    """Is this failure that earlier one over again? Values of a wrong shape are told by what they are of."""
    both = earlier.kind == result.kind == "value"
    same = both and earlier.text.partition(":")[0] == result.text.partition(":")[0]
    return same or earlier.check in check.follows


def _unasked(check: Check, verdict: str, text: str) -> CheckResult:
    return CheckResult(check.name, check.question, verdict, text)


def _size(problem: Problem) -> int:
    return int(problem.x.size + problem.targets.size + problem.architecture.n_parameters)


class _Hunt:
    """One check's search for a failing problem."""

    def __init__(self, explored: Explored, check: Check, effort: Effort, one_output: bool) -> None:
        self.explored, self.check = explored, check
        self.one_output = one_output  # whether softmax cross-entropy with one output is judged
        self.unjudged: list[str] = []
        self.effort, self.deadline = effort, effort.deadline
        self.shrink_cases = effort.shrink_cases
        self.n_cases = self.n_undecided = 0
        self.passed_before = 0  # of the drawn cases, those that need not be tried again
        self.declined = ""
        self.seen: list[Seen] = []
        self.calls: Sequence[Call] = []
        self.finding: Mismatch | Misbehaviour | None = None

    def run(self, seed: int) -> CheckResult:
        started = time.monotonic()
        space, examples = self.explored.space, self.effort.examples
        try:
            cases = drawn(self.check, space, seed, examples)
            for arguments in grid(self.check, space, seed):
                self._try(arguments)
        except NothingToTryError as reason:
            return _unasked(self.check, NOT_OFFERED, str(reason))
        except (Mismatch, Misbehaviour, _GiveUp):
            pass  # noted; now for a smaller one
        if self.finding is None or self._may_shrink():
            self._try_drawn(cases, seed)
        return self._conclude(time.monotonic() - started)

    def _try_drawn(self, cases: Sequence[Arguments], seed: int) -> None:
        """Those drawn for every class; where one fails, Hypothesis comes to it again and makes it small."""
        for index, arguments in enumerate(cases):
            self.shrink_cases += self.finding is not None  # coming to one that fails is not shrinking it
            try:
                self._try(arguments)
            except _GiveUp:
                return
            except (Mismatch, Misbehaviour):
                if self._may_shrink():
                    self.passed_before = index
                    self.shrink_cases += 1  # for coming to it again
                    self._shrink(seed)
                return

    def _shrink(self, seed: int) -> None:
        with contextlib.suppress(Mismatch, Misbehaviour, _GiveUp, Flaky):
            # The last and smallest finding is noted in self.finding.
            search(self.check, self.explored.space, seed, self.effort.examples, self._try_again)

    def _try_again(self, arguments: Arguments) -> None:
        """As `_try`, without the cases that are known to pass."""
        if self.passed_before:
            self.passed_before -= 1
        else:
            self._try(arguments)

    def _may_shrink(self) -> bool:
        return bool(self.effort.shrink_cases) and not self._fatal()

    def _fatal(self) -> bool:
        return isinstance(self.finding, Misbehaviour) and self.finding.fatal

    def _try(self, drawn: tuple[Any, ...]) -> None:
        if self.finding is None and self.explored.own_seconds > self.deadline:
            return
        if self.finding is not None:
            self.shrink_cases -= 1
            if self.shrink_cases < 0 or self.explored.own_seconds > self.deadline:
                raise _GiveUp  # small enough
        try:
            self._run(drawn)
        except Undecided:
            self.n_undecided += self.finding is None
        except (Mismatch, Misbehaviour) as finding:
            if self.finding is None:  # what is left is for making it small
                self.deadline = min(self.deadline, self.explored.own_seconds + self.effort.shrink_seconds)
            self.calls = (isinstance(finding, Mismatch) and finding.calls) or self.explored.candidate.calls
            self.finding = finding
            if self._fatal():
                raise _GiveUp from finding
            raise

    def _run(self, drawn: tuple[Any, ...]) -> None:
        """Run the check; exceptions of the class are noted and leave the problem undecided."""
        self.n_cases += self.finding is None
        problem, raised, judged = _problem_of(drawn), "", True
        try:
            self.explored.candidate.renew()
            self.check.run(self.explored.candidate, *drawn)
        except (Mismatch, Misbehaviour) as finding:
            kind = finding.kind if isinstance(finding, Misbehaviour) else "mismatch"
            if kind == "declined":
                self.declined = finding.text
            elif self._is_beyond_judging(drawn) and self._is_of_the_loss(kind):
                self.unjudged.append(finding.text)
                judged = False
            elif kind == "raised" and problem is not None:
                raised = finding.text
            else:
                raise
            raise Undecided(finding.text) from finding
        finally:
            if problem is not None and judged and self.finding is None:
                self.seen.append(Seen(self.check.name, problem, raised, self.explored.candidate.calls))

    def _is_of_the_loss(self, kind: str) -> bool:
        return kind in ("raised", "value") or (kind == "mismatch" and self.check.name in OF_LOSSES)

    def _is_beyond_judging(self, drawn: tuple[Any, ...]) -> bool:
        """Has any network of these one output under softmax cross-entropy?"""
        architectures = [p.architecture for one in drawn if (p := _problem_of((one,))) is not None]
        degenerate = any(a.loss == "cross_entropy" and a.n_outputs == 1 for a in architectures)
        return degenerate and not self.one_output

    def _conclude(self, seconds: float) -> CheckResult:
        counts = Counts(self.n_cases, self.n_undecided, seconds)
        result = CheckResult(self.check.name, self.check.question, Outcome.FAIL, "", counts, self.calls)
        if isinstance(self.finding, Mismatch):
            return replace(result, text=self.finding.text, comparison=self.finding.verdict, kind="mismatch")
        if isinstance(self.finding, Misbehaviour):
            return replace(result, text=self.finding.text, kind=self.finding.kind)
        decided = self.n_cases - self.n_undecided
        if decided:
            return replace(result, verdict=Outcome.PASS, text=f"{decided} cases")
        raising = [seen for seen in self.seen if seen.raised]
        if raising:
            return replace(result, verdict=NOT_JUDGED, text=f"follows from {EXCEPTIONS}: {raising[0].raised}")
        if self.declined:
            return replace(result, verdict=NOT_OFFERED, text=self.declined)
        return replace(result, verdict=Outcome.INCONCLUSIVE, text="no case could be decided")


def _problem_of(drawn: tuple[Any, ...]) -> Problem | None:
    for argument in drawn:
        if isinstance(argument, Problem):
            return argument
        if isinstance(argument, TrainingProblem | Story):
            return argument.problem
    return None
