"""Mistakes 23 to 29 of the zoo: something is remembered that should not be, or changed that is not ours."""

import numpy as np
from student import StudentMLP


class MutatesTargets(StudentMLP):
    """23: backward mutates what it was given: it subtracts into the caller's array."""

    def loss_and_gradient(self, x, targets):
        result = super().loss_and_gradient(x, targets)
        if self.architecture.loss != "cross_entropy" and targets.flags.writeable:
            targets -= self.logits(x)
        return result


class MutatesDelta(StudentMLP):
    """23, inside: delta is used as scratch space although the bias gradient still needs it."""

    def backward(self, zs, activations, targets):
        delta = self.output_delta(zs[-1], targets)
        gradient = [None] * len(self.W)
        for layer in reversed(range(len(self.W))):
            weight = self.weight_gradient(activations, delta, layer)
            upstream = self.pull_back(delta, layer)
            delta *= 0.5  # scratch space, thought to be free
            gradient[layer] = (weight, self.bias_gradient(delta, layer))
            if layer > 0:
                delta = upstream * self.activation_derivative(zs[layer - 1], activations[layer])
        return gradient


class StaleCache(StudentMLP):
    """24: the forward pass is cached by batch size and reused for the next batch of that size."""

    def load(self, architecture, weights):
        super().load(architecture, weights)
        self.cache = {}

    def loss_and_gradient(self, x, targets):
        x, targets = np.asarray(x, self.dtype), self.checked_targets(targets)
        zs, activations = self.forward(x)
        cached = self.cache.setdefault(len(x), activations)
        return self.loss_value(zs[-1], targets), self.backward(zs, cached, targets)

    def train_step(self, x, targets, optimizer):
        self.cache.clear()
        return super().train_step(x, targets, optimizer)


class ActivationOverwritesPreActivation(StudentMLP):
    """25: the activation overwrites z, and its derivative then reads a as if it were z."""

    def activation_derivative(self, z, a):
        if self.architecture.activation == "sigmoid":
            s = self.sigmoid(a)
            return s * (1 - s)
        if self.architecture.activation == "tanh":
            return 1 - np.tanh(a) ** 2
        return super().activation_derivative(z, a)


class LeavesOneParameterPerturbed(StudentMLP):
    """26: an internal numerical check leaves one parameter moved by x + h - h."""

    def loss_and_gradient(self, x, targets):
        result = super().loss_and_gradient(x, targets)
        h = np.array(1e-6, self.dtype)
        self.W[0][0, 0] += h
        self.W[0][0, 0] -= h
        return result


class IntegerParameters(StudentMLP):
    """27: integer weights stay integers, and zeros_like truncates the updates."""

    def load(self, architecture, weights):
        super().load(architecture, weights)
        if all(np.asarray(weight).dtype.kind in "iu" for weight, _ in weights):
            self.W = [np.array(weight) for weight, _ in weights]
            self.b = [np.array(bias) for _, bias in weights]

    def sgd(self, theta, g, optimizer, state):
        if theta.dtype.kind not in "iu":
            super().sgd(theta, g, optimizer, state)
            return
        step = np.zeros_like(theta)
        step[...] = (optimizer.learning_rate * g).astype(theta.dtype)
        theta -= step


class DropoutAtPrediction(StudentMLP):
    """28: dropout is left on at prediction."""

    def load(self, architecture, weights):
        super().load(architecture, weights)
        self.rng = np.random.default_rng(0)

    def logits(self, x):
        x = np.asarray(x, self.dtype)
        keep = (self.rng.random(x.shape) < 0.9).astype(self.dtype)
        return self.forward(x * keep)[0][-1]


class WeightsAreAnAlias(StudentMLP):
    """29: the best weights are kept as an alias, not a copy."""

    def weights(self):
        return list(zip(self.W, self.b, strict=True))
