"""Correct classes in other people's forms: said in plain class attributes, or recognised."""

import math

import numpy as np
from student import StudentMLP


class OneActivationOneLoss(StudentMLP):
    """relu and cross-entropy, and nothing else."""

    def load(self, architecture, weights):
        if architecture.activation != "relu" or architecture.loss != "cross_entropy":
            raise NotImplementedError("relu and cross-entropy only")
        super().load(architecture, weights)


class IgnoresTheArchitecture(StudentMLP):
    """tanh and mse whatever is asked; one-hot rows are numbers like any others."""

    activation = "tanh"

    def load(self, architecture, weights):
        super().load(architecture, weights)
        self.architecture = _Named("tanh", "mse", architecture.layer_sizes)


class _Named:
    def __init__(self, activation, loss, layer_sizes):
        self.activation, self.loss, self.layer_sizes = activation, loss, layer_sizes


class ProbabilitiesAndOneHot(StudentMLP):
    """Outputs are probabilities, labels one-hot rows; recognised, not said."""

    supports = {"loss": ["cross_entropy"]}
    train = train_epoch = None

    def logits(self, x):
        return self.softmax(super().logits(x))

    def checked_targets(self, targets):
        rows = np.asarray(targets)
        if rows.ndim != 2:
            raise ValueError("one-hot rows, please")
        return rows.argmax(axis=1)


class LogProbabilities(StudentMLP):
    """Outputs are log-probabilities."""

    outputs = "log_probabilities"
    supports = {"loss": ["cross_entropy"]}

    def logits(self, x):
        z = super().logits(x)
        return z - self.logsumexp(z)[:, None]


class OutInWeights(StudentMLP):
    """W is (out, in), here and in the gradient."""

    weight_layout = "out_in"

    def load(self, architecture, weights):
        super().load(architecture, [(W.T, b) for W, b in weights])

    def weights(self):
        return [(W.T.copy(), b) for W, b in super().weights()]

    def loss_and_gradient(self, x, targets):
        loss, gradient = super().loss_and_gradient(x, targets)
        return loss, [(W.T.copy(), b) for W, b in gradient]

    def train(self, x, targets, batches, optimizer, checkpoints=None):
        self.turned = True
        try:
            return super().train(x, targets, batches, optimizer, checkpoints)
        finally:
            self.turned = False

    def train_step(self, x, targets, optimizer):
        loss, gradient = super().loss_and_gradient(x, targets)
        self.update(gradient, optimizer)
        return loss

    def initialize(self, architecture, seed):
        return [(W.T.copy(), b) for W, b in super().initialize(architecture, seed)]


class ColumnsAndColumnBiases:
    """Samples in columns, W (out, in), biases (n, 1), sigmoid throughout, half the square over N, float64."""

    samples = "columns"
    weight_layout = "out_in"
    biases = "column"
    activation = "sigmoid"
    output_activation = "sigmoid"
    supports = {"loss": ["mse"], "dtype": ["float64"]}

    def load(self, architecture, weights):
        self.W = [np.array(W) for W, _ in weights]
        self.b = [np.array(b) for _, b in weights]

    def weights(self):
        return [(W.copy(), b.copy()) for W, b in zip(self.W, self.b, strict=True)]

    def forward(self, x):
        activations = [x]
        for W, b in zip(self.W, self.b, strict=True):
            z = W @ activations[-1] + b
            activations.append(0.5 * (1 + np.tanh(z / 2)))
        return activations

    def logits(self, x):
        return self.forward(x)[-1]

    def loss_and_gradient(self, x, targets):
        activations, n = self.forward(x), x.shape[1]
        out = activations[-1]
        delta = (out - targets) * out * (1 - out) / n
        gradient = []
        for layer in reversed(range(len(self.W))):
            a = activations[layer]
            gradient.insert(0, (delta @ a.T, delta.sum(axis=1, keepdims=True)))
            delta = (self.W[layer].T @ delta) * a * (1 - a)
        return 0.5 * float(((out - targets) ** 2).sum()) / n, gradient


