"""A network as somebody ported it: right, or with one of the mistakes that people make on the way.

Each formula is a function that a mistake replaces, so that nothing else differs. It offers the five methods
of a contender and `trace`, in NumPy, and shares no code with the project's own network.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backproof.reference.contender import Checkpoints
from backproof.scratch.architecture import Architecture, Array, OptimizerSpec, Weights


def activation(kind: str, z: Array) -> Array:
    if kind == "relu":
        return np.maximum(z, 0)
    if kind == "tanh":
        return np.asarray(np.tanh(z))
    if kind == "identity":
        return z
    e = np.exp(-np.abs(z))
    return np.asarray(np.where(z >= 0, 1, e) / (1 + e), z.dtype)


def slope(kind: str, z: Array) -> Array:
    a, one = activation(kind, z), z.dtype.type(1)
    if kind == "relu":
        return (z > 0).astype(z.dtype)
    if kind == "tanh":
        return np.asarray(one - a * a)
    return np.asarray(a * (one - a)) if kind == "sigmoid" else np.ones_like(z)


def softmax(z: Array, axis: int | None = 1) -> Array:
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return np.asarray(e / e.sum(axis=axis, keepdims=True))


def targets_as_numbers(targets: Array, z: Array) -> Array:
    return targets if targets.ndim == 2 else np.eye(z.shape[1], dtype=z.dtype)[targets]


def loss(kind: str, z: Array, targets: Array) -> Any:
    t = targets_as_numbers(targets, z)
    if kind == "cross_entropy":
        m = z.max(axis=1, keepdims=True)
        log_p = z - m - np.log(np.exp(z - m).sum(axis=1, keepdims=True))
        return -(t * log_p).sum() / z.dtype.type(len(z))
    if kind == "binary_cross_entropy":
        return (np.maximum(z, 0) - z * t + np.log1p(np.exp(-np.abs(z)))).mean()
    square = (z - t) ** 2
    return square.mean() if kind == "mse" else square.sum()


def last_delta(kind: str, z: Array, targets: Array) -> Array:
    t, n, size = targets_as_numbers(targets, z), z.dtype.type(len(z)), z.dtype.type(z.size)
    if kind == "cross_entropy":
        return np.asarray((softmax(z) - t) / n)
    if kind == "binary_cross_entropy":
        return np.asarray((activation("sigmoid", z) - t) / size)
    two = z.dtype.type(2)
    return np.asarray(two * (z - t) / size if kind == "mse" else two * (z - t))


def update(spec: OptimizerSpec, theta: Array, g: Array, t: int, state: dict[str, Array]) -> Array:
    """torch.optim's SGD and Adam; the new theta."""
    if spec.weight_decay:
        g = g + spec.weight_decay * theta
    if spec.name == "adam":
        m = state["m"] = spec.beta1 * state.get("m", 0 * g) + (1 - spec.beta1) * g
        v = state["v"] = spec.beta2 * state.get("v", 0 * g) + (1 - spec.beta2) * g * g
        m_hat, v_hat = m / (1 - spec.beta1**t), v / (1 - spec.beta2**t)
        return np.asarray(theta - spec.learning_rate * m_hat / (np.sqrt(v_hat) + spec.eps))
    if spec.momentum:
        v = state["v"] = spec.momentum * state["v"] + g if "v" in state else g
        g = g + spec.momentum * v if spec.nesterov else v
    return np.asarray(theta - spec.learning_rate * g)


@dataclass(frozen=True)
class Formulas:
    """What the network computes with. A mistake is one of these replaced."""

    layer: Callable[["Pass", int, Array], Array] = lambda p, i, a: a @ p.W(i) + p.b(i)
    logits: Callable[[Array], Array] = lambda z: z
    activation: Callable[[str, Array], Array] = activation
    slope: Callable[[str, Array, Array], Array] = lambda kind, z, a: slope(kind, z)
    loss: Callable[[str, Array, Array], Any] = loss
    last_delta: Callable[[str, Array, Array], Array] = last_delta
    back: Callable[["Pass", int, Array, Array], Array] = lambda p, i, delta, s: (delta @ p.W(i).T) * s
    dW: Callable[["Pass", int, Array, Array], Array] = lambda p, i, a, delta: a.T @ delta
    db: Callable[["Pass", int, Array], Array] = lambda p, i, delta: delta.sum(axis=0)
    update: Callable[[OptimizerSpec, Array, Array, int, dict[str, Array]], Array] = update


