"""`StudentMLP`: a correct contender in plain NumPy, written in small methods so that a mutant overrides one.

It stands alone (no import of backproof), as somebody's own class would, and offers the optional methods too.
"""

import numpy as np


class StudentMLP:
    def load(self, architecture, weights):
        self.architecture = architecture
        self.dtype = np.dtype(architecture.dtype)
        self.W = [np.array(weight, self.dtype) for weight, _ in weights]
        self.b = [np.array(bias, self.dtype) for _, bias in weights]

    def weights(self):
        return [(W.copy(), b.copy()) for W, b in zip(self.W, self.b, strict=True)]

    # -- forward

    def logits(self, x):
        return self.forward(np.asarray(x, self.dtype))[0][-1]

    def forward(self, x):
        """Pre-activations [z_1, ..., z_L] and activations [x, a_1, ..., a_{L-1}]."""
        zs, activations = [], [x]
        for layer, (W, b) in enumerate(zip(self.W, self.b, strict=True)):
            zs.append(activations[-1] @ W + b)
            if layer < len(self.W) - 1:
                activations.append(self.activate(zs[-1]))
        return zs, activations

    def activate(self, z):
        if self.architecture.activation == "sigmoid":
            return self.sigmoid(z)
        if self.architecture.activation == "tanh":
            return np.tanh(z)
        if self.architecture.activation == "relu":
            return np.maximum(z, 0)
        return z.copy()

    def activation_derivative(self, z, a):
        if self.architecture.activation == "sigmoid":
            return a * (1 - a)
        if self.architecture.activation == "tanh":
            return 1 - a * a
        if self.architecture.activation == "relu":
            return (z > 0).astype(z.dtype)
        return np.ones_like(z)

    def sigmoid(self, z):
        decay = np.exp(-np.abs(z))
        return np.where(z >= 0, 1 / (1 + decay), decay / (1 + decay))

    # -- loss

    def loss_value(self, z, targets):
        if self.architecture.loss == "cross_entropy":
            return float(np.mean(self.logsumexp(z) - z[np.arange(len(z)), targets]))
        if self.architecture.loss == "binary_cross_entropy":
            return float(np.mean(np.maximum(z, 0) - targets * z + np.log1p(np.exp(-np.abs(z)))))
        squares = (z - targets) ** 2
        return float(np.mean(squares) if self.architecture.loss == "mse" else np.sum(squares))

    def logsumexp(self, z):
        largest = z.max(axis=1)
        return largest + np.log(np.sum(np.exp(z - largest[:, None]), axis=1))

    def softmax(self, z):
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def output_delta(self, z, targets):
        if self.architecture.loss == "cross_entropy":
            onehot = np.eye(z.shape[1], dtype=z.dtype)[targets]
            return (self.softmax(z) - onehot) / len(z)
        if self.architecture.loss == "binary_cross_entropy":
            return (self.sigmoid(z) - targets) / z.size
        return 2 * (z - targets) / (z.size if self.architecture.loss == "mse" else 1)

    # -- backward

    def loss_and_gradient(self, x, targets):
        x, targets = np.asarray(x, self.dtype), self.checked_targets(targets)
        zs, activations = self.forward(x)
        return self.loss_value(zs[-1], targets), self.backward(zs, activations, targets)

    def checked_targets(self, targets):
        kind = np.intp if self.architecture.loss == "cross_entropy" else self.dtype
        return np.asarray(targets, kind)

    def backward(self, zs, activations, targets):
        delta = self.output_delta(zs[-1], targets)
        gradient = [None] * len(self.W)
        for layer in reversed(range(len(self.W))):
            gradient[layer] = (
                self.weight_gradient(activations, delta, layer),
                self.bias_gradient(delta, layer),
            )
            if layer > 0:
                upstream = self.pull_back(delta, layer)
                delta = upstream * self.activation_derivative(zs[layer - 1], activations[layer])
        return gradient

    def weight_gradient(self, activations, delta, layer):
        return activations[layer].T @ delta

    def bias_gradient(self, delta, layer):
        return delta.sum(axis=0)

    def pull_back(self, delta, layer):
        return delta @ self.W[layer].T

    # -- training

    def train(self, x, targets, batches, optimizer, checkpoints=None):
        x, targets = np.asarray(x, self.dtype), self.checked_targets(targets)
        checkpoints = checkpoints or {}
        self.start_optimizer(optimizer)
        losses = []
        for step, batch in enumerate(batches):
            if step in checkpoints:
                checkpoints[step]()
            losses.append(self.train_step(x[batch], targets[batch], optimizer))
        if len(losses) in checkpoints:
            checkpoints[len(losses)]()
        return losses

    def train_step(self, x, targets, optimizer):
        loss, gradient = self.loss_and_gradient(x, targets)
        self.update(gradient, optimizer)
        return loss

    def start_optimizer(self, optimizer):
        self.n_steps = 0
        self.state = [{} for _ in range(2 * len(self.W))]

    def parameters(self):
        return [array for pair in zip(self.W, self.b, strict=True) for array in pair]

    def update(self, gradient, optimizer):
        self.n_steps += 1
        flat = [array for pair in gradient for array in pair]
        for index, (theta, g) in enumerate(zip(self.parameters(), flat, strict=True)):
            g = self.decayed(theta, g, optimizer, index)
            rule = self.adam if optimizer.name == "adam" else self.sgd
            rule(theta, g, optimizer, self.state[index])

    def decayed(self, theta, g, optimizer, index):
        return g + optimizer.weight_decay * theta

    def sgd(self, theta, g, optimizer, state):
        if optimizer.momentum:
            v = state["v"] = optimizer.momentum * state["v"] + g if "v" in state else g.copy()
            g = g + optimizer.momentum * v if optimizer.nesterov else v
        theta -= optimizer.learning_rate * g

    def adam(self, theta, g, optimizer, state):
        b1, b2, t = optimizer.beta1, optimizer.beta2, self.n_steps
        m = state["m"] = b1 * state.get("m", 0) + (1 - b1) * g
        v = state["v"] = b2 * state.get("v", 0) + (1 - b2) * g * g
        theta -= self.adam_step(m / (1 - b1**t), v / (1 - b2**t), optimizer)

    def adam_step(self, m_hat, v_hat, optimizer):
        return optimizer.learning_rate * m_hat / (np.sqrt(v_hat) + optimizer.eps)

    # -- optional methods

    def initialize(self, architecture, seed):
        rng = np.random.default_rng(seed)
        return [
            (rng.standard_normal((n, m)) * np.sqrt(2 / n), np.zeros(m))
            for n, m in zip(architecture.layer_sizes[:-1], architecture.layer_sizes[1:], strict=True)
        ]

    def shuffle(self, x, targets, seed):
        order = np.random.default_rng(seed).permutation(len(x))
        return x[order], targets[order]

    def epoch_batches(self, n_examples, batch_size, seed):
        order = np.random.default_rng(seed).permutation(n_examples)
        return [order[start : start + batch_size] for start in range(0, n_examples, batch_size)]

    def train_epoch(self, x, targets, batch_size, optimizer, seed):
        """Train on every example once; return the mean loss over the examples."""
        total = 0.0
        batches = self.epoch_batches(len(x), batch_size, seed)
        for batch, loss in zip(batches, self.train(x, targets, batches, optimizer), strict=True):
            total += loss * len(batch)
        return total / len(x)

    def learning_rates(self, schedule, rate, n_steps):
        """The rate of each of n_steps steps: constant, or half a cosine from `rate` towards 0."""
        t = np.arange(n_steps)
        if schedule == "cosine":
            return rate * 0.5 * (1 + np.cos(np.pi * t / n_steps))
        return np.full(n_steps, rate)
