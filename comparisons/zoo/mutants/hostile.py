"""Classes that misbehave: each must become a finding, never a crash or a hang of the checker."""

import ctypes
import os
import sys

import numpy as np
from student import StudentMLP


class EndlessLoop(StudentMLP):
    def loss_and_gradient(self, x, targets):
        while True:
            pass


class SysExit(StudentMLP):
    def loss_and_gradient(self, x, targets):
        sys.exit(0)


class HardExit(StudentMLP):
    def loss_and_gradient(self, x, targets):
        os._exit(0)


class Segfault(StudentMLP):
    def loss_and_gradient(self, x, targets):
        ctypes.string_at(0)


class PrintStorm(StudentMLP):
    def loss_and_gradient(self, x, targets):
        line = "x" * 1023 + "\n"
        for _ in range(1 << 20):
            sys.stdout.write(line)
        return super().loss_and_gradient(x, targets)


class ReturnsNone(StudentMLP):
    def loss_and_gradient(self, x, targets):
        super().loss_and_gradient(x, targets)


class ReturnsLists(StudentMLP):
    def loss_and_gradient(self, x, targets):
        loss, gradient = super().loss_and_gradient(x, targets)
        return loss, [(W.tolist(), b.tolist()) for W, b in gradient]


class WrongShapes(StudentMLP):
    def loss_and_gradient(self, x, targets):
        loss, gradient = super().loss_and_gradient(x, targets)
        return loss, [(np.vstack([W, W]), b) for W, b in gradient]


class ReturnsNaN(StudentMLP):
    def loss_and_gradient(self, x, targets):
        loss, gradient = super().loss_and_gradient(x, targets)
        return loss, [(W * np.nan, b) for W, b in gradient]


class ObjectArrays(StudentMLP):
    def loss_and_gradient(self, x, targets):
        loss, gradient = super().loss_and_gradient(x, targets)
        return loss, [(W.astype(object), b.astype(object)) for W, b in gradient]


class MutatesInput(StudentMLP):
    def loss_and_gradient(self, x, targets):
        result = super().loss_and_gradient(x, targets)
        x *= 0.5
        return result


class RaisesEverywhere(StudentMLP):
    def logits(self, x):
        raise RuntimeError("not today")


class NoConstructor(StudentMLP):
    def __init__(self, needed):
        self.needed = needed
