"""Known ways to be wrong, each as a formula that says which gradient would come out.

`backprop_with` is the textbook's backward pass with every step replaceable. An explanation replaces one
step. It fits a class when it predicts what the class returned, entry for entry, wherever the class is wrong,
and where it is right too.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit, log_softmax, softmax

from backproof.comparisons.check.battery.cases import Case
from backproof.scratch.architecture import Array


@dataclass(frozen=True)
class Steps:
    """The replaceable steps; arrays as in `scratch.network`."""

    output_delta: Callable[[Array, Array, str], Array]
    derivative: Callable[[Array, Array, str], Array]
    pull_back: Callable[[Array, Array], Array] = lambda delta, W: delta @ W.T
    weight_gradient: Callable[[list[Array], Array, int], Array] = lambda a, delta, layer: a[layer].T @ delta
    bias_gradient: Callable[[Array], Array] = lambda delta: delta.sum(axis=0)


@dataclass(frozen=True)
class Explanation:
    """`sentence` names the mistake; `steps` reproduces it."""

    sentence: str
    steps: Steps


def output_delta(z: Array, targets: Array, loss: str) -> Array:
    if loss == "cross_entropy":
        delta: Array = (softmax(z, axis=1) - np.eye(z.shape[1])[targets]) / len(z)
        return delta
    if loss == "binary_cross_entropy":
        return (expit(z) - targets) / z.size
    return 2 * (z - targets) / (z.size if loss == "mse" else 1)


def derivative(z: Array, a: Array, activation: str) -> Array:
    if activation == "sigmoid":
        slope: Array = a * (1 - a)
        return slope
    if activation == "tanh":
        return 1 - a * a
    return (z > 0).astype(float) if activation == "relu" else np.ones_like(z)


def apply(z: Array, activation: str) -> Array:
    if activation in ("sigmoid", "tanh"):
        a: Array = expit(z) if activation == "sigmoid" else np.tanh(z)
        return a
    return np.maximum(z, 0.0) if activation == "relu" else z.copy()


RIGHT = Steps(output_delta, derivative)


def backprop_with(steps: Steps, case: Case) -> Array:
    """The flat gradient that these steps give."""
    activation, loss = case.architecture.activation, case.architecture.loss
    zs, activations = [], [case.x]
    for W, b in case.weights:
        zs.append(activations[-1] @ W + b)
        activations.append(apply(zs[-1], activation))
    delta = steps.output_delta(zs[-1], case.targets, loss)
    parts: list[Array] = []
    for layer in reversed(range(len(zs))):
        weight = steps.weight_gradient(activations[:-1], delta, layer)
        parts = [weight.ravel(), steps.bias_gradient(delta).ravel(), *parts]
        if layer > 0:
            upstream = steps.pull_back(delta, case.weights[layer][0])
            delta = upstream * steps.derivative(zs[layer - 1], activations[layer], activation)
    return np.concatenate(parts)


def explanations() -> Iterator[Explanation]:
    """All that are known, the more specific first."""
    yield from _of_the_output()
    yield from _of_the_activation()
    yield from _of_the_layers()


def _for_loss(name: str, rule: Callable[[Array, Array], Array]) -> Steps:
    def delta(z: Array, targets: Array, loss: str) -> Array:
        return rule(z, targets) if loss == name else output_delta(z, targets, loss)

    return replace(RIGHT, output_delta=delta)


def _of_the_output() -> Iterator[Explanation]:
    def onehot(z: Array, labels: Array) -> Array:
        return np.eye(z.shape[1])[labels]

    def diagonal(z: Array, labels: Array) -> Array:
        delta: Array = -onehot(z, labels) * (1 - softmax(z, axis=1)) / len(z)
        return delta

    def full_diagonal(z: Array, labels: Array) -> Array:
        p = softmax(z, axis=1)
        delta: Array = (p - onehot(z, labels)) * p * (1 - p) / len(z)
        return delta

    def over_samples(z: Array, labels: Array) -> Array:
        delta: Array = (softmax(z, axis=0) - onehot(z, labels)) / len(z)
        return delta

    def sigmoid_instead(z: Array, labels: Array) -> Array:
        delta: Array = (expit(z) - onehot(z, labels)) / len(z)
        return delta

    def log_instead(z: Array, labels: Array) -> Array:
        delta: Array = (log_softmax(z, axis=1) - onehot(z, labels)) / len(z)
        return delta

    def logits_instead(z: Array, labels: Array) -> Array:
        return (z - onehot(z, labels)) / len(z)

    named = {
        "only the diagonal p (1 - p) of the softmax Jacobian is used": diagonal,
        "softmax minus one-hot is multiplied by p (1 - p) once more": full_diagonal,
        "the softmax is taken over the samples (axis 0) instead of the outputs": over_samples,
        "the sigmoid stands where the softmax belongs": sigmoid_instead,
        "log-probabilities stand where probabilities belong": log_instead,
        "the raw logits stand where the softmax belongs": logits_instead,
    }
    for sentence, rule in named.items():
        yield Explanation(sentence, _for_loss("cross_entropy", rule))
    yield Explanation(
        "the derivative of the sigmoid is multiplied in although p - t holds it already",
        _for_loss("binary_cross_entropy", lambda z, t: (expit(z) - t) * expit(z) * expit(-z) / z.size),
    )
    signs = "the absolute value's derivative sign(z - t) stands where 2 (z - t) belongs"
    yield Explanation(signs, _for_loss("mse", lambda z, t: np.sign(z - t) / z.size))
    yield Explanation(signs, _for_loss("sum_of_squares", lambda z, t: np.sign(z - t)))


def _for_activation(name: str, rule: Callable[[Array, Array], Array]) -> Steps:
    def slope(z: Array, a: Array, activation: str) -> Array:
        return rule(z, a) if activation == name else derivative(z, a, activation)

    return replace(RIGHT, derivative=slope)


def _of_the_activation() -> Iterator[Explanation]:
    def again(a: Array) -> Array:
        s = expit(a)
        return s * (1 - s)

    def overwritten(z: Array, a: Array, activation: str) -> Array:
        return derivative(a, apply(a, activation), activation)

    both = replace(RIGHT, derivative=overwritten)
    yield Explanation(
        "sigmoid' is evaluated at a instead of z: the sigmoid is applied twice",
        _for_activation("sigmoid", lambda z, a: again(a)),
    )
    yield Explanation(
        "sigmoid' reads z where a belongs: z (1 - z)", _for_activation("sigmoid", lambda z, a: z * (1 - z))
    )
    yield Explanation("sigmoid' is taken as a (1 + a)", _for_activation("sigmoid", lambda z, a: a * (1 + a)))
    yield Explanation(
        "tanh' reads z where tanh(z) belongs: 1 - z^2", _for_activation("tanh", lambda z, a: 1 - z * z)
    )
    yield Explanation(
        "tanh' is evaluated at a instead of z: tanh is applied twice",
        _for_activation("tanh", lambda z, a: 1 - np.tanh(a) ** 2),
    )
    yield Explanation(
        "tanh' is taken as 1 - a: the square is missing", _for_activation("tanh", lambda z, a: 1 - a)
    )
    yield Explanation("the activation has overwritten z: its derivative is evaluated at a", both)
    yield Explanation(
        "relu's mask is true everywhere (a >= 0 on the post-activation)",
        _for_activation("relu", lambda z, a: np.ones_like(z)),
    )
    yield Explanation(
        "relu' is 1 at z = 0, where the convention says 0",
        _for_activation("relu", lambda z, a: (z >= 0).astype(float)),
    )
    yield Explanation(
        "relu multiplies by a instead of the mask a > 0", _for_activation("relu", lambda z, a: a)
    )
    yield Explanation(
        "relu's mask is turned round", _for_activation("relu", lambda z, a: (z <= 0).astype(float))
    )
    for name in ("sigmoid", "tanh", "relu"):
        yield Explanation(
            f"the derivative of {name} is missing", _for_activation(name, lambda z, a: np.ones_like(z))
        )
    yield Explanation(
        "the derivative of the activation is missing",
        replace(RIGHT, derivative=lambda z, a, f: np.ones_like(z)),
    )


def _of_the_layers() -> Iterator[Explanation]:
    def square_only(delta: Array, W: Array) -> Array:
        return delta @ (W if W.shape[0] == W.shape[1] else W.T)

    def later_input(a: list[Array], delta: Array, layer: int) -> Array:
        other = a[min(layer + 1, len(a) - 1)]
        return (other if other.shape == a[layer].shape else a[layer]).T @ delta

    def first_takes_second(a: list[Array], delta: Array, layer: int) -> Array:
        return later_input(a, delta, layer) if layer == 0 else a[layer].T @ delta

    def earlier_input(a: list[Array], delta: Array, layer: int) -> Array:
        other = a[max(layer - 1, 0)]
        return (other if other.shape == a[layer].shape else a[layer]).T @ delta

    def copied_rows(a: list[Array], delta: Array, layer: int) -> Array:
        gradient = a[layer].T @ delta
        for row in np.flatnonzero(~a[layer].any(axis=0)):
            gradient[row] = gradient[row - 1]
        return gradient

    ones = replace(RIGHT, pull_back=lambda delta, W: np.ones_like(delta) @ W.T)
    sign = replace(RIGHT, pull_back=lambda delta, W: np.sign(delta) @ W.T)
    no_weight = replace(
        RIGHT, pull_back=lambda delta, W: np.repeat(delta.sum(axis=1, keepdims=True), len(W), axis=1)
    )
    summed = replace(RIGHT, bias_gradient=lambda delta: np.full(delta.shape[1], delta.sum()))
    first = replace(RIGHT, bias_gradient=lambda delta: delta[0])
    last = replace(RIGHT, bias_gradient=lambda delta: delta[-1])
    yield Explanation(
        "W stands where W^T belongs; square layers let it through", replace(RIGHT, pull_back=square_only)
    )
    yield Explanation(
        "the gradient of the first layer uses the second layer's input",
        replace(RIGHT, weight_gradient=first_takes_second),
    )
    yield Explanation(
        "a weight gradient uses the next layer's input", replace(RIGHT, weight_gradient=later_input)
    )
    yield Explanation(
        "a weight gradient uses the input of the layer before", replace(RIGHT, weight_gradient=earlier_input)
    )
    yield Explanation(
        "gradient rows of inputs that are always zero are copied from their neighbour",
        replace(RIGHT, weight_gradient=copied_rows),
    )
    yield Explanation("the upstream gradient is ignored: ones stand in its place", ones)
    yield Explanation("only the sign of the upstream gradient is used", sign)
    yield Explanation("the weights are left out when the gradient is passed back", no_weight)
    yield Explanation("the bias gradient is summed over all axes", summed)
    yield Explanation("the bias gradient is that of the first example only", first)
    yield Explanation("the bias gradient is that of the last example only", last)
