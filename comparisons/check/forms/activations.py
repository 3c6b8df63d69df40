"""Activations as other people have them: value f(z), slope f'(z), and a bound on |f''| where it exists.

leaky_relu has slope 0.01 below 0; elu is exp(z) - 1 there; gelu is z Phi(z) with the normal distribution's
Phi, gelu_tanh its approximation (Hendrycks, Gimpel 2016);
silu is z sigmoid(z).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import erf, expit

from backproof.scratch.architecture import Array

LEAK = 0.01
_TANH_GELU = np.sqrt(2 / np.pi)


@dataclass(frozen=True)
class ActivationFunction:
    """Works on arrays of any shape, entry by entry."""

    value: Callable[[Array], Array]
    slope: Callable[[Array], Array]
    curvature: float  # |f''| at most, away from a kink
    kink: bool = False  # at z = 0


def _elu(z: Array) -> Array:
    return np.where(z > 0, z, np.expm1(np.minimum(z, 0.0)))


def _gelu_slope(z: Array) -> Array:
    slope: Array = 0.5 * (1 + erf(z / np.sqrt(2))) + z * np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
    return slope


def _inner(z: Array) -> Array:
    t: Array = np.tanh(_TANH_GELU * (z + 0.044715 * z**3))
    return t


def _gelu_tanh_slope(z: Array) -> Array:
    t = _inner(z)
    slope: Array = 0.5 * (1 + t) + 0.5 * z * (1 - t * t) * _TANH_GELU * (1 + 3 * 0.044715 * z * z)
    return slope


def _silu_slope(z: Array) -> Array:
    s = expit(z)
    slope: Array = s * (1 + z * (1 - s))
    return slope


def _sigmoid_slope(z: Array) -> Array:
    slope: Array = expit(z) * expit(-z)
    return slope


ACTIVATION_FUNCTIONS: dict[str, ActivationFunction] = {
    "identity": ActivationFunction(lambda z: z * 1.0, np.ones_like, 0.0),
    "sigmoid": ActivationFunction(expit, _sigmoid_slope, 0.1),
    "tanh": ActivationFunction(np.tanh, lambda z: 1 - np.tanh(z) ** 2, 0.8),
    "relu": ActivationFunction(lambda z: np.maximum(z, 0.0), lambda z: (z > 0) * 1.0, 0.0, kink=True),
    "leaky_relu": ActivationFunction(
        lambda z: np.where(z > 0, z, LEAK * z), lambda z: np.where(z > 0, 1.0, LEAK), 0.0, kink=True
    ),
    "elu": ActivationFunction(_elu, lambda z: np.where(z > 0, 1.0, np.exp(np.minimum(z, 0.0))), 1.0),
    "softplus": ActivationFunction(lambda z: np.logaddexp(0.0, z), expit, 0.25),
    "gelu": ActivationFunction(lambda z: 0.5 * z * (1 + erf(z / np.sqrt(2))), _gelu_slope, 1.2),
    "gelu_tanh": ActivationFunction(lambda z: 0.5 * z * (1 + _inner(z)), _gelu_tanh_slope, 1.2),
    "silu": ActivationFunction(lambda z: z * expit(z), _silu_slope, 0.5),
}
