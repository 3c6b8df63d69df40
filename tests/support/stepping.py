"""A network that offers a step in place of a gradient, right or with its layers updated too early."""

from typing import Any

import numpy as np

from backproof.scratch.architecture import Array
from tests.support.in_process import Student


def stepping(told: Any, early: bool = False) -> type:
    """Takes a step, and tells this; if early, each layer is updated before delta goes back through it."""

    class Stepping(Student):
        loss_and_gradient = train = train_epoch = None

        def step(self, x: Array, targets: Array, rate: float) -> Any:
            zs, activations = self.forward(np.asarray(x, self.dtype))
            delta = self.output_delta(zs[-1], np.asarray(targets))
            moves = []
            for layer in reversed(range(len(self.W))):
                moves.append((layer, activations[layer].T @ delta, delta.sum(axis=0)))
                if early:
                    self.W[layer] = self.W[layer] - rate * moves[-1][1]
                    self.b[layer] = self.b[layer] - rate * moves[-1][2]
                if layer:
                    slope = self.activation_derivative(zs[layer - 1], activations[layer])
                    delta = self.pull_back(delta, layer) * slope
            for layer, W, b in [] if early else moves:
                self.W[layer], self.b[layer] = self.W[layer] - rate * W, self.b[layer] - rate * b
            return self.loss_value(zs[-1], targets) if told == "loss" else told

    return Stepping
