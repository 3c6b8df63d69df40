"""Sensitivity: the smallest wrongness that a checker sees in a gradient that is otherwise right.

One tensor of a correct gradient (scratch's, in the case's dtype) is made wrong by a relative error r in
1e-1 .. 1e-14: *scaled*, G (1 + r), or *shifted*, G + r max|G|, and rounded to the dtype again. The verdicts
catch r when they FAIL the result, gradcheck when it does not pass it. Which tensor and which way is drawn
with the case, of the ordinary families: elsewhere the campaign counts misses, at ten times what each verdict
printed.

A tensor whose gradient is zero has nothing to scale: such draws are counted and left out. Zero means that
all its entries are exactly zero, or true zeros in which rounding alone has left something (no entry of the
complex step is above its own bound). So are cases left out of which the right gradient is INCONCLUSIVE: they
do not pass, whatever is wrong. gradcheck is asked only where it accepts the correct gradient; it
judges torch's gradient of the same network, made wrong in the same way. The smallest r is found by
bisection, since what catches r catches more."""

from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np
from scipy.stats import beta

from backproof.comparisons.gradients import result as results
from backproof.comparisons.gradients.campaign import (
    CELLS,
    LARGEST_FOR_GRADCHECK,
    Cell,
    Chunk,
    chunks,
    contender_gradient,
    evidence,
)
from backproof.comparisons.gradients.random_problems import ORDINARY, draw
from backproof.comparisons.running.parallel import collect
from backproof.comparisons.running.progress import Progress
from backproof.comparisons.verdicts.outcome import Outcome, worst
from backproof.comparisons.verdicts.relu_kinks import judge_gradient, tensors
from backproof.scratch.architecture import Array
from backproof.scratch.errors import InputError
from backproof.scratch.problem import Problem

EXPONENTS = tuple(range(-1, -15, -1))
RELATIVE_ERRORS = tuple(10.0**exponent for exponent in EXPONENTS)
TARGETS = {"float64": 1e-8, "float32": 1e-4}
TARGET_SHARE = 0.99
ORDINARY_CELLS = tuple(cell for cell in CELLS if cell[0] in ORDINARY)
STREAM = 10**9  # the cases are not the campaign's


