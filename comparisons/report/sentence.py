"""What was found, in sentences whose subject is the contender under test.

    On MNIST, PyTorch computes the same gradients as the NumPy network, reaches the same accuracy and takes
    1.53 [1.45, 1.62] times as long to train.

Contenders of which the same is to be said share a sentence. A question that was not asked is not mentioned.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from backproof.comparisons.accuracy.result import AgainstScratch
from backproof.comparisons.check.results import CheckedClass
from backproof.comparisons.compare.words import answer
from backproof.comparisons.contenders.known import SCRATCH
from backproof.comparisons.drawing import formats
from backproof.comparisons.gradients.result import Check
from backproof.comparisons.race.result import RaceResult
from backproof.comparisons.report.document import Results
from backproof.comparisons.speed.ratios import ends, geometric_means, noise_of_the_mean, under
from backproof.comparisons.speed.result import Estimate, Finding, SpeedResult
from backproof.comparisons.verdicts.outcome import Outcome, worst

NETWORK = "the NumPy network"
NOTHING = "Nothing has been measured yet. Run: backproof"


@dataclass(frozen=True)
class Predicate:
    """What is said of one contender, and of several; `{as}` and `{than}` name the NumPy network once."""

    singular: str
    plural: str


@dataclass(frozen=True)
class Time:
    """A contender's time over the NumPy network's, with a remark where that says nothing.

    `under` says with how many threads, where several numbers were measured.
    """

    words: str
    remark: str
    under: str = ""


def sentences(results: Results) -> list[str]:
    """The answer as far as the results go; what matters most comes first."""
    told = [*_about_ourselves(results), *_about_contenders(results)]
    return [_where(results, told[0]), *told[1:]] if told else [_about_the_rest(results)]


def subject(name: str) -> str:
    """A contender as the subject of a sentence."""
    return NETWORK if name == SCRATCH else formats.label(name)


def contenders(results: Results) -> list[str]:
    """Those that were compared with the NumPy network in any of the three questions, in order."""
    asked = list(results.plan.contenders) if results.plan else []
    gradients = results.gradients.checks if results.gradients else ()
    found = [check.contender for check in gradients]
    found += results.accuracy.against_scratch if results.accuracy else ()
    found += geometric_means(results.speed) if results.speed else ()
    return [name for name in dict.fromkeys([*asked, *found]) if name != SCRATCH]


def ratio_words(found: Estimate) -> str:
    """``1.53 [1.45, 1.62]``."""
    return f"{formats.times(found.median).rstrip('×')} {ends(found)}".rstrip()


def mean_finding(part: SpeedResult, name: str) -> Finding | None:
    """What the ratio over all cases says; None where it was not decided."""
    stated = part.means[0].ratios.get(name) if part.means else None
    return stated.finding if stated is not None else None


# --- the NumPy network itself ------------------------------------------------------------------------------


def _about_ourselves(results: Results) -> list[str]:
    """Its own gradients, where they are wrong or where there is nobody else to speak of."""
    checks = _checks_of(results, SCRATCH)
    if not checks:
        return []
    outcome, n = worst(check.verdict for check in checks), len(checks)
    held = f"{NETWORK} {{}} {n} gradient check{'s' * (n != 1)} against numerical differentiation."
    if outcome == Outcome.FAIL:
        return [held.format(f"fails {_count(checks, Outcome.FAIL)} of")]
    if contenders(results):
        return []
    if outcome == Outcome.PASS:
        return [held.format("passes" if n == 1 else "passes all")]
    return [held.format(f"leaves undecided {_count(checks, Outcome.INCONCLUSIVE)} of")]


def _checks_of(results: Results, name: str) -> list[Check]:
    part = results.gradients
    return [check for check in part.compared if check.contender == name] if part else []


def _count(checks: Iterable[Check], outcome: Outcome) -> int:
    return sum(check.verdict == outcome for check in checks)


# --- the contenders ----------------------------------------------------------------------------------------


def _about_contenders(results: Results) -> list[str]:
    groups: dict[tuple[Predicate, ...], list[str]] = {}
    for name in contenders(results):
        said = [_gradients(_checks_of(results, name)), _accuracy(results, name)]
        groups.setdefault(tuple(predicate for predicate in said if predicate), []).append(name)
    times = _times(results)
    if len(groups) == 1 and times:
        ((predicates, names),) = groups.items()
        return [_one_group(predicates, names, times)]
    told = [_plain_sentence(predicates, names) for predicates, names in groups.items() if predicates]
    return [*told, *([f"{_upper(_time_clause(times, first=True))}."] if times else [])]


def _one_group(predicates: tuple[Predicate, ...], names: list[str], times: dict[str, Time]) -> str:
    if len(names) == 1:
        time = times[names[0]]
        last = Predicate(f"takes {time.words} times as long to train{{as}}{time.under}{time.remark}", "")
        return _plain_sentence((*predicates, last), names)
    if not predicates:
        return f"{_upper(_time_clause(times, first=True))}."
    return f"{_plain_sentence(predicates, names)[:-1]}; {_time_clause(times, first=False)}."


def _plain_sentence(predicates: tuple[Predicate, ...], names: list[str]) -> str:
    several = len(names) > 1
    said = [predicate.plural if several else predicate.singular for predicate in predicates]
    return _named_once(f"{formats.listed([subject(name) for name in names])} {formats.listed(said)}.")


def _named_once(text: str) -> str:
    """The NumPy network by its name the first time, and not again."""
    places = [place for place in ("{as}", "{than}") if place in text]
    if not places:
        return text
    first = min(places, key=text.index)
    text = text.replace(first, f" {first.strip('{}')} {NETWORK}", 1)
    return text.replace("{as}", "").replace("{than}", "")


def _gradients(checks: list[Check]) -> Predicate | None:
    if not checks:
        return None
    n, failed, open_ = len(checks), _count(checks, Outcome.FAIL), _count(checks, Outcome.INCONCLUSIVE)
    if failed:
        rest = f"wrong gradients ({failed} of {n} checks fail)"
        return Predicate(f"computes {rest}", f"compute {rest}")
    if open_:
        rest = f"gradients of which {open_} of {n} checks could not decide"
        return Predicate(f"computes {rest}", f"compute {rest}")
    return Predicate("computes the same gradients{as}", "compute the same gradients{as}")


def _accuracy(results: Results, name: str) -> Predicate | None:
    part = results.accuracy
    cell = part.compared.get(name) if part else None
    if part is None or cell is None:
        return None
    if any(math.isnan(value) for value in part.trained[name].test_accuracy):
        return Predicate("diverges in training", "diverge in training")
    if cell.outcome == "different":
        return _different(cell)
    if cell.outcome == "undecided":
        seeds = f"{len(part.seeds)} seed{'s' * (len(part.seeds) != 1)}"
        rest = f"an accuracy that {seeds} cannot call equal or different"
        return Predicate(f"reaches {rest}", f"reach {rest}")
    rest = "the same accuracy{as}" + (", though not in the same way" if cell.verdict == Outcome.FAIL else "")
    return Predicate(f"reaches {rest}", f"reach {rest}")


def _different(cell: AgainstScratch) -> Predicate:
    points = cell.difference_points
    if math.isnan(points):
        return Predicate("reaches another accuracy", "reach another accuracy")
    size = f"{abs(points):.2f} points {'more' if points > 0 else 'less'} accurate{{than}}"
    return Predicate(f"is {size}", f"are {size}")


def _times(results: Results) -> dict[str, Time]:
    """Contender -> its time over the NumPy network's, with what that says where it says nothing."""
    if results.speed is None:
        return {}
    part, means = results.speed, geometric_means(results.speed)
    times = {name: ratio_words(found) for name, found in means.items() if name != SCRATCH}
    same = {name for name in times if mean_finding(part, name) == Finding.SAME}
    noise = noise_of_the_mean(part)
    why = f": the noise is {formats.times(noise)}" if noise is not None else ""
    return {
        name: Time(words, f" ({Finding.SAME}{why})" * (name in same), under(part))
        for name, words in times.items()
    }


