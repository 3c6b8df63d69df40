"""Running error analysis: numbers that carry a bound on their own rounding error.

A floating-point operation gives fl(x op y) = (x op y) + r + s with |s| <= the smallest normal number
(underflow; flushing to zero is allowed) and |r| <= u B(x op y), B(x) = 2^floor(log2 |x|): half a unit in the
last place, at most u |x op y|, u the unit roundoff. Along n operations relative errors grow to at most
gamma_n = n u / (1 - n u) (Higham 2002, lemma 3.1), whatever the order, with or without fused multiply-add. So
an inner product s of T non-zero terms t_i = a_i w_i and b, in any order, rounds by at most gamma_T S, S =
sum_i |t_i| + |b| (Higham 2002, 3.5; zero terms touch nothing).

More closely, it rounds each product (but by a power of two), and T - 1 sums of some of the terms, the last of
which is s. In any order and any tree the j-th largest of these sums has at most T - j + 1 terms. With P_k the
largest |sum| of at most k of the terms, found by sorting them, and every partial sum off by gamma_T S at
most,

    worst case     u [sum_i B(t_i) + sum_{1 < k < T} B(P_k + gamma_T S) + B(|s| + gamma_T S)]

Many terms are not sorted: no P_k is larger than the positive or the negative terms together, (S + |s|) / 2.
If a_i itself is known only to within e_i, sum_i e_i |w_i| comes on top, and |a_i| grows to |a_i| + e_i:
nothing is dropped as being of second order.

*Probabilistic.* If roundings are independent with mean zero (or merely each of mean zero, whatever came
before), a sum of them, sum_k c_k delta_k, each delta_k sub-Gaussian with the variance proxy v, stays below
LAMBDA sqrt(v sum_k c_k^2) but for a probability of 2 exp(-LAMBDA^2 / 2) (Azuma, Hoeffding; Higham, Mary
2019; Ipsen, Zhou 2020; Connolly, Higham, Mary 2021). What rounding takes away lies on a grid: with one bit
below the last place it is 0 or a half, up or down, which has the proxy u^2 / 2; with many it is uniform,
which has u^2 / 3. So v = u^2 / 2 holds where the lost bits are equally likely to be anything. The c_k of an
inner product are its products and its partial sums P_k:

    variance       v [sum_i B(|t_i|)^2 + sum_k B(P_k)^2]

Many terms are taken in BLOCKS blocks; inside one, |P| is at most what the blocks before it (or, from the
other end, those after it) sum to, and the block's sum of |t_i|. That covers sums from left to right, from
right to left, and in lanes or blocks of either. Elementary functions are not sums: their errors count as
certain.

*Exact* sums: if every term is a multiple of 2^q and sum_i |a_i w_i| + |b| <= 2^(q + p), p the bits of the
significand, then every partial sum in every order is representable and nothing is rounded. That settles
networks with integer or dyadic weights, whose pre-activations are exactly zero all the time.

*How close.* Sums that lose every term reach their bounds. Of the underflow half is reached, and a quarter
where all terms are powers of two: a term is allowed to be flushed as a product and again in the sum.

What is carried is the distance between a value computed in double precision (the *shadow*) and what a correct
implementation in the contender's own dtype computes. Both round; since the bounds are power series in u with
coefficients >= 0, B(u_1) + B(u_2) <= B(u_1 + u_2), and one analysis with u = u_1 + u_2 covers both.

What elementary functions are off by is assumed, library by library (`Functions`), and the tests hold NumPy's
and torch's to it. Operands below the smallest normal number may be read as zero (`flushed`). The bounds are
themselves evaluated in double precision from sums of non-negative numbers, with a relative error far below
the margin SAFETY.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

import numpy as np

from backproof.scratch.architecture import Array

ELEMENTARY_ULPS = 4  # of log and log1p, in every library
EXP_ULPS = 3
ELEMENTARY = 2.0 * ELEMENTARY_ULPS  # one unit in the last place is at most 2 u, relatively
SAFETY = 1.0 + 1e-6  # for the rounding of the bounds themselves
LAMBDA = 9.0
FAILURE = 2.0 * float(np.exp(-(LAMBDA**2) / 2))  # 5e-18 for each entry: 2e8 of them fail once in 1e9 runs
LOST_BITS = 0.5  # the variance proxy of a rounding, in units of u^2
BLOCKS = 16  # of the terms of a sum
FEW_TERMS = 12  # a sum of fewer is not cut into blocks
FEW_PRODUCTS = 2**16  # that are sorted
VARIANCE_FLOOR = 1e-290  # for squares that underflow


@dataclass(frozen=True)
class Functions:
    """How far an implementation's elementary functions may be off, in units in the last place."""

    exp: float
    log: float  # and log1p
    tanh: float
    other_formulas: bool  # f'(z) by sech^2 or exp, softmax by logsumexp, the sigmoid by softplus


