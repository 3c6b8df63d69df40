"""Ten held-out mistakes, written blind. Each class is `StudentMLP` but for one mistake."""

import dataclasses

import numpy as np
from student import StudentMLP


class OptimizerStateByShape(StudentMLP):
    """H1: the optimiser's state is kept in a dict keyed by shape, so tensors of equal shape share it."""

    def start_optimizer(self, optimizer):
        self.n_steps = 0
        slots = {}
        self.state = [slots.setdefault(theta.shape, {}) for theta in self.parameters()]


class WeightsFlattenedInMemoryOrder(StudentMLP):
    """H2: load flattens the weights in memory order, which scrambles a Fortran-ordered (transposed) one."""

    def load(self, architecture, weights):
        super().load(architecture, weights)
        flat = np.concatenate(
            [np.asarray(array, self.dtype).ravel("K") for pair in weights for array in pair]
        )
        start = 0
        for theta in self.parameters():
            theta[...] = flat[start : start + theta.size].reshape(theta.shape)
            start += theta.size


class LabelsRenumbered(StudentMLP):
    """H3: labels are renumbered by the classes present, so a batch that lacks a class trains on others."""

    def checked_targets(self, targets):
        targets = super().checked_targets(targets)
        if self.architecture.loss == "cross_entropy":
            classes = np.unique(targets)
            return np.searchsorted(classes, targets)
        return targets


class OneOutputBroadcast(StudentMLP):
    """H4: with one output the logits (N,) broadcast against targets (N, 1): all pairs are compared."""

    def differences(self, z, targets):
        return z.squeeze(1) - targets if z.shape[1] == 1 else z - targets

    def loss_value(self, z, targets):
        if self.architecture.loss not in ("mse", "sum_of_squares"):
            return super().loss_value(z, targets)
        squares = self.differences(z, targets) ** 2
        return float(np.mean(squares) if self.architecture.loss == "mse" else np.sum(squares))

    def output_delta(self, z, targets):
        if self.architecture.loss not in ("mse", "sum_of_squares") or z.shape[1] > 1:
            return super().output_delta(z, targets)
        d = self.differences(z, targets)
        return 2 * d.sum(axis=0)[:, None] / (d.size if self.architecture.loss == "mse" else 1)


class CheckpointsSeeTheStart(StudentMLP):
    """H5: train works on a copy and writes it back at its end: checkpoints still see the initial weights."""

    def train(self, x, targets, batches, optimizer, checkpoints=None):
        worker = StudentMLP()
        worker.load(self.architecture, self.weights())
        losses = worker.train(x, targets, batches, optimizer, checkpoints)
        self.W, self.b = worker.W, worker.b
        return losses


class StaleRowsInBatchBuffer(StudentMLP):
    """H6: a short batch goes through a full-sized buffer, whose last rows are those of the batch before."""

    def start_optimizer(self, optimizer):
        super().start_optimizer(optimizer)
        self.rows = None

    def train_step(self, x, targets, optimizer):
        if self.rows is None or len(x) > len(self.rows[0]):
            self.rows = np.empty_like(x), np.empty_like(targets)
        for rows, values in zip(self.rows, (x, targets), strict=True):
            rows[: len(values)] = values
        return super().train_step(*self.rows, optimizer)


class UnaskedGradientClipping(StudentMLP):
    """H7: training clips the gradient to a global norm of 5, which nobody asked for."""

    def update(self, gradient, optimizer):
        norm = float(np.sqrt(sum(float(np.sum(array**2)) for pair in gradient for array in pair)))
        scale = min(1.0, 5.0 / (norm + 1e-6))
        super().update([(W * scale, b * scale) for W, b in gradient], optimizer)


class FirstActivationKept(StudentMLP):
    """H8: the activation is chosen at the first load; a later load with another one keeps it."""

    def load(self, architecture, weights):
        first = getattr(self, "architecture", architecture)
        super().load(dataclasses.replace(architecture, activation=first.activation), weights)


class SquaresMultipliedOut(StudentMLP):
    """H9: (z - t)^2 is computed as z^2 - 2 z t + t^2, which cancels where outputs and targets are large."""

    def loss_value(self, z, targets):
        if self.architecture.loss not in ("mse", "sum_of_squares"):
            return super().loss_value(z, targets)
        total = np.sum(z * z) - 2 * np.sum(z * targets) + np.sum(targets * targets)
        return float(total / z.size if self.architecture.loss == "mse" else total)


class SoftTargetsHardened(StudentMLP):
    """H10: binary cross-entropy asks `target == 1`, so a soft target of 0.9 counts as 0."""

    def checked_targets(self, targets):
        targets = super().checked_targets(targets)
        if self.architecture.loss == "binary_cross_entropy":
            return np.where(targets == 1, 1, 0).astype(self.dtype)
        return targets
