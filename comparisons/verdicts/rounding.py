"""Running error analysis: numbers that carry a bound on their own rounding error.

A floating-point operation gives fl(x op y) = (x op y)(1 + t) + s with |t| <= u, the unit roundoff, and
|s| <= the smallest normal number (underflow; flushing to zero is allowed). Along n operations the factors
(1 + t) multiply to 1 + T with |T| <= gamma_n = n u / (1 - n u) (Higham 2002, lemma 3.1), whatever the order,
with or without fused multiply-add. So an inner product of T non-zero terms, in any order, has

    |fl(sum_i a_i w_i + b) - (sum_i a_i w_i + b)| <= gamma_T (sum_i |a_i| |w_i| + |b|)     (Higham 2002, 3.5)

(one multiplication and at most T - 1 additions touch each term; zero terms touch nothing). If a_i itself is
known only to within e_i, sum_i e_i |w_i| comes on top, and |a_i| grows to |a_i| + e_i: nothing is dropped as
being of second order.

*Exact* sums: if every term is a multiple of 2^q and sum_i |a_i w_i| + |b| <= 2^(q + p), p the bits of the
significand, then every partial sum in every order is representable and nothing is rounded. That settles
networks with integer or dyadic weights, whose pre-activations are exactly zero all the time.

What is carried is the distance between a value computed in double precision (the *shadow*) and what a correct
implementation in the contender's own dtype computes. Both round; since the bounds are power series in u with
coefficients >= 0, B(u_1) + B(u_2) <= B(u_1 + u_2), and one analysis with u = u_1 + u_2 covers both.

exp, log and log1p are assumed to be within ELEMENTARY_ULPS units in the last place in every library, tanh,
which XLA and Eigen compute by rational approximations good to 7 units, within TANH_ULPS; the tests hold
NumPy's and torch's to it. The bounds are themselves evaluated in double precision from sums of non-negative
numbers, with a relative error far below the margin SAFETY.
"""

from dataclasses import dataclass

import numpy as np

from backproof.scratch.architecture import Array

ELEMENTARY_ULPS = 4
TANH_ULPS = 8
ELEMENTARY = 2.0 * ELEMENTARY_ULPS  # one unit in the last place is at most 2 u, relatively
SAFETY = 1.0 + 1e-6  # for the rounding of the bounds themselves


@dataclass(frozen=True)
class Arithmetic:
    """The rounding of one dtype, plus that of the double-precision shadow it is compared with."""

    unit: float  # u: unit roundoff, summed over both sides
    digits: int  # bits of the narrower significand
    tiny: float  # smallest normal number of the narrower dtype
    largest: float

    @classmethod
    def of(cls, dtype: str, shadow: bool = True) -> "Arithmetic":
        """Of float32 or float64; with `shadow`, the unit roundoff of the float64 shadow is added."""
        info = np.finfo(dtype)
        unit = float(info.eps) / 2 + (2.0**-53 if shadow else 0.0)
        return cls(unit, int(info.nmant) + 1, float(info.smallest_normal), float(info.max))

    def gamma(self, n: Array | float) -> Array:
        """n u / (1 - n u); infinite from n u = 1 on."""
        share = np.asarray(n, dtype=np.float64) * (self.unit * SAFETY)
        gamma: Array = np.where(share < 1.0, share / np.where(share < 1.0, 1.0 - share, 1.0), np.inf)
        return gamma

    def tanh_error(self, size: Array) -> Array:
        """The error of a tanh of value up to `size`: TANH_ULPS units in the last place of its binade."""
        _, exponent = np.frexp(size)  # size < 2^exponent, where one unit in the last place is u 2^exponent
        error: Array = TANH_ULPS * self.unit * np.ldexp(1.0, exponent)
        return error


@dataclass(frozen=True)
class Bounded:
    """A float64 array and, entry by entry, how far a correct implementation may lie from it."""

    value: Array
    error: Array

    @classmethod
    def exact(cls, value: Array) -> "Bounded":
        value = np.asarray(value, dtype=np.float64)
        return cls(value, np.zeros_like(value))

    @property
    def magnitude(self) -> Array:
        """No correct implementation computes more than this."""
        magnitude: Array = np.abs(self.value) + self.error
        return magnitude

    @property
    def T(self) -> "Bounded":
        return Bounded(self.value.T, self.error.T)

    def absolute(self) -> "Bounded":
        return Bounded(np.abs(self.value), self.error)


def inner_products(
    left: Bounded,
    right: Bounded,
    arithmetic: Arithmetic,
    bias: Array | None = None,
    extra: float = 0.0,
    recognise_exact: bool = False,
) -> Bounded:
    """left (n, k) @ right (k, m) + bias (m,), summed by the implementation in whatever order.

    `extra` counts further roundings of each term (a factor 1/N, say). With `recognise_exact`, sums that no
    order can round get error 0.
    """
    offset = np.zeros(right.value.shape[1]) if bias is None else bias
    value = left.value @ right.value + offset
    left_size, right_size = left.magnitude, right.magnitude
    size = left_size @ right_size + np.abs(offset)
    terms = (left_size > 0).astype(np.float64) @ (right_size > 0).astype(np.float64) + (offset != 0)
    carried = left.error @ right_size + np.abs(left.value) @ right.error
    rounded = arithmetic.gamma(terms + extra) * size + terms * arithmetic.tiny
    if recognise_exact:
        rounded = np.where(_exact(left, right, offset, size, arithmetic), 0.0, rounded)
    error = (carried + rounded) * SAFETY
    # Partial sums are at most `size`: beyond the largest number (or after such an overflow) nothing is known.
    known = (size < arithmetic.largest / 2) & np.isfinite(error)
    return Bounded(value, np.where(known, error, np.inf))


def product(left: Bounded, right: Bounded, arithmetic: Arithmetic, roundings: float = 1.0) -> Bounded:
    """left * right, entry by entry."""
    error = left.error * right.magnitude + np.abs(left.value) * right.error
    rounded = arithmetic.gamma(roundings) * left.magnitude * right.magnitude
    flushed = np.where((left.magnitude > 0) & (right.magnitude > 0), arithmetic.tiny, 0.0)
    return Bounded(left.value * right.value, (error + rounded + flushed) * SAFETY)


def lowest_bit(array: Array) -> Array:
    """The exponent q of the lowest set bit: array is an odd multiple of 2^q. Zero: infinity."""
    significand, exponent = np.frexp(np.asarray(array, dtype=np.float64))
    integer = np.abs(significand * 2.0**53).astype(np.int64)
    lowest = (integer & -integer).astype(np.float64)
    with np.errstate(divide="ignore"):
        q: Array = np.where(integer != 0, exponent - 53 + np.log2(lowest), np.inf)
    return q


def _exact(left: Bounded, right: Bounded, offset: Array, size: Array, arithmetic: Arithmetic) -> Array:
    """Where every term lies on one grid 2^q and the sum of sizes stays below 2^(q + digits)."""
    grid = np.minimum(
        np.min(lowest_bit(left.value), axis=1)[:, None] + np.min(lowest_bit(right.value), axis=0)[None, :],
        lowest_bit(offset)[None, :],
    )
    certain = (left.error == 0).all(axis=1)[:, None] & (right.error == 0).all(axis=0)[None, :]
    in_range = grid >= np.log2(arithmetic.tiny)
    # ldexp(1, q + digits), kept finite; a grid of infinity means that all terms are zero.
    limit = np.exp2(np.minimum(grid + arithmetic.digits, 1000.0))
    exact: Array = certain & in_range & (size < limit / 2)
    return exact
