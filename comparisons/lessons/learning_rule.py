"""The perceptron: one node with a step for its activation, and the rule by which it learns.

    predict    y = step(x @ w + b),   step(z) = [z > 0]
    learn      for every example:   w <- w + (t - y) x;   b <- b + (t - y)

with x (inputs,), the label t in {0, 1} and the answer y. Only wrong answers change anything. On examples that
a line separates the rule stops after finitely many mistakes (Rosenblatt 1958; Novikoff 1962, theorem 1);
on all others it never does: with integer inputs it comes back to a state it has been in before.
"""

from dataclasses import dataclass

import numpy as np

from backproof.scratch.architecture import Array
from backproof.scratch.errors import InputError


@dataclass(frozen=True)
class Perceptron:
    """weight (inputs,), bias a number."""

    weight: Array
    bias: float

    def predict(self, x: Array) -> Array:
        """x (batch, inputs) -> 0 or 1 per example, (batch,)."""
        return (x @ self.weight + self.bias > 0).astype(int)


@dataclass(frozen=True)
class Learning:
    """What the rule found. `mistakes` counts them per epoch; `cycle` is the number of epochs after which it
    is back where it was before, or None if it stopped without mistakes (or ran out of epochs)."""

    perceptron: Perceptron
    mistakes: list[int]
    cycle: int | None


def learn(x: Array, labels: Array, epochs: int = 1000) -> Learning:
    """The learning rule from zero weights: x (examples, inputs), labels (examples,) of 0 and 1.

    Ends at the first epoch without a mistake, or at the first that ends where an earlier one ended. Raises
    ValueError where labels are not 0 and 1, one per example.
    """
    if labels.shape != (len(x),) or not np.isin(labels, (0, 1)).all():
        raise InputError(f"labels: expected 0 or 1 for each of {len(x)} examples, got {labels!r}")
    weight, bias = np.zeros(x.shape[1]), 0.0
    mistakes: list[int] = []
    seen = {(weight.tobytes(), bias): 0}
    for epoch in range(1, epochs + 1):
        mistakes.append(0)
        for example, label in zip(x, labels, strict=True):
            wrong = int(label) - int(example @ weight + bias > 0)
            weight, bias = weight + wrong * example, bias + wrong
            mistakes[-1] += abs(wrong)
        state = (weight.tobytes(), bias)
        if mistakes[-1] == 0 or state in seen:
            return Learning(Perceptron(weight, bias), mistakes, epoch - seen[state] if mistakes[-1] else None)
        seen[state] = epoch
    return Learning(Perceptron(weight, bias), mistakes, None)
