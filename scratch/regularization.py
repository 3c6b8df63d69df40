"""Against overfitting: dropout and label smoothing. (Weight decay belongs to the optimisers.)

dropout           d = m * a, with m = 1/(1-p) with probability 1-p and 0 else, so that E[d] = a:
                  inverted, hence nothing to do at prediction.  dL/da = m * dL/dd
                  Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov 2014, sections 4 and 10
label smoothing   targets q = (1 - s) onehot + s/K instead of onehot:
                  L = 1/N sum_n [logsumexp(z_n) - q_n . z_n];  delta = (softmax(z) - q) / N
                  Szegedy, Vanhoucke, Ioffe, Shlens, Wojna 2016, section 7

A mask is data, drawn before the forward pass and handed to forward and backward alike. A loss under fixed
masks is an ordinary function of the parameters, so dropout is gradient-checked like everything else.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backproof.scratch.architecture import Architecture, Array
from backproof.scratch.errors import expect
from backproof.scratch.losses import LOSS_FUNCTIONS, Loss


@dataclass(frozen=True)
class Mask:
    """What one layer's inputs are multiplied with: `values` (batch, units) in {0, 1/keep}."""

    values: Array
    keep: float

    def backpropagate(self, delta: Array, d: Array) -> Array:
        """Turn dL/dd into dL/da, in place; return a itself for the units kept (0 for those dropped)."""
        delta *= self.values
        return d * self.keep


@dataclass(frozen=True)
class Dropout:
    """The probability p with which a unit is dropped: of the hidden layers, and of the inputs.

    `seed` starts the generator from which a training run draws its masks.
    """

    hidden: float = 0.5
    inputs: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name, p in (("hidden", self.hidden), ("inputs", self.inputs)):
            expect(0.0 <= p < 1.0, f"{name}: expected a probability in [0, 1), got {p!r}")

    def masks(self, rng: np.random.Generator, architecture: Architecture, n: int) -> list[Mask | None]:
        """One mask per layer's n inputs, None where nothing is dropped; the same for the same rng state."""
        n_inputs, *hidden, _ = architecture.layer_sizes
        layers = [(n_inputs, self.inputs), *((units, self.hidden) for units in hidden)]
        return [_mask(rng, (n, units), p, architecture.dtype) if p else None for units, p in layers]


Masks = Sequence[Mask | None]


def _mask(rng: np.random.Generator, shape: tuple[int, int], p: float, dtype: str) -> Mask:
    # float32 uniforms: half the time of float64, and p is off by at most 2^-24.
    values = (rng.random(shape, np.float32) >= p).astype(dtype)
    values *= values.dtype.type(1.0 / (1.0 - p))
    return Mask(values, float(1.0 - p))


def smoothed_cross_entropy(smoothing: float) -> Loss:
    """cross_entropy with the share `smoothing` of every target spread evenly over the K outputs."""
    expect(0.0 <= smoothing < 1.0, f"smoothing: expected a share in [0, 1), got {smoothing!r}")
    sharp = LOSS_FUNCTIONS["cross_entropy"]

    def smooth(z: Array, labels: Array) -> Array:
        # logsumexp(z) - (1 - s) z_y - s mean(z) = cross entropy + s (z_y - mean(z))
        extra: Array = smoothing * (z[np.arange(len(z)), labels] - z.mean(axis=1))
        return extra

    def terms_and_delta(z: Array, labels: Array, out: Array, factor: float) -> Array:
        # (softmax(z) - onehot) / N + s (onehot - 1/K) / N
        terms = sharp.terms_and_delta(z, labels, out, factor)
        out -= factor * smoothing / z.size
        out[np.arange(len(z)), labels] += factor * smoothing / len(z)
        return terms + smooth(z, labels)

    return Loss(lambda z, y: sharp.per_example(z, y) + smooth(z, y), terms_and_delta, sharp.scale)