@dataclass
class Caught:
    """How many draws there were, and how many of them were caught at each relative error."""

    draws: int = 0
    zero: int = 0  # drawn tensors whose gradient is zero, or not resolved
    caught: Array = field(default_factory=lambda: np.zeros(len(EXPONENTS), dtype=np.int64))
    gradcheck_draws: int = 0
    gradcheck_rejected: int = 0  # it failed the correct gradient already
    gradcheck_caught: Array = field(default_factory=lambda: np.zeros(len(EXPONENTS), dtype=np.int64))

    def add(self, other: "Caught") -> None:
        for name in ("draws", "zero", "gradcheck_draws", "gradcheck_rejected"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.caught += other.caught
        self.gradcheck_caught += other.gradcheck_caught


def run(n: int, seed: int, workers: int, gradcheck_cases: int, progress: Progress) -> results.Sensitivity:
    """n draws per cell of the campaign. Ctrl-C ends it early."""
    if n < 1:
        raise InputError(f"draws: expected at least 1, got {n}")
    started = perf_counter()
    found = {cell: Caught() for cell in ORDINARY_CELLS}
    tasks = chunks(n, seed, gradcheck_cases, ORDINARY_CELLS)

    def keep(chunk: Chunk, caught: Caught) -> None:
        found[chunk.cell].add(caught)

    finished = collect(run_chunk, tasks, keep, workers, progress, "slightly wrong gradients")
    rows = _rows(found)
    return results.Sensitivity(
        verdict=worst(row.verdict for row in rows if row.family == "all"),
        relative_errors=RELATIVE_ERRORS,
        target_share=TARGET_SHARE,
        rows=tuple(rows),
        n_per_cell=n,
        seed=seed,
        workers=workers,
        gradcheck_per_cell=min(n, gradcheck_cases),
        seconds=perf_counter() - started,
        interrupted=not finished,
    )


def run_chunk(chunk: Chunk) -> Caught:
    """Draw, spoil and judge every case of one task."""
    import torch

    torch.set_num_threads(1)
    result = Caught()
    with np.errstate(all="ignore"):
        for number in range(chunk.first, chunk.first + chunk.n_cases):
            rng = np.random.default_rng([chunk.seed, CELLS.index(chunk.cell), number, STREAM])
            case = draw(rng, *chunk.cell)
            small = case.architecture.n_parameters <= LARGEST_FOR_GRADCHECK
            _spoil(case, rng, result, ask_gradcheck=small and number < chunk.gradcheck_cases)
    return result


def _spoil(case: Problem, rng: np.random.Generator, result: Caught, ask_gradcheck: bool) -> None:
    reference, witness = evidence(case)
    parts = tensors(case.architecture)
    tensor, shifted = int(rng.integers(len(parts))), bool(rng.integers(2))
    part = parts[tensor]
    found = contender_gradient("scratch", case)
    true = witness.value[part]
    resolved = bool(judge_gradient(reference, found, witness, shared_deltas=True))
    if not resolved or not found[part].any() or (np.abs(true) <= witness.error[part]).all():
        result.zero += 1
        return
    result.draws += 1

    def caught(exponent: int) -> bool:
        spoiled = found.copy()
        wrong = made_wrong(found[part], 10.0**exponent, shifted)
        spoiled[part] = wrong.astype(case.architecture.dtype)
        return judge_gradient(reference, spoiled, witness, shared_deltas=True).outcome == Outcome.FAIL

    result.caught += _caught_at_each(caught)
    if ask_gradcheck:
        _ask_gradcheck(case, tensor, shifted, result)


def made_wrong(gradient: Array, relative_error: float, shifted: bool) -> Array:
    """One tensor's gradient with this relative error."""
    if shifted:
        return np.asarray(gradient + relative_error * np.abs(gradient).max())
    return np.asarray(gradient * (1.0 + relative_error))


def _caught_at_each(caught: Callable[[int], bool]) -> Array:
    """1 for every exponent that is caught, by bisection: a larger error is never harder to see."""
    low, high = 0, len(EXPONENTS)  # EXPONENTS[:low] are caught, EXPONENTS[high:] are not
    while low < high:
        middle = (low + high) // 2
        if caught(EXPONENTS[middle]):
            low = middle + 1
        else:
            high = middle
    return (np.arange(len(EXPONENTS)) < low).astype(np.int64)


def _ask_gradcheck(case: Problem, tensor: int, shifted: bool, result: Caught) -> None:
    import torch

    from backproof.reference import torch_gradcheck

    arguments = case.architecture, case.weights, case.x, case.targets
    if not torch_gradcheck.passes(*arguments):
        result.gradcheck_rejected += 1
        return
    result.gradcheck_draws += 1

    def caught(exponent: int) -> bool:
        def change(gradient: torch.Tensor) -> torch.Tensor:
            wrong = made_wrong(gradient.detach().numpy(), 10.0**exponent, shifted)
            return torch.from_numpy(wrong).to(gradient.dtype)

        return not torch_gradcheck.passes(*arguments, (tensor, change))

    result.gradcheck_caught += _caught_at_each(caught)


def _rows(found: dict[Cell, Caught]) -> list[results.SensitivityRow]:
    """Per dtype and per family of it: the share of draws caught at each relative error, ours and
    gradcheck's."""
    rows = []
    for dtype, target in TARGETS.items():
        for family in ("all", *ORDINARY):
            total = Caught()
            for cell, caught in found.items():
                if cell[2] == dtype and family in ("all", cell[0]):
                    total.add(caught)
            rows.append(_row(dtype, family, total, target))
    return rows


def _row(dtype: str, family: str, total: Caught, target: float) -> results.SensitivityRow:
    shares = total.caught / max(1, total.draws)
    gradcheck = total.gradcheck_caught / max(1, total.gradcheck_draws)
    at_target = RELATIVE_ERRORS.index(target)
    return results.SensitivityRow(
        dtype=dtype,
        family=family,
        verdict=_verdict(int(total.caught[at_target]), total.draws),
        draws=total.draws,
        zero_gradients=total.zero,
        caught=tuple(map(float, shares)),
        target=target,
        caught_at_target=float(shares[at_target]),
        smallest_caught=_smallest(shares),
        gradcheck_draws=total.gradcheck_draws,
        gradcheck_rejected_correct=total.gradcheck_rejected,
        gradcheck_caught=tuple(map(float, gradcheck)),
        gradcheck_smallest_caught=_smallest(gradcheck),
    )


def _verdict(caught: int, draws: int) -> Outcome:
    """PASS at TARGET_SHARE and above; FAIL where even the upper 95% limit (Clopper, Pearson) is below it."""
    if draws == 0 or caught < draws * TARGET_SHARE:
        upper = beta.ppf(0.95, caught + 1, draws - caught) if caught < draws else 1.0
        return Outcome.FAIL if upper < TARGET_SHARE else Outcome.INCONCLUSIVE
    return Outcome.PASS


def _smallest(shares: Array) -> float | None:
    """The smallest relative error caught in at least TARGET_SHARE of the draws."""
    often = [error for error, share in zip(RELATIVE_ERRORS, shares, strict=True) if share >= TARGET_SHARE]
    return min(often, default=None)
