"""Mistakes 53 to 80 of the zoo, met in the wild. Each class is `StudentMLP` but for one mistake."""

import numpy as np
from student import StudentMLP


class _OneHot(StudentMLP):
    def onehot(self, z, labels):
        return np.eye(z.shape[1], dtype=z.dtype)[labels]

    def probabilities(self, z):
        return self.softmax(z)

    def loss_value(self, z, targets):
        if self.architecture.loss != "cross_entropy":
            return super().loss_value(z, targets)
        p = self.probabilities(z)[np.arange(len(z)), targets]
        return float(-np.mean(np.log(p)))

    def output_delta(self, z, targets):
        if self.architecture.loss != "cross_entropy":
            return super().output_delta(z, targets)
        return (self.probabilities(z) - self.onehot(z, targets)) / len(z)


class SoftmaxOverTheWholeBatch(_OneHot):
    """53: the softmax is normalised over the whole batch."""

    def probabilities(self, z):
        e = np.exp(z - z.max())
        return e / e.sum()


class NegatedExponent(_OneHot):
    """54: exp(-z) stands in the softmax."""

    def probabilities(self, z):
        return self.softmax(-z)


class ActivationForDerivative(StudentMLP):
    """55: the activation itself stands in place of its derivative."""

    def activation_derivative(self, z, a):
        return a if self.architecture.activation != "identity" else np.ones_like(z)


class DerivativeAtActivation(StudentMLP):
    """56: f' is evaluated at a where z belongs."""

    def activation_derivative(self, z, a):
        return super().activation_derivative(a, self.activate(a))


class ZWhereActivationBelongs(StudentMLP):
    """56, the reverse: the derivative, written for a, is given z."""

    def activation_derivative(self, z, a):
        return super().activation_derivative(z, z)


class DeltaWithoutDerivative(StudentMLP):
    """57: delta is passed back without f'."""

    def activation_derivative(self, z, a):
        return np.ones_like(z)


class BiasAveragedWeightSummed(StudentMLP):
    """58: the bias gradient is averaged over the batch while the weight gradient is summed."""

    def weight_gradient(self, activations, delta, layer):
        return super().weight_gradient(activations, delta, layer) * np.array(len(delta), delta.dtype)


class DividedByInputs(StudentMLP):
    """59: the gradient is divided by the number of inputs instead of the batch size."""

    def output_delta(self, z, targets):
        factor = len(z) / self.architecture.layer_sizes[0]
        return super().output_delta(z, targets) * np.array(factor, z.dtype)


class MseTwiceBceTimesK(StudentMLP):
    """60: the gradient of mse is averaged twice, that of binary cross-entropy is K times too large."""

    def output_delta(self, z, targets):
        delta = super().output_delta(z, targets)
        factors = {"mse": 1 / len(z), "binary_cross_entropy": z.shape[1]}
        return delta * np.array(factors.get(self.architecture.loss, 1), z.dtype)


class PenaltyInGradientOnly(StudentMLP):
    """61: lambda W is added to the gradient and missing from the loss."""

    def weight_gradient(self, activations, delta, layer):
        W = self.W[layer]
        return super().weight_gradient(activations, delta, layer) + np.array(0.3, W.dtype) * W


class PenaltyInLossOnly(StudentMLP):
    """62: lambda/2 |W|^2 is added to the loss and missing from the gradient."""

    def loss_value(self, z, targets):
        return super().loss_value(z, targets) + 0.15 * sum(float((W**2).sum()) for W in self.W)


class TransposedSquareGradient(StudentMLP):
    """63: dW is transposed, which square layers let through; the others are turned back to fit."""

    def weight_gradient(self, activations, delta, layer):
        dW = super().weight_gradient(activations, delta, layer)
        return dW.T.copy() if dW.shape[0] == dW.shape[1] else dW


class UpdatedBeforePassedBack(StudentMLP):
    """64: weights are updated before delta is passed back through them; plain descent is all it offers."""

    def train(self, x, targets, batches, optimizer):
        x, targets = np.asarray(x, self.dtype), self.checked_targets(targets)
        return [self.plain_step(x[batch], targets[batch], optimizer.learning_rate) for batch in batches]

    def plain_step(self, x, targets, rate):
        zs, activations = self.forward(x)
        delta = self.output_delta(zs[-1], targets)
        for layer in reversed(range(len(self.W))):
            self.W[layer] -= rate * self.weight_gradient(activations, delta, layer)
            self.b[layer] -= rate * self.bias_gradient(delta, layer)
            if layer > 0:
                slope = self.activation_derivative(zs[layer - 1], activations[layer])
                delta = self.pull_back(delta, layer) * slope
        return self.loss_value(zs[-1], targets)


