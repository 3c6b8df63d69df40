"""A right network that speaks another form: what it is given it reads in that form, and answers in it."""

from typing import Any

import numpy as np

from backproof.comparisons.check.forms.form import Form
from backproof.scratch.architecture import Array
from tests.support.in_process import Student


class _Spoken:
    """Of `form`, by a student's network that has ours."""

    form = Form()

    def load(self, architecture: Any, weights: Any) -> None:
        self.net, self.architecture = Student(), architecture
        self.net.load(architecture, [self._read(item) for item in weights])

    def weights(self) -> Any:
        return [self._said(W, b) for W, b in self.net.weights()]

    def logits(self, x: Array) -> Any:
        found = self.net.logits(self._rows(x))
        return {"rows": found, "columns": found.T, "single": found[0]}[self.form.samples]

    def loss_and_gradient(self, x: Array, targets: Any) -> Any:
        x, targets = self._rows(x), self._targets(targets)
        loss, gradient = self.net.loss_and_gradient(x, targets)
        if self.form.gradients == "per_example":
            each = [self.net.loss_and_gradient(x[i : i + 1], targets[i : i + 1])[1] for i in range(len(x))]
            gradient = [
                tuple(np.array([one[layer][part] for one in each]) for part in (0, 1))
                for layer in range(len(gradient))
            ]
        return loss, [self._said(self._turned(W), b) for W, b in gradient]

    def train(self, x: Array, targets: Any, batches: Any, optimizer: Any, checkpoints: Any = None) -> Any:
        return self.net.train(self._rows(x), self._targets(targets), batches, optimizer, checkpoints)

    def _turned(self, W: Array) -> Array:
        return np.swapaxes(W, -1, -2) if self.form.gradient_layout == "out_in" else W

    def _rows(self, x: Array) -> Array:
        return {"rows": x, "columns": x.T, "single": x[None]}[self.form.samples]

    def _targets(self, targets: Any) -> Array:
        given = np.array([targets]) if self.form.samples == "single" else np.asarray(targets)
        if given.ndim == 2 and self.form.samples == "columns":
            given = given.T
        labelled = self.architecture.loss == "cross_entropy"
        if labelled:
            assert given.ndim == (2 if self.form.targets == "one_hot" else 1)
        return given.argmax(axis=1) if labelled and given.ndim == 2 else given

    def _read(self, item: Any) -> tuple[Array, Array]:
        out_in, biases = self.form.weight_layout == "out_in", self.form.biases
        if biases in ("first", "last"):
            table = item.T if out_in else item
            return (table[1:], table[0]) if biases == "first" else (table[:-1], table[-1])
        W, b = (item, None) if biases == "none" else item
        W = W.T if out_in else W
        if b is None:
            return W, np.zeros(W.shape[1], W.dtype)
        n = W.shape[1]
        assert b.shape == {"vector": (n,), "row": (1, n), "column": (n, 1)}[biases]
        return W, b.ravel()

    def _said(self, W: Array, b: Array) -> Any:
        """One layer's weights or gradients, with an axis in front or none."""
        out_in, biases = self.form.weight_layout == "out_in", self.form.biases
        if biases in ("first", "last"):
            row = b[..., None, :]
            table = np.concatenate([row, W] if biases == "first" else [W, row], axis=-2)
            return np.swapaxes(table, -1, -2) if out_in else table
        W = np.swapaxes(W, -1, -2) if out_in else W
        if biases == "none":
            return W
        return W, {"vector": b, "row": b[..., None, :], "column": b[..., :, None]}[biases]


def speaking(form: Form) -> type:
    """The class that speaks it."""
    return type("Spoken", (_Spoken,), {"form": form})
