"""Activations, the four of `scratch` and six more, with the room for rounding.

Given z to within e, a = f(z) and its slope d = f'(z) may lie off by

    |a' - a| <= sup |f'| e + ROUNDINGS u size        |d' - d| <= sup |f''| e + ROUNDINGS u size'

For the four of `scratch` `verdicts.activation_bounds` has closer bounds. For the others the sizes are those
of the largest number in the formula: 1 + erf cancels, so that gelu rounds as |z| does and not as its own
value, and exp(z) - 1 as 1 does. The usual formulas have up to a dozen operations and one tanh, erf or exp of
up to ten units in the last place, which is less than ROUNDINGS.

torch's softplus is z above 20, where log(1 + exp(-z)) is left out: that much more is allowed there.

Reverse mode multiplies what comes back by one factor of f' after another, and whatever falls below the
smallest normal number on the way may be flushed to zero, before another factor makes it large again:

    |delta' - delta| <= ... + ROUNDINGS tiny size'
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from backproof.comparisons.check.forms.activations import ACTIVATION_FUNCTIONS
from backproof.comparisons.verdicts.activation_bounds import ACTIVATION_BOUNDS, undecided_signs
from backproof.comparisons.verdicts.rounding import Arithmetic, Bounded, product
from backproof.scratch.architecture import Array

ROUNDINGS = 40.0
STEEPEST = 1.13  # |f'| of gelu is at most 1.13, of silu 1.1, of the others 1
TORCH_THRESHOLD = 20.0  # of softplus

# As a sentence says them.
WORDS: Mapping[str, str] = {
    "identity": "identity",
    "relu": "relu",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "leaky_relu": "leaky relu with slope 0.01",
    "elu": "elu",
    "softplus": "softplus",
    "silu": "silu",
    "gelu": "gelu by erf",
    "gelu_tanh": "gelu by tanh",
}


@dataclass(frozen=True)
class Active:
    """a = f(z), and f'(z); what a product with f'(z) may lose to underflow on its way."""

    a: Bounded
    slope: Bounded
    lost: Array

    def passed_back(self, summed: Bounded, arithmetic: Arithmetic) -> Bounded:
        """summed * f'(z)."""
        found = product(summed, self.slope, arithmetic)
        return Bounded(found.value, found.error + np.where(summed.magnitude > 0, self.lost, 0.0))


def active(kind: str, z: Bounded, arithmetic: Arithmetic) -> Active:
    """Both with their bounds. A kink whose side is a matter of rounding may have either slope."""
    if kind in ACTIVATION_BOUNDS:
        found = ACTIVATION_BOUNDS[kind](z, arithmetic)
        return Active(found.a, _decided(kind, z, found.derivative), np.zeros_like(z.value))
    function = ACTIVATION_FUNCTIONS[kind]
    size, slope_size = _SIZES[kind](np.abs(z.value) + z.error)
    unit = ROUNDINGS * arithmetic.unit
    error = STEEPEST * z.error + unit * size + ROUNDINGS * arithmetic.tiny * np.maximum(size, 1.0)
    slope_error = function.curvature * z.error + unit * slope_size
    if kind == "softplus":
        left_out = np.where(z.value + z.error > TORCH_THRESHOLD, np.exp(-np.abs(z.value)), 0.0)
        error, slope_error = error + left_out, slope_error + left_out
    slope = Bounded(function.slope(z.value), slope_error)
    lost = ROUNDINGS * arithmetic.tiny * slope_size
    return Active(Bounded(function.value(z.value), error), _decided(kind, z, slope), lost)


def _decided(kind: str, z: Bounded, slope: Bounded) -> Bounded:
    if kind not in ("relu", "leaky_relu"):
        return slope
    return Bounded(slope.value, np.where(undecided_signs(z), 1.0, slope.error))


def _as_z(size: Array) -> tuple[Array, Array]:
    return size, np.ones_like(size)


def _beside_one(size: Array) -> tuple[Array, Array]:
    return 1.0 + size, np.ones_like(size)


def _cubic(size: Array) -> tuple[Array, Array]:
    """1 - t^2 loses its digits where t is all but 1, and is multiplied by z (1 + 0.13 z^2)."""
    return size, 1.0 + size**3


_SIZES: Mapping[str, Callable[[Array], tuple[Array, Array]]] = {
    "leaky_relu": _as_z,
    "silu": _as_z,
    "gelu": _as_z,
    "gelu_tanh": _cubic,
    "elu": _beside_one,
    "softplus": _beside_one,
}
