"""A step that updates a layer's weights before it passes the gradient back through them.

With W'_l = W_l - rate g_l in place of W_l in delta_(l-1) = delta_l W'_l^T f'(z_(l-1)), what a step changes in
the hidden layers, divided by the rate, is a polynomial in the rate, of degree 2^(L - 1) - 1 in the first of L
layers, while the last layer's is the same at every rate. Its value at rate 0 is what would be passed back
otherwise.
"""

import numpy as np

from backproof.comparisons.check.diagnosis.evidence import telling_problems
from backproof.comparisons.check.exploration import Explored
from backproof.comparisons.check.forms.candidate import Candidate, at_zero, early_rates
from backproof.comparisons.check.results import Cause
from backproof.comparisons.check.subject.subject import Misbehaviour
from backproof.comparisons.verdicts.relu_kinks import flat_gradient
from backproof.scratch.architecture import Array
from backproof.scratch.problem import Problem

EARLY = "the gradient is passed back through weights already updated: update them after the backward pass"
DIFFERENT = {"float64": 1e-6, "float32": 1e-2}  # of a layer's largest entry
POLYNOMIAL = {"float64": 1e-9, "float32": 1e-3}


def early_update(explored: Explored, seed: int) -> Cause | None:
    """The cause, where the class offers a step in place of a gradient and every deep problem shows it."""
    if not explored.candidate.form.step:
        return None
    deep = [p for p, family in telling_problems(explored, seed) if family == "generic" and len(p.weights) > 1]
    seen = [_is_early(explored.candidate, problem) for problem in deep[:3]]
    return Cause(EARLY, "explains", about="update") if seen and all(seen) else None


def _is_early(candidate: Candidate, problem: Problem) -> bool:
    depth, dtype = len(problem.weights), problem.architecture.dtype
    known = early_rates(depth)
    rates = [*known, known[-1] + known[0]]
    try:
        readings = np.array([_reading(candidate, problem, rate) for rate in rates])
    except Misbehaviour:
        return False
    if not np.isfinite(readings).all():
        return False
    # From all rates but the last the polynomial is known: it must go through the last one.
    at_last = _through(rates, readings)
    last = problem.architecture.layer_slices()[-1][0].start
    size = float(np.abs(readings).max())
    moves = np.abs(np.ptp(readings, axis=0))
    return bool(
        moves[:last].max() > DIFFERENT[dtype] * size
        and moves[last:].max() <= POLYNOMIAL[dtype] * size
        and np.abs(at_last - readings[-1]).max() <= POLYNOMIAL[dtype] * size
    )


def _through(rates: list[float], readings: Array) -> Array:
    """The polynomial of all readings but the last, at the last rate."""
    shifted = [rate - rates[-1] for rate in rates[:-1]]
    found: Array = at_zero(shifted) @ readings[:-1]
    return found


def _reading(candidate: Candidate, problem: Problem, rate: float) -> Array:
    candidate.renew()
    candidate.load(problem.architecture, problem.weights)
    _, gradient = candidate.step_at(rate, *candidate.given(problem.x, problem.targets))
    return flat_gradient(gradient)