# XLA and Eigen compute tanh by rational approximations good to 7 units in float32 and to 9 in float64. NumPy
# documents 2.52 units for exp and 3.83 for log in float32, SLEEF, which torch calls, 1.0 for all of them.
FUNCTIONS = {
    "any": {
        "float32": Functions(EXP_ULPS, ELEMENTARY_ULPS, 8.0, other_formulas=True),
        "float64": Functions(EXP_ULPS, ELEMENTARY_ULPS, 10.0, other_formulas=True),
    },
    "numpy": {
        "float32": Functions(2.6, 3.9, 1.5, other_formulas=False),
        "float64": Functions(1.0, 1.0, 1.5, other_formulas=False),
    },
    "torch": {
        "float32": Functions(1.0, 1.0, 1.0, other_formulas=False),
        "float64": Functions(1.0, 1.0, 1.0, other_formulas=False),
    },
}


@dataclass(frozen=True)
class Arithmetic:
    """The rounding of one dtype, plus that of the shadow it is compared with."""

    unit: float  # u: unit roundoff, summed over both sides
    digits: int  # bits of the narrower significand
    tiny: float  # smallest normal number of the narrower dtype
    largest: float
    functions: Functions
    random_unit: float = 0.0  # root of both sides' variance proxies; 0: every rounding is the worst
    shadow: str = "float64"  # its dtype
    storage: float = 0.0  # what keeping a number of the shadow in double precision rounds, relatively

    @classmethod
    def of(
        cls,
        dtype: str,
        shadow: bool = True,
        random: bool = False,
        extended: bool = False,
        functions: str = "any",
    ) -> "Arithmetic":
        """Of float32 or float64; with `shadow`, the unit roundoff of the shadow is added.

        With `random`, roundings count as independent, and the bounds hold with a probability (see above).
        With `extended` the shadow is in longdouble. `functions` is a key of FUNCTIONS.
        """
        info, wide = np.finfo(dtype), "longdouble" if extended else "float64"
        own, other = float(info.eps) / 2, float(np.finfo(wide).eps) / 2 if shadow else 0.0
        digits, smallest, largest = int(info.nmant) + 1, float(info.smallest_normal), float(info.max)
        spread = float(np.hypot(own, other)) * np.sqrt(LOST_BITS) if random else 0.0
        storage, assumed = 2.0**-53 if extended else 0.0, FUNCTIONS[functions][dtype]
        return cls(own + other, digits, smallest, largest, assumed, spread, wide, storage)

    @property
    def extended(self) -> bool:
        """Whether the shadow is in longdouble."""
        return self.storage > 0

    @property
    def exponential(self) -> float:
        """The relative error of exp, in units of u: one unit in the last place is at most 2 u."""
        return 2.0 * self.functions.exp

    @property
    def logarithm(self) -> float:
        """That of log and log1p."""
        return 2.0 * self.functions.log

    @property
    def from_z(self) -> float:
        """Roundings of f' from z, by sech^2 or exp(-z) / (1 + exp(-z))^2: two elementary functions."""
        return 2.0 * self.logarithm + 4.0

    @property
    def random(self) -> bool:
        return self.random_unit > 0

    def gamma(self, n: Array | float) -> Array:
        """n u / (1 - n u); infinite from n u = 1 on."""
        share = np.asarray(n, dtype=np.float64) * (self.unit * SAFETY)
        gamma: Array = np.where(share < 1.0, share / np.where(share < 1.0, 1.0 - share, 1.0), np.inf)
        return gamma

    def tanh_error(self, size: Array) -> Array:
        """The error of a tanh of value up to `size`: so many units in the last place of its binade."""
        _, exponent = np.frexp(size)  # size < 2^exponent, where one unit in the last place is u 2^exponent
        error: Array = self.functions.tanh * self.unit * np.ldexp(1.0, exponent)
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
    """The error with infinity in place of NaN: what 0 times infinity leaves says as little as infinity.

    Parameters
    ----------
    error
        Errors of any shape.

    Returns
    -------
    array
        Of the same shape, without NaN.
    """
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
    carried: Annotated[Array, "rows columns"] | float = 0.0,
    recognise_exact: bool = False,
) -> Spread:
    """What left @ right + bias itself rounds, its operands being what they are.

    Parameters
    ----------
    left, right
        Matrices (n, k) and (k, m) with their errors.
    arithmetic
        Of the implementation and the shadow.
    bias
        (m,); None for none.
    carried
        What the operands' errors may change of the sum, (n, m).
    recognise_exact
        Whether sums that no order can round get error 0.

    Returns
    -------
    Spread
        (n, m), infinite where the sum may overflow.

    References
    ----------
    Higham 2002, section 3.5; Higham, Mary 2019; Ipsen, Zhou 2020; Connolly, Higham, Mary 2021.
    """
    offset = Bounded.exact(np.zeros(right.value.shape[1])) if bias is None else bias
    value = left.value @ right.value + offset.value
    left_size, right_size = left.magnitude, right.magnitude
    products = left_size @ right_size
    size = products + offset.magnitude
    terms = (left_size > 0).astype(np.float64) @ (right_size > 0) + (offset.magnitude > 0)
    total = np.minimum(np.abs(value) + carried, size)
    grown = arithmetic.gamma(terms) * size  # what the roundings before it may add to a partial sum
    sums = _Sums(left, right, offset, value, total, size, terms, grown)
    few = left_size.size * right_size.shape[1] <= FEW_PRODUCTS
    underflow = 2 * terms * arithmetic.tiny
    power = 2 if arithmetic.random else 1
    rounded = np.where(terms > 1, binade((total + grown) * SAFETY) ** power, 0.0)
    rounded += sums.term_by_term(power) if few else sums.in_blocks(power, carried)
    if arithmetic.random:
        variance, sure = arithmetic.random_unit**2 * rounded + VARIANCE_FLOOR, underflow
    else:
        sure = np.minimum(arithmetic.unit * rounded, grown) + underflow
        variance = np.zeros_like(sure)
    exact = terms == 0
    if recognise_exact:
        exact |= _exact(left, right, offset, size, arithmetic)
    # Beyond the largest number (or after such an overflow) nothing is known.
    known = (size < arithmetic.largest / 2) & np.isfinite(sure) & np.isfinite(variance)
    sure = np.where(exact, 0.0, sure)
    return Spread(np.where(known, sure, np.inf), np.where(exact, 0.0, variance))


