"""How far rounding may move an activation a = f(z) and its derivative d = f'(z), z known to within e.

    a' - a = d (z' - z) + t          |t| <= `own`: the function's own error + sup |f''| e^2 / 2;
                                     relu: e where its sign is undecided, else 0
    d' - d = f''(z) (z' - z) + t_d   |t_d| <= `derivative_own`: what 1 - a^2 or a (1 - a) round, or another
                                     formula of the derivative does, and the remainder of the Taylor series

Both hold exactly, not to first order: whatever the derivatives at z leave out is a part of t and t_d. tanh
and the sigmoid are bounded, but make no number of an infinite error: where nothing is known of z, nothing is
of a.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from backproof.comparisons.verdicts.loss_bounds import bounded_by, sigmoid, sigmoid_rounding
from backproof.comparisons.verdicts.rounding import SAFETY, Arithmetic, Bounded, binade
from backproof.comparisons.verdicts.shadow import sech_squared
from backproof.scratch.architecture import Array

BELOW_ONE = 1.0 - 2.0**-53  # tanh is never more, nor are its units in the last place
STEEPEST_TANH = 4.0 / (3.0 * np.sqrt(3.0))  # |tanh''| is never more
STEEPEST_SIGMOID = 1.0 / (6.0 * np.sqrt(3.0))


@dataclass(frozen=True)
class Activated:
    """a = f(z) and its derivative d, z known to within e."""

    a: Bounded
    derivative: Bounded
    own: Array  # t: |a' - a - d (z' - z)| is at most this
    curvature: Array  # |f''(z)|, through which d follows z
    derivative_own: Array  # |d' - d - f''(z) (z' - z)| is at most this

    def rows(self, rows: slice) -> "Activated":
        """Of some examples."""
        a, d = self.a, self.derivative
        return Activated(
            Bounded(a.value[rows], a.error[rows]),
            Bounded(d.value[rows], d.error[rows]),
            self.own[rows],
            self.curvature[rows],
            self.derivative_own[rows],
        )


def _identity(z: Bounded, arithmetic: Arithmetic) -> Activated:
    nothing = np.zeros_like(z.value)
    return Activated(z, Bounded.exact(np.ones_like(z.value)), nothing, nothing, nothing)


def _relu(z: Bounded, arithmetic: Arithmetic) -> Activated:
    on = z.value > 0
    off = z.value + z.error <= 0
    a = Bounded(np.where(on, z.value, 0.0), np.where(off, 0.0, z.error))
    own = np.where(undecided_signs(z), z.error, 0.0)
    nothing = np.zeros_like(own)
    return Activated(a, Bounded.exact(on), own, nothing, nothing)


def undecided_signs(z: Bounded) -> Array:
    """Where rounding decides whether z > 0.

    Parameters
    ----------
    z
        Pre-activations and their errors, of any shape.

    Returns
    -------
    array of bool
        Of z's shape; an exact zero is decided.
    """
    return np.asarray((np.abs(z.value) <= z.error) & (z.error > 0))


def _tanh(z: Bounded, arithmetic: Arithmetic) -> Activated:
    value, d = np.tanh(z.value), sech_squared(z.value)
    nearest = sech_squared(np.maximum(np.abs(z.value) - z.error, 0.0))
    moved = np.minimum(z.error * nearest, 2.0)
    remainder = np.minimum(np.minimum(STEEPEST_TANH, 2 * nearest) * z.error**2 / 2, moved + d * z.error)
    own = remainder + arithmetic.tanh_error(np.minimum(np.abs(value) + moved, BELOW_ONE))
    error = np.minimum(d * z.error, moved) + own
    # 1 - a^2: the error of a, the rounding of a^2, the rounding of the difference; or sech(z)^2.
    by_a = (
        2 * np.abs(value) * own
        + error**2
        + arithmetic.unit
        * (binade(np.minimum(np.abs(value) + error, 1.0) ** 2) + binade((d + error) * SAFETY))
    )
    # The third derivative is at most 2, and nothing in reach rounds more than what is nearest to zero.
    by_z = z.error**2 + arithmetic.gamma(arithmetic.from_z) * nearest
    return _smooth(
        z, Bounded(value, error), d, own, 2 * np.abs(value) * d, _either(by_a, by_z, arithmetic), arithmetic
    )


def _sigmoid(z: Bounded, arithmetic: Arithmetic) -> Activated:
    value = sigmoid(z, arithmetic)
    # a (1 - a) with 1 - a = sigmoid(-z), which does not cancel.
    a, complement = value.value, sigmoid(Bounded(-z.value, z.error), arithmetic).value
    d = a * complement
    distance = np.maximum(np.abs(z.value) - z.error, 0.0)
    steepest = np.minimum(STEEPEST_SIGMOID, np.exp(-distance))
    moved = np.minimum(z.error * np.minimum(0.25, np.exp(-distance)), 1.0)
    remainder = np.minimum(steepest * z.error**2 / 2, moved + d * z.error)
    own = remainder + sigmoid_rounding(z, moved, arithmetic)
    error = np.minimum(d * z.error, moved) + own
    slope = np.abs(complement - a)
    # 1 - a, and the product with a
    rounded = a * binade(complement + error) + binade(d + error)
    by_a = slope * own + error**2 + arithmetic.unit * (rounded + error) * SAFETY
    # The third derivative is at most 1/8, which takes e^2 / 16. What z' rounds beyond z is less than another
    # e^2 / 16 from e = 1e-6 on, and less than SAFETY below it.
    by_z = z.error**2 / 8 + arithmetic.gamma(arithmetic.from_z) * d
    return _smooth(z, Bounded(a, error), d, own, slope * d, _either(by_a, by_z, arithmetic), arithmetic)


def _either(from_a: Array, from_z: Array, arithmetic: Arithmetic) -> Array:
    """The error of a derivative that is computed from a, or, where it is not known to be, also from z."""
    return np.maximum(from_a, from_z) if arithmetic.functions.other_formulas else from_a


def _smooth(
    z: Bounded, a: Bounded, d: Array, own: Array, curvature: Array, other: Array, arithmetic: Arithmetic
) -> Activated:
    """The bounds of tanh and the sigmoid, of which nothing is known where nothing is known of z."""
    known = np.isfinite(z.error)
    derivative_own = np.where(known, (other + arithmetic.tiny) * SAFETY, np.inf)
    d_error = curvature * np.where(known, z.error, 0.0) + derivative_own
    return Activated(
        bounded_by(z, Bounded(a.value, a.error * SAFETY)),
        Bounded(d, d_error),
        np.where(known, own * SAFETY, np.inf),
        curvature,
        derivative_own,
    )


ACTIVATION_BOUNDS: dict[str, Callable[[Bounded, Arithmetic], Activated]] = {
    "identity": _identity,
    "sigmoid": _sigmoid,
    "tanh": _tanh,
    "relu": _relu,
}
