"""A network in 50 decimal digits: forward, backward and one step, in plain loops over mpmath's numbers.

It is slow and short on purpose: nothing is stacked, cached or reordered, and it shares no line with
`scratch`. Given numbers are taken as they are (a float64 is a rational number); what comes out is off by less
than 1e-40 of the largest number met on the way, so that the neighbours of its nearest float64 enclose it.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from mpmath import mp, mpf

from backproof.scratch.architecture import Array, OptimizerSpec
from backproof.scratch.problem import Problem

DIGITS = 50

Number = Any  # mpmath has no types
Vector = list[Number]
Matrix = list[Vector]


def tensors(problem: Problem, slope_at_zero: int = 0) -> dict[str, Array]:
    """Every tensor of `compare.trace`'s list up to the gradients, as object arrays of mpmath numbers.

    `slope_at_zero` is relu's at exactly 0: 0 or 1, the ends of the interval of its valid slopes.
    """
    with mp.workdps(DIGITS):
        walk = _Walk(problem, slope_at_zero)
        return {name: np.array(value, dtype=object) for name, value in walk.run()}


class _Walk:
    """One pass. Matrices are lists of rows."""

    def __init__(self, problem: Problem, slope_at_zero: int) -> None:
        self.problem, self.slope_at_zero = problem, slope_at_zero
        self.weights = [(_matrix(W), _vector(b)) for W, b in problem.weights]

    def run(self) -> Iterator[tuple[str, Matrix | Vector | Number]]:
        n_layers = len(self.weights)
        a, inputs, zs = _matrix(self.problem.x), [], []
        for layer, (W, b) in enumerate(self.weights, start=1):
            inputs.append(a)
            z = [[_dot(row, [W[i][j] for i in range(len(W))]) + b[j] for j in range(len(b))] for row in a]
            zs.append(z)
            yield ("logits" if layer == n_layers else f"z{layer}"), z
            if layer < n_layers:
                a = [[self._activation(value) for value in row] for row in z]
                yield f"a{layer}", a
        loss, delta = self._loss(zs[-1])
        yield "loss", loss
        for layer in range(n_layers, 0, -1):
            yield f"delta{layer}", delta
            columns, inputs_of = range(len(delta[0])), inputs[layer - 1]
            yield (
                f"dW{layer}",
                [
                    [mp.fsum(a[i] * d[j] for a, d in zip(inputs_of, delta, strict=True)) for j in columns]
                    for i in range(len(inputs_of[0]))
                ],
            )
            yield f"db{layer}", [mp.fsum(d[j] for d in delta) for j in columns]
            if layer > 1:
                W, z = self.weights[layer - 1][0], zs[layer - 2]
                delta = [
                    [_dot(d, W[i]) * self._slope(row[i]) for i in range(len(row))]
                    for d, row in zip(delta, z, strict=True)
                ]

    def _activation(self, z: Number) -> Number:
        kind = self.problem.architecture.activation
        if kind == "relu":
            return max(z, mpf(0))
        if kind == "tanh":
            return mp.tanh(z)
        return 1 / (1 + mp.exp(-z)) if kind == "sigmoid" else z

    def _slope(self, z: Number) -> Number:
        kind, a = self.problem.architecture.activation, self._activation(z)
        if kind == "relu":
            return mpf(z > 0) if z != 0 else mpf(self.slope_at_zero)
        if kind == "tanh":
            return 1 - a * a
        return a * (1 - a) if kind == "sigmoid" else mpf(1)

    def _loss(self, z: Matrix) -> tuple[Number, Matrix]:
        """The loss and dL/dz."""
        kind, n, k = self.problem.architecture.loss, len(z), len(z[0])
        if kind == "cross_entropy":
            return self._cross_entropy(z)
        targets = _matrix(self.problem.targets)
        pairs = [list(zip(row, t, strict=True)) for row, t in zip(z, targets, strict=True)]
        if kind == "binary_cross_entropy":
            terms = [mp.log(1 + mp.exp(v)) - t * v for row in pairs for v, t in row]
            return mp.fsum(terms) / (n * k), [
                [(1 / (1 + mp.exp(-v)) - t) / (n * k) for v, t in row] for row in pairs
            ]
        scale = mpf(n * k) if kind == "mse" else mpf(1)
        squares = [(v - t) ** 2 for row in pairs for v, t in row]
        return mp.fsum(squares) / scale, [[2 * (v - t) / scale for v, t in row] for row in pairs]

    def _cross_entropy(self, z: Matrix) -> tuple[Number, Matrix]:
        n, losses, delta = len(z), [], []
        for row, label in zip(z, self.problem.targets.tolist(), strict=True):
            exponentials = [mp.exp(value) for value in row]
            total = mp.fsum(exponentials)
            losses.append(mp.log(total) - row[label])
            delta.append([(e / total - (j == label)) / n for j, e in enumerate(exponentials)])
        return mp.fsum(losses) / n, delta


def stepped(theta: Array, gradient: Array, spec: OptimizerSpec) -> Array:
    """The first step of a rule from theta (any shape) by the gradient, both as exact numbers."""
    with mp.workdps(DIGITS):
        flat = [_step(mpf(t), mpf(g), spec) for t, g in zip(theta.ravel(), gradient.ravel(), strict=True)]
        return np.array(flat, dtype=object).reshape(theta.shape)


def _step(theta: Number, gradient: Number, spec: OptimizerSpec) -> Number:
    rate, mu = mpf(spec.learning_rate), mpf(spec.momentum)
    g = gradient + mpf(spec.weight_decay) * theta
    if spec.name == "adam":
        # The bias corrections of the first step leave g and g^2.
        return theta - rate * g / (mp.sqrt(g * g) + mpf(spec.eps))
    return theta - rate * (g + mu * g if spec.nesterov else g)


def enclosed(exact: Array) -> tuple[Array, Array]:
    """The float64 numbers just below and just above each exact one."""
    nearest = np.array([float(value) for value in exact.ravel()]).reshape(exact.shape)
    return np.nextafter(nearest, -np.inf), np.nextafter(nearest, np.inf)


def _dot(a: Sequence[Number], b: Sequence[Number]) -> Number:
    return mp.fsum(x * y for x, y in zip(a, b, strict=True))


def _matrix(array: Array) -> Matrix:
    return [_vector(row) for row in array]


def _vector(array: Array) -> Vector:
    return [mpf(float(value)) for value in array]
