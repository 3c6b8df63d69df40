"""The gradient against numerical differentiation of the class's own loss: it needs no reference at all.

This tells a wrong gradient (it does not belong to its own loss) from a wrong loss with the gradient that
belongs to it. One entry of every tensor is checked against differences: each costs 20 to 50 calls.
"""

import numpy as np

from backproof.comparisons.check.battery.cases import problems
from backproof.comparisons.check.battery.check import check
from backproof.comparisons.check.battery.findings import Mismatch, require, require_a_loss
from backproof.comparisons.check.battery.grid import some
from backproof.comparisons.check.forms.candidate import Candidate
from backproof.comparisons.check.forms.expected import capped_loss, forward_logits
from backproof.comparisons.verdicts.any_function import check_gradient
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.relu_kinks import flat_gradient, tensors
from backproof.scratch.architecture import Array
from backproof.scratch.parameters import Parameters
from backproof.scratch.problem import Problem

SHOWN_STEP = 2.0**-10


@check(
    "Is the gradient that of its own loss, by numerical differentiation?",
    "load loss_and_gradient",
    lambda space: problems(space, families=("eighths", "normal", "saturated"), max_batch=3),
    some,
    0.2,
    follows=("logits", "loss", "gradient"),
)
def differences(candidate: Candidate, problem: Problem) -> None:
    """A constant inside the logarithm that has been named a convention is first taken out of the loss."""
    architecture = problem.architecture

    def evaluate(point: Array) -> tuple[float, Array]:
        here = Problem(
            architecture, Parameters(architecture, point.copy()).weights(), problem.x, problem.targets
        )
        candidate.load(architecture, here.weights)
        loss, gradient = candidate.loss_and_gradient(here.x, here.targets)
        require_a_loss(candidate)
        return loss - _named_shift(candidate, here), flat_gradient(gradient)

    start = flat_gradient(problem.weights)
    loss, _ = evaluate(start)
    if not np.isfinite(loss):
        raise Mismatch(
            f"loss: {loss} at finite weights, where no difference can be taken", None, candidate.calls
        )
    verdict = check_gradient(
        lambda point: evaluate(point)[0],
        lambda point: evaluate(point)[1],
        start,
        entries=_one_per_tensor(candidate, problem),
        name=architecture.parameter_name,
    )
    if verdict.outcome == Outcome.FAIL:
        _show(candidate, problem, verdict.worst)
    require("gradient against differences of its own loss", verdict.overall)


def _named_shift(candidate: Candidate, problem: Problem) -> float:
    convention = candidate.conventions.of(problem)
    if convention.exact or not (convention.shift or convention.clip):
        return 0.0
    z = forward_logits(problem, candidate.form)
    plain = capped_loss(problem, z, 0.0, 0.0)
    capped = capped_loss(problem, z, convention.shift, convention.clip)
    return convention.factor.at(problem) * (capped - plain)


def _show(candidate: Candidate, problem: Problem, worst: str) -> None:
    """Of the many calls leave the telling ones: at the point, and to both sides along the worst entry."""
    candidate.renew()
    architecture, point = problem.architecture, flat_gradient(problem.weights)
    entry = next(i for i in range(point.size) if architecture.parameter_name(i) == worst)
    for offset in (0.0, SHOWN_STEP, -SHOWN_STEP):
        moved = point.copy()
        moved[entry] += offset
        candidate.load(architecture, Parameters(architecture, moved).weights())
        candidate.loss_and_gradient(problem.x, problem.targets)


def _one_per_tensor(candidate: Candidate, problem: Problem) -> list[int]:
    rng = np.random.default_rng(problem.batch_size)
    parts = tensors(problem.architecture)
    chosen = [int(rng.integers(part.start, part.stop)) for part in parts]
    return chosen[::2] if candidate.form.biases == "none" else chosen
