"""How far rounding can carry two correct optimisers apart, by running error analysis: nothing is fitted.

`Exact` takes the steps of torch.optim's formulas in extended precision and carries along, entry by entry, a
bound b on how far an implementation in `dtype` may be (u is its unit roundoff; an operation with a scalar
costs two roundings, since the scalar is rounded to `dtype` too; capitals bound absolute values):

    g' = g + d theta              b_g = d b_t + 4 u (G + d T)
    v  = mu v + g'                b_v = mu b_v + b_g + 4 u (mu V + G')
    m  = b1 m + (1 - b1) g'       b_m likewise, with 6 u: m + (1 - b1) (g' - m) is the same sum
    s  = sqrt(v), v = sum_k w_k g'_k^2 is the weighted 2-norm of the g'_k: by the triangle inequality an
         error of b_g in each moves it by at most the same norm of the b_g; v itself is a sum of positive
         terms, relative error at most 8 u per step, half of that in s
    q  = m / (s / c + eps)        b_q = (b_m + |q| b_d) / (d - b_d), d the denominator
    theta - rate q                b_t = b_t + rate b_q + 4 u (T + rate Q)

Gradients are given from outside and the same for everybody, so nothing is amplified by the network.
Higham 2002, section 3.3 (running error analysis).
"""

import numpy as np

from backproof.scratch.architecture import Array, OptimizerSpec
from tests.support.tolerances import unit_roundoff

LONG = np.longdouble


class NothingToSayError(Exception):
    """Adam divides by something that rounding alone could make zero: any two implementations may part."""


class Exact:
    """theta (n,) after the steps taken so far, and `bound` (n,) on an implementation's distance from it."""

    def __init__(self, spec: OptimizerSpec, theta: Array, dtype: str) -> None:
        self.spec, self.u = spec, LONG(unit_roundoff(dtype))
        self.theta: Array = theta.astype(LONG)
        self.bound = np.zeros_like(self.theta)
        self.n_steps = 0
        self.first, self.first_bound = np.zeros_like(self.theta), np.zeros_like(self.theta)
        self.second, self.second_bound = np.zeros_like(self.theta), np.zeros_like(self.theta)

    def step(self, gradient: Array) -> None:
        self.n_steps += 1
        decay, size = LONG(self.spec.weight_decay), np.abs(self.theta) + self.bound
        g = gradient.astype(LONG) + decay * self.theta
        error = decay * self.bound + 4 * self.u * (np.abs(gradient).astype(LONG) + decay * size)
        rate, q, q_error = (self._sgd if self.spec.name == "sgd" else self._adam)(g, error)
        self.theta = self.theta - rate * q
        self.bound = self.bound + rate * q_error + 4 * self.u * (size + rate * (np.abs(q) + q_error))

    def _sgd(self, g: Array, error: Array) -> tuple[LONG, Array, Array]:
        mu, u = LONG(self.spec.momentum), self.u
        v_size = np.abs(self.first) + self.first_bound
        self.first = mu * self.first + g
        self.first_bound = mu * self.first_bound + error + 4 * u * (mu * v_size + np.abs(g) + error)
        rate = LONG(self.spec.learning_rate)
        if not self.spec.nesterov:
            return rate, self.first, self.first_bound
        sizes = np.abs(g) + error + mu * (np.abs(self.first) + self.first_bound)
        return rate, g + mu * self.first, error + mu * self.first_bound + 4 * u * sizes

    def _adam(self, g: Array, error: Array) -> tuple[LONG, Array, Array]:
        spec, t, u = self.spec, self.n_steps, self.u
        b1, b2 = LONG(spec.beta1), LONG(spec.beta2)
        sizes = np.abs(self.first) + self.first_bound + np.abs(g) + error
        self.first = b1 * self.first + (1 - b1) * g
        self.first_bound = b1 * self.first_bound + (1 - b1) * error + 6 * u * sizes
        self.second = b2 * self.second + (1 - b2) * g * g
        self.second_bound = b2 * self.second_bound + (1 - b2) * error * error
        root, norm = np.sqrt(self.second), np.sqrt(self.second_bound)
        root_error = norm + (4 * t + 2) * u * (root + norm)
        # The corrections are Python floats in every implementation: taken as they come out there.
        c = np.sqrt(LONG(1 - spec.beta2**t))
        d = root / c + LONG(spec.eps)
        d_error = root_error / c + 4 * u * d
        q = self.first / d
        if not (d_error < d).all():
            raise NothingToSayError
        q_error = (self.first_bound + np.abs(q) * d_error) / (d - d_error) + 4 * u * np.abs(q)
        return LONG(spec.learning_rate / (1 - spec.beta1**t)), q, q_error