@dataclass(frozen=True)
class _Sums:
    """left @ right + offset, and what its products and all partial sums but the last round.

    Both methods give sum_i B(|t_i|)^p + sum_{1 < k < T} B(P_k)^p, in units of u^p, (n, m).
    """

    left: Bounded
    right: Bounded
    offset: Bounded
    value: Array
    total: Array  # |s| at most
    size: Array  # S
    terms: Array  # T
    grown: Array  # gamma_T S

    def term_by_term(self, power: int) -> Array:
        """With the terms of every sum sorted."""
        sizes = self.left.magnitude[:, :, None] * self.right.magnitude[None]
        exact = _power_of_two(self.left)[:, :, None] | _power_of_two(self.right)[None]
        products = np.where(exact, 0.0, binade(sizes * SAFETY) ** power).sum(axis=1)
        if self.terms.max(initial=0) <= 2:
            return np.asarray(products)
        terms = self.left.value[:, :, None] * self.right.value[None]
        offset = np.broadcast_to(self.offset.value, (len(terms), 1, terms.shape[2]))
        ordered = np.sort(np.concatenate([terms, offset], axis=1), axis=1)
        highest = np.cumsum(ordered[:, ::-1], axis=1)
        partial = np.maximum.accumulate(np.maximum(highest, -np.cumsum(ordered, axis=1)), axis=1)
        unknown = self.size - np.abs(terms).sum(axis=1) - np.abs(offset[:, 0])  # of the operands themselves
        k = np.arange(1, ordered.shape[1] + 1)[None, :, None]
        counted = (k > 1) & (k < self.terms[:, None])
        reach = (partial + (unknown + self.grown)[:, None]) * SAFETY
        return np.asarray(products + np.where(counted, binade(reach) ** power, 0.0).sum(axis=1))

    def in_blocks(self, power: int, carried: Array | float) -> Array:
        """Many terms: for the worst case none is told from another, else block by block; see above."""
        largest = (self.size + self.total) / 2
        sizes = [np.where(_power_of_two(x), 0.0, x.magnitude) ** power for x in (self.left, self.right)]
        products = sizes[0] @ sizes[1]
        between = np.maximum(self.terms - 2, 0)
        if power == 1 or self.left.value.shape[1] < FEW_TERMS:
            return np.asarray(products + between * binade((largest + self.grown) * SAFETY) ** power)
        return np.asarray(products + self._squares(largest, carried))

    def _squares(self, largest: Array, carried: Array | float) -> Array:
        """The squares of all partial sums but the last."""
        left, right, end = self.left.value, self.right.value, self.value - self.offset.value
        left_size, right_size = self.left.magnitude, self.right.magnitude
        besides = self.offset.magnitude + carried
        before, squares = np.zeros_like(self.value), np.zeros_like(self.value)
        n_terms = left.shape[1]
        edges = np.linspace(0, n_terms, min(n_terms, BLOCKS) + 1).astype(int)
        for start, stop in pairwise(edges):
            part = slice(start, stop)
            after = before + left[:, part] @ right[part]
            size = left_size[:, part] @ right_size[part]
            count = (left_size[:, part] > 0).astype(np.float64) @ (right_size[part] > 0)
            reach = np.maximum(np.abs(before), np.abs(end - after)) + size
            reach = np.minimum(reach + besides, largest) + self.grown
            squares += count * binade(reach * SAFETY) ** 2
            before = after
        return squares


