"""An observation of a class that answers what a test says, for one network and its batch."""

from dataclasses import dataclass, replace

import numpy as np

from backproof.comparisons.check.battery.grid import generic_problem
from backproof.comparisons.check.diagnosis.evidence import Observation
from backproof.comparisons.check.forms.expected import Convention, Expected
from backproof.comparisons.verdicts.rounding import Bounded
from backproof.scratch.architecture import ActivationName, Architecture, Array, LossName
from backproof.scratch.gradients import gradient
from backproof.scratch.network import Network
from backproof.scratch.parameters import Parameters

OURS = Convention()


@dataclass(frozen=True)
class Asked:
    """Which network; the loss and the gradient are the right ones."""

    sizes: tuple[int, ...] = (3, 4, 4, 2)
    activation: ActivationName = "tanh"
    loss: LossName = "mse"
    n: int = 5
    output_activation: str = "identity"
    convention: Convention = OURS
    seed: int = 0


def observed(asked: Asked, found: Array | None = None) -> Observation:
    """With `found` (n_parameters,) for its gradient."""
    architecture = Architecture(asked.sizes, asked.activation, asked.loss)
    problem = generic_problem(architecture, asked.n, asked.seed)
    network = Network(architecture, Parameters.from_weights(architecture, problem.weights))
    z = network.forward(problem.x)[-1].copy()
    loss = float(network.loss(problem.x, problem.targets))
    right = gradient(network, problem.x, problem.targets, "backprop")
    outputs = {"sigmoid": 1 / (1 + np.exp(-z)), "tanh": np.tanh(z)}.get(asked.output_activation, z)
    if asked.output_activation == "softmax":
        outputs = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    expected = Expected(problem, _exact(outputs), _exact(np.array(loss)), _exact(right), undecided=False)
    return Observation(
        problem, expected, loss, right if found is None else found, asked.activation,
        asked.output_activation, asked.convention,
    )  # fmt: skip


def answering(o: Observation, found: Array) -> Observation:
    """The same question, another gradient."""
    return replace(o, gradient=found)


def _exact(value: Array) -> Bounded:
    return Bounded(value, np.full(value.shape, 1e-13))
