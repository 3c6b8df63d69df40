"""Several runs side by side: what each measured, with its interval, and what changed from one to the next.

Two numbers with intervals are called changed only where the intervals do not overlap; a number without one is
changed where it is written differently. Beside them stands what else differs: the machine, the versions, the
plan.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

from scipy.stats import t as student

from backproof.comparisons.contenders.known import SCRATCH
from backproof.comparisons.drawing import formats
from backproof.comparisons.report.document import Results
from backproof.comparisons.speed import kinds
from backproof.comparisons.speed.ratios import geometric_means, has_interval
from backproof.comparisons.verdicts.outcome import Outcome


@dataclass(frozen=True)
class Measured:
    """A number with its interval; without one, both ends are NaN."""

    value: float
    text: str
    low: float = math.nan
    high: float = math.nan

    @property
    def has_interval(self) -> bool:
        return math.isfinite(self.low) and math.isfinite(self.high)


@dataclass(frozen=True)
class Change:
    """One quantity in two runs."""

    name: str
    before: Measured | None
    after: Measured | None

    @property
    def words(self) -> str:
        """``changed``, ``no change seen``, or in which run it is missing."""
        if self.before is None or self.after is None:
            return "new" if self.before is None else "not measured again"
        if self.before.has_interval and self.after.has_interval:
            apart = self.before.high < self.after.low or self.after.high < self.before.low
        else:
            apart = self.before.text != self.after.text
        return "changed" if apart else "no change seen"


def measured(results: Results) -> dict[str, Measured]:
    """Every number of a run that can be held beside another run's, by what it measures."""
    return {**_gradients(results), **_accuracies(results), **_speeds(results), **_others(results)}


def changes(before: Results, after: Results) -> list[Change]:
    """Every quantity of either run."""
    one, other = measured(before), measured(after)
    return [Change(name, one.get(name), other.get(name)) for name in dict.fromkeys([*one, *other])]


def other_conditions(before: Results, after: Results) -> list[str]:
    """What else differs between two runs, as ``processor: A -> B``."""
    one, other = _conditions(before), _conditions(after)
    return [
        f"{name}: {one.get(name, formats.ABSENT)} -> {other.get(name, formats.ABSENT)}"
        for name in dict.fromkeys([*one, *other])
        if one.get(name) != other.get(name)
    ]


def _gradients(results: Results) -> dict[str, Measured]:
    if results.gradients is None:
        return {}
    verdicts = [check.verdict for check in results.gradients.compared]
    passed = verdicts.count(Outcome.PASS)
    return {"gradient checks passed": Measured(passed, f"{passed} of {len(verdicts)}")}


def _accuracies(results: Results) -> dict[str, Measured]:
    part = results.accuracy
    if part is None:
        return {}
    found = {f"accuracy of {_who(name)}": _mean(runs.test_accuracy) for name, runs in part.trained.items()}
    for name, cell in part.compared.items():
        low, high = cell.ci90 or (math.nan, math.nan)
        text = f"{formats.points(cell.difference_points)} {formats.interval(cell.ci90)}".removesuffix(" –")
        found[f"difference of {_who(name)}, points"] = Measured(cell.difference_points, text, low, high)
    return found


def _mean(accuracies: Sequence[float]) -> Measured:
    """The mean over the seeds with its 95% interval by Student's t."""
    n, middle = len(accuracies), formats.mean(accuracies)
    if n < 2 or not math.isfinite(middle):
        return Measured(middle, formats.percent(middle))
    deviation = math.sqrt(math.fsum((value - middle) ** 2 for value in accuracies) / (n - 1))
    half = float(student.ppf(0.975, n - 1)) * deviation / math.sqrt(n)
    text = f"{formats.percent(middle)} ±{100 * half:.2f}"
    return Measured(middle, text, middle - half, middle + half)


def _speeds(results: Results) -> dict[str, Measured]:
    if results.speed is None:
        return {}
    found = {}
    for name, ratio in geometric_means(results.speed).items():
        low, high = ratio.ci95 if has_interval(ratio) else (math.nan, math.nan)
        ends = f" [{low:.3g}, {high:.3g}]" if has_interval(ratio) else ""
        text = f"{formats.times(ratio.median)}{ends}"
        found[f"time of {_who(name)} / NumPy"] = Measured(ratio.median, text, low, high)
    return found


def _others(results: Results) -> dict[str, Measured]:
    found = {}
    if results.numerical is not None:
        speedup = results.numerical.gradient.speedup
        found["structured differences, times faster"] = Measured(speedup, formats.times(speedup))
    if results.campaign is not None:
        judged = results.campaign.totals.contenders.values()
        alarms, cases = sum(one.false_alarms for one in judged), sum(one.cases for one in judged)
        found["false alarms"] = Measured(alarms, f"{alarms} of {formats.count(cases)}")
    if results.zoo is not None:
        counts = results.zoo.summary
        found["mutants killed"] = Measured(counts.killed, f"{counts.killed} of {counts.mutants}")
    if results.record is not None:
        for board, result in results.record.boards.items():
            found[f"record, {board}"] = Measured(result.mean, formats.percent(result.mean))
    if results.race is not None:
        for name, target in results.race.targets.items():
            if (scratch := target.finished.get(SCRATCH)) is not None:
                median, least, most = scratch.seconds
                text = f"{formats.seconds(median)} [{least:.3g}, {most:.3g}]"
                found[f"race, {name}%"] = Measured(median, text, least, most)
    return found


def _who(name: str) -> str:
    return "NumPy" if name == SCRATCH else formats.label(name)


def _conditions(results: Results) -> dict[str, str]:
    """Plan and machine in words, but for the date."""
    found: dict[str, str] = {}
    if (machine := results.environment) is not None:
        found = {name: str(getattr(machine, name)) for name in ("backproof", "python", "processor", "cores")}
        found |= dict(machine.packages)
    if (speed := results.speed) is not None and speed.kind is not None:
        found["timed on"] = kinds.words(speed.kind)
    if (plan := results.plan) is not None:
        planned = {field.name: str(getattr(plan, field.name)) for field in fields(plan)}
        planned["dataset"] = plan.dataset.name
        found |= {name: text for name, text in planned.items() if name != "command"}
    return found


# --- in words ----------------------------------------------------------------------------------------------


def as_markdown(names: Sequence[str], runs: Sequence[Results]) -> str:
    """A table of all runs, the last column telling what changed from the first to the last."""
    tables = [measured(run) for run in runs]
    quantities = dict.fromkeys(name for table in tables for name in table)
    heads = ["", *map(_cell, names)] + ([""] if len(runs) > 1 else [])
    lines = [heads, ["---"] * len(heads)]
    for name in quantities:
        row = [name, *(table[name].text if name in table else formats.ABSENT for table in tables)]
        if len(runs) > 1:
            row.append(Change(name, tables[0].get(name), tables[-1].get(name)).words)
        lines.append([_cell(text) for text in row])
    body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    differing = other_conditions(runs[0], runs[-1]) if len(runs) > 1 else []
    return body + "".join(f"\n\n{_cell(line)}" for line in differing)


def _cell(text: str) -> str:
    """Text that neither ends a cell of Markdown nor is markup in it."""
    for character in "\\`*_{}[]<>#|":
        text = text.replace(character, f"\\{character}")
    return text.replace("\n", " ")
