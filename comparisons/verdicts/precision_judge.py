"""float32 and below as they are: their derivatives against those in float64, at the same numbers.

The formulas were judged in float64; what can still be wrong is the lower precision's own kernel. Of the
errors e_k = g_low(theta_k) - g_64(theta_k) at K points within a few roundings of theta, what rounding makes
changes from point to point and all but averages out; a mistake does not. With s the standard deviation of the
e_k, entry by entry and not less than that of the whole tensor,

    |mean e| <= 8 s / sqrt(K) + r eps max |g_64|

for any kernel that rounds with a bias of at most r eps: 64 in float32, where constants such as the eps of a
norm may follow the dtype, 16 in tf32, whose operands may be cut off, and 4 in half precision. The bound is an
estimate, and called so. eps is that of the coarsest format in which it is seen to compute: that of tensors,
outputs, or what lies between (autocast).

A tensor whose gradient is zero but for rounding (a bias in front of a batch norm) is held to the size of
the whole gradient: below TINY of that nothing is left to resolve.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from backproof.comparisons.verdicts.derivative_judge import Search, projections, tensors_of
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.parameter_tree import InPlace, Tensor
from backproof.comparisons.verdicts.verdict import Asked, Tier, Verdict, compare
from backproof.reference.program import EPS, Program, dtype_of
from backproof.scratch.architecture import Array

POINTS = {"float64": 8, "float32": 8, "tf32": 32, "float16": 32, "bfloat16": 32}
NEAR = 4.0  # roundings by which the points differ
DEVIATIONS = 8.0
ROUNDINGS = {"float64": 64.0, "float32": 64.0, "tf32": 16.0, "float16": 4.0, "bfloat16": 4.0}
TINY = 1e-10
GRID = 16.0  # c in sixteenths is exact in every dtype
REQUIRED = {"float64": 1e-6, "float32": 1e-3, "tf32": 0.1, "float16": 0.1, "bfloat16": 0.1}
LARGEST = {"float16": 65504.0, "float32": 3.4e38, "tf32": 3.4e38, "bfloat16": 3.4e38, "float64": 1.8e308}
OTHER = {
    "float64": 1e-2,
    "float32": 1e-2,
    "tf32": 0.3,
    "float16": 0.3,
    "bfloat16": 0.3,
}  # of the largest output
ROOM = 0.01  # of the largest number: beyond it an overflow on the way is possible


@dataclass(frozen=True)
class Pairs:
    """What was found of one tensor, and what it is checked against: one row for each function, (m, n)."""

    found: Array
    expected: Array
    bound: Array
    of_all: Array  # (m,): the size of the whole gradient

    def judged(self, required: float, name: Callable[[int], str]) -> Verdict:
        """All rows at once; `name` names entry i of one row."""
        n = self.expected.shape[1]
        closeness = Asked(None, Tier.ESTIMATE)
        verdict = compare(
            self.found, self.expected, self.bound, lambda i: name(i % n), self.groups, None, closeness
        )
        if verdict.outcome != Outcome.PASS:
            return verdict
        if not self.groups:
            return replace(verdict, reason=f"{verdict.reason}; zero but for rounding")
        if verdict.resolution > required:
            return replace(verdict, outcome=Outcome.INCONCLUSIVE, reason=self._too_coarse(verdict, required))
        words = f"{verdict.reason}; {verdict.sensitivity} (estimated bounds)"
        return replace(verdict, required=required, reason=words)

    @property
    def groups(self) -> list[slice] | None:
        """The rows that are more than rounding."""
        n = self.expected.shape[1]
        sizes = np.abs(self.expected).max(axis=1, initial=0.0)
        alive = np.flatnonzero(sizes > TINY * self.of_all)
        return [slice(int(row) * n, (int(row) + 1) * n) for row in alive] or None

    def _too_coarse(self, verdict: Verdict, required: float) -> str:
        return (
            f"rounding hides errors below {verdict.resolution:.1g} of the tensor, where {required:.1g} is "
            "required; arguments nearer to 1, or a larger `required`, would help"
        )


def judge_precision(fine: Program, coarse: Program, search: Search, faint: float = 0.0) -> dict[str, Verdict]:
    """A verdict for every tensor, under its name and the dtype of the lower precision.

    Functions whose whole gradient is at most `faint` of the largest one are rounding, and are left out.

    Parameters
    ----------
    fine
        The program in float64.
    coarse
        The same one in a lower precision.
    search
        What is looked at, and how finely.
    faint
        Functions whose whole gradient is at most this share of the largest one are rounding, and are left
        out.

    Returns
    -------
    dict of Verdict
        In the program's order.
    """
    found = tensors_of(coarse)
    c = np.round(GRID * projections(coarse.outputs, search.seed).c) / GRID
    low, high, overflow, other = _at_points(fine, coarse, found, c, search.seed)
    dtype = _lowest(coarse)
    required = max(search.required or 0.0, REQUIRED[dtype])
    largest = np.max([np.abs(g).max(axis=(0, 2), initial=0.0) for g in high], axis=0)
    alive = (largest > faint * largest.max()) | (largest.max() == 0)
    verdicts = {}
    for tensor, ours, theirs in zip(found, low, high, strict=True):
        pairs = _paired(ours[:, alive], theirs[:, alive], largest[alive], dtype)
        if overflow:
            pairs = replace(pairs, bound=np.full_like(pairs.bound, np.inf))
        verdict = pairs.judged(required, tensor.entry)
        if verdict.outcome == Outcome.FAIL and other:
            verdict = replace(verdict, outcome=Outcome.INCONCLUSIVE, reason=_another_function(coarse))
        verdicts[f"{tensor.name} ({_said(coarse)})"] = verdict
    return verdicts


def _lowest(program: Program) -> str:
    """The coarsest format in which it computes."""
    return program.inside or _declared(program)


def _another_function(coarse: Program) -> str:
    """Why differing gradients prove nothing where the values differ as much."""
    return (
        f"f computes other numbers in float64 than in {_said(coarse)}, so its gradients there prove nothing: "
        "numbers drawn with a fixed seed may depend on the dtype; draw them outside f"
    )


def _declared(program: Program) -> str:
    """The coarsest dtype among tensors and outputs."""
    cells = [str(cell.dtype).rpartition(".")[2] for cell in program.cells.values()]
    return max([dtype_of(program.outputs), *cells], key=lambda name: EPS[name])


def _said(program: Program) -> str:
    """``float32``, or ``float32, bfloat16 inside``."""
    return _declared(program) + (f", {program.inside} inside" if program.inside else "")


def _paired(low: Array, high: Array, of_all: Array, dtype: str) -> Pairs:
    """Of gradients (K, m, n) in both precisions."""
    with np.errstate(invalid="ignore"):
        errors = low - high
        spread = errors.std(axis=0, ddof=1)
        typical = np.sqrt(np.square(spread).mean(axis=1, keepdims=True))
        spread = np.nan_to_num(np.fmax(spread, typical), nan=0.0)
    size = np.abs(high).max(axis=(0, 2), initial=0.0)
    size = np.where(size <= TINY * of_all, of_all, size)
    bound = DEVIATIONS / np.sqrt(len(low)) * spread + ROUNDINGS[dtype] * EPS[dtype] * size[:, None]
    return Pairs(low.mean(axis=0), high.mean(axis=0), bound, of_all)


def _at_points(
    fine: Program, coarse: Program, found: Sequence[Tensor], c: Array, seed: int
) -> tuple[list[Array], list[Array], bool, bool]:
    """Per tensor the gradients (K, m, n) in low and in double precision; what speaks against judging them:

    whether numbers may overflow, and whether f is another function in double precision.
    """
    rng = np.random.default_rng([seed, 3])
    below, above = InPlace(found), InPlace(tensors_of(fine))
    steps = [NEAR * EPS[_lowest(coarse)] * np.abs(tensor.flat) for tensor in found]
    low: list[list[Array]] = []
    high: list[list[Array]] = []
    largest = 0.0
    everything = range(len(found))
    try:
        for _ in range(POINTS[_lowest(coarse)]):
            for number, (tensor, step) in enumerate(zip(found, steps, strict=True)):
                really = below.write(number, tensor.flat + step * rng.uniform(-1, 1, tensor.flat.shape))
                above.write(number, really)
            low.append(coarse.pull(c))
            high.append(fine.pull(c))
            largest = max(largest, *(float(np.abs(g).max(initial=0.0)) for g in high[-1]))
        values = fine.values()
        size = float(np.abs(values).max(initial=0.0))
        off = float(np.abs(coarse.values() - values).max(initial=0.0))
        largest = max(largest, size)
    finally:
        below.restore(everything)
        above.restore(everything)
    overflow = largest > ROOM * LARGEST[_lowest(coarse)]
    return (
        [np.array(g) for g in zip(*low, strict=True)],
        [np.array(g) for g in zip(*high, strict=True)],
        overflow,
        off > OTHER[_lowest(coarse)] * size,
    )
