"""Hidden activations a = f(z) and their derivatives, written in terms of a.

    identity  a = z                  da/dz = 1
    sigmoid   a = 1 / (1 + exp(-z))  da/dz = a (1 - a)
    tanh      a = tanh(z)            da/dz = 1 - a^2
    relu      a = max(z, 0)          da/dz = [a > 0], so relu'(0) = 0

Because every derivative is a function of a alone, a layer keeps one array and overwrites z with a.
Kernels work in place, branch on the real part only (so that they serve complex steps) and never overflow.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .architecture import Array


@dataclass(frozen=True)
class Activation:
    """`apply(z)` overwrites z with f(z); `backpropagate(delta, a)` multiplies delta by f'(z), in place."""

    apply: Callable[[Array], object]
    backpropagate: Callable[[Array, Array], object]


def sigmoid(z: Array, out: Array | None = None) -> Array:
    """1 / (1 + exp(-z)) elementwise, without overflow: the exponent is never positive.

    Parameters
    ----------
    z
        Real or complex numbers of any shape.
    out
        Where to write the result, of z's shape; z itself is welcome. By default a new array.

    Returns
    -------
    array
        Of z's shape and dtype, in (0, 1) for real numbers.
    """
    positive = z.real >= 0
    decay = np.exp(np.where(positive, -z, z))  # exp(-|z|), analytic in each half plane
    numerator = np.where(positive, 1.0, decay)
    return np.divide(numerator, 1.0 + decay, out=out)


def _relu(z: Array) -> None:
    if np.iscomplexobj(z):
        z[z.real <= 0] = 0.0
        return
    # A row of zeros: NumPy does not vectorise maximum with a scalar (25 us against 7 us for 256 x 256).
    zeros = np.zeros(z.shape[-1], z.dtype)
    np.maximum(z, zeros, out=z)


ACTIVATION_FUNCTIONS = {
    "identity": Activation(
        apply=lambda z: None,
        backpropagate=lambda delta, a: None,
    ),
    "sigmoid": Activation(
        apply=lambda z: sigmoid(z, out=z),
        backpropagate=lambda delta, a: np.multiply(delta, a * (1.0 - a), out=delta),
    ),
    "tanh": Activation(
        apply=lambda z: np.tanh(z, out=z),
        backpropagate=lambda delta, a: np.multiply(delta, 1.0 - a * a, out=delta),
    ),
    "relu": Activation(
        apply=_relu,
        backpropagate=lambda delta, a: np.multiply(delta, a.real > 0, out=delta),
    ),
}
