"""Mistakes 37 to 45 of the zoo: the data, the numerics and the start."""

import numpy as np
from student import StudentMLP


class ShortBatchDropped(StudentMLP):
    """37: the last partial batch is dropped from the epoch."""

    def epoch_batches(self, n_examples, batch_size, seed):
        return [b for b in super().epoch_batches(n_examples, batch_size, seed) if len(b) == batch_size]


class ShortBatchSkippedInTraining(StudentMLP):
    """37, in train: a batch shorter than the first is not trained on."""

    def train(self, x, targets, batches, optimizer, checkpoints=None):
        self.full = len(batches[0]) if len(batches) else 0
        return super().train(x, targets, batches, optimizer, checkpoints)

    def train_step(self, x, targets, optimizer):
        if len(x) < self.full:
            return self.loss_and_gradient(x, targets)[0]
        return super().train_step(x, targets, optimizer)


class PairsTornApart(StudentMLP):
    """38: x and y are permuted differently."""

    def shuffle(self, x, targets, seed):
        rng = np.random.default_rng(seed)
        return x[rng.permutation(len(x))], targets[rng.permutation(len(x))]


class TargetsOfSortedBatch(StudentMLP):
    """38, in train: rows come in batch order, targets in sorted order."""

    def train(self, x, targets, batches, optimizer, checkpoints=None):
        x, targets = np.asarray(x, self.dtype), self.checked_targets(targets)
        self.start_optimizer(optimizer)
        losses = []
        for step, batch in enumerate(batches):
            if checkpoints and step in checkpoints:
                checkpoints[step]()
            losses.append(self.train_step(x[batch], targets[np.sort(batch)], optimizer))
        if checkpoints and len(losses) in checkpoints:
            checkpoints[len(losses)]()
        return losses


class SwapOnViewsDuplicatesRows(StudentMLP):
    """39: x[i], x[j] = x[j], x[i] on views of a 2-D array duplicates rows."""

    def shuffle(self, x, targets, seed):
        x, targets = x.copy(), targets.copy()
        rng = np.random.default_rng(seed)
        for i in range(len(x) - 1, 0, -1):
            j = rng.integers(0, i + 1)
            x[i], x[j] = x[j], x[i]
            targets[[i, j]] = targets[[j, i]]
        return x, targets


class EpochLossOverBatches(StudentMLP):
    """40: the epoch loss is averaged over batches, not over examples."""

    def train_epoch(self, x, targets, batch_size, optimizer, seed):
        batches = self.epoch_batches(len(x), batch_size, seed)
        return float(np.mean(self.train(x, targets, batches, optimizer)))


class LongLossInFloat32(StudentMLP):
    """41: a long loss is accumulated one term at a time in float32."""

    def loss_value(self, z, targets):
        if self.architecture.loss == "cross_entropy":
            terms, count = self.logsumexp(z) - z[np.arange(len(z)), targets], len(z)
        elif self.architecture.loss == "binary_cross_entropy":
            terms, count = np.maximum(z, 0) - targets * z + np.log1p(np.exp(-np.abs(z))), z.size
        else:
            terms, count = (z - targets) ** 2, z.size if self.architecture.loss == "mse" else 1
        return float(np.cumsum(terms.ravel(), dtype=z.dtype)[-1] / z.dtype.type(count))


class PromotedToFloat64(StudentMLP):
    """42: a float64 scalar promotes float32 parameters."""

    def update(self, gradient, optimizer):
        super().update(gradient, optimizer)
        self.W = [W * np.float64(1) for W in self.W]


class NoMaximumShift(StudentMLP):
    """43: logsumexp and softmax without the maximum shift."""

    def logsumexp(self, z):
        return np.log(np.sum(np.exp(z), axis=1))

    def softmax(self, z):
        e = np.exp(z)
        return e / e.sum(axis=1, keepdims=True)


class SigmoidOverflows(StudentMLP):
    """44: binary cross-entropy through log(1 / (1 + exp(-z))), which overflows at z = -1e3."""

    def loss_value(self, z, targets):
        if self.architecture.loss != "binary_cross_entropy":
            return super().loss_value(z, targets)
        p = 1 / (1 + np.exp(-z))
        return float(-np.mean(targets * np.log(p) + (1 - targets) * np.log(1 - p)))


class SameSeedForEveryLayer(StudentMLP):
    """45: every layer is initialised with the same seed."""

    def initialize(self, architecture, seed):
        return [
            (np.random.default_rng(seed).standard_normal((n, m)) * np.sqrt(2 / n), np.zeros(m))
            for n, m in zip(architecture.layer_sizes[:-1], architecture.layer_sizes[1:], strict=True)
        ]
