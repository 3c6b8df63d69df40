"""Running error analysis: numbers that carry a bound on their own rounding error.

A floating-point operation gives fl(x op y) = (x op y)(1 + t) + s with |t| <= u, the unit roundoff, and
|s| <= the smallest normal number (underflow; flushing to zero is allowed). Along n operations the factors
(1 + t) multiply to 1 + T with |T| <= gamma_n = n u / (1 - n u) (Higham 2002, lemma 3.1), whatever the order,
with or without fused multiply-add. So an inner product s of T non-zero terms t_i = a_i w_i and b, in any
order, rounds by at most gamma_T S, S = sum_i |t_i| + |b| (Higham 2002, 3.5; zero terms touch nothing). More
closely, it rounds each product, and T - 1 partial sums, of which the last is s itself and none is larger than
the positive or the negative terms together, (S + |s|) / 2:

    worst case     u [sum_i |t_i| + (T - 2) (S + |s|) / 2 + |s|] + gamma_T^2 S

If a_i itself is known only to within e_i, sum_i e_i |w_i| comes on top, and |a_i| grows to |a_i| + e_i:
nothing is dropped as being of second order.

*Probabilistic.* If roundings are independent with mean zero (or merely each of mean zero, whatever came
before), a sum of them, sum_k c_k delta_k with |delta_k| <= u, stays below LAMBDA u sqrt(sum_k c_k^2) but for
a probability of 2 exp(-LAMBDA^2 / 2) (Azuma, Hoeffding; Higham, Mary 2019;
Ipsen, Zhou 2020; Connolly, Higham, Mary 2021). The c_k of an inner
product are its products and its partial sums P_k:

    variance       u^2 [sum_i t_i^2 + sum_k P_k^2]

The terms are taken in BLOCKS blocks; inside one, |P| is at most what the blocks before it (or, from the other
end, those after it) sum to, and the block's sum of |t_i|. That covers sums from left to right, from right to
left, and in lanes or blocks of either. The functions below are not sums: their errors count as certain.

*Exact* sums: if every term is a multiple of 2^q and sum_i |a_i w_i| + |b| <= 2^(q + p), p the bits of the
significand, then every partial sum in every order is representable and nothing is rounded. That settles
networks with integer or dyadic weights, whose pre-activations are exactly zero all the time.

What is carried is the distance between a value computed in double precision (the *shadow*) and what a correct
implementation in the contender's own dtype computes. Both round; since the bounds are power series in u with
coefficients >= 0, B(u_1) + B(u_2) <= B(u_1 + u_2), and one analysis with u = u_1 + u_2 covers both.

log and log1p are assumed to be within ELEMENTARY_ULPS units in the last place in every library, exp within
EXP_ULPS, and tanh, which XLA and Eigen compute by rational approximations good to 7 units in float32 and to 9
in float64, within TANH_ULPS; the tests hold NumPy's and torch's to it. Operands below the smallest normal
number may be read as zero (`flushed`). The bounds are themselves evaluated in double precision from sums of
non-negative numbers, with a relative error far below the margin SAFETY.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from backproof.scratch.architecture import Array

ELEMENTARY_ULPS = 4
EXP_ULPS = 3
TANH_ULPS = {"float32": 8.0, "float64": 10.0}
ELEMENTARY = 2.0 * ELEMENTARY_ULPS  # one unit in the last place is at most 2 u, relatively
EXPONENTIAL = 2.0 * EXP_ULPS
SAFETY = 1.0 + 1e-6  # for the rounding of the bounds themselves
LAMBDA = 9.5
FAILURE = 2.0 * float(np.exp(-(LAMBDA**2) / 2))  # 5e-20 for each entry
BLOCKS = 16  # of the terms of a sum
FEW_TERMS = 12  # a sum of fewer is not cut into blocks
VARIANCE_FLOOR = 1e-290  # for squares that underflow


@dataclass(frozen=True)
class Arithmetic:
    """The rounding of one dtype, plus that of the double-precision shadow it is compared with."""

    unit: float  # u: unit roundoff, summed over both sides
    digits: int  # bits of the narrower significand
    tiny: float  # smallest normal number of the narrower dtype
    largest: float
    tanh_ulps: float
    random_unit: float = 0.0  # root of the sum of both sides' squares; 0: every rounding is the worst

    @classmethod
    def of(cls, dtype: str, shadow: bool = True, random: bool = False) -> "Arithmetic":
        """Of float32 or float64; with `shadow`, the unit roundoff of the float64 shadow is added.

        With `random`, roundings count as independent, and the bounds hold with a probability (see above).
        """
        info = np.finfo(dtype)
        own, other = float(info.eps) / 2, 2.0**-53 if shadow else 0.0
        digits, smallest, largest = int(info.nmant) + 1, float(info.smallest_normal), float(info.max)
        spread = float(np.hypot(own, other)) if random else 0.0
        return cls(own + other, digits, smallest, largest, TANH_ULPS[dtype], spread)

    @property
    def random(self) -> bool:
        return self.random_unit > 0

    def gamma(self, n: Array | float) -> Array:
        """n u / (1 - n u); infinite from n u = 1 on."""
        share = np.asarray(n, dtype=np.float64) * (self.unit * SAFETY)
        gamma: Array = np.where(share < 1.0, share / np.where(share < 1.0, 1.0 - share, 1.0), np.inf)
        return gamma

    def tanh_error(self, size: Array) -> Array:
        """The error of a tanh of value up to `size`: `tanh_ulps` units in the last place of its binade."""
        _, exponent = np.frexp(size)  # size < 2^exponent, where one unit in the last place is u 2^exponent
        error: Array = self.tanh_ulps * self.unit * np.ldexp(1.0, exponent)
        return error

    def flushed(self, array: Array) -> Array:
        """What is lost where an operand below the smallest normal number is read as zero."""
        size = np.abs(array)
        lost: Array = np.where(size < self.tiny, size, 0.0)
        return lost

    def given(self, array: Array) -> "Bounded":
        """Numbers that are given, exact but for flushed operands."""
        array = np.asarray(array, dtype=np.float64)
        return Bounded(array, self.flushed(array))


@dataclass(frozen=True)
class Spread:
    """An error in two parts: at most `sure`, and a sum of independent roundings of this `variance`.

    The variance is a variance proxy (sub-Gaussian): u^2 for a rounding that is at most u.
    """

    sure: Array
    variance: Array

    @property
    def std(self) -> Array:
        std: Array = np.sqrt(self.variance)
        return std

    @property
    def total(self) -> Array:
        """No larger, but with probability FAILURE for each entry."""
        total: Array = numbers((self.sure + LAMBDA * self.std) * SAFETY)
        return total


def numbers(error: Array) -> Array:
    """NaN, which 0 times infinity leaves, says as little as infinity."""
    return np.where(np.isnan(error), np.inf, error)


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


def sum_rounding(
    left: Bounded,
    right: Bounded,
    arithmetic: Arithmetic,
    bias: "Bounded | None" = None,
    carried: Array | float = 0.0,
    recognise_exact: bool = False,
) -> Spread:
    """What left (n, k) @ right (k, m) + bias (m,) itself rounds, its operands being what they are.

    `carried` (n, m) is what the operands' errors may change of the sum. With `recognise_exact`, sums that no
    order can round get error 0.
    """
    offset = Bounded.exact(np.zeros(right.value.shape[1])) if bias is None else bias
    value = left.value @ right.value + offset.value
    left_size, right_size = left.magnitude, right.magnitude
    products = left_size @ right_size
    size = products + offset.magnitude
    terms = (left_size > 0).astype(np.float64) @ (right_size > 0) + (offset.magnitude > 0)
    total = np.minimum(np.abs(value) + carried, size)
    partial = (size + total) / 2  # no partial sum is larger
    higher = arithmetic.gamma(terms) ** 2 * size + 2 * terms * arithmetic.tiny
    if arithmetic.random:
        squares = np.square(left_size) @ np.square(right_size)
        sums = _partial_squares(left, right, offset, value, partial, carried) + total**2
        variance = arithmetic.random_unit**2 * (squares + np.where(terms > 1, sums, 0.0)) + VARIANCE_FLOOR
        sure = higher
    else:
        sums = np.maximum(terms - 2, 0) * partial + np.where(terms > 1, total, 0.0)
        sure = np.minimum(arithmetic.unit * (products + sums), arithmetic.gamma(terms) * size) + higher
        variance = np.zeros_like(sure)
    exact = terms == 0
    if recognise_exact:
        exact |= _exact(left, right, offset, size, arithmetic)
    # Beyond the largest number (or after such an overflow) nothing is known.
    known = (size < arithmetic.largest / 2) & np.isfinite(sure) & np.isfinite(variance)
    sure = np.where(exact, 0.0, sure)
    return Spread(np.where(known, sure, np.inf), np.where(exact, 0.0, variance))


def _partial_squares(
    left: Bounded, right: Bounded, offset: Bounded, value: Array, largest: Array, carried: Array | float
) -> Array:
    """The sum of the squares of all partial sums but the last, block by block; see above."""
    n_terms = left.value.shape[1]
    if n_terms < FEW_TERMS:
        return np.asarray(n_terms * largest**2)
    before, total = np.zeros_like(value), np.zeros_like(value)
    left_size, right_size = left.magnitude, right.magnitude
    edges = np.linspace(0, n_terms, min(n_terms, BLOCKS) + 1).astype(int)
    for start, stop in pairwise(edges):
        part = slice(start, stop)
        after = before + left.value[:, part] @ right.value[part]
        size = left_size[:, part] @ right_size[part]
        count = (left_size[:, part] > 0).astype(np.float64) @ (right_size[part] > 0)
        reach = np.maximum(np.abs(before), np.abs(value - offset.value - after)) + size
        total += count * np.minimum(reach + offset.magnitude + carried, largest) ** 2
        before = after
    return total


def inner_products(
    left: Bounded,
    right: Bounded,
    arithmetic: Arithmetic,
    bias: Array | None = None,
    recognise_exact: bool = False,
) -> Bounded:
    """left (n, k) @ right (k, m) + bias (m,), summed by the implementation in whatever order."""
    offset = arithmetic.given(np.zeros(right.value.shape[1]) if bias is None else bias)
    carried = left.error @ right.magnitude + np.abs(left.value) @ right.error + offset.error
    rounded = sum_rounding(left, right, arithmetic, offset, carried, recognise_exact)
    value = left.value @ right.value + offset.value
    return Bounded(value, numbers((carried + rounded.total) * SAFETY))


def product(left: Bounded, right: Bounded, arithmetic: Arithmetic, roundings: float = 1.0) -> Bounded:
    """left * right, entry by entry."""
    error = left.error * right.magnitude + np.abs(left.value) * right.error
    rounded = arithmetic.gamma(roundings) * left.magnitude * right.magnitude
    underflow = np.where((left.magnitude > 0) & (right.magnitude > 0), arithmetic.tiny, 0.0)
    return Bounded(left.value * right.value, (error + rounded + underflow) * SAFETY)


def lowest_bit(array: Array) -> Array:
    """The exponent q of the lowest set bit: array is an odd multiple of 2^q. Zero: infinity."""
    significand, exponent = np.frexp(np.asarray(array, dtype=np.float64))
    integer = np.abs(significand * 2.0**53).astype(np.int64)
    lowest = (integer & -integer).astype(np.float64)
    with np.errstate(divide="ignore"):
        q: Array = np.where(integer != 0, exponent - 53 + np.log2(lowest), np.inf)
    return q


def _exact(left: Bounded, right: Bounded, offset: Bounded, size: Array, arithmetic: Arithmetic) -> Array:
    """Where every term lies on one grid 2^q and the sum of sizes stays below 2^(q + digits)."""
    grid = np.minimum(
        np.min(lowest_bit(left.value), axis=1)[:, None] + np.min(lowest_bit(right.value), axis=0)[None, :],
        lowest_bit(offset.value)[None, :],
    )
    certain = (left.error == 0).all(axis=1)[:, None] & ((right.error == 0).all(axis=0) & (offset.error == 0))
    in_range = grid >= np.log2(arithmetic.tiny)
    # ldexp(1, q + digits), kept finite; a grid of infinity means that all terms are zero.
    limit = np.exp2(np.minimum(grid + arithmetic.digits, 1000.0))
    exact: Array = certain & in_range & (size < limit / 2)
    return exact
