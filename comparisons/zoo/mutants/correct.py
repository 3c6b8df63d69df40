"""Correct contenders in unusual styles. A checker that rejects one of these is wrong itself."""

import math

import numpy as np
import torch
from student import StudentMLP


class LoopMLP(StudentMLP):
    """Plain Python loops over examples and units; sums kept in Python floats."""

    def forward(self, x):
        zs, activations = [], [x]
        for layer, (W, b) in enumerate(zip(self.W, self.b, strict=True)):
            z = np.empty((len(x), len(b)), self.dtype)
            for n, row in enumerate(activations[-1].tolist()):
                for j in range(len(b)):
                    z[n, j] = sum((a * w for a, w in zip(row, W[:, j].tolist(), strict=True)), float(b[j]))
            zs.append(z)
            if layer < len(self.W) - 1:
                activations.append(self.activate(z))
        return zs, activations

    def weight_gradient(self, activations, delta, layer):
        a = activations[layer]
        gradient = np.zeros((a.shape[1], delta.shape[1]))
        for n in range(len(a)):
            for i in range(a.shape[1]):
                gradient[i] += float(a[n, i]) * delta[n]
        return gradient.astype(self.dtype)

    def loss_value(self, z, targets):
        if self.architecture.loss != "cross_entropy":
            return super().loss_value(z, targets)
        terms = []
        for row, label in zip(z.tolist(), targets.tolist(), strict=True):
            largest = max(row)
            terms.append(largest - row[label] + math.log(math.fsum(math.exp(v - largest) for v in row)))
        return math.fsum(terms) / len(terms)


class ColumnsMLP:
    """Examples are columns and weights are stored transposed, as many textbooks write it."""

    def load(self, architecture, weights):
        self.inner = StudentMLP()
        self.inner.load(architecture, weights)
        self.W = [np.ascontiguousarray(W.T) for W, _ in self.inner.weights()]
        self.b = [b[:, None].copy() for _, b in self.inner.weights()]

    def weights(self):
        return [(W.T.copy(), b[:, 0].copy()) for W, b in zip(self.W, self.b, strict=True)]

    def forward(self, columns):
        zs, activations = [], [columns]
        for W, b in zip(self.W, self.b, strict=True):
            zs.append(W @ activations[-1] + b)
            activations.append(self.inner.activate(zs[-1]))
        return zs, activations[:-1]

    def logits(self, x):
        return np.ascontiguousarray(self.forward(np.asarray(x, self.inner.dtype).T)[0][-1].T)

    def loss_and_gradient(self, x, targets):
        targets = self.inner.checked_targets(targets)
        zs, activations = self.forward(np.asarray(x, self.inner.dtype).T)
        delta = self.inner.output_delta(zs[-1].T, targets).T
        gradient = []
        for layer in reversed(range(len(self.W))):
            gradient.insert(0, ((delta @ activations[layer].T).T.copy(), delta.sum(axis=1)))
            if layer > 0:
                slope = self.inner.activation_derivative(zs[layer - 1], activations[layer])
                delta = (self.W[layer].T @ delta) * slope
        return self.inner.loss_value(zs[-1].T, targets), gradient


