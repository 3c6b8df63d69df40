"""Trainers that accumulate gradients over micro-batches, right and wrong, in NumPy, torch and JAX.

The model labels tokens: a = tanh(x V), logits a W, cross-entropy at every position; x (n, T, d), labels
(n, T) and a mask (n, T) that says which positions count. `summed` gives the gradient of the summed loss,
everything else is arithmetic on top of it: what the trainers get wrong is only that.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Batch = Mapping[str, Any]
Gradient = dict[str, Any]
D, HIDDEN, CLASSES = 5, 6, 4


def batch(n: int, positions: int, seed: int, dtype: str = "float64", uneven: bool = True) -> dict[str, Any]:
    """NumPy arrays; of every example at least one token counts, and padding is at the end."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, positions + 1, n) if uneven else np.full(n, positions)
    if uneven:
        lengths[0], lengths[1] = 1, positions
    return {
        "x": rng.standard_normal((n, positions, D)).astype(dtype),
        "labels": rng.integers(0, CLASSES, (n, positions)),
        "mask": (np.arange(positions) < lengths[:, None]).astype(dtype),
    }


def parameters(seed: int, dtype: str) -> Gradient:
    rng = np.random.default_rng([seed, 1])
    return {
        "V": (rng.standard_normal((D, HIDDEN)) / 2).astype(dtype),
        "W": (rng.standard_normal((HIDDEN, CLASSES)) / 2).astype(dtype),
    }


def numpy_summed(p: Gradient, x: Any, labels: Any, mask: Any) -> Gradient:
    """The gradient of the loss summed over the positions where the mask is 1, by formula."""
    a = np.tanh(x @ p["V"])
    z = a @ p["W"]
    q = np.exp(z - z.max(-1, keepdims=True))
    q /= q.sum(-1, keepdims=True)
    delta = ((q - np.eye(CLASSES, dtype=x.dtype)[labels]) * mask[..., None]).reshape(-1, CLASSES)
    flat = a.reshape(-1, HIDDEN)
    back = (delta @ p["W"].T) * (1 - flat * flat)
    return {"V": x.reshape(-1, D).T @ back, "W": flat.T @ delta}


@dataclass(frozen=True)
class Model:
    """One framework's gradient of the summed loss; `batch` makes its arrays of NumPy's."""

    name: str
    summed: Callable[[Batch, Any], Gradient]  # (batch, mask) -> gradient
    batch: Callable[[Batch], Batch]


def numpy_model(seed: int, dtype: str) -> Model:
    p = parameters(seed, dtype)
    return Model("numpy", lambda b, mask: numpy_summed(p, b["x"], b["labels"], mask), lambda b: b)


def torch_model(seed: int, dtype: str) -> Model:
    import torch

    p = {name: torch.tensor(array, requires_grad=True) for name, array in parameters(seed, dtype).items()}

    def summed(b: Batch, mask: Any) -> Gradient:
        logits = torch.tanh(b["x"] @ p["V"]) @ p["W"]
        losses = torch.nn.functional.cross_entropy(
            logits.flatten(0, 1), b["labels"].flatten(), reduction="none"
        )
        found = torch.autograd.grad((losses * mask.flatten()).sum(), list(p.values()))
        return dict(zip(p, found, strict=True))

    return Model("torch", summed, lambda b: {name: torch.tensor(array) for name, array in b.items()})


def jax_model(seed: int, dtype: str) -> Model:
    import jax
    import jax.numpy as jnp

    p = {name: jnp.asarray(array) for name, array in parameters(seed, dtype).items()}

    def loss(p: Gradient, x: Any, labels: Any, mask: Any) -> Any:
        logits = jax.nn.log_softmax(jnp.tanh(x @ p["V"]) @ p["W"])
        return -(jnp.take_along_axis(logits, labels[..., None], -1)[..., 0] * mask).sum()

    gradient = jax.grad(loss)
    return Model(
        "jax",
        lambda b, mask: gradient(p, b["x"], b["labels"], mask),
        lambda b: {name: jnp.asarray(array) for name, array in b.items()},
    )


MODELS = {"numpy": numpy_model, "torch": torch_model, "jax": jax_model}


def scaled(g: Gradient, factor: float) -> Gradient:
    return {name: array * factor for name, array in g.items()}


def added(gradients: Sequence[Gradient]) -> Gradient:
    return {name: sum(g[name] for g in gradients[1:]) + gradients[0][name] for name in gradients[0]}


def ones(b: Batch) -> Any:
    return b["mask"] * 0 + 1


@dataclass(frozen=True)
class Trainer:
    """Gradients of batches, and of lists of micro-batches, each by what it makes of the summed ones."""

    model: Model

    def summed(self, b: Batch) -> Gradient:
        return self.model.summed(b, b["mask"])

    def tokens(self, *batches: Batch) -> float:
        return float(sum(float(b["mask"].sum()) for b in batches))

    def positions(self, *batches: Batch) -> float:
        return float(sum(b["mask"].shape[0] * b["mask"].shape[1] for b in batches))

    def mean(self, b: Batch) -> Gradient:
        """Right: over the tokens that count."""
        return scaled(self.summed(b), 1 / self.tokens(b))

    # gradients of a batch

    def padding_counted(self, b: Batch) -> Gradient:
        return scaled(self.model.summed(b, ones(b)), 1 / self.positions(b))

    def denominator_ignores_mask(self, b: Batch) -> Gradient:
        return scaled(self.summed(b), 1 / self.positions(b))

    def each_first(self, b: Batch) -> Gradient:
        weights = b["mask"] / b["mask"].sum(1)[:, None]
        return scaled(self.model.summed(b, weights), 1 / len(b["mask"]))

    # over micro-batches

    def right(self, parts: Sequence[Batch]) -> Gradient:
        return scaled(added([self.summed(b) for b in parts]), 1 / self.tokens(*parts))

    def by_micro_batches(self, parts: Sequence[Batch]) -> Gradient:
        return scaled(added([self.mean(b) for b in parts]), 1 / len(parts))

    def sum_of_means(self, parts: Sequence[Batch]) -> Gradient:
        return added([self.mean(b) for b in parts])

    def twice(self, parts: Sequence[Batch]) -> Gradient:
        return added([self.right(parts), self.right(parts)])

    def fixed_steps(self, parts: Sequence[Batch]) -> Gradient:
        return scaled(self.sum_of_means(parts), 1 / 4)

    def first_count(self, parts: Sequence[Batch]) -> Gradient:
        share = self.tokens(parts[0]) / self.tokens(*parts)
        return scaled(self.sum_of_means(parts), share)

    def padded_denominator(self, parts: Sequence[Batch]) -> Gradient:
        return scaled(added([self.summed(b) for b in parts]), 1 / self.positions(*parts))

    def padding_in_the_parts(self, parts: Sequence[Batch]) -> Gradient:
        everything = added([self.model.summed(b, ones(b)) for b in parts])
        return scaled(everything, 1 / self.positions(*parts))

    def sequences_first(self, parts: Sequence[Batch]) -> Gradient:
        n = sum(len(b["mask"]) for b in parts)
        return scaled(added([scaled(self.each_first(b), len(b["mask"])) for b in parts]), 1 / n)


class Forgetful:
    """A trainer that never empties what it accumulates into."""

    def __init__(self, step: Callable[[Sequence[Batch]], Gradient]) -> None:
        self._step = step
        self._held: Gradient | None = None

    def __call__(self, parts: Sequence[Batch]) -> Gradient:
        found = self._step(parts)
        self._held = found if self._held is None else added([self._held, found])
        return self._held