def _time_clause(times: dict[str, Time], *, first: bool) -> str:
    """``PyTorch takes 1.53 [1.45, 1.62] times as long to train, JAX 1.09 [1.05, 1.13]``."""
    (name, time), *others = times.items()
    compared = f" as {NETWORK}" if first else ""
    clause = f"{subject(name)} takes {time.words} times as long to train{compared}{time.under}{time.remark}"
    return ", ".join([clause, *(f"{subject(other)} {took.words}{took.remark}" for other, took in others)])


# --- the frame ---------------------------------------------------------------------------------------------


def _where(results: Results, told: str) -> str:
    """The first sentence with the data, and how much was done, in front of it."""
    name = dataset_name(results)
    quick = results.plan is not None and results.plan.quick
    if name is None:
        return f"In a quick run, {told}" if quick else _upper(told)
    data = formats.dataset(name)
    return f"In a quick run on {data}, {told}" if quick else f"On {data}, {told}"


def dataset_name(results: Results) -> str | None:
    """ "mnist" | "digits": what the run used; None where no part says so."""
    if results.plan is not None:
        return results.plan.dataset.name
    if results.accuracy is not None:
        return results.accuracy.dataset
    if results.numerical is not None:
        return results.numerical.gradient.dataset
    return results.speed.cases[0].data.name if results.speed is not None else None


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


