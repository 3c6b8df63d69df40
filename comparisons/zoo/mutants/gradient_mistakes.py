"""Mistakes 1 to 22 of the zoo: the gradient is wrong. Each class is `StudentMLP` but for one mistake."""

import numpy as np
from student import StudentMLP


class BiasAveragedTwice(StudentMLP):
    """1: the bias gradient is averaged over the batch although delta holds 1/N already, in every layer."""

    def bias_gradient(self, delta, layer):
        return delta.sum(axis=0) / len(delta)


class BiasMeanInHiddenLayers(StudentMLP):
    """2: the bias gradient is the mean where the loss is a mean already (hidden layers only)."""

    def bias_gradient(self, delta, layer):
        return delta.sum(axis=0) if layer == len(self.W) - 1 else delta.mean(axis=0)


class BiasSummedOverAllAxes(StudentMLP):
    """3: the bias gradient is summed over all axes."""

    def bias_gradient(self, delta, layer):
        return np.full(delta.shape[1], delta.sum(), delta.dtype)


class CrossEntropyNotDividedByBatch(StudentMLP):
    """4: the cross-entropy gradient is not divided by N."""

    def output_delta(self, z, targets):
        delta = super().output_delta(z, targets)
        return delta * len(z) if self.architecture.loss == "cross_entropy" else delta


class MseAveragedInTheLossOnly(StudentMLP):
    """5: mse is averaged over outputs in the loss only."""

    def output_delta(self, z, targets):
        delta = super().output_delta(z, targets)
        return delta * z.shape[1] if self.architecture.loss == "mse" else delta


class SoftmaxJacobianDiagonalOnly(StudentMLP):
    """6: the softmax Jacobian is taken as its diagonal p (1 - p)."""

    def output_delta(self, z, targets):
        if self.architecture.loss != "cross_entropy":
            return super().output_delta(z, targets)
        # dL/dp = -1/p at the label, times dp/dz = p (1 - p) there; the off-diagonal -p_i p_j is forgotten.
        onehot = np.eye(z.shape[1], dtype=z.dtype)[targets]
        return -onehot * (1 - self.softmax(z)) / len(z)


class LogOfShiftedProbability(StudentMLP):
    """7: log(p + 1e-7) in the loss, p - t in the gradient."""

    def loss_value(self, z, targets):
        if self.architecture.loss != "cross_entropy":
            return super().loss_value(z, targets)
        p = self.softmax(z)[np.arange(len(z)), targets]
        return float(-np.mean(np.log(p + 1e-7)))


class ClippedLogits(StudentMLP):
    """8: logits are clipped in the forward pass, without a mask in the backward pass."""

    def loss_value(self, z, targets):
        return super().loss_value(np.clip(z, -30, 30), targets)

    def output_delta(self, z, targets):
        return super().output_delta(np.clip(z, -30, 30), targets)


class ReluMaskOnPostActivation(StudentMLP):
    """9: the relu mask is a >= 0, which is true everywhere."""

    def activation_derivative(self, z, a):
        if self.architecture.activation == "relu":
            return (a >= 0).astype(z.dtype)
        return super().activation_derivative(z, a)


class SigmoidDerivativeOfOutput(StudentMLP):
    """10: sigmoid' = s (1 - s) with s = sigmoid(a): the sigmoid is applied twice."""

    def activation_derivative(self, z, a):
        if self.architecture.activation == "sigmoid":
            s = self.sigmoid(a)
            return s * (1 - s)
        return super().activation_derivative(z, a)


class TanhDerivativeOfPreActivation(StudentMLP):
    """11: tanh' = 1 - z^2 instead of 1 - tanh(z)^2."""

    def activation_derivative(self, z, a):
        return 1 - z * z if self.architecture.activation == "tanh" else super().activation_derivative(z, a)


class WeightNotTransposed(StudentMLP):
    """12: W where W^T belongs; only square layers let it through."""

    def pull_back(self, delta, layer):
        W = self.W[layer]
        return delta @ (W if W.shape[0] == W.shape[1] else W.T)


