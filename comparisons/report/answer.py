"""The answer of a report: one sentence and three tiles, said from the results alone.

Terminal and page say the same words. Each of the three questions has a tile; one that was not asked says
which command asks it.
"""

from dataclasses import dataclass

from backproof.comparisons.accuracy.result import AccuracyResult, ContenderRuns, EquivalenceWord
from backproof.comparisons.contenders.known import KNOWN, SCRATCH
from backproof.comparisons.drawing import formats
from backproof.comparisons.gradients.result import Gradients
from backproof.comparisons.report.document import Results
from backproof.comparisons.speed.ratios import data_names, geometric_means, words
from backproof.comparisons.speed.result import SpeedResult
from backproof.comparisons.verdicts.outcome import Outcome

_WAYS = {Outcome.PASS: 0, Outcome.FAIL: 1, Outcome.INCONCLUSIVE: 2}  # position of the wording in a clause


@dataclass(frozen=True)
class Tile:
    """One question, its answer in a few words, and what that rests on."""

    key: str  # the chapter that says more
    question: str
    value: str
    detail: str
    verdict: str | None  # None: not run


@dataclass(frozen=True)
class Answer:
    """What the first screen and the first lines of the terminal say."""

    sentence: str
    tiles: tuple[Tile, Tile, Tile]
    banner: str | None  # what a reader must know before any figure: other data than MNIST


def answer(results: Results) -> Answer:
    """The answer to "same maths, same accuracy, how fast?" as far as `results` go."""
    tiles = (_gradients_tile(results.gradients), _accuracy_tile(results.accuracy), _speed_tile(results.speed))
    return Answer(_sentence(results), tiles, _banner(results))


def dataset_name(results: Results) -> str | None:
    """ "mnist" | "digits": what the run used; None where no part says so."""
    if results.plan is not None:
        return results.plan.dataset.name
    if results.accuracy is not None:
        return results.accuracy.dataset
    if results.numerical is not None:
        return results.numerical.gradient.dataset
    return results.speed.cases[0].data.name if results.speed is not None else None


# --- the three tiles ---------------------------------------------------------------------------------------


def _gradients_tile(part: Gradients | None) -> Tile:
    question = "Same maths?"
    if part is None or not part.checks:
        return Tile("gradients", question, "Not run", "Run: backproof gradients", None)
    verdicts = [check.verdict for check in part.compared]
    passed, total = verdicts.count(Outcome.PASS), len(verdicts)
    value = {Outcome.PASS: "Yes", Outcome.FAIL: "No", Outcome.INCONCLUSIVE: "Undecided"}[part.verdict]
    detail = f"{formats.count(passed)} of {formats.count(total)} gradient checks inside their derived bound"
    failed, open_ = verdicts.count(Outcome.FAIL), verdicts.count(Outcome.INCONCLUSIVE)
    if failed or open_:
        detail += f"; {failed} failed, {open_} undecided"
    return Tile("gradients", question, value, detail + ".", part.verdict)


def _accuracy_tile(found: AccuracyResult | None) -> Tile:
    question = "Same accuracy?"
    if found is None or not found.contenders:
        return Tile("accuracy", question, "Not run", "Run: backproof accuracy", None)
    reached = [
        f"{'from scratch' if name == 'scratch' else formats.label(name)} "
        f"{formats.percent(formats.mean(runs.test_accuracy))}"
        for name, runs in found.trained.items()
    ]
    said = {"equivalent": "Yes", "different": "No", "undecided": "Undecided"}[_outcome(found)]
    seeds = len(found.seeds)
    detail = f"{formats.dataset(found.dataset)}, mean of {seeds} seed{'s' * (seeds != 1)}: "
    detail += formats.listed(reached)
    if _only_the_way_differs(found):
        detail += ". The accuracies agree, the way there does not: see below"
    return Tile("accuracy", question, said, f"{detail}.", found.verdict)


def _outcome(found: AccuracyResult) -> EquivalenceWord:
    """Of the accuracies alone: "different" if any is, "equivalent" if all are, else "undecided"."""
    outcomes = {cell.outcome for cell in found.compared.values()}
    if "different" in outcomes:
        return "different"
    return "equivalent" if outcomes == {"equivalent"} else "undecided"


