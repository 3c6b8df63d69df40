"""From which size of logits on a loss or a gradient is not finite any more, measured on the class itself.

The last layer of an ordinary network is scaled, its targets turned against its logits, and the scale bisected
between a size that is answered with finite numbers and one that is not. Where that is tells what it is, in
float64:

    largest |z| about  37       1 - p rounds to 0: log(1 - p) is minus infinity
    largest |z| about 355       exp(z)^2 overflows
    largest |z| about 710       exp(z) overflows
    largest gap, of a row's largest logit and its target's, about 745
                                p itself underflows to 0: log(p) is minus infinity
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from backproof.comparisons.check.diagnosis.evidence import Observation, observed, saturated
from backproof.comparisons.check.exploration import Explored
from backproof.comparisons.check.forms.expected import forward_logits
from backproof.comparisons.check.results import Cause
from backproof.comparisons.check.subject.subject import Misbehaviour
from backproof.scratch.problem import Problem

PRECISE = 1.01  # neighbouring sizes between which no more is asked
ENDS = (  # of the largest |z|: (from, up to, what it is)
    (30.0, 45.0, "1 - p rounds to 0 there, and its logarithm is minus infinity"),
    (340.0, 370.0, "the square of exp(z) overflows there"),
    (690.0, 728.0, "exp(z) overflows there"),
)
UNDERFLOW = (700.0, 800.0, "p underflows to 0 there, and its logarithm is minus infinity")  # of the gap
STABLE_LOSS = {
    "cross_entropy": "log p = z - m - log(sum(exp(z - m))) with m = max(z)",
    "binary_cross_entropy": "max(z, 0) - t z + log(1 + exp(-|z|))",
}
STABLE_SLOPE = "s (1 - s) from s itself for a sigmoid's derivative, and p - t for that of an entropy"


@dataclass(frozen=True)
class Overflow:
    """The smallest logits found at which `what` (loss or gradient) of this loss is not finite."""

    what: str
    loss: str
    size: float
    gap: float  # in one row, of the largest logit and that of the target


def overflow_causes(explored: Explored, seen: Sequence[Observation]) -> dict[str, Cause]:
    """By loss, where only saturated logits give what is not finite, and could be finite."""
    found = {}
    for loss in dict.fromkeys(o.loss_name for o in seen):
        mine = [o for o in seen if o.loss_name == loss]
        endless = [o for o in mine if _what(o)]
        if endless and all(o.family == "saturated" for o in endless) and len(endless) < len(mine):
            measured = _measured(explored, endless[0])
            ordinary = max(_largest(o.problem) for o in mine if o.family == "generic")
            if measured is not None:
                found[loss] = Cause(sentence(measured, ordinary), "fits", about=_about(measured))
    return found


def _about(found: Overflow) -> str:
    """What of the class it is in: an exp that overflows is not in the line of the logarithm."""
    if found.what == "gradient":
        return "slope"
    overflows = 690.0 <= found.size < 728.0
    return "softmax" if overflows and found.loss == "cross_entropy" else f"loss {found.loss}"


def _what(o: Observation) -> str:
    """What of the answer is not finite; empty where all is, or where the class gives no loss."""
    if not np.isfinite(o.gradient).all():
        return "gradient" if np.isfinite(o.loss) else "loss"
    return "loss" if np.isinf(o.loss) or (np.isnan(o.loss) and o.family == "saturated") else ""


def _largest(problem: Problem) -> float:
    return float(np.abs(forward_logits(problem)).max())


def _measured(explored: Explored, endless: Observation) -> Overflow | None:
    """Bisection on the logarithm of the size. None where no size divides finite from not finite."""

    def asked(size: float) -> str:
        try:
            return _what(observed(explored.candidate, _opposed(endless.problem, size), "saturated"))
        except Misbehaviour:
            return ""

    finite, not_finite = 1.0, _largest(endless.problem)
    what = asked(not_finite)
    if asked(finite) or not what:
        return None
    while not_finite > PRECISE * finite:
        middle = float(np.sqrt(finite * not_finite))
        said = asked(middle)
        finite, not_finite, what = (finite, middle, said) if said else (middle, not_finite, what)
    return Overflow(what, endless.loss_name, not_finite, _gap(_opposed(endless.problem, not_finite)))


def _gap(problem: Problem) -> float:
    z = forward_logits(problem)
    if problem.architecture.loss == "cross_entropy":
        return float((z.max(axis=1) - z[np.arange(len(z)), problem.targets]).max())
    return float(np.abs(z).max())


def _opposed(problem: Problem, size: float) -> Problem:
    """Its largest logit of this size, and targets on the side that the logits speak against.

    That logit is above zero for the entropies, whose exp(z) it makes large, and below for squared errors:
    there it is exp(-z) of a sigmoid at the output.
    """
    problem = saturated(problem, size)
    z = forward_logits(problem)
    sign = 1 if problem.architecture.loss.endswith("cross_entropy") else -1
    if (sign * z).max() < np.abs(z).max():
        W, b = problem.weights[-1]
        problem, z = replace(problem, weights=[*problem.weights[:-1], (-W, -b)]), -z
    if problem.architecture.loss == "cross_entropy":
        return replace(problem, targets=z.argmin(axis=1))
    if problem.architecture.loss == "binary_cross_entropy":
        return replace(problem, targets=(z < 0) * 1.0)
    return problem


def sentence(found: Overflow, ordinary: float) -> str:
    """What is told; `ordinary` is the largest logit of the ordinary networks."""
    reading = _reading(found)
    stable = STABLE_LOSS.get(found.loss, STABLE_SLOPE) if found.what == "loss" else STABLE_SLOPE
    return (
        f"overflow: the {found.what} is not finite from logits of about {found.size:.3g} on ({reading}); in "
        f"the ordinary networks tried here logits stay below {np.ceil(ordinary):g}. Stable: {stable}"
    )


def _reading(found: Overflow) -> str:
    for low, high, words in ENDS:
        if low <= found.size < high:
            return words
    low, high, words = UNDERFLOW
    return words if found.what == "loss" and low <= found.gap < high else "something overflows there"
