"""The campaign: how often does a checker fail a gradient that is right?

Random cases of every family (`cases`), with every activation, in float64 and float32: each case's gradient by
scratch's backpropagation and by torch's autograd is held to the complex step of scratch's loss in double
precision, inside its own derived bound (`bounds`, `kinks`). Both are correct, so every FAIL is a false alarm.
On the first `gradcheck_cases` of each cell, torch's gradcheck judges the same network at its defaults (those
of up to LARGEST_FOR_GRADCHECK parameters).

Each case is also asked from the other side. Scratch's gradient is made wrong in one tensor, drawn at random,
by SPOILED times the resolution that its verdict printed, and must FAIL; else that is a *miss*. And a gradient
of zeros must not PASS, where the true one is not zero by proof.

Each entry also tells how honest the bound is: error / bound must never exceed 1, and bound / error, where the
error is not zero, says how much too wide it is: the median of each network's median, so that a network of
40,000 entries weighs as much as one of 40, and the median of all entries beside it. Only counts leave a cell
(medians come from histograms with RATIO_BINS bins per decade), so that chunks of any cell add up, whatever
worker did them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np

from backproof.comparisons.contenders.known import KNOWN
from backproof.comparisons.gradients import result
from backproof.comparisons.gradients.random_problems import FAMILIES, draw, float64_shadow
from backproof.comparisons.running.parallel import collect
from backproof.comparisons.running.progress import Progress
from backproof.comparisons.verdicts.forward_mode_bounds import complex_step_bound
from backproof.comparisons.verdicts.monte_carlo import estimated_reference
from backproof.comparisons.verdicts.network_bounds import Reference, backprop_reference
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.relu_kinks import (
    expected_gradient,
    flat_gradient,
    judge_gradient,
    tensors,
)
from backproof.comparisons.verdicts.rounding import Bounded
from backproof.comparisons.verdicts.verdict import Tier, Verdict
from backproof.scratch.architecture import ACTIVATIONS, DTYPES, ActivationName, Array, DtypeName
from backproof.scratch.errors import InputError
from backproof.scratch.gradients import gradient
from backproof.scratch.problem import Problem

CONTENDERS = ("scratch", "torch")
CHUNK = 50  # cases per task
LARGEST_FOR_GRADCHECK = 500  # parameters: it takes two forward passes for each
RATIO_BINS = 20  # per decade, of bound / error and of the resolution
DECADES = 40
GRADCHECK_CASES = 100
TOLERATED_INCONCLUSIVE = 1e-3  # of the entries, in every family
SPOILED = 10.0  # times the printed resolution, a relative error must be seen
TOLERATED_MISSES = 1e-3  # of those

Cell = tuple[str, ActivationName, DtypeName]  # family, activation, dtype
CELLS: tuple[Cell, ...] = tuple((f, a, d) for f in FAMILIES for a in ACTIVATIONS for d in DTYPES)


def _histogram() -> Array:
    return np.zeros(2 * DECADES * RATIO_BINS, dtype=np.int64)


@dataclass
class Tally:
    """What one contender's verdicts in one cell add up to."""

    cases: int = 0
    failed: int = 0
    inconclusive: int = 0  # verdicts
    entries: int = 0
    inconclusive_entries: int = 0
    exact_entries: int = 0  # error zero
    largest_share: float = 0.0  # of error / bound
    spoiled: int = 0  # gradients made wrong by SPOILED times the printed resolution
    missed: int = 0  # of those
    zeros: int = 0  # all-zero gradients in place of others
    zeros_passed: int = 0
    seconds: float = field(default=0.0, repr=False)  # of judging
    worst_resolution: float = 0.0  # of a PASS
    first_failure: str = ""
    first_miss: str = ""
    ratios: Array = field(default_factory=_histogram)  # of bound / error, entry by entry
    typical_ratios: Array = field(default_factory=_histogram)  # of each network's median
    resolutions: Array = field(default_factory=_histogram)

    def add(self, other: "Tally") -> None:
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.largest_share = max(self.largest_share, other.largest_share)
        self.worst_resolution = max(self.worst_resolution, other.worst_resolution)
        self.first_miss = self.first_miss or other.first_miss
        self.first_failure = self.first_failure or other.first_failure
        self.ratios += other.ratios
        self.typical_ratios += other.typical_ratios
        self.resolutions += other.resolutions

    def count(self, verdict: Verdict, errors: Array, bounds: Array, seed: str) -> None:
        """Add one verdict with its entries."""
        self.cases += 1
        self.failed += verdict.outcome == Outcome.FAIL
        self.inconclusive += verdict.outcome == Outcome.INCONCLUSIVE
        self.entries += len(errors)
        self.inconclusive_entries += min(verdict.n_inconclusive, int(np.isfinite(bounds).sum()))
        off = (errors > 0) & np.isfinite(bounds)
        self.exact_entries += int((errors == 0).sum())
        ratios = bounds[off] / errors[off]
        self.largest_share = max(self.largest_share, float(1.0 / ratios.min()) if off.any() else 0.0)
        _record(self.ratios, ratios)
        _record(self.typical_ratios, np.median(ratios, keepdims=True) if off.any() else ratios)
        _record(self.resolutions, np.array([verdict.resolution]))
        self.worst_resolution = max(self.worst_resolution, verdict.resolution if verdict else 0.0)
        if verdict.outcome == Outcome.FAIL and not self.first_failure:
            self.first_failure = f"{seed}: {verdict.reason}"