class TorchStudent:
    """Parameters as bare tensors, autograd for the gradient, torch.optim for the update."""

    def load(self, architecture, weights):
        self.architecture = architecture
        self.dtype = getattr(torch, architecture.dtype)
        self.theta = [
            torch.tensor(np.array(a), dtype=self.dtype).requires_grad_() for pair in weights for a in pair
        ]

    def weights(self):
        flat = [tensor.detach().numpy().copy() for tensor in self.theta]
        return list(zip(flat[::2], flat[1::2], strict=True))

    def forward(self, x):
        functions = {
            "relu": torch.relu,
            "tanh": torch.tanh,
            "sigmoid": torch.sigmoid,
            "identity": lambda z: z,
        }
        activation = functions[self.architecture.activation]
        a = torch.tensor(np.array(x), dtype=self.dtype)
        for layer in range(0, len(self.theta), 2):
            z = torch.addmm(self.theta[layer + 1], a, self.theta[layer])
            a = activation(z)
        return z

    def loss(self, x, targets):
        z, functional = self.forward(x), torch.nn.functional
        if self.architecture.loss == "cross_entropy":
            return functional.cross_entropy(z, torch.tensor(np.array(targets), dtype=torch.int64))
        targets = torch.tensor(np.array(targets), dtype=self.dtype)
        if self.architecture.loss == "binary_cross_entropy":
            return functional.binary_cross_entropy_with_logits(z, targets)
        return ((z - targets) ** 2).mean() if self.architecture.loss == "mse" else ((z - targets) ** 2).sum()

    def logits(self, x):
        return self.forward(x).detach().numpy().copy()

    def loss_and_gradient(self, x, targets):
        loss = self.loss(x, targets)
        flat = [g.numpy().copy() for g in torch.autograd.grad(loss, self.theta)]
        return loss.item(), list(zip(flat[::2], flat[1::2], strict=True))

    def train(self, x, targets, batches, optimizer):  # no checkpoints: they are not needed to be checked
        if optimizer.name == "adam":
            betas = (optimizer.beta1, optimizer.beta2)
            rule = torch.optim.Adam(
                self.theta, optimizer.learning_rate, betas, optimizer.eps, optimizer.weight_decay
            )
        else:
            rule = torch.optim.SGD(
                self.theta,
                optimizer.learning_rate,
                momentum=optimizer.momentum,
                nesterov=optimizer.nesterov,
                weight_decay=optimizer.weight_decay,
            )
        losses = []
        for batch in batches:
            rule.zero_grad()
            loss = self.loss(x[batch], targets[batch])
            loss.backward()
            rule.step()
            losses.append(loss.item())
        return losses


class ForwardModeMLP(StudentMLP):
    """The gradient by forward mode: one tangent per parameter, pushed through the network."""

    def backward(self, zs, activations, targets):
        delta = self.output_delta(zs[-1], targets)
        return [
            (self.directional(zs, activations, delta, layer, bias=False),
             self.directional(zs, activations, delta, layer, bias=True))
            for layer in range(len(self.W))
        ]  # fmt: skip

    def directional(self, zs, activations, delta, layer, bias):
        n, width = zs[layer].shape
        sources = np.ones((n, 1), self.dtype) if bias else activations[layer]
        # tangent[i, j] of z_layer is sources[:, i] in column j: shape (fan_in, fan_out, n, width)
        tangent = np.zeros((sources.shape[1], width, n, width), self.dtype)
        for j in range(width):
            tangent[:, j, :, j] = sources.T
        for above in range(layer + 1, len(self.W)):
            slope = self.activation_derivative(zs[above - 1], activations[above])
            tangent = (tangent * slope) @ self.W[above]
        gradient = np.einsum("ijnk,nk->ij", tangent, delta)
        return gradient[0] if bias else gradient


class Float64InsideMLP(StudentMLP):
    """Computes in float64 whatever is asked for, and rounds at the very end."""

    def load(self, architecture, weights):
        super().load(architecture, weights)
        self.outer = self.dtype
        self.dtype = np.dtype("float64")
        self.W = [W.astype(self.dtype) for W in self.W]
        self.b = [b.astype(self.dtype) for b in self.b]

    def weights(self):
        return [(W.astype(self.outer), b.astype(self.outer)) for W, b in zip(self.W, self.b, strict=True)]

    def logits(self, x):
        return super().logits(x).astype(self.outer)

    def loss_and_gradient(self, x, targets):
        loss, gradient = super().loss_and_gradient(x, targets)
        return loss, [(W.astype(self.outer), b.astype(self.outer)) for W, b in gradient]

    def update(self, gradient, optimizer):
        super().update(gradient, optimizer)
        for array in self.parameters():
            array[...] = array.astype(self.outer)


class GradientOnlyMLP:
    """Offers the least: no training, so everything about training is 'not offered'."""

    def __init__(self):
        self._inner = StudentMLP()

    def load(self, architecture, weights):
        self._inner.load(architecture, weights)

    def logits(self, x):
        return self._inner.logits(x)

    def loss_and_gradient(self, x, targets):
        return self._inner.loss_and_gradient(x, targets)

    def weights(self):
        return self._inner.weights()
