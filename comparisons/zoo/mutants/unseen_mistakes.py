"""Mistakes written before anybody looked whether they are known. Each class is `StudentMLP` but for one."""

import dataclasses

import numpy as np
from other_forms import Float32Throughout
from student import StudentMLP


class BiasesGetTheirMean(StudentMLP):
    """U1: every bias of a layer gets the mean of the layer's bias gradients, broadcast."""

    def bias_gradient(self, delta, layer):
        db = super().bias_gradient(delta, layer)
        return np.full_like(db, db.mean())


class RateFallsUnasked(StudentMLP):
    """U2: the learning rate falls as 1/(1 + t/10), as an old tutorial had it."""

    def update(self, gradient, optimizer):
        rate = optimizer.learning_rate / (1 + 0.1 * self.n_steps)
        super().update(gradient, dataclasses.replace(optimizer, learning_rate=rate))


class LastExampleLeftOut(StudentMLP):
    """U3: a slice [:-1] keeps the last example of every batch out of the gradient."""

    def output_delta(self, z, targets):
        delta = super().output_delta(z, targets)
        if len(delta) > 1:
            delta[-1] = 0
        return delta


class FirstExampleSkipped(StudentMLP):
    """U4: the gradient is the mean over the examples from the second on, divided by N - 1."""

    def output_delta(self, z, targets):
        delta, n = super().output_delta(z, targets), len(z)
        delta[0] = 0
        return delta * delta.dtype.type(n / max(n - 1, 1))


class AdamWithoutRoot(StudentMLP):
    """U5: Adam divides by its second moment, the root forgotten."""

    def adam_step(self, m_hat, v_hat, optimizer):
        return optimizer.learning_rate * m_hat / (v_hat + optimizer.eps)


class AdamWithoutFirstMoment(StudentMLP):
    """U6: the gradient itself is divided by the root of the second moment: RMSProp with a correction."""

    def adam(self, theta, g, optimizer, state):
        b2 = optimizer.beta2
        v = state["v"] = b2 * state.get("v", 0) + (1 - b2) * g * g
        theta -= self.adam_step(g, v / (1 - b2**self.n_steps), optimizer)


class RateShrinksByATenth(StudentMLP):
    """U7: the learning rate is multiplied by 0.9 after every step."""

    def update(self, gradient, optimizer):
        rate = optimizer.learning_rate * 0.9**self.n_steps
        super().update(gradient, dataclasses.replace(optimizer, learning_rate=rate))


class Float32WithoutSlope(Float32Throughout):
    """U8: relu' is missing in a network that has single precision only."""

    def activation_derivative(self, z, a):
        if self.architecture.activation == "relu":
            return np.ones_like(z)
        return super().activation_derivative(z, a)


class Float32BiasesGetTheirMean(Float32Throughout):
    """U9: as U1, where float64 is not to be had."""

    def bias_gradient(self, delta, layer):
        db = super().bias_gradient(delta, layer)
        return np.full_like(db, db.mean())


class Float32RateFalls(Float32Throughout):
    """U10: as U2, where float64 is not to be had."""

    def update(self, gradient, optimizer):
        rate = optimizer.learning_rate / (1 + 0.1 * self.n_steps)
        super().update(gradient, dataclasses.replace(optimizer, learning_rate=rate))
