"""The gradient against numerical differentiation of the class's own loss: it needs no reference at all.

This tells a wrong gradient (it does not belong to its own loss) from a wrong loss with the gradient that
belongs to it.
"""

import numpy as np

from comparisons.check.cases import Case
from comparisons.check.findings import require
from comparisons.check.subject import Subject
from comparisons.kinks import flat_gradient
from scratch.architecture import Array
from scratch.parameters import Parameters


def own_loss(subject: Subject, case: Case) -> None:
    from comparisons.black_box import check_gradient

    architecture = case.architecture
    theta = np.concatenate([np.ravel(array) for pair in case.weights for array in pair])

    def loss_at(point: Array) -> float:
        subject.load(architecture, Parameters(architecture, point.copy()).weights())
        return subject.loss_and_gradient(case.x, case.targets)[0]

    def gradient_at(point: Array) -> Array:
        subject.load(architecture, Parameters(architecture, point.copy()).weights())
        return flat_gradient(subject.loss_and_gradient(case.x, case.targets)[1])

    verdict = check_gradient(loss_at, gradient_at, theta, name=architecture.parameter_name)
    require("gradient against differences of its own loss", verdict)
