"""The gradient against numerical differentiation of the class's own loss: it needs no reference at all.

This tells a wrong gradient (it does not belong to its own loss) from a wrong loss with the gradient that
belongs to it. One entry of every tensor is held against differences: each costs 20 to 50 calls.
"""

import numpy as np

from backproof.comparisons.check.battery.cases import Case
from backproof.comparisons.check.battery.findings import require
from backproof.comparisons.check.subject.subject import Subject
from backproof.comparisons.verdicts.any_function import check_gradient
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.relu_kinks import flat_gradient, tensors
from backproof.scratch.architecture import Array
from backproof.scratch.parameters import Parameters

SHOWN_STEP = 2.0**-10


def own_loss(subject: Subject, case: Case) -> None:
    architecture = case.architecture

    def evaluate(point: Array) -> tuple[float, Array]:
        subject.load(architecture, Parameters(architecture, point.copy()).weights())
        loss, gradient = subject.loss_and_gradient(case.x, case.targets)
        return loss, flat_gradient(gradient)

    verdict = check_gradient(
        lambda point: evaluate(point)[0],
        lambda point: evaluate(point)[1],
        flat_gradient(case.weights),
        entries=_one_per_tensor(case),
        name=architecture.parameter_name,
    )
    if verdict.outcome == Outcome.FAIL:
        _show(subject, case, verdict.worst)
    require("gradient against differences of its own loss", verdict.overall)


def _show(subject: Subject, case: Case, worst: str) -> None:
    """Of the many calls leave the telling ones: at the point, and to both sides along the worst entry."""
    subject.renew()
    architecture, point = case.architecture, flat_gradient(case.weights)
    entry = next(i for i in range(point.size) if architecture.parameter_name(i) == worst)
    for offset in (0.0, SHOWN_STEP, -SHOWN_STEP):
        moved = point.copy()
        moved[entry] += offset
        subject.load(architecture, Parameters(architecture, moved).weights())
        subject.loss_and_gradient(case.x, case.targets)


def _one_per_tensor(case: Case) -> list[int]:
    rng = np.random.default_rng(case.batch_size)
    return [int(rng.integers(part.start, part.stop)) for part in tensors(case.architecture)]