def binade(size: Array) -> Array:
    """B(x) = 2^floor(log2 x), and 0 of 0: numbers up to x round by at most u B(x).

    Parameters
    ----------
    size
        Not negative, of any shape.

    Returns
    -------
    array
        Of the same shape; infinity and NaN stay.
    """
    _, exponent = np.frexp(size)
    result: Array = np.where((size > 0) & np.isfinite(size), np.ldexp(1.0, exponent - 1), size)
    return result


def _power_of_two(numbers: Bounded) -> Array:
    """Factors whose products are exact."""
    significand, _ = np.frexp(np.abs(numbers.value))
    return np.asarray((significand == 0.5) & (numbers.error == 0))


def inner_products(
    left: Bounded,
    right: Bounded,
    arithmetic: Arithmetic,
    bias: Annotated[Array, "columns"] | None = None,
    recognise_exact: bool = False,
) -> Bounded:
    """left @ right + bias, summed by the implementation in whatever order.

    Parameters
    ----------
    left, right
        Matrices (n, k) and (k, m) with their errors.
    arithmetic
        Of the implementation and the shadow.
    bias
        (m,), given; None for none.
    recognise_exact
        Whether sums that no order can round get error 0.

    Returns
    -------
    Bounded
        (n, m), the operands' errors and the sum's own rounding in its error.

    References
    ----------
    Higham 2002, section 3.5.
    """
    offset = arithmetic.given(np.zeros(right.value.shape[1]) if bias is None else bias)
    carried = left.error @ right.magnitude + np.abs(left.value) @ right.error + offset.error
    rounded = sum_rounding(left, right, arithmetic, offset, carried, recognise_exact)
    value = left.value @ right.value + offset.value
    return Bounded(value, numbers((carried + rounded.total) * SAFETY))


def product(left: Bounded, right: Bounded, arithmetic: Arithmetic, roundings: float = 1.0) -> Bounded:
    """left * right, entry by entry.

    Parameters
    ----------
    left, right
        Of shapes that broadcast, with their errors.
    arithmetic
        Of the implementation and the shadow.
    roundings
        How many the implementation makes of it.

    Returns
    -------
    Bounded
        Of the broadcast shape.
    """
    error = left.error * right.magnitude + np.abs(left.value) * right.error
    rounded = arithmetic.gamma(roundings) * left.magnitude * right.magnitude
    underflow = np.where((left.magnitude > 0) & (right.magnitude > 0), arithmetic.tiny, 0.0)
    return Bounded(left.value * right.value, (error + rounded + underflow) * SAFETY)


def lowest_bit(array: Array) -> Array:
    """The exponent q of the lowest set bit: the number is an odd multiple of 2^q.

    Parameters
    ----------
    array
        float64, of any shape.

    Returns
    -------
    array
        Of the same shape; infinity for zero.
    """
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
