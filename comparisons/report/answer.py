"""The answer of a report: one sentence, what went wrong, three tiles, all said from the results alone.

Terminal and page say the same words. Each of the three questions has a tile; one that was not asked says
which command asks it. Results without any of the three have no tiles.
"""

import math
from dataclasses import dataclass

from markupsafe import Markup

from backproof.comparisons.accuracy.result import AccuracyResult, AgainstScratch
from backproof.comparisons.contenders.known import KNOWN, SCRATCH
from backproof.comparisons.drawing import formats
from backproof.comparisons.gradients.result import Gradients
from backproof.comparisons.gradients.words import share
from backproof.comparisons.report import pictures
from backproof.comparisons.report.document import Results
from backproof.comparisons.report.protocol_chapter import network, optimizer
from backproof.comparisons.report.sentence import (
    contenders,
    dataset_name,
    mean_finding,
    ratio_words,
    sentences,
    subject,
)
from backproof.comparisons.report.trouble import Trouble, troubles
from backproof.comparisons.speed import kinds, ratios
from backproof.comparisons.speed.ratios import data_names, geometric_means
from backproof.comparisons.speed.result import Finding, SpeedResult
from backproof.comparisons.verdicts.outcome import Outcome

COMMANDS = {"gradients": "backproof gradients", "accuracy": "backproof accuracy", "speed": "backproof speed"}
QUESTIONS = {"gradients": "Same maths?", "accuracy": "Same accuracy?", "speed": "How fast?"}


@dataclass(frozen=True)
class Tile:
    """One question, its answer in a few words, and what that rests on."""

    key: str  # the chapter that says more
    value: str
    detail: str
    verdict: str | None = None  # an Outcome, or what was found of the speed; None: not measured
    picture: Markup | None = None

    @property
    def question(self) -> str:
        return QUESTIONS[self.key]


@dataclass(frozen=True)
class Answer:
    """What the first screen and the first lines of the terminal say."""

    headline: str  # the first sentence
    further: str  # those that follow it
    context: str  # one line: data, network, machine, date
    tiles: tuple[Tile, ...]
    troubles: tuple[Trouble, ...]
    banner: str | None  # what a reader must know before any number: other data than MNIST
    missing: str  # what was not measured, in one line; "" where nothing is missing
    shown: tuple[str, ...] = ()  # whose markers stand in the pictures

    @property
    def sentence(self) -> str:
        return f"{self.headline} {self.further}".rstrip()


def answer(results: Results) -> Answer:
    """The answer to "same maths, same accuracy, how fast?" as far as `results` go."""
    asked = any(getattr(results, key) is not None for key in QUESTIONS)
    tiles = (
        _gradients_tile(results.gradients),
        _accuracy_tile(results.accuracy),
        _speed_tile(results.speed),
    )
    told = sentences(results)
    return Answer(
        headline=told[0],
        further=" ".join(told[1:]),
        context=_context(results),
        tiles=tiles if asked else (),
        troubles=tuple(troubles(results)),
        banner=_banner(results),
        missing=_missing(results) if asked else "",
        shown=(SCRATCH, *contenders(results)) if asked else (),
    )


# --- the three tiles ---------------------------------------------------------------------------------------


def _not_measured(key: str) -> Tile:
    return Tile(key, "Not measured", f"Run: {COMMANDS[key]}")


def _gradients_tile(part: Gradients | None) -> Tile:
    if part is None or not part.checks:
        return _not_measured("gradients")
    verdicts = [check.verdict for check in part.compared]
    total, failed = len(verdicts), verdicts.count(Outcome.FAIL)
    open_ = verdicts.count(Outcome.INCONCLUSIVE)
    checks = f"gradient check{'s' * (total != 1)}"
    if failed:
        value, detail = f"{failed} of {total} fail", f"{checks}: an error outside its derived bound"
        detail += f"; {open_} undecided." if open_ else "."
    elif open_ or not total:
        value, detail = f"{open_} of {total} open", f"{checks} undecided, none failed."
    else:
        shares = [used for check in part.compared if (used := check.used) is not None]
        value = f"{formats.count(total)} of {formats.count(total)}"
        detail = (
            f"{checks} inside their derived bound; the closest uses {share(max(shares, default=None))} of it."
        )
    return Tile("gradients", value, detail, part.verdict, pictures.errors_strip(part))


def _accuracy_tile(found: AccuracyResult | None) -> Tile:
    if found is None or not found.contenders:
        return _not_measured("accuracy")
    if not found.compared:
        detail = "No contender could be trained beside the NumPy network."
        return Tile("accuracy", "No comparison", detail, found.verdict)
    name, cell = _furthest(found)
    detail = f"{formats.label(name)} against {subject(SCRATCH)}, {_interval(found, cell)}; {_reached(found)}."
    if cell.outcome == "equivalent" and cell.verdict == Outcome.FAIL:
        detail += " The accuracies agree, the way there does not."
    return Tile(
        "accuracy",
        "diverged"
        if math.isnan(cell.difference_points)
        else f"{formats.points(cell.difference_points)} points",
        detail,
        found.verdict,
        pictures.difference_band(found),
    )


