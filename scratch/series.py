"""Power series of small arguments, with just as many terms as the precision asks for.

    expm1(x) = x (1 + x/2! + x^2/3! + ...)
    log1p(x) = x (1 - x/2 + x^2/3 - ...)
    tanh(x)  = x (1 - y/3 + 2 y^2/15 - ...),   y = x^2

In the bracket stand the coefficients c_0 = 1, c_1, c_2, ... of one function.

A worked example: in float32, whose eps / 8 is 1.5e-8, expm1(x) for |x| <= 0.01 needs c_0 .. c_3, since
c_4 x^4 = 0.01^4 / 5! is 8e-11.

>>> coefficients = terms_needed(EXPM1, 0.01, np.dtype("float32"))
>>> [round(c, 3) for c in coefficients]
[1.0, 0.5, 0.167, 0.042]
>>> x = np.array([0.01])
>>> horner(x, x, coefficients)  # 0.01 + 0.00005 + 0.000000167 + ...
array([0.01005017])
"""

import math
from collections.abc import Sequence

import numpy as np

from .architecture import Array

EXPM1 = [1 / math.factorial(k) for k in range(1, 10)]
LOG1P = [(-1) ** (k + 1) / k for k in range(1, 10)]
TANH = [1.0, -1 / 3, 2 / 15, -17 / 315, 62 / 2835]  # in x^2


def terms_needed(coefficients: Sequence[float], size: float, dtype: np.dtype) -> Sequence[float]:
    """Those of the coefficients that |x| <= size needs in this precision; () if more than are known.

    The first one left out is at most eps/8 of the sum, and those after it fall off at least like powers of
    `size`.

    Parameters
    ----------
    coefficients
        c_0, c_1, ... of the bracket, as many as are known.
    size
        The largest modulus of the argument.
    dtype
        The precision that is asked for, real or complex.

    Returns
    -------
    sequence of float
        The first of them; () where more than are known would be needed, or `size` is above 1.
    """
    if not size <= 1.0:  # no power falls off, and those of 1e200 are no floats; nor is NaN small
        return ()
    negligible = float(np.finfo(dtype).eps) / 8
    for k, c in enumerate(coefficients[1:], start=1):
        if abs(c) * size**k <= negligible:
            return coefficients[:k]
    return ()


def horner(x: Array, factor: Array, coefficients: Sequence[float], out: Array | None = None) -> Array:
    """factor (c_0 + c_1 x + c_2 x^2 + ...), by Horner's rule: factor (c_0 + x (c_1 + x (c_2 + ...))).

    Parameters
    ----------
    x
        The argument of the bracket, of any shape.
    factor
        What stands before the bracket, of x's shape.
    coefficients
        c_0, c_1, ..., one at least.
    out
        Where to write the result; neither x nor, for more than one coefficient, `factor`. By default a new
        array.

    Returns
    -------
    array
        Of x's shape and dtype.
    """
    *rest, last = coefficients
    if not rest:
        return np.multiply(factor, last, out=out)
    value: Array = np.multiply(x, last, out=out)
    value += rest.pop()
    for c in reversed(rest):
        value *= x
        value += c
    value *= factor
    return value
