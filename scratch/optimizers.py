"""Update rules on flat vectors, with g = dL/dtheta + weight_decay * theta, as torch.optim defines them.

sgd    v <- mu v + g  (v = g at the first step);  theta <- theta - rate * v
       nesterov: theta <- theta - rate * (g + mu v)
       Sutskever, Martens, Dahl, Hinton 2013, in torch's form: the rate multiplies the velocity afterwards
adam   m <- b1 m + (1 - b1) g;  v <- b2 v + (1 - b2) g^2;
       theta <- theta - rate / (1 - b1^t) * m / (sqrt(v) / sqrt(1 - b2^t) + eps)
       Kingma, Ba 2015, algorithm 1

An update is bound by memory, so what counts is the number of passes over the vectors. Rules of several passes
work through them in blocks that stay in the cache from one pass to the next. Plain sgd is a single pass: it
takes the gradient of rate * L instead of that of L, the rate being folded into the few numbers from which the
backward pass starts. What L is to be multiplied by, each rule says itself: its `loss_factor`.
"""

import math
from collections.abc import Iterator
from typing import Protocol

import numpy as np

from .architecture import Array, Flat, OptimizerSpec

# Adam's five vectors in 1.3 MB of float32. In smaller blocks the cost of a call shows: 269,000 parameters
# take 418 us in blocks of 8,192 and 263 us in these. Without any, long vectors go through memory ten times.
BLOCK = 65_536


class Optimizer(Protocol):
    """An update rule with its state; `learning_rate` may be set before each step."""

    learning_rate: float

    @property
    def loss_factor(self) -> float:
        """What the loss is multiplied by before its gradient is taken for the next step."""

    def step(self, theta: Flat, gradient: Flat) -> None:
        """One update of theta, in place, and of the rule's own state.

        Parameters
        ----------
        theta
            (n_parameters,), overwritten.
        gradient
            (n_parameters,): loss_factor * dL/dtheta, left as it was.
        """


class PlainSGD:
    """theta <- theta - rate * dL/dtheta, and no more: neither momentum nor weight decay."""

    def __init__(self, spec: OptimizerSpec) -> None:
        self.learning_rate = spec.learning_rate

    @property
    def loss_factor(self) -> float:
        return self.learning_rate

    def step(self, theta: Flat, gradient: Flat) -> None:
        theta -= gradient


class SGD:
    """Stochastic gradient descent with momentum, weight decay or both; keeps the velocity v."""

    loss_factor = 1.0

    def __init__(self, spec: OptimizerSpec, theta: Flat) -> None:
        self.spec = spec
        self.learning_rate = spec.learning_rate
        # Zero at first: mu * 0 + g is g, exactly.
        self.velocity = np.zeros_like(theta if spec.momentum else theta[:0])
        self.update = np.empty_like(theta[:BLOCK])

    def step(self, theta: Flat, gradient: Flat) -> None:
        for block, update in _blocks(theta.size, self.update):
            self._step(theta[block], gradient[block], self.velocity[block], update)

    def _step(self, theta: Flat, g: Flat, v: Flat, update: Flat) -> None:
        spec = self.spec
        if spec.weight_decay:
            g = np.add(g, spec.weight_decay * theta, out=update)
        if spec.momentum:
            # v <- mu v + g
            v *= spec.momentum
            v += g
            # g + mu v is formed in `update`, which may already hold g.
            g = np.add(g, spec.momentum * v, out=update) if spec.nesterov else v
        # theta <- theta - rate * g
        np.multiply(g, self.learning_rate, out=update)
        theta -= update


class Adam:
    """Adam; keeps both moments and the number of steps taken.

    The moments are kept without their factors (1 - b1) and (1 - b2): m / (1 - b1) is a plain b1 m + g. The
    factors join the bias corrections, which are scalars, and two passes over memory are saved.
    """

    loss_factor = 1.0

    def __init__(self, spec: OptimizerSpec, theta: Flat) -> None:
        self.spec = spec
        self.learning_rate = spec.learning_rate
        self.n_steps = 0
        self.first_moment = np.zeros_like(theta)  # m / (1 - b1)
        self.second_moment = np.zeros_like(theta)  # v / (1 - b2)
        self.update = np.empty_like(theta[:BLOCK])

    def step(self, theta: Flat, gradient: Flat) -> None:
        self.n_steps += 1
        for block, update in _blocks(theta.size, self.update):
            g = gradient[block]
            if self.spec.weight_decay:
                g = g + self.spec.weight_decay * theta[block]
            self._step(theta[block], g, self.first_moment[block], self.second_moment[block], update)

    def _step(self, theta: Flat, g: Flat, m: Flat, v: Flat, update: Flat) -> None:
        b1, b2 = self.spec.beta1, self.spec.beta2
        t = self.n_steps
        # m <- b1 m + g
        m *= b1
        m += g
        # v <- b2 v + g^2
        v *= b2
        np.multiply(g, g, out=update)
        v += update
        # root = sqrt((1 - b2) / (1 - b2^t))
        root = math.sqrt((1 - b2) / (1 - b2**t))
        # theta <- theta - rate (1 - b1) / (1 - b1^t) * m / (sqrt(v) root + eps)
        np.sqrt(v, out=update)
        update += self.spec.eps / root
        np.divide(m, update, out=update)
        update *= self.learning_rate * (1 - b1) / (1 - b1**t) / root
        theta -= update


def make_optimizer(spec: OptimizerSpec, theta: Flat) -> Optimizer:
    """A fresh optimiser for a vector like `theta`.

    Parameters
    ----------
    spec
        The rule and its constants.
    theta
        A vector (n_parameters,); its length and dtype are those of the optimiser's state.

    Returns
    -------
    Optimizer
        Its moments are zero and it has taken no step; theta is not kept.
    """
    if spec.name == "adam":
        return Adam(spec, theta)
    if spec.momentum or spec.weight_decay:
        return SGD(spec, theta)
    return PlainSGD(spec)


def _blocks(n: int, scratchpad: Array) -> Iterator[tuple[slice, Array]]:
    """Each block of a vector (n,), and as much of the scratchpad."""
    for start in range(0, n, BLOCK):
        yield slice(start, start + BLOCK), scratchpad[: n - start]