def _furthest(found: AccuracyResult) -> tuple[str, AgainstScratch]:
    """The worst verdict, and of equal ones the largest difference; one that diverged is the largest."""

    def worst_first(item: tuple[str, AgainstScratch]) -> tuple[int, float]:
        difference = abs(item[1].difference_points)
        return item[1].verdict.rank, -(math.inf if math.isnan(difference) else difference)

    return min(found.compared.items(), key=worst_first)


def _interval(found: AccuracyResult, cell: AgainstScratch) -> str:
    seeds = f"{len(found.seeds)} seed{'s' * (len(found.seeds) != 1)}"
    if cell.ci90 is None or not all(map(math.isfinite, cell.ci90)):
        return f"{seeds}, no interval"
    return f"90% interval {formats.interval(cell.ci90)} over {seeds}, equal inside ±{cell.margin_points:g}"


def _reached(found: AccuracyResult) -> str:
    return formats.listed(
        [
            f"{'NumPy' if name == SCRATCH else formats.label(name)} "
            f"{formats.percent(formats.mean(runs.test_accuracy))}"
            for name, runs in found.trained.items()
        ]
    )


def _speed_tile(part: SpeedResult | None) -> Tile:
    if part is None:
        return _not_measured("speed")
    under, part = ratios.under(part), ratios.each(part)[0]
    means = geometric_means(part)
    if not means:
        return Tile("speed", "No ratio", "No contender could be timed.", "nothing timed")
    name = part.against if part.against in means else next(iter(means))
    detail = f"{formats.label(name)}'s time to train over the NumPy network's{under}{_over_cases(part, name)}"
    if len(means) > 1:
        others = [f"{formats.label(other)} {ratio_words(means[other])}" for other in means if other != name]
        detail += f"; {', '.join(others)}"
    where = f", {kinds.words(part.kind)}" if part.kind is not None and not part.others else ""
    detail += f". Timed on {formats.listed(data_names(part))}{where}.{_noise(part, name)}"
    value = ratios.said(means[name])
    return Tile("speed", value, detail, _finding_words(mean_finding(part, name)), pictures.ratio_rows(part))


def _over_cases(part: SpeedResult, name: str) -> str:
    """How many cases the mean is over, and in how many of them nothing was seen."""
    timed = [case for case in part.cases if ratios.ratio(case, name) is not None]
    if len(timed) < 2:
        return ""
    unseen = sum(ratios.inside_noise(case, name) for case in timed)
    text = f", geometric mean of {len(timed)} cases"
    return f"{text}, {unseen} of them with no difference seen" if unseen else text


def _noise(part: SpeedResult, name: str) -> str:
    """Why no difference is seen where the interval alone would show one."""
    noise = ratios.noise_of_the_mean(part)
    if noise is None or mean_finding(part, name) != Finding.SAME:
        return ""
    return (
        f" In this run the NumPy network's own time, taken twice, differs by up to {formats.times(noise)}: a "
        "ratio inside that is not a difference."
    )


def _finding_words(finding: Finding | None) -> str:
    if finding is None:
        return "measured"
    return str(finding) if finding == Finding.SAME else f"NumPy {finding}"


# --- around them -------------------------------------------------------------------------------------------


def _context(results: Results) -> str:
    """Data, network, optimiser, machine, versions, date; quick or full."""
    pieces: list[str] = []
    plan, machine = results.plan, results.environment
    if plan is not None:
        seeds = f"{len(plan.seeds)} seed{'s' * (len(plan.seeds) != 1)}"
        pieces += [
            formats.dataset(plan.dataset.name),
            network(plan.architecture),
            optimizer(plan.optimizer),
            f"{seeds}, {plan.epochs} epoch{'s' * (plan.epochs != 1)}",
        ]
    if machine is not None:
        cores = f"{machine.cores} core{'s' * (machine.cores != 1)}"
        threads = f", {ratios.threads(plan.threads)}" if plan is not None else ""
        pieces += [machine.processor, f"{cores}{threads}", _versions(results), machine.date[:10]]
    if plan is not None:
        pieces.append("quick run" if plan.quick else "full run")
    return " · ".join(piece for piece in pieces if piece)


def _versions(results: Results) -> str:
    """Of NumPy and of the contenders' packages that were used."""
    assert results.environment is not None
    used = results.plan.contenders if results.plan else ()
    packages = results.environment.packages
    wanted = dict.fromkeys(KNOWN[name].distribution for name in (SCRATCH, *used) if name in KNOWN)
    return ", ".join(f"{name} {packages[name]}" for name in wanted if name in packages)


def _missing(results: Results) -> str:
    absent = [key for key in QUESTIONS if getattr(results, key) is None]
    if not absent:
        return ""
    words = formats.listed(
        [{"gradients": "gradients", "accuracy": "accuracy", "speed": "speed"}[k] for k in absent]
    )
    if results.plan is not None:
        return f"Interrupted: {words} not measured. To complete it, run: {results.plan.command}"
    return f"Not measured: {words}. To measure everything, run: backproof"


def _banner(results: Results) -> str | None:
    if dataset_name(results) != "digits":
        return None
    return (
        "Everything here was run on scikit-learn's bundled digits, 1,797 images of 8 by 8 pixels; the "
        "numbers say nothing about MNIST. To run on MNIST, point --data-dir or BACKPROOF_DATA to its files."
    )
