"""How much an activation changes when its argument moves a little, without subtracting two values.

f(z + s) - f(z), subtracted, keeps the rounding of f(z) however small s is. Here each change is a product with
s instead, so that its error is relative to the change itself:

    relu      max(s + min(z, 0), -max(z, 0))                         a selection
    tanh      sech^2(z) tau / (1 + tanh(z) tau),  tau = tanh(s)      addition theorem
    sigmoid   half of tanh's, at z/2 and s/2                         sigmoid(z) = (1 + tanh(z/2)) / 2

Where s is not small, or an activation is not listed, two values are subtracted after all: the change is then
large and little is lost.

A worked example: relus at z = -2, -1 and 3 move by s = 1.5: one stays off, one is switched on, one stays on.
And tanh at 0, moved by 1e-20, moves by as much.

>>> buffers = [np.empty(3) for _ in range(3)]
>>> relu, tanh = ACTIVATION_FUNCTIONS["relu"], ACTIVATION_FUNCTIONS["tanh"]
>>> activation_change(relu, np.array([-2.0, -1.0, 3.0]), np.array([1.5, 1.5, 1.5]), buffers)
array([-0. ,  0.5,  1.5])
>>> activation_change(tanh, np.array([0.0]), np.array([1e-20]), buffers)
array([1.e-20])

Arrays of hundreds of kB are mapped and unmapped by the allocator each time they are made, which triples the
time of a gradient. The largest temporaries therefore live in three `buffers`: 0 holds the argument, 1 and 2
are overwritten.
"""

import math
from collections.abc import Sequence

import numpy as np

from .activations import ACTIVATION_FUNCTIONS, Activation
from .architecture import Array
from .series import TANH, horner, terms_needed

Buffers = Sequence[Array]  # three flat arrays


def shaped(buffer: Array, shape: tuple[int, ...]) -> Array:
    """The front of a flat buffer as an array of this shape, contents arbitrary.

    Parameters
    ----------
    buffer
        A flat array, as long as the shape asks for or longer.
    shape
        Of the array wanted, which is a view.

    Returns
    -------
    array
        It shares the buffer's memory.
    """
    return buffer[: math.prod(shape)].reshape(shape)


def multiplied(a: Array, b: Array, buffer: Array) -> Array:
    """a * b in the front of a flat buffer.

    Parameters
    ----------
    a, b
        Of shapes that broadcast against each other.
    buffer
        A flat array, as long as the product has numbers or longer.

    Returns
    -------
    array
        It shares the buffer's memory.
    """
    out = shaped(buffer, np.broadcast(a, b).shape)
    return np.multiply(a, b, out=out)


def largest(x: Array) -> float:
    """max |x|.

    Parameters
    ----------
    x
        Real or complex numbers of any shape, one at least.

    Returns
    -------
    float
        The largest modulus; NaN where there is a NaN.
    """
    if np.iscomplexobj(x):
        return float(np.abs(x).max())
    # The ufuncs themselves: the methods of the same meaning cost 1 us more, each time a block moves.
    return float(max(np.maximum.reduce(x, axis=None), -np.minimum.reduce(x, axis=None)))


def _relu_change(z: Array, s: Array, buffers: Buffers) -> Array:
    change = shaped(buffers[2], s.shape)
    if np.iscomplexobj(s):
        # Imaginary steps leave the real parts, and so the selection, where they were.
        return np.multiply(s, z > 0, out=change)
    # max(s + min(z, 0), -max(z, 0))
    np.add(s, np.minimum(z, 0), out=change)
    return np.maximum(change, -np.maximum(z, 0), out=change)


def _tanh_change(z: Array, s: Array, buffers: Buffers) -> Array | None:
    coefficients = terms_needed(TANH, largest(s) ** 2, s.dtype)
    if not coefficients:
        return None
    square = np.square(s, out=shaped(buffers[1], s.shape))
    tau = horner(square, s, coefficients, shaped(buffers[2], s.shape))
    # 1 + tanh(z) tau
    divisor = np.multiply(np.tanh(z), tau, out=square)
    divisor += 1
    # sech^2(z) = 4 e / (1 + e)^2 with e = exp(-2 |z|), where 1 - tanh^2(z) would cancel
    decay = np.exp(-2 * np.abs(z))
    sech_squared = 4 * decay / np.square(1 + decay)
    change = tau
    change *= sech_squared
    change /= divisor
    return change


def _sigmoid_change(z: Array, s: Array, buffers: Buffers) -> Array | None:
    change = _tanh_change(z / 2, s / 2, buffers)
    if change is None:
        return None
    return np.multiply(change, 0.5, out=change)


def no_formula(*_: object) -> None:
    """For a function that is not listed: its values are subtracted."""


# A formula gives None where s is too large for it.
ACTIVATION_CHANGES = {
    ACTIVATION_FUNCTIONS["relu"]: _relu_change,
    ACTIVATION_FUNCTIONS["tanh"]: _tanh_change,
    ACTIVATION_FUNCTIONS["sigmoid"]: _sigmoid_change,
}


def activation_change(activation: Activation, z: Array, s: Array, buffers: Buffers) -> Array:
    """f(z + s) - f(z), z broadcasting against s: buffer 2, or a fresh array.

    Parameters
    ----------
    activation
        One of ACTIVATION_FUNCTIONS, or one of the user's own.
    z
        Where the pre-activations stand; left as it is. Its shape broadcasts to that of s.
    s
        By how much they move, real or complex.
    buffers
        Three flat arrays of s's dtype, as long as s has numbers. s may lie in buffer 0.

    Returns
    -------
    array
        Of s's shape and dtype.
    """
    formula = ACTIVATION_CHANGES.get(activation, no_formula)
    change = formula(z, s, buffers)
    if change is None:
        moved, base = z + s, z.copy()
        activation.apply(moved)
        activation.apply(base)
        moved -= base
        return moved
    return change