class RowBiases(StudentMLP):
    """Biases are rows (1, n)."""

    biases = "row"

    def load(self, architecture, weights):
        super().load(architecture, [(W, b[0]) for W, b in weights])

    def weights(self):
        return [(W, b[None]) for W, b in super().weights()]

    def loss_and_gradient(self, x, targets):
        loss, gradient = super().loss_and_gradient(x, targets)
        return loss, [(W, b[None]) for W, b in gradient]

    def train_step(self, x, targets, optimizer):
        loss, gradient = super().loss_and_gradient(x, targets)
        self.update(gradient, optimizer)
        return loss

    def initialize(self, architecture, seed):
        return [(W, b[None]) for W, b in super().initialize(architecture, seed)]


class NoBiases(StudentMLP):
    """Weights without biases."""

    biases = "none"
    train = train_epoch = None

    def load(self, architecture, weights):
        super().load(architecture, [(W, np.zeros(W.shape[1])) for W in weights])

    def weights(self):
        return [W.copy() for W in self.W]

    def loss_and_gradient(self, x, targets):
        loss, gradient = super().loss_and_gradient(x, targets)
        return loss, [W for W, _ in gradient]

    def initialize(self, architecture, seed):
        return [W for W, _ in super().initialize(architecture, seed)]


class StepOnly:
    """No gradient, only a step that changes the weights; tanh and the sum of squares."""

    supports = {"activation": ["tanh"], "loss": ["sum_of_squares"]}

    def load(self, architecture, weights):
        self.inner = StudentMLP()
        self.inner.load(architecture, weights)

    def weights(self):
        return self.inner.weights()

    def logits(self, x):
        return self.inner.logits(x)

    def step(self, x, targets, rate):
        loss, gradient = self.inner.loss_and_gradient(x, targets)
        flat = [array for pair in gradient for array in pair]
        for theta, g in zip(self.inner.parameters(), flat, strict=True):
            theta -= theta.dtype.type(rate) * g
        return loss


class PerExampleGradients(StudentMLP):
    """The gradient of every example by itself, in front one more axis."""

    gradients = "per_example"
    train = train_epoch = None

    def loss_and_gradient(self, x, targets):
        loss, _ = super().loss_and_gradient(x, targets)
        each = [super(PerExampleGradients, self).loss_and_gradient(x[i : i + 1], targets[i : i + 1])[1]
                for i in range(len(x))]  # fmt: skip
        layers = range(len(self.W))
        return loss, [tuple(np.array([g[layer][k] for g in each]) for k in (0, 1)) for layer in layers]


class Float64Throughout(StudentMLP):
    """Computes and answers in float64 whatever is asked."""

    def load(self, architecture, weights):
        super().load(architecture, weights)
        self.dtype = np.dtype("float64")
        self.W = [W.astype(self.dtype) for W in self.W]
        self.b = [b.astype(self.dtype) for b in self.b]


class Float32Throughout(StudentMLP):
    """Computes and answers in float32 whatever is asked."""

    def load(self, architecture, weights):
        super().load(architecture, weights)
        self.dtype = np.dtype("float32")
        self.W = [W.astype(self.dtype) for W in self.W]
        self.b = [b.astype(self.dtype) for b in self.b]


class Float32Declared(Float32Throughout):
    """Single precision, said in an attribute; its loss is a sum over the examples, and its gradient too."""

    supports = {"dtype": ["float32"], "loss": ["cross_entropy"]}

    def loss_value(self, z, targets):
        return super().loss_value(z, targets) * len(z)

    def output_delta(self, z, targets):
        return super().output_delta(z, targets) * len(z)


class Float32Alone(Float32Throughout):
    """Refuses float64."""

    def load(self, architecture, weights):
        if architecture.dtype != "float32":
            raise NotImplementedError("float32 only")
        super().load(architecture, weights)


class IntegersRefused(StudentMLP):
    """Takes the weights in the dtype they come in, and updates them in place: whole numbers are refused."""

    def load(self, architecture, weights):
        super().load(architecture, weights)
        self.W = [np.array(weight) for weight, _ in weights]
        self.b = [np.array(bias) for _, bias in weights]