class AdamTimeFromTwo(StudentMLP):
    """65: Adam's t runs from 2."""

    def adam(self, theta, g, optimizer, state):
        self.n_steps += 1
        super().adam(theta, g, optimizer, state)
        self.n_steps -= 1


class CorrectedMomentsStored(StudentMLP):
    """66: Adam's bias-corrected moments are stored back."""

    def adam(self, theta, g, optimizer, state):
        super().adam(theta, g, optimizer, state)
        state["m"] = state["m"] / (1 - optimizer.beta1**self.n_steps)
        state["v"] = state["v"] / (1 - optimizer.beta2**self.n_steps)


class CorrectionWithoutPower(StudentMLP):
    """67: Adam divides by (1 - b1) and (1 - b2) where (1 - b^t) belongs."""

    def adam(self, theta, g, optimizer, state):
        n_steps, self.n_steps = self.n_steps, 1
        super().adam(theta, g, optimizer, state)
        self.n_steps = n_steps


class EpsHat(StudentMLP):
    """68: Adam's eps is added before the bias correction, the eps-hat form."""

    def adam_step(self, m_hat, v_hat, optimizer):
        correction = np.sqrt(1 - optimizer.beta2**self.n_steps)
        return optimizer.learning_rate * m_hat / (np.sqrt(v_hat) + optimizer.eps / correction)


class _Momentum(StudentMLP):
    def sgd(self, theta, g, optimizer, state):
        if not optimizer.momentum:
            theta -= optimizer.learning_rate * g
            return
        theta -= self.moved(g, state.get("v"), optimizer, state)

    def moved(self, g, v, optimizer, state):
        rate, mu = optimizer.learning_rate, optimizer.momentum
        v = state["v"] = g.copy() if v is None else mu * v + g
        return rate * (g + mu * v if optimizer.nesterov else v)


class OldVelocity(_Momentum):
    """69: the step uses the old velocity."""

    def moved(self, g, v, optimizer, state):
        right = super().moved(g, v, optimizer, state)
        if optimizer.nesterov:
            return right
        return optimizer.learning_rate * (np.zeros_like(g) if v is None else v)


class DampenedVelocity(_Momentum):
    """70: the velocity is dampened by (1 - mu)."""

    def moved(self, g, v, optimizer, state):
        rate, mu = optimizer.learning_rate, optimizer.momentum
        v = state["v"] = (0 if v is None else mu * v) + (1 - mu) * g
        return rate * (g + mu * v if optimizer.nesterov else v)


class FirstVelocityWithoutRate(_Momentum):
    """71: the first velocity is taken without the learning rate."""

    def moved(self, g, v, optimizer, state):
        rate, mu = optimizer.learning_rate, optimizer.momentum
        v = state["v"] = g.copy() if v is None else mu * v + rate * g
        return rate * g + mu * v if optimizer.nesterov else v


class NesterovUnasked(_Momentum):
    """72: Nesterov's look-ahead is taken although it was not asked for."""

    def moved(self, g, v, optimizer, state):
        v = state["v"] = g.copy() if v is None else optimizer.momentum * v + g
        return optimizer.learning_rate * (g + optimizer.momentum * v)


class NesterovTwice(_Momentum):
    """73: Nesterov's look-ahead is taken after the velocity is updated already."""

    def moved(self, g, v, optimizer, state):
        right = super().moved(g, v, optimizer, state)
        if not optimizer.nesterov:
            return right
        mu = optimizer.momentum
        return optimizer.learning_rate * (g + mu * (mu * state["v"] + g))


class DecayOnWeightsOnly(StudentMLP):
    """74: the decay is on W only, where torch.optim decays every parameter."""

    def decayed(self, theta, g, optimizer, index):
        return super().decayed(theta, g, optimizer, index) if index % 2 == 0 else g


class BiasesNeverUpdated(StudentMLP):
    """75: the biases are never updated: their gradient is overwritten in their place."""

    def update(self, gradient, optimizer):
        biases = [b.copy() for b in self.b]
        super().update(gradient, optimizer)
        self.b = biases


class BuffersNeverCleared(StudentMLP):
    """76: gradient buffers are never cleared between the steps of train."""

    def start_optimizer(self, optimizer):
        super().start_optimizer(optimizer)
        self.sums = None

    def update(self, gradient, optimizer):
        if self.sums is not None:
            gradient = [(W + sW, b + sb) for (W, b), (sW, sb) in zip(gradient, self.sums, strict=True)]
        self.sums = [(W.copy(), b.copy()) for W, b in gradient]
        super().update(gradient, optimizer)