# --- results without any of the three questions ------------------------------------------------------------


def _about_the_rest(results: Results) -> str:
    """Of what other commands found alone; the first that there is."""
    if (numerical := results.numerical) is not None and (twin := numerical.training) is not None:
        stays = "stays with" if twin.verdict == Outcome.PASS else "does not stay with"
        return (
            f"Trained for {formats.count(twin.steps)} steps by numerical differentiation alone, the network "
            f"{stays} the one trained by backpropagation from the same weights."
        )
    if results.numerical is not None:
        found = results.numerical.gradient
        return (
            f"One gradient by structured numerical differentiation takes {formats.times(found.speedup)} less "
            "time than by the textbook's loop."
        )
    if results.race is not None and (raced := _about_the_race(results.race)):
        return raced
    if results.record is not None:
        best = max(board.test.accuracy for board in results.record.boards.values())
        return f"The best network from scratch reads {formats.percent(best)} of MNIST's test images right."
    if results.zoo is not None:
        counts = results.zoo.summary
        return f"{counts.killed} of {counts.mutants} classes with a known mistake fail a check."
    if results.campaign is not None:
        return _about_the_campaign(results)
    if results.check is not None and results.check.classes:
        return _about_the_checked(results.check.classes)
    if results.compare is not None:
        return answer(results.compare)
    if results.lessons:
        claims = [claim.holds for lesson in results.lessons for claim in lesson.claims]
        lessons = f"{len(results.lessons)} lesson{'s' * (len(results.lessons) != 1)}"
        return f"{sum(claims)} of {len(claims)} claims of {lessons} hold."
    return NOTHING


def _about_the_race(race: RaceResult) -> str:
    """The accuracy and the seconds of every target that the NumPy network has run; empty where it has not."""
    runners = [target.finished[SCRATCH] for target in race.targets.values() if SCRATCH in target.finished]
    if not runners:
        return ""
    reads = ["of MNIST's test images right in", *["in"] * (len(runners) - 1)]
    told = [
        f"{formats.percent(one.mean_accuracy)} {word} {formats.seconds(one.seconds[0])}"
        for one, word in zip(runners, reads, strict=True)
    ]
    fewest = min(len(one.runs) for one in runners)
    over = f" (means and medians of {fewest} runs)" if fewest > 1 else " (one run)"
    return f"The NumPy network reads {formats.listed(told)}{over}."


def _about_the_checked(classes: Sequence[CheckedClass]) -> str:
    """One class with its first diagnosis; of several, how many came to what."""
    if len(classes) == 1:
        (only,) = classes
        because = f": {only.causes[0].sentence}" if only.causes else ""
        return f"{formats.label(only.target)}: {only.outcome}{because}."
    outcomes = [checked.outcome for checked in classes]
    counts = [f"{outcomes.count(outcome)} {outcome}" for outcome in Outcome if outcome in outcomes]
    return f"Of {len(classes)} classes checked: {formats.listed(counts)}."


def _about_the_campaign(results: Results) -> str:
    assert results.campaign is not None
    judged = results.campaign.totals.contenders.values()
    alarms = sum(one.false_alarms for one in judged)
    return (
        f"{alarms} of {formats.count(sum(one.cases for one in judged))} correct gradients of random networks "
        "were failed."
    )