@dataclass
class Pass:
    """The weights, as a formula sees them."""

    architecture: Architecture
    weights: list[tuple[Array, Array]]

    def W(self, i: int) -> Array:
        return self.weights[i][0]

    def b(self, i: int) -> Array:
        return self.weights[i][1]


class Ported:
    """The network with the five methods of a contender."""

    def __init__(self, formulas: Formulas | None = None) -> None:
        self.f = formulas or Formulas()

    def load(self, architecture: Architecture, weights: Weights) -> None:
        self.state = Pass(architecture, [(W.copy(), b.copy()) for W, b in weights])

    def weights(self) -> Weights:
        return [(W.copy(), b.copy()) for W, b in self.state.weights]

    def logits(self, x: Array) -> Array:
        return self._forward(x)["logits"]

    def loss_and_gradient(self, x: Array, targets: Array) -> tuple[float, Weights]:
        found = self._pass(x, targets)
        layers = range(1, len(self.state.weights) + 1)
        return float(found["loss"]), [(found[f"dW{i}"], found[f"db{i}"]) for i in layers]

    def train(
        self,
        x: Array,
        targets: Array,
        batches: Sequence[Array],
        optimizer: OptimizerSpec,
        checkpoints: Checkpoints | None = None,
    ) -> Sequence[float]:
        losses: list[float] = []
        states: list[tuple[dict[str, Array], dict[str, Array]]] = [({}, {}) for _ in self.state.weights]
        for t, batch in enumerate(batches, start=1):
            value, gradient = self.loss_and_gradient(x[batch], targets[batch])
            losses.append(value)
            for i, ((W, b), (dW, db), (sW, sb)) in enumerate(
                zip(self.state.weights, gradient, states, strict=True)
            ):
                new = (self.f.update(optimizer, W, dW, t, sW), self.f.update(optimizer, b, db, t, sb))
                self.state.weights[i] = (new[0].astype(W.dtype), new[1].astype(b.dtype))
            if checkpoints and t in checkpoints:
                checkpoints[t]()
        return losses

    def _forward(self, x: Array) -> dict[str, Array]:
        kind, n = self.state.architecture.activation, len(self.state.weights)
        found, a = {"a0": x}, x
        for i in range(n):
            z = self.f.layer(self.state, i, a)
            if i == n - 1:
                found["logits"] = self.f.logits(z)
            else:
                found[f"z{i + 1}"] = z
                a = found[f"a{i + 1}"] = self.f.activation(kind, z)
        return found

    def _pass(self, x: Array, targets: Array) -> dict[str, Array]:
        kind, found, n = self.state.architecture.loss, self._forward(x), len(self.state.weights)
        found["loss"] = np.asarray(self.f.loss(kind, found["logits"], targets))
        delta = found[f"delta{n}"] = self.f.last_delta(kind, found["logits"], targets)
        for i in reversed(range(n)):
            found[f"dW{i + 1}"] = self.f.dW(self.state, i, found[f"a{i}"], delta)
            found[f"db{i + 1}"] = self.f.db(self.state, i, delta)
            if i:
                s = self.f.slope(self.state.architecture.activation, found[f"z{i}"], found[f"a{i}"])
                delta = found[f"delta{i}"] = self.f.back(self.state, i, delta, s)
        return found


class Traced(Ported):
    """The same, showing its inner tensors."""

    def trace(self, x: Array, targets: Array) -> Mapping[str, Array]:
        return self._pass(x, targets)
