"""Time ratios as they are read: who stands in a table, how an interval is written, what a case is called."""

import math
from collections.abc import Mapping
from dataclasses import replace

from backproof.comparisons.contenders.known import SCRATCH
from backproof.comparisons.drawing import formats
from backproof.comparisons.speed import kinds, statistics
from backproof.comparisons.speed.entrants import CONTROL
from backproof.comparisons.speed.result import CaseResult, Comparison, Estimate, Finding, SpeedResult

UNKNOWN = (math.nan, math.nan)


def ends(found: Estimate) -> str:
    """``[1.88, 1.97]``; nothing where there is no interval."""
    if not has_interval(found):
        return ""
    low, high = (formats.times(end).rstrip("×") for end in found.ci95)
    return f"[{low}, {high}]"


def said(found: Estimate) -> str:
    """``1.92× [1.88, 1.97]``."""
    return f"{formats.times(found.median)} {ends(found)}".rstrip()


def has_interval(found: Estimate) -> bool:
    """Whether both ends are positive numbers: a single unit has no interval, nor has a mean of medians."""
    return 0.0 < found.low < found.high < math.inf


def drawn(found: Estimate) -> tuple[float, float]:
    """The ends of its interval, or the median itself where there is none."""
    return found.ci95 if has_interval(found) else (found.median, found.median)


def words(finding: Finding | None) -> str:
    """``scratch faster``; ``no difference seen``."""
    if finding is None:
        return "nothing timed"
    return str(finding) if finding == Finding.SAME else f"scratch {finding}"


def names(part: SpeedResult, everyone: bool = False) -> list[str]:
    """Contenders that stand in any case, in order, without scratch itself.

    Those of the idiomatic division only if `everyone` is asked for, or where there are no others.
    """
    found = dict.fromkeys(name for case in part.cases for name in case.ratios if name != SCRATCH)
    matched = [name for name in found if part.entrants[name].division != "idiomatic"]
    return list(found) if everyone or not matched else matched


def comparison(case: CaseResult, name: str) -> Comparison | None:
    """One contender's in one case; None where there are no figures."""
    cell = case.ratios.get(name)
    return cell if isinstance(cell, Comparison) else None


def ratio(case: CaseResult, name: str) -> Estimate | None:
    """The ratio of one contender in one case; None where there are no figures."""
    found = comparison(case, name)
    return found.ratio if found else None


def inside_noise(case: CaseResult, name: str) -> bool:
    """Whether no difference was seen between scratch and this contender."""
    found = comparison(case, name)
    return found is not None and found.finding == Finding.SAME


def at(part: SpeedResult, n_threads: int) -> SpeedResult:
    """What was measured with so many threads."""
    return replace(
        part,
        cases=tuple(case for case in part.cases if case.threads == n_threads),
        means=tuple(mean for mean in part.means if mean.threads == n_threads),
        settings=replace(part.settings, threads=(n_threads,)),
    )


def each(part: SpeedResult) -> list[SpeedResult]:
    """The part by numbers of threads: a mean over several would be of no machine's use."""
    return [at(part, mean.threads) for mean in part.means] or [part]


def under(part: SpeedResult) -> str:
    """`` with 1 thread`` of what `each` gives, where there are several numbers of threads; else nothing.

    Then the kind of processor, where there are several.
    """
    counted = f" with {threads(part.means[0].threads)}" if len(part.means) > 1 else ""
    return f"{counted}{kinds.where(part)}"


def geometric_means(part: SpeedResult) -> dict[str, Estimate]:
    """Per contender the geometric mean over the cases; of several numbers of threads, with the first.

    With its interval where no case is missing; else that of the medians there are.
    """
    part = each(part)[0]
    stated: Mapping[str, Comparison | None] = part.means[0].ratios if part.means else {}
    means = {}
    for name in names(part):
        logs = [math.log(timed.median) for case in part.cases if (timed := ratio(case, name))]
        if (found := stated.get(name)) is not None:
            means[name] = found.ratio
        elif logs:
            means[name] = Estimate(math.exp(math.fsum(logs) / len(logs)), UNKNOWN, 0)
    return means


def noise_of_the_mean(part: SpeedResult) -> float | None:
    """The ratio (>= 1) inside of which the geometric means say nothing; None where it is not known."""
    if not part.means or (again := part.means[0].ratios.get(CONTROL)) is None:
        return None
    floor = statistics.floor_ratio(again.ratio)
    return floor if math.isfinite(floor) else None


def case_name(part: SpeedResult, case: CaseResult) -> str:
    """``784-128-10, batch 100, sgd``, with the number of threads where there are several."""
    several = len(part.settings.threads) > 1
    return f"{case.label}, {threads(case.threads)}" if several else case.label


def threads(n: int) -> str:
    """``1 thread``, ``2 threads``."""
    return f"{n} thread{'s' * (n != 1)}"


def data_names(part: SpeedResult) -> list[str]:
    """Phrases for the data that the cases were timed on, each once."""
    return list(dict.fromkeys(case.data.says for case in part.cases))
