"""Mistakes 30 to 36 of the zoo: every gradient is right, and the update is not."""

import numpy as np
from student import StudentMLP


class MomentumAliasesGradient(StudentMLP):
    """30: the momentum buffer is the gradient buffer itself, which the next backward pass overwrites."""

    def backward(self, zs, activations, targets):
        gradient = super().backward(zs, activations, targets)
        if not hasattr(self, "buffers") or self.buffers[0][0].shape != gradient[0][0].shape:
            self.buffers = gradient
        for old, new in zip(self.buffers, gradient, strict=True):
            old[0][...], old[1][...] = new
        return self.buffers

    def loss_and_gradient(self, x, targets):
        loss, gradient = super().loss_and_gradient(x, targets)
        return loss, gradient if getattr(self, "training", False) else [
            (W.copy(), b.copy()) for W, b in gradient
        ]

    def load(self, architecture, weights):
        super().load(architecture, weights)
        self.__dict__.pop("buffers", None)

    def train(self, *arguments, **options):
        self.training = True
        try:
            return super().train(*arguments, **options)
        finally:
            self.training = False

    def decayed(self, theta, g, optimizer, index):
        return super().decayed(theta, g, optimizer, index) if optimizer.weight_decay else g

    def sgd(self, theta, g, optimizer, state):
        if optimizer.momentum:
            if "v" in state:
                state["v"] *= optimizer.momentum
                state["v"] += g
            else:
                state["v"] = g  # not a copy
            v = state["v"]
            g = g + optimizer.momentum * v if optimizer.nesterov else v
        theta -= optimizer.learning_rate * g


class MomentumTimesGradient(StudentMLP):
    """31: v + mu g where mu v + g belongs."""

    def sgd(self, theta, g, optimizer, state):
        if optimizer.momentum:
            v = state["v"] = state["v"] + optimizer.momentum * g if "v" in state else g.copy()
            g = g + optimizer.momentum * v if optimizer.nesterov else v
        theta -= optimizer.learning_rate * g


class NesterovOnOldVelocity(StudentMLP):
    """32: the Nesterov look-ahead uses the velocity of the step before."""

    def sgd(self, theta, g, optimizer, state):
        if not optimizer.momentum:
            theta -= optimizer.learning_rate * g
            return
        old = state.get("v", np.zeros_like(g))
        v = state["v"] = optimizer.momentum * old + g
        step = g + optimizer.momentum * old if optimizer.nesterov else v
        theta -= optimizer.learning_rate * step


class EpsInsideTheRoot(StudentMLP):
    """33: Adam's eps stands inside the square root."""

    def adam_step(self, m_hat, v_hat, optimizer):
        return optimizer.learning_rate * m_hat / np.sqrt(v_hat + optimizer.eps)


class StepCountedPerTensor(StudentMLP):
    """34: the step counter is raised once per tensor."""

    def adam(self, theta, g, optimizer, state):
        super().adam(theta, g, optimizer, state)
        self.n_steps += 1


class SecondMomentOfPlainGradient(StudentMLP):
    """35, turned round (weight decay is not decoupled here): the second moment forgets the decay term."""

    def decayed(self, theta, g, optimizer, index):
        self.plain = g
        return super().decayed(theta, g, optimizer, index)

    def adam(self, theta, g, optimizer, state):
        b1, b2, t = optimizer.beta1, optimizer.beta2, self.n_steps
        m = state["m"] = b1 * state.get("m", 0) + (1 - b1) * g
        v = state["v"] = b2 * state.get("v", 0) + (1 - b2) * self.plain**2
        theta -= self.adam_step(m / (1 - b1**t), v / (1 - b2**t), optimizer)


class DecoupledDecayInAdam(StudentMLP):
    """35, the neighbour: decoupled decay (AdamW) where Adam with an L2 term was asked for."""

    def decayed(self, theta, g, optimizer, index):
        if optimizer.name == "adam":
            theta *= 1 - optimizer.learning_rate * optimizer.weight_decay
            return g
        return super().decayed(theta, g, optimizer, index)


class ScheduleOneStepLate(StudentMLP):
    """36: the schedule is one step late."""

    def learning_rates(self, schedule, rate, n_steps):
        rates = super().learning_rates(schedule, rate, n_steps)
        return np.concatenate([rates[:1], rates[:-1]])


class StateSurvivesTrain(StudentMLP):
    """The optimiser's state of one call of train lives on into the next, which should start afresh."""

    def start_optimizer(self, optimizer):
        if not hasattr(self, "n_steps"):
            super().start_optimizer(optimizer)

    def load(self, architecture, weights):
        super().load(architecture, weights)
        self.__dict__.pop("n_steps", None)