class UpdatedWeightInBackward(StudentMLP):
    """13: training backpropagates through the already updated W."""

    def train_step(self, x, targets, optimizer):
        zs, activations = self.forward(x)
        loss = self.loss_value(zs[-1], targets)
        delta = self.output_delta(zs[-1], targets)
        self.n_steps += 1
        rule = self.adam if optimizer.name == "adam" else self.sgd
        for layer in reversed(range(len(self.W))):
            pair = (self.weight_gradient(activations, delta, layer), self.bias_gradient(delta, layer))
            for offset, (theta, g) in enumerate(zip((self.W[layer], self.b[layer]), pair, strict=True)):
                index = 2 * layer + offset
                rule(theta, self.decayed(theta, g, optimizer, index), optimizer, self.state[index])
            if layer > 0:  # too late: W[layer] has just moved
                upstream = self.pull_back(delta, layer)
                delta = upstream * self.activation_derivative(zs[layer - 1], activations[layer])
        return loss


class HalfWeightDecay(StudentMLP):
    """14: weight decay lambda/2 where lambda belongs."""

    def decayed(self, theta, g, optimizer, index):
        return g + 0.5 * optimizer.weight_decay * theta


class NoWeightDecayOnBiases(StudentMLP):
    """15, turned round (torch.optim decays every parameter): the biases are left out of the decay."""

    def decayed(self, theta, g, optimizer, index):
        return g if index % 2 else g + optimizer.weight_decay * theta


class WeightDecayDividedByBatch(StudentMLP):
    """16: weight decay is divided by N in one path."""

    def train_step(self, x, targets, optimizer):
        self.batch_size = len(x)
        return super().train_step(x, targets, optimizer)

    def decayed(self, theta, g, optimizer, index):
        return g + optimizer.weight_decay / self.batch_size * theta


class SoftmaxOverSamples(StudentMLP):
    """17: softmax is taken over axis 0 in the gradient."""

    def softmax(self, z):
        e = np.exp(z - z.max(axis=0))
        return e / e.sum(axis=0)


class BatchNormalisedLogits(StudentMLP):
    """17, in the forward pass: a sample's logits depend on the other samples."""

    def forward(self, x):
        zs, activations = super().forward(x)
        zs[-1] = zs[-1] - zs[-1].mean(axis=0) * np.array(1e-3, zs[-1].dtype)
        return zs, activations


class FirstLayerUsesSecondInput(StudentMLP):
    """18: the gradient of the first layer uses the second layer's input, where the widths allow it."""

    def weight_gradient(self, activations, delta, layer):
        if layer == 0 and len(activations) > 1 and activations[1].shape == activations[0].shape:
            return activations[1].T @ delta
        return super().weight_gradient(activations, delta, layer)


class UpstreamGradientIgnored(StudentMLP):
    """19: the hidden layers assume an upstream gradient of one (its sign is kept)."""

    def pull_back(self, delta, layer):
        return np.sign(delta) @ self.W[layer].T


class BiasSignOfOneLayer(StudentMLP):
    """20: the sign of the first layer's bias gradient."""

    def bias_gradient(self, delta, layer):
        return -delta.sum(axis=0) if layer == 0 else delta.sum(axis=0)


class RoundedConstant(StudentMLP):
    """21: the gradient is right to 1 part in 2,000: a rounded constant."""

    def output_delta(self, z, targets):
        return super().output_delta(z, targets) * np.array(0.9995, z.dtype)


class DeadRowsCopied(StudentMLP):
    """22: the gradient rows of never-active inputs are copied from the neighbour."""

    def weight_gradient(self, activations, delta, layer):
        gradient = super().weight_gradient(activations, delta, layer)
        for row in np.flatnonzero(~activations[layer].any(axis=0)):
            gradient[row] = gradient[row - 1]
        return gradient