_COUNTS = (
    *("cases", "failed", "inconclusive", "entries", "inconclusive_entries", "exact_entries"),
    *("spoiled", "missed", "zeros", "zeros_passed", "seconds"),
)


def _record(histogram: Array, values: Array) -> None:
    with np.errstate(divide="ignore"):
        places = np.floor((np.log10(values) + DECADES) * RATIO_BINS)
    np.add.at(histogram, np.clip(places, 0, len(histogram) - 1).astype(np.int64), 1)


def median(histogram: Array) -> float:
    """The geometric middle of the bin in which the median lies; NaN for an empty histogram."""
    total = histogram.sum()
    if total == 0:
        return float("nan")
    place = int(np.searchsorted(np.cumsum(histogram), (total + 1) // 2))
    return float(10.0 ** ((place + 0.5) / RATIO_BINS - DECADES))


@dataclass
class CellTally:
    """One cell of the campaign: a tally per contender, and gradcheck's."""

    contenders: dict[str, Tally] = field(default_factory=lambda: {name: Tally() for name in CONTENDERS})
    gradcheck_cases: int = 0
    gradcheck_failed: int = 0

    def add(self, other: "CellTally") -> None:
        for name, tally in self.contenders.items():
            tally.add(other.contenders[name])
        self.gradcheck_cases += other.gradcheck_cases
        self.gradcheck_failed += other.gradcheck_failed


@dataclass(frozen=True)
class Chunk:
    """A task: some consecutive cases of one cell."""

    cell: Cell
    first: int
    n_cases: int
    seed: int
    gradcheck_cases: int  # gradcheck judges the cases of the cell that come before this one

    def rng(self, case: int) -> np.random.Generator:
        """Each case has its own generator: it does not matter who draws it, or when."""
        return np.random.default_rng([self.seed, CELLS.index(self.cell), case])


def chunks(n: int, seed: int, gradcheck_cases: int, cells: Sequence[Cell] = CELLS) -> list[Chunk]:
    """All tasks of a campaign with n cases per cell, the cells in turn, so that a stop leaves all alike."""
    return [
        Chunk(cell, first, min(CHUNK, n - first), seed, gradcheck_cases)
        for first in range(0, n, CHUNK)
        for cell in cells
    ]


def run_chunk(chunk: Chunk) -> CellTally:
    """Draw and judge every case of one task."""
    import torch

    from backproof.reference import torch_gradcheck

    torch.set_num_threads(1)
    tally = CellTally()
    # Single precision may overflow or underflow on the way to a correct gradient; the bounds know.
    with np.errstate(all="ignore"):
        for number in range(chunk.first, chunk.first + chunk.n_cases):
            rng = chunk.rng(number)
            case = draw(rng, *chunk.cell)
            _judge_case(case, tally, rng, f"seed {chunk.seed}, {' '.join(chunk.cell)}, case {number}")
            if number < chunk.gradcheck_cases and case.architecture.n_parameters <= LARGEST_FOR_GRADCHECK:
                accepted = torch_gradcheck.passes(case.architecture, case.weights, case.x, case.targets)
                tally.gradcheck_cases += 1
                tally.gradcheck_failed += not accepted
    return tally


def _judge_case(case: Problem, tally: CellTally, rng: np.random.Generator, label: str) -> None:
    own, witness = evidence(case)
    for name in CONTENDERS:
        reference = own if name == "scratch" else bounds_of(case, name)
        found = contender_gradient(name, case)
        started = perf_counter()
        verdict = judge_gradient(reference, found, witness, shared_deltas=True)
        tally.contenders[name].seconds += perf_counter() - started
        expected = expected_gradient(_deciding(reference, verdict), witness)
        bounds, errors = expected.error, np.abs(found - expected.value)
        if verdict.outcome != Outcome.FAIL and (errors > bounds).any():
            errors = np.zeros_like(errors)  # it was another selection that fitted
        tally.contenders[name].count(verdict, errors, bounds, label)
        if name == "scratch" and verdict:
            _spoil(Judged(case, reference, witness, found, verdict), tally.contenders[name], rng, label)


def _deciding(reference: Reference, verdict: Verdict) -> Reference:
    """The reference whose bounds decided."""
    if verdict.tier == Tier.WORST_CASE:
        return reference
    return reference.probabilistic if verdict.tier == Tier.PROBABILISTIC else estimated_reference(reference)


@dataclass(frozen=True)
class Judged:
    """A case with its evidence, and the verdict on a right gradient of it."""

    case: Problem
    reference: Reference
    witness: Bounded
    found: Array
    verdict: Verdict


def _spoil(judged: Judged, tally: Tally, rng: np.random.Generator, label: str) -> None:
    """Is it seen when one tensor is off by SPOILED times the printed resolution, and when all is zero?"""
    case, reference, witness, found = judged.case, judged.reference, judged.witness, judged.found
    if (np.abs(witness.value) > witness.error).any():
        tally.zeros += 1
        tally.zeros_passed += bool(judge_gradient(reference, 0 * found, witness, shared_deltas=True))
    alive = [
        part for part in tensors(case.architecture) if (np.abs(witness.value) > witness.error)[part].any()
    ]
    if not alive:
        return
    part = alive[int(rng.integers(len(alive)))]
    wrong = found.copy()
    factor = 1.0 + SPOILED * judged.verdict.resolution * rng.choice([-1.0, 1.0])
    wrong[part] = (found[part] * factor).astype(case.architecture.dtype)
    caught = judge_gradient(reference, wrong, witness, shared_deltas=True).outcome == Outcome.FAIL
    tally.spoiled += 1
    tally.missed += not caught
    if not caught and not tally.first_miss:
        tally.first_miss = f"{label}: entries {part.start} to {part.stop} times {factor:.6g}"


def evidence(case: Problem) -> tuple[Reference, Bounded]:
    """The case's derived bounds for scratch, and its gradient by the complex step with its own."""
    network, x, targets = float64_shadow(case)
    stepped = gradient(network, x, targets, "complex_step", evaluation="structured")
    error = complex_step_bound(case.architecture, case.weights, case.x, case.targets)
    return bounds_of(case, "scratch"), Bounded(stepped, error)


def bounds_of(case: Problem, name: str) -> Reference:
    """The derived bounds for one known contender, whose elementary functions are known."""
    return backprop_reference(
        case.architecture, case.weights, case.x, case.targets, functions=KNOWN[name].functions
    )


def contender_gradient(name: str, case: Problem) -> Array:
    """The gradient (n_parameters,) as that contender computes it, in float64."""
    from backproof.comparisons.contenders import registry

    contender = registry.create(name)
    contender.load(case.architecture, case.weights)
    _, found = contender.loss_and_gradient(case.x, case.targets)
    return flat_gradient(found).astype(np.float64)


def run(n: int, seed: int, workers: int, gradcheck_cases: int, progress: Progress) -> result.Campaign:
    """A campaign of n cases per cell. Ctrl-C ends it early, with what is finished.

    Raises ValueError for numbers that are not positive (gradcheck_cases: not negative).
    """
    for name, value, low in (("campaign", n, 1), ("workers", workers, 1), ("gradcheck", gradcheck_cases, 0)):
        if value < low:
            raise InputError(f"{name}: expected at least {low}, got {value}")
    started = perf_counter()
    tallies = {cell: CellTally() for cell in CELLS}
    tasks = chunks(n, seed, gradcheck_cases)

    def keep(chunk: Chunk, found: CellTally) -> None:
        tallies[chunk.cell].add(found)

    finished = collect(run_chunk, tasks, keep, workers, progress, "campaign of correct gradients")
    families, total = _summed(tallies)
    return result.Campaign(
        verdict=campaign_verdict(total, families.values()),
        n_cases=total.contenders[CONTENDERS[0]].cases,
        totals=_row(total),
        families=tuple(_row(tally, family, dtype) for (family, dtype), tally in families.items()),
        cells=tuple(_row(tally, family, dtype, act) for (family, act, dtype), tally in tallies.items()),
        n_per_cell=n,
        seed=seed,
        workers=workers,
        gradcheck_per_cell=min(n, gradcheck_cases),
        seconds=perf_counter() - started,
        interrupted=not finished,
        dtypes=tuple(_row(_of_dtype(tallies, dtype), "all", dtype) for dtype in DTYPES),
    )


def _of_dtype(tallies: dict[Cell, CellTally], dtype: str) -> CellTally:
    total = CellTally()
    for cell, tally in tallies.items():
        if cell[2] == dtype:
            total.add(tally)
    return total


def _summed(tallies: dict[Cell, CellTally]) -> tuple[dict[tuple[str, str], CellTally], CellTally]:
    """Per family and dtype, and in all."""
    families: dict[tuple[str, str], CellTally]
    families = {(family, dtype): CellTally() for family in FAMILIES for dtype in DTYPES}
    total = CellTally()
    for (family, _, dtype), tally in tallies.items():
        families[family, dtype].add(tally)
        total.add(tally)
    return families, total


def _row(tally: CellTally, family: str = "all", dtype: str = "", activation: str = "") -> result.CampaignRow:
    return result.CampaignRow(
        contenders={name: _judged(one) for name, one in tally.contenders.items()},
        gradcheck=result.Gradcheck(tally.gradcheck_cases, tally.gradcheck_failed),
        family=family,
        dtype=dtype,
        activation=activation,
    )


def campaign_verdict(total: CellTally, families: Iterable[CellTally]) -> Outcome:
    """FAIL for a false alarm, too many misses, or zeros that pass; INCONCLUSIVE where a family has no cases.

    So it is where more than TOLERATED_INCONCLUSIVE of the entries are undecided, overflow (an infinite
    bound), which some families provoke, left aside.
    """
    for tally in total.contenders.values():
        if tally.failed or tally.zeros_passed or tally.missed > TOLERATED_MISSES * tally.spoiled:
            return Outcome.FAIL
    for family in families:
        for tally in family.contenders.values():
            if tally.entries == 0 or tally.inconclusive_entries > TOLERATED_INCONCLUSIVE * tally.entries:
                return Outcome.INCONCLUSIVE
    return Outcome.PASS


def _judged(tally: Tally) -> result.Judged:
    return result.Judged(
        cases=tally.cases,
        false_alarms=tally.failed,
        inconclusive_cases=tally.inconclusive,
        entries=tally.entries,
        inconclusive_entries=tally.inconclusive_entries,
        exact_entries=tally.exact_entries,
        largest_error_over_bound=tally.largest_share,
        median_bound_over_error=median(tally.typical_ratios),
        median_over_entries=median(tally.ratios),
        median_resolution=median(tally.resolutions),
        spoiled=tally.spoiled,
        missed=tally.missed,
        zeros=tally.zeros,
        zeros_passed=tally.zeros_passed,
        worst_resolution=tally.worst_resolution,
        seconds=tally.seconds,
        first_failure=tally.first_failure,
        first_miss=tally.first_miss,
    )