class OneHiddenLayer(StudentMLP):
    """One hidden layer, no more and no fewer."""

    hidden_layers = 1

    def load(self, architecture, weights):
        (_, _), (_, _) = weights
        super().load(architecture, weights)


class PlainDescentOnly(StudentMLP):
    """train takes plain gradient steps, whatever update rule is asked."""

    def update(self, gradient, optimizer):
        for theta, g in zip(self.parameters(), [a for pair in gradient for a in pair], strict=True):
            theta -= optimizer.learning_rate * g


class _OwnActivation(StudentMLP):
    supports = {"dtype": ["float64"]}


class LeakyRelu(_OwnActivation):
    """leaky relu, slope 0.01 below zero."""

    activation = "leaky_relu"

    def activate(self, z):
        return np.where(z > 0, z, 0.01 * z)

    def activation_derivative(self, z, a):
        return np.where(z > 0, 1.0, 0.01)


class Elu(_OwnActivation):
    """elu, its derivative written for a."""

    activation = "elu"

    def activate(self, z):
        return np.where(z > 0, z, np.exp(np.minimum(z, 0)) - 1)

    def activation_derivative(self, z, a):
        return np.where(z > 0, 1.0, a + 1)


class Softplus(_OwnActivation):
    """softplus."""

    activation = "softplus"

    def activate(self, z):
        return np.logaddexp(0, z)

    def activation_derivative(self, z, a):
        return self.sigmoid(z)


class Gelu(_OwnActivation):
    """gelu by its tanh formula."""

    activation = "gelu_tanh"

    def inner(self, z):
        return np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3))

    def activate(self, z):
        return 0.5 * z * (1 + self.inner(z))

    def activation_derivative(self, z, a):
        t = self.inner(z)
        slope = np.sqrt(2 / np.pi) * (1 + 3 * 0.044715 * z**2)
        return 0.5 * (1 + t) + 0.5 * z * (1 - t**2) * slope


class Silu(_OwnActivation):
    """silu, recognised by its numbers."""

    def activate(self, z):
        return z * self.sigmoid(z)

    def activation_derivative(self, z, a):
        s = self.sigmoid(z)
        return s + z * s * (1 - s)


class _OwnOutput(StudentMLP):
    supports = {"loss": ["mse", "sum_of_squares"]}

    def logits(self, x):
        return self.output(super().logits(x))

    def loss_value(self, z, targets):
        squares = (self.output(z) - targets) ** 2
        return float(np.mean(squares) if self.architecture.loss == "mse" else np.sum(squares))

    def output_delta(self, z, targets):
        count = z.size if self.architecture.loss == "mse" else 1
        return self.through(self.output(z), 2 * (self.output(z) - targets) / count)


class SigmoidOutput(_OwnOutput):
    """A sigmoid on the output, under squared error."""

    output_activation = "sigmoid"

    def output(self, z):
        return self.sigmoid(z)

    def through(self, out, pull):
        return pull * out * (1 - out)


class TanhOutput(_OwnOutput):
    """tanh on the output, under squared error; recognised."""

    def output(self, z):
        return np.tanh(z)

    def through(self, out, pull):
        return pull * (1 - out**2)


class SoftmaxOutput(_OwnOutput):
    """A softmax on the output, under squared error."""

    output_activation = "softmax"

    def output(self, z):
        return self.softmax(z)

    def through(self, out, pull):
        return out * (pull - (pull * out).sum(axis=1, keepdims=True))


class ClippedProbabilities(StudentMLP):
    """Probabilities are clipped at 1e-12 inside the logarithm, and the gradient is p - t: a convention."""

    def loss_value(self, z, targets):
        if self.architecture.loss != "cross_entropy":
            return super().loss_value(z, targets)
        p = np.clip(self.softmax(z), 1e-12, 1 - 1e-12)
        return math.fsum(-np.log(p[np.arange(len(z)), targets])) / len(z)


class LabelsTakenForRows(StudentMLP):
    """With as many labels as logits they are taken for one-hot rows: fails with one output alone."""

    def checked_targets(self, targets):
        targets = super().checked_targets(targets)
        if self.architecture.loss == "cross_entropy" and self.architecture.layer_sizes[-1] == 1:
            return targets.argmax(axis=1)
        return targets
