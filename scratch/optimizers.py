"""Update rules on flat vectors, with g = dL/dtheta + weight_decay * theta, as torch.optim defines them.

sgd    v <- mu v + g  (v = g at the first step);  theta <- theta - rate * v
       nesterov: theta <- theta - rate * (g + mu v)
       Sutskever, Martens, Dahl, Hinton 2013, in torch's form: the rate multiplies the velocity afterwards
adam   m <- b1 m + (1 - b1) g;  v <- b2 v + (1 - b2) g^2;
       theta <- theta - rate / (1 - b1^t) * m / (sqrt(v) / sqrt(1 - b2^t) + eps)
       Kingma, Ba 2015, algorithm 1
"""

import math
from typing import Protocol

import numpy as np

from scratch.architecture import Array, OptimizerSpec


class Optimizer(Protocol):
    learning_rate: float  # the spec's; a schedule sets it before each step

    def step(self, theta: Array, gradient: Array) -> None:
        """Update theta (n,) in place. `gradient` (n,) is left as it was."""


class SGD:
    """Stochastic gradient descent; keeps the velocity v when momentum is asked for."""

    def __init__(self, spec: OptimizerSpec, n_parameters: int, dtype: np.dtype) -> None:
        self.spec = spec
        self.learning_rate = spec.learning_rate
        self.velocity: Array | None = None
        self.update = np.empty(n_parameters, dtype)

    def step(self, theta: Array, gradient: Array) -> None:
        spec, update = self.spec, self.update
        g = gradient
        if spec.weight_decay:
            np.multiply(theta, spec.weight_decay, out=update)
            update += gradient
            g = update
        if spec.momentum:
            if self.velocity is None:
                self.velocity = g.copy()
            else:
                self.velocity *= spec.momentum
                self.velocity += g
            # g + mu v is formed in `update`, which may already hold g.
            v = self.velocity
            g = np.add(g, spec.momentum * v, out=update) if spec.nesterov else v
        theta -= np.multiply(g, self.learning_rate, out=update)


class Adam:
    """Adam; keeps both moments and the number of steps taken."""

    def __init__(self, spec: OptimizerSpec, n_parameters: int, dtype: np.dtype) -> None:
        self.spec = spec
        self.learning_rate = spec.learning_rate
        self.n_steps = 0
        self.first_moment = np.zeros(n_parameters, dtype)
        self.second_moment = np.zeros(n_parameters, dtype)
        self.update = np.empty(n_parameters, dtype)
        self.decayed = np.empty(n_parameters, dtype)

    def step(self, theta: Array, gradient: Array) -> None:
        spec, m, v, update = self.spec, self.first_moment, self.second_moment, self.update
        self.n_steps += 1
        g = gradient
        if spec.weight_decay:
            g = np.multiply(theta, spec.weight_decay, out=self.decayed)
            g += gradient
        # m <- b1 m + (1 - b1) g
        m *= spec.beta1
        m += np.multiply(g, 1 - spec.beta1, out=update)
        # v <- b2 v + (1 - b2) g^2
        v *= spec.beta2
        np.multiply(g, g, out=update)
        update *= 1 - spec.beta2
        v += update
        # theta <- theta - rate / (1 - b1^t) * m / (sqrt(v) / sqrt(1 - b2^t) + eps)
        np.sqrt(v, out=update)
        update /= math.sqrt(1 - spec.beta2**self.n_steps)
        update += spec.eps
        np.divide(m, update, out=update)
        update *= self.learning_rate / (1 - spec.beta1**self.n_steps)
        theta -= update


OPTIMIZERS: dict[str, type[SGD] | type[Adam]] = {"sgd": SGD, "adam": Adam}


def make_optimizer(spec: OptimizerSpec, theta: Array) -> Optimizer:
    """A fresh optimiser for a vector like `theta`."""
    return OPTIMIZERS[spec.name](spec, theta.size, theta.dtype)