def _only_the_way_differs(found: AccuracyResult) -> bool:
    return found.verdict == Outcome.FAIL and _outcome(found) == "equivalent"


def _speed_tile(part: SpeedResult | None) -> Tile:
    question = "How fast?"
    if part is None:
        return Tile("speed", question, "Not run", "Run: backproof speed", None)
    means = geometric_means(part)
    if not means:
        return Tile("speed", question, "No ratio", "No contender could be timed.", words(part.finding))
    (first, ratio), *others = means.items()
    cases = len(part.cases)
    detail = f"as fast as {formats.label(first)}, in {cases} case{'s' * (cases != 1)}"
    if cases > 1:
        detail += " (geometric mean)"
    if others:
        rest = [f"{formats.times(other.median)} {formats.label(name)}" for name, other in others]
        detail += "; " + formats.listed(rest)
    detail += f". Timed on {formats.listed(data_names(part))}"
    return Tile("speed", question, formats.times(ratio.median), detail + ".", words(part.finding))


# --- the sentence ------------------------------------------------------------------------------------------


def _sentence(results: Results) -> str:
    clauses = [
        clause
        for clause in (
            _gradients_clause(results.gradients),
            _accuracy_clause(results.accuracy),
            _speed_clause(results.speed),
        )
        if clause
    ]
    if not clauses:
        return "Same maths, same accuracy, how fast? Not asked yet: run backproof."
    name = dataset_name(results)
    where = f"On {formats.dataset(name)}, the" if name else "The"
    return f"{where} network written from scratch {formats.listed(clauses)}."


def _gradients_clause(part: Gradients | None) -> str:
    if part is None or not part.checks:
        return ""
    names = {name for check in part.compared for name in (check.contender, check.against)}
    frameworks = [formats.label(name) for name in KNOWN if name in names - {SCRATCH}]
    others = formats.listed(frameworks) if frameworks else "numerical differentiation"
    verdicts = [check.verdict for check in part.compared]
    total = len(verdicts)
    return (
        f"computes the same gradients as {others}",
        f"fails {verdicts.count(Outcome.FAIL)} of {total} gradient checks",
        f"leaves {verdicts.count(Outcome.INCONCLUSIVE)} of {total} gradient checks undecided",
    )[_WAYS[part.verdict]]


def _accuracy_clause(found: AccuracyResult | None) -> str:
    scratch = found.contenders.get("scratch") if found else None
    if found is None or not isinstance(scratch, ContenderRuns):
        return ""
    ours = formats.percent(formats.mean(scratch.test_accuracy), 1)
    outcome = _outcome(found)
    if outcome == "different":
        return f"reaches a different accuracy ({ours}) from {_different(found)}"
    if outcome == "undecided":
        return f"reaches {ours} accuracy, not yet enough to call equal or different"
    if _only_the_way_differs(found):
        return f"reaches the same accuracy ({ours}), though not in the same way,"
    return f"reaches the same accuracy ({ours})"


def _different(found: AccuracyResult) -> str:
    return formats.listed(
        [formats.label(name) for name, cell in found.compared.items() if cell.verdict == Outcome.FAIL]
    )


def _speed_clause(part: SpeedResult | None) -> str:
    means = geometric_means(part) if part else {}
    if not means:
        return ""
    (first, ratio), *others = means.items()
    said = f"trains {formats.times(ratio.median)[:-1]} times as fast as {formats.label(first)}"
    rest = ", ".join(f"{formats.label(name)} {formats.times(other.median)[:-1]}" for name, other in others)
    return f"{said} ({rest})" if rest else said


def _banner(results: Results) -> str | None:
    if dataset_name(results) != "digits":
        return None
    return (
        "Everything here was run on scikit-learn's bundled digits, 1,797 images of 8 by 8 pixels; the "
        "figures say nothing about MNIST. To run on MNIST, point --data-dir or BACKPROOF_DATA to its files."
    )