class NumericalGradient(StudentMLP):
    """77: a numerical gradient, central differences of step 1e-4, is passed off as analytic."""

    def loss_and_gradient(self, x, targets):
        x, targets = np.asarray(x, self.dtype), self.checked_targets(targets)
        arrays, found, h = self.parameters(), [], 1e-4
        for array in arrays:
            gradient = np.zeros_like(array)
            for index in np.ndindex(array.shape):
                kept, values = array[index], []
                for step in (h, -h):
                    array[index] = kept + step
                    values.append(self.loss_value(self.forward(x)[0][-1], targets))
                array[index] = kept
                gradient[index] = (values[0] - values[1]) / (2 * h)
            found.append(gradient)
        loss = self.loss_value(self.forward(x)[0][-1], targets)
        return loss, list(zip(found[::2], found[1::2], strict=True))


class ForwardDifferenceGradient(NumericalGradient):
    """77, with forward differences of step 1e-5."""

    def loss_and_gradient(self, x, targets):
        x, targets = np.asarray(x, self.dtype), self.checked_targets(targets)
        loss, found, h = self.loss_value(self.forward(x)[0][-1], targets), [], 1e-5
        for array in self.parameters():
            gradient = np.zeros_like(array)
            for index in np.ndindex(array.shape):
                kept = array[index]
                array[index] = kept + h
                gradient[index] = (self.loss_value(self.forward(x)[0][-1], targets) - loss) / h
                array[index] = kept
            found.append(gradient)
        return loss, list(zip(found[::2], found[1::2], strict=True))


class SoftmaxWithoutShift(_OneHot):
    """78: the softmax is taken without subtracting the largest logit."""

    def probabilities(self, z):
        with np.errstate(all="ignore"):
            e = np.exp(z)
            return e / e.sum(axis=1, keepdims=True)

    def loss_value(self, z, targets):
        with np.errstate(all="ignore"):
            return super().loss_value(z, targets)


class RaisesForOneUnit(StudentMLP):
    """79: raises TypeError where a hidden layer has one unit."""

    def load(self, architecture, weights):
        super().load(architecture, weights)
        self.b = [b if b.size > 1 or i == len(weights) - 1 else None for i, b in enumerate(self.b)]


class LogitsTransposed(StudentMLP):
    """80: logits come back as (outputs, examples)."""

    def logits(self, x):
        return super().logits(x).T.copy()


class DeltaDividedInEveryLayer(StudentMLP):
    """Delta is divided by N again in every layer."""

    def pull_back(self, delta, layer):
        return super().pull_back(delta, layer) / np.array(len(delta), delta.dtype)


class DerivativeTwice(StudentMLP):
    """The derivative of the activation is multiplied in twice."""

    def activation_derivative(self, z, a):
        return super().activation_derivative(z, a) ** 2


class TanhSquareMissing(StudentMLP):
    """tanh' is taken as 1 - a."""

    def activation_derivative(self, z, a):
        return 1 - a if self.architecture.activation == "tanh" else super().activation_derivative(z, a)


class OneHotLeftOut(_OneHot):
    """The one-hot labels are left out of softmax minus one-hot."""

    def output_delta(self, z, targets):
        if self.architecture.loss != "cross_entropy":
            return super().output_delta(z, targets)
        return self.softmax(z) / len(z)


class SigmoidPrimeTwice(StudentMLP):
    """The sigmoid's derivative is multiplied into p - t, which holds it already."""

    def output_delta(self, z, targets):
        delta = super().output_delta(z, targets)
        if self.architecture.loss != "binary_cross_entropy":
            return delta
        p = self.sigmoid(z)
        return delta * p * (1 - p)


class SquareWithoutTwo(StudentMLP):
    """The factor 2 of the square is missing from the gradient of mse and of the sum of squares."""

    def output_delta(self, z, targets):
        delta = super().output_delta(z, targets)
        return delta / 2 if self.architecture.loss in ("mse", "sum_of_squares") else delta


class UphillStep(StudentMLP):
    """The step goes uphill: the gradient is added."""

    def update(self, gradient, optimizer):
        super().update([(-W, -b) for W, b in gradient], optimizer)

    def decayed(self, theta, g, optimizer, index):
        return g - optimizer.weight_decay * theta


class AdamWithoutCorrection(StudentMLP):
    """Adam's bias correction is missing."""

    def adam(self, theta, g, optimizer, state):
        b1, b2 = optimizer.beta1, optimizer.beta2
        m = state["m"] = b1 * state.get("m", 0) + (1 - b1) * g
        v = state["v"] = b2 * state.get("v", 0) + (1 - b2) * g * g
        theta -= self.adam_step(m, v, optimizer)


class OutputActivated(StudentMLP):
    """The activation is applied to the output layer too."""

    def forward(self, x):
        zs, activations = super().forward(x)
        zs[-1] = self.activate(zs[-1])
        return zs, activations


class BiasesLeftOut(StudentMLP):
    """The biases are left out of the forward pass."""

    def forward(self, x):
        kept, self.b = self.b, [np.zeros_like(b) for b in self.b]
        try:
            return super().forward(x)
        finally:
            self.b = kept
