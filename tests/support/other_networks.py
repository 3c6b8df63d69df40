"""Networks in other people's forms, right and wrong, each in one respect, as the text of a file.

They are sigmoid units with half the square summed over a sigmoid's outputs, or tanh before a softmax.
"""

SOURCE = '''
import numpy as np


def sigmoid(z):
    return 0.5 * (1 + np.tanh(z / 2))


class Layer:
    """One layer as people write them: its weights, what it last saw, its gradients and a velocity."""

    def __init__(self, n_in, n_out):
        self.parameters = {"W": np.ones((n_in, n_out)), "b": np.zeros((1, n_out))}
        self.dW, self.db = np.zeros((n_in, n_out)), np.zeros((1, n_out))
        self.velocity = np.zeros((n_in, n_out))

    def forward(self, x):
        self.x = x
        self.out = sigmoid(x @ self.parameters["W"] + self.parameters["b"])
        return self.out

    def backward(self, error):
        delta = error * self.out * (1 - self.out)
        self.dW, self.db = self.x.T @ delta, delta.sum(axis=0, keepdims=True)
        return delta @ self.parameters["W"].T


class Network:
    def __init__(self, sizes):
        self.layers = [Layer(*pair) for pair in zip(sizes[:-1], sizes[1:], strict=True)]

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, error):
        for layer in reversed(self.layers):
            error = layer.backward(error)


class ByNetwork:
    """`network` in place of `load`: its weights are found; gradients in two lists."""

    activation = output_activation = "sigmoid"
    biases = "row"
    supports = {"loss": ["sum_of_squares"], "dtype": ["float64"]}

    def network(self, architecture):
        return Network(architecture.layer_sizes)

    def logits(self, x):
        return self.net.forward(x)

    def loss_and_gradient(self, x, targets):
        gap = self.net.forward(x) - targets
        self.net.backward(gap)
        layers = self.net.layers
        return 0.5 * (gap**2).sum(), ([layer.dW for layer in layers], [layer.db for layer in layers])


class OneList(ByNetwork):
    """The gradient as W1, b1, W2, b2, ... in one list."""

    def loss_and_gradient(self, x, targets):
        loss, (W, b) = super().loss_and_gradient(x, targets)
        return loss, [part for pair in zip(W, b, strict=True) for part in pair]


class OneAtATime(ByNetwork):
    """Takes one example, (features,), and its targets."""

    samples = "single"

    def logits(self, x):
        assert x.ndim == 1
        return super().logits(x[None])[0]

    def loss_and_gradient(self, x, targets):
        return super().loss_and_gradient(x[None], targets[None])


class Folded(ByNetwork):
    """Biases are the last row of W; W lies as (out, in)."""

    biases = "last"
    weight_layout = "out_in"
    hidden_layers = 1

    def network(self, architecture):
        n, h, k = architecture.layer_sizes
        self.first, self.second = np.ones((h, n + 1)), np.ones((k, h + 1))
        return [self.first, self.second]

    def logits(self, x):
        one = np.ones((len(x), 1))
        self.a = [np.hstack([x, one])]
        self.a.append(np.hstack([sigmoid(self.a[0] @ self.net[0].T), one]))
        return sigmoid(self.a[1] @ self.net[1].T)

    def loss_and_gradient(self, x, targets):
        out = self.logits(x)
        delta = (out - targets) * out * (1 - out)
        hidden = self.a[1][:, :-1]
        below = (delta @ self.net[1][:, :-1]) * hidden * (1 - hidden)
        return 0.5 * ((out - targets) ** 2).sum(), [below.T @ self.a[0], delta.T @ self.a[1]]


class NotPassedBack(ByNetwork):
    """The output's derivative is in its own weight gradient and not in what is passed back."""

    def loss_and_gradient(self, x, targets):
        gap = self.net.forward(x) - targets
        last = self.net.layers[-1]
        last.backward(gap)
        error = gap @ last.parameters["W"].T
        for layer in reversed(self.net.layers[:-1]):
            error = layer.backward(error)
        layers = self.net.layers
        return 0.5 * (gap**2).sum(), ([layer.dW for layer in layers], [layer.db for layer in layers])


class OneNumberForAllBiases(ByNetwork):
    """np.sum(delta) without an axis: b - rate * db takes one number for all."""

    def loss_and_gradient(self, x, targets):
        loss, (W, b) = super().loss_and_gradient(x, targets)
        return loss, (W, [one.sum() for one in b])


class RemembersN(ByNetwork):
    """Divides by the number of examples that it saw first."""

    n = None

    def logits(self, x):
        self.n = self.n or len(x)
        return super().logits(x)

    def loss_and_gradient(self, x, targets):
        self.n = self.n or len(x)
        loss, (W, b) = super().loss_and_gradient(x, targets)
        return loss / self.n, ([one / self.n for one in W], [one / self.n for one in b])


class WithoutBiases:
    """One of its mistakes, twice the gradient, says nothing of biases that it has not."""

    biases = "none"
    activation = "sigmoid"
    supports = {"loss": ["mse"], "hidden_layers": [1], "dtype": ["float64"]}

    def load(self, architecture, weights):
        self.W = [W.copy() for W in weights]

    def logits(self, x):
        self.h = sigmoid(x @ self.W[0])
        return self.h @ self.W[1]

    def loss_and_gradient(self, x, targets):
        gap = self.logits(x) - targets
        delta = 4 * gap / gap.size
        return (gap**2).mean(), [x.T @ ((delta @ self.W[1].T) * self.h * (1 - self.h)), self.h.T @ delta]


class UpdatesEarly(ByNetwork):
    """A step that moves W2 before delta goes back through it; and the output's derivative is left out."""

    loss_and_gradient = None
    hidden_layers = 1

    def step(self, x, targets, rate):
        out = self.net.forward(x)
        first, second = self.net.layers
        delta = out - targets
        second.parameters["W"] = second.parameters["W"] - rate * second.x.T @ delta
        second.parameters["b"] = second.parameters["b"] - rate * delta.sum(axis=0, keepdims=True)
        error = delta @ second.parameters["W"].T
        first.backward(error)
        first.parameters["W"] = first.parameters["W"] - rate * first.dW
        first.parameters["b"] = first.parameters["b"] - rate * first.db
        return 0.5 * ((out - targets) ** 2).sum()


class StepWithoutALoss(ByNetwork):
    """Right, and silent about its loss."""

    loss_and_gradient = None
    supports = {"loss": ["mse"], "dtype": ["float64"]}

    def step(self, x, targets, rate):
        gap = self.net.forward(x) - targets
        self.net.backward(2 * gap / gap.size)
        for layer in self.net.layers:
            layer.parameters["W"] = layer.parameters["W"] - rate * layer.dW
            layer.parameters["b"] = layer.parameters["b"] - rate * layer.db


class NotShifted(StepWithoutALoss):
    """A softmax without a shift, in a step without a loss."""

    activation, output_activation = "tanh", "identity"
    supports = {"loss": ["cross_entropy"], "dtype": ["float64"], "hidden_layers": [0]}
    targets = "one_hot"

    def logits(self, x):
        layer = self.net.layers[0]
        return x @ layer.parameters["W"] + layer.parameters["b"]

    def step(self, x, targets, rate):
        e = np.exp(self.logits(x))
        delta = (e / e.sum(axis=1, keepdims=True) - targets) / len(x)
        parameters = self.net.layers[0].parameters
        parameters["W"] = parameters["W"] - rate * x.T @ delta
        parameters["b"] = parameters["b"] - rate * delta.sum(axis=0, keepdims=True)


class TanhBeforeSoftmax:
    """Its tanh is applied to the last layer too, and its softmax to that."""

    activation = output_activation = "tanh"
    supports = {"loss": ["cross_entropy"], "dtype": ["float64"]}
    decay, scale = 0.0, 1.0

    def load(self, architecture, weights):
        self.layers = [(W.copy(), b.copy()) for W, b in weights]

    def logits(self, x):
        self.a = [x]
        for W, b in self.layers:
            self.a.append(np.tanh(self.a[-1] @ W + b))
        return self.a[-1]

    def loss_and_gradient(self, x, labels):
        p = np.exp(self.logits(x))
        p /= p.sum(axis=1, keepdims=True)
        error = p.copy()
        error[np.arange(len(x)), labels] -= 1
        error *= self.scale_of(x) / len(x)
        gradient = []
        for (W, _), a, out in zip(self.layers[::-1], self.a[-2::-1], self.a[:0:-1], strict=True):
            delta = error * (1 - out**2)
            gradient.insert(0, (a.T @ delta + self.decay * W, delta.sum(axis=0)))
            error = delta @ W.T
        return float(self.loss(p, labels)), gradient

    def scale_of(self, x):
        return self.scale

    def loss(self, p, labels):
        return -np.log(p[np.arange(len(p)), labels]).mean()


class NotDividedAndDecayed(TanhBeforeSoftmax):
    """The gradient is not divided by N, and holds a decay that the loss has not."""

    decay = 0.01

    def scale_of(self, x):
        return len(x)


class OthersInTheLoss(TanhBeforeSoftmax):
    """The loss is a binary cross-entropy of its probabilities; the gradient is softmax minus one-hot."""

    def loss(self, p, labels):
        label = np.eye(p.shape[1])[labels]
        return -np.where(label, np.log(p), np.log(1 - p + (p == 1))).mean()
'''
