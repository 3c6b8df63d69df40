"""Adapters without methods, and with few, for networks with names and forms of their own: all correct."""

from itertools import pairwise

import numpy as np

_DRAW = np.random.default_rng(4).standard_normal


def _sigmoid(z):
    return np.exp(-np.logaddexp(0, -z))


def _log_softmax(z, axis):
    z = z - z.max(axis=axis, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=axis, keepdims=True))


class _Dense:
    """z = W x + b of samples in columns."""

    def __init__(self, n_in, n_out):
        self.kernel, self.offset = _DRAW((n_out, n_in)), np.zeros((n_out, 1))

    def forward(self, x):
        self.x = x
        return self.kernel @ x + self.offset

    def backward(self, delta):
        self.grad_kernel, self.grad_offset = delta @ self.x.T, delta.sum(axis=1, keepdims=True)
        return self.kernel.T @ delta


class _Columns:
    """Layers as objects, samples and one-hot targets in columns, a softmax at the end."""

    def __init__(self, layer_sizes, eta=0.1):
        self.layers, self.eta = [_Dense(*pair) for pair in pairwise(layer_sizes)], eta

    def feedforward(self, a):
        self.hidden = []
        for layer in self.layers[:-1]:
            a = _sigmoid(layer.forward(a))
            self.hidden.append(a)
        self.logits = self.layers[-1].forward(a)
        return np.exp(_log_softmax(self.logits, 0))

    def cost(self, y):
        return -(y * _log_softmax(self.logits, 0)).sum() / y.shape[1]

    def backprop(self, y):
        delta = (np.exp(_log_softmax(self.logits, 0)) - y) / y.shape[1]
        for layer, a in zip(self.layers[:0:-1], self.hidden[::-1], strict=True):
            delta = layer.backward(delta) * a * (1 - a)
        self.layers[0].backward(delta)

    def learn(self, x, y):
        self.feedforward(x)
        self.backprop(y)
        for layer in self.layers:
            layer.kernel = layer.kernel - self.eta * layer.grad_kernel
            layer.offset = layer.offset - self.eta * layer.grad_offset


class ByNames:
    """No methods: the gradient is left in the layers, the cost reads what the forward pass kept."""

    wraps, forward, gradient, cost = _Columns, "feedforward", "backprop", "cost"
    targets, supports = "one_hot", {"loss": ["cross_entropy"]}


class StepByNames:
    """No methods: a step that finds its rate in the network."""

    wraps, forward, step, cost = _Columns, "feedforward", "learn", "cost"
    targets, supports = "one_hot", {"loss": ["cross_entropy"]}


def _made(sizes):
    weights = [_DRAW(pair) for pair in pairwise(sizes)]
    biases = [np.zeros((1, n)) for n in sizes[1:]]
    return weights, biases


def _run(x, weights, biases):
    activations = [x]
    for i, (W, b) in enumerate(zip(weights, biases, strict=True)):
        z = activations[-1] @ W + b
        activations.append(np.tanh(z) if i + 1 < len(weights) else z)
    out = activations[-1]
    return out, activations


def _back(y, weights, activations):
    out = activations[-1]
    d, W_grad, b_grad = (out - y) / len(y), [], []
    for W, a in zip(weights[::-1], activations[-2::-1], strict=True):
        W_grad.insert(0, a.T @ d)
        b_grad.insert(0, d.sum(axis=0, keepdims=True))
        d = d @ W.T * (1 - a**2)
    return W_grad, b_grad


class FunctionsByNames:
    """Functions of two lists; half the square, summed over the outputs, is written where none tells it."""

    wraps, forward, gradient = _made, "_run", "_back"
    supports = {"loss": ["mse"]}

    def cost(self, outputs, targets):
        return ((outputs - targets) ** 2).sum() / (2 * len(targets))


class _OneAtATime:
    """Takes lists of rows (1, n), and one step for each."""

    def __init__(self, n_in, n_hidden, n_out):
        self.first, self.second = _DRAW((n_in, n_hidden)), _DRAW((n_hidden, n_out))
        self.b_first, self.b_second = np.zeros((1, n_hidden)), np.zeros((1, n_out))

    def predict(self, rows):
        return [np.tanh(x @ self.first + self.b_first) @ self.second + self.b_second for x in rows]

    def fit(self, x_train, y_train, epochs, learning_rate):
        for x, y in list(zip(x_train, y_train, strict=True)) * epochs:
            a = np.tanh(x @ self.first + self.b_first)
            d = 2 * (a @ self.second + self.b_second - y) / y.size
            below = d @ self.second.T * (1 - a**2)
            self.second, self.b_second = (
                self.second - learning_rate * a.T @ d,
                self.b_second - learning_rate * d,
            )
            self.first = self.first - learning_rate * x.T @ below
            self.b_first = self.b_first - learning_rate * below


class OneAtATimeByNames:
    """No methods: one example at a time, in a list, as a row."""

    wraps, forward, step, samples = _OneAtATime, "predict", "fit", "single"
    supports = {"loss": ["mse"]}


class TanhBeforeSoftmax:
    """Its tanh is applied to the last layer too, and its softmax to that."""

    activation = output_activation = "tanh"
    supports = {"loss": ["cross_entropy"], "dtype": ["float64"]}

    def load(self, architecture, weights):
        self.layers = [(W.copy(), b.copy()) for W, b in weights]

    def logits(self, x):
        self.a = [x]
        for W, b in self.layers:
            self.a.append(np.tanh(self.a[-1] @ W + b))
        return self.a[-1]

    def loss_and_gradient(self, x, labels):
        log_p = _log_softmax(self.logits(x), 1)
        rows = np.arange(len(x))
        error, gradient = np.exp(log_p), []
        error[rows, labels] -= 1
        error /= len(x)
        for (W, _), a, out in zip(self.layers[::-1], self.a[-2::-1], self.a[:0:-1], strict=True):
            delta = error * (1 - out**2)
            gradient.insert(0, (a.T @ delta, delta.sum(axis=0)))
            error = delta @ W.T
        return float(-log_p[rows, labels].mean()), gradient


class BiasesInW:
    """Biases are the last row of W, for which every layer is given a one; no depth is fixed."""

    biases = "last"
    activation = "sigmoid"
    supports = {"loss": ["mse"], "dtype": ["float64"]}

    def load(self, architecture, weights):
        self.W = [W.copy() for W in weights]

    def logits(self, x):
        self.a = [np.hstack([x, np.ones((len(x), 1))])]
        for W in self.W[:-1]:
            self.a.append(np.hstack([_sigmoid(self.a[-1] @ W), np.ones((len(x), 1))]))
        return self.a[-1] @ self.W[-1]

    def loss_and_gradient(self, x, targets):
        gap = self.logits(x) - targets
        delta, gradient = 2 * gap / gap.size, []
        for W, a in zip(self.W[::-1], self.a[::-1], strict=True):
            gradient.insert(0, a.T @ delta)
            delta = (delta @ W.T * a * (1 - a))[:, :-1]
        return float((gap**2).mean()), gradient
