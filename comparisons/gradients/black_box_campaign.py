"""The campaign for black boxes: what do `check_gradient`'s estimates say of functions whose gradients are
known?

Every family of `black_box_families` is drawn n times. Each draw's right gradient is judged, and WRONG_ONES of
the mistakes of `black_box_mistakes` in turn. The other checkers that are installed
(`reference.function_checkers`) judge the first `rivals` draws of each family: the right gradient and one
gross mistake.

A FAIL of a right gradient is a false alarm, a PASS of a wrong one a miss. The campaign itself is

    FAIL           a false alarm in double precision, more than 1 in 10,000 below, or a gross mistake that
    passed, or
                   more than 1% of the mistakes of 1e-4 in double precision
    INCONCLUSIVE   more than 10% of the smooth functions' right gradients undecided, or nothing was judged
    PASS           else
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from time import perf_counter, process_time

import numpy as np

from backproof.comparisons.gradients import black_box_result as result
from backproof.comparisons.gradients.black_box_families import DOUBLE, GROUPS, BlackBox, families
from backproof.comparisons.gradients.black_box_mistakes import CHANGES, GROSS, mistaken
from backproof.comparisons.running.parallel import collect
from backproof.comparisons.running.progress import Progress
from backproof.comparisons.verdicts.any_function import check_gradient
from backproof.comparisons.verdicts.gradient_verdict import GradientVerdict
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.reference import function_checkers
from backproof.scratch.architecture import Array
from backproof.scratch.errors import InputError

CHUNK = 5  # draws per task
WRONG_ONES = 4  # mistakes per draw
RIVALS = 5  # draws per family that the other checkers judge
FALSE_ALARMS_BELOW_DOUBLE = 1e-4
UNDECIDED_OF_SMOOTH = 0.1
MISSED_AT_1E_4 = 0.01


@dataclass
class Count:
    """Verdicts on gradients of one kind."""

    cases: int = 0
    passed: int = 0
    failed: int = 0

    def add(self, other: "Count") -> None:
        self.cases += other.cases
        self.passed += other.passed
        self.failed += other.failed

    def note(self, outcome: Outcome) -> None:
        self.cases += 1
        self.passed += outcome == Outcome.PASS
        self.failed += outcome == Outcome.FAIL


@dataclass
class Tally:
    """What one family, or several, add up to."""

    right: Count = field(default_factory=Count)
    wrong: dict[str, Count] = field(default_factory=lambda: {kind: Count() for kind in CHANGES})
    rivals_right: dict[str, Count] = field(default_factory=dict)
    rivals_wrong: dict[str, Count] = field(default_factory=dict)
    resolutions: list[float] = field(default_factory=list)
    first_failure: str = ""
    cpu_seconds: float = 0.0

    def add(self, other: "Tally") -> None:
        self.right.add(other.right)
        for mine, theirs in (
            (self.wrong, other.wrong),
            (self.rivals_right, other.rivals_right),
            (self.rivals_wrong, other.rivals_wrong),
        ):
            for name, count in theirs.items():
                mine.setdefault(name, Count()).add(count)
        self.resolutions += other.resolutions
        self.first_failure = self.first_failure or other.first_failure
        self.cpu_seconds += other.cpu_seconds

    @property
    def verdicts(self) -> int:
        return self.right.cases + sum(count.cases for count in self.wrong.values())


@dataclass(frozen=True)
class Chunk:
    """A task: some consecutive draws of one family."""

    family: str
    first: int
    n_draws: int
    seed: int
    rivals: int

    def rng(self, number: int) -> np.random.Generator:
        """Each draw has its own generator: it does not matter who draws it, or when."""
        return np.random.default_rng([self.seed, *self.family.encode(), number])


def chunks(n: int, seed: int, rivals: int) -> list[Chunk]:
    """All tasks, the families in turn, so that a stop leaves all alike."""
    return [
        Chunk(name, first, min(CHUNK, n - first), seed, rivals)
        for first in range(0, n, CHUNK)
        for name in families()
    ]


def run_chunk(chunk: Chunk) -> Tally:
    """Draw and judge every function of one task."""
    tally = Tally()
    with np.errstate(all="ignore"):  # beside a pole, and far out, a function may overflow: that is its right
        for number in range(chunk.first, chunk.first + chunk.n_draws):
            rng = chunk.rng(number)
            box = families()[chunk.family].draw(rng)
            started = process_time()
            judge_right(box, tally, f"{chunk.family}, seed {chunk.seed}, draw {number}")
            judge_wrong(box, number, rng, tally)
            tally.cpu_seconds += process_time() - started
            if number < chunk.rivals:
                ask_rivals(box, number, rng, tally)
    return tally


def judged(box: BlackBox, claimed: Array) -> GradientVerdict:
    return check_gradient(box.f, claimed, box.theta)


def judge_right(box: BlackBox, tally: Tally, label: str) -> None:
    """The right gradient; a FAIL is kept with its reason."""
    verdict = judged(box, box.gradient)
    tally.right.note(verdict.outcome)
    if verdict.outcome == Outcome.PASS:
        tally.resolutions.append(verdict.resolution)
    if verdict.outcome == Outcome.FAIL and not tally.first_failure:
        tally.first_failure = f"{label}: {verdict.reason}"


def judge_wrong(box: BlackBox, number: int, rng: np.random.Generator, tally: Tally) -> None:
    """The mistakes whose turn it is."""
    kinds = tuple(CHANGES)
    for turn in range(WRONG_ONES):
        kind = kinds[(number * WRONG_ONES + turn) % len(kinds)]
        wrong = mistaken(box, kind, rng)
        if wrong is not None:
            tally.wrong[kind].note(judged(box, wrong).outcome)


def ask_rivals(box: BlackBox, number: int, rng: np.random.Generator, tally: Tally) -> None:
    """The other checkers on the right gradient, and on one that is off by 1e-2 or more."""
    wrong = mistaken(box, GROSS[number % len(GROSS)], rng)
    for name in function_checkers.installed():
        cases = [(tally.rivals_right, box.gradient)]
        cases += [] if wrong is None else [(tally.rivals_wrong, wrong)]
        for counts, claimed in cases:
            accepted = function_checkers.accepts(name, box.f, claimed, box.theta)
            counts.setdefault(name, Count()).note(Outcome.PASS if accepted else Outcome.FAIL)


def run(n: int, seed: int, workers: int, rivals: int, progress: Progress) -> result.FunctionCampaign:
    """n draws of every family. Ctrl-C ends it early, with what is finished.

    Raises InputError for numbers that are not positive (rivals: not negative).
    """
    for name, value, low in (("functions", n, 1), ("workers", workers, 1), ("rivals", rivals, 0)):
        if value < low:
            raise InputError(f"{name}: expected at least {low}, got {value}")
    started = perf_counter()
    tallies = {name: Tally() for name in families()}

    def keep(chunk: Chunk, found: Tally) -> None:
        tallies[chunk.family].add(found)

    tasks = chunks(n, seed, rivals)
    finished = collect(run_chunk, tasks, keep, workers, progress, "campaign of functions")
    known = families()
    groups = {
        group: summed(tallies[name] for name in known if known[name].group == group) for group in GROUPS
    }
    return result.FunctionCampaign(
        verdict=campaign_verdict(groups),
        totals=row(summed(groups.values()), "all", ""),
        groups=tuple(row(tally, "", group) for group, tally in groups.items()),
        families=tuple(row(tallies[name], name, known[name].group) for name in known),
        n_per_family=n,
        rivals_per_family=min(n, rivals),
        seed=seed,
        workers=workers,
        seconds=perf_counter() - started,
        interrupted=not finished,
    )


def summed(tallies: Iterable[Tally]) -> Tally:
    total = Tally()
    for tally in tallies:
        total.add(tally)
    return total


def campaign_verdict(groups: dict[str, Tally]) -> Outcome:
    """As the module says."""
    double = summed(tally for group, tally in groups.items() if group in DOUBLE)
    below = summed(tally for group, tally in groups.items() if group not in DOUBLE)
    everything = summed([double, below])
    slight = [double.wrong[kind] for kind in CHANGES if kind.endswith("1e-4")]
    if (
        double.right.failed
        or below.right.failed > FALSE_ALARMS_BELOW_DOUBLE * below.right.cases
        or any(everything.wrong[kind].passed for kind in GROSS)
        or sum(one.passed for one in slight) > MISSED_AT_1E_4 * sum(one.cases for one in slight)
    ):
        return Outcome.FAIL
    smooth = groups["smooth"].right
    undecided = smooth.cases - smooth.passed - smooth.failed
    if smooth.cases == 0 or undecided > UNDECIDED_OF_SMOOTH * smooth.cases:
        return Outcome.INCONCLUSIVE
    return Outcome.PASS


def row(tally: Tally, family: str, group: str) -> result.FunctionRow:
    right = tally.right
    seen = np.array(tally.resolutions or [np.nan])
    none = Count()
    return result.FunctionRow(
        family=family,
        group=group,
        right=result.RightOnes(
            right.cases, right.failed, right.cases - right.passed - right.failed, tally.first_failure
        ),
        wrong={
            kind: result.WrongOnes(one.cases, one.passed, one.failed) for kind, one in tally.wrong.items()
        },
        rivals={
            name: result.Rival(
                one.cases,
                one.failed,
                tally.rivals_wrong.get(name, none).cases,
                tally.rivals_wrong.get(name, none).passed,
            )
            for name, one in tally.rivals_right.items()
        },
        median_resolution=float(np.median(seen)),
        worst_resolution=float(seen.max()),
        milliseconds=1e3 * tally.cpu_seconds / max(1, tally.verdicts),
    )
