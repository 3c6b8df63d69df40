"""How much an activation or a loss changes when its argument moves a little, without subtracting two values.

f(z + s) - f(z), subtracted, keeps the rounding of f(z) however small s is. Here each change is a product with
s instead, so that its error is relative to the change itself:

    relu      max(s + min(z, 0), -max(z, 0))                         a selection
    tanh      sech^2(z) tau / (1 + tanh(z) tau),  tau = tanh(s)      addition theorem
    sigmoid   half of tanh's, at z/2 and s/2                         sigmoid(z) = (1 + tanh(z/2)) / 2

    cross_entropy         log1p(sum_c p_c expm1(D_c)),  p = softmax(z), every D_c relative to the label's
    binary_cross_entropy  sum_c log1p(p_c expm1(D_c)) - t_c D_c,  p = sigmoid(z)
    squares               sum_c D_c^2 + 2 (z_c - t_c) D_c

The first loss follows from log sum_c exp(z_c + D_c) - log sum_c exp(z_c) = log sum_c p_c exp(D_c). Elementary
functions of small arguments are power series, with so many terms that those left out are below a quarter of
the unit roundoff. Where arguments are not small, or a function is not listed, two values are subtracted after
all: the change is then large and little is lost.

Arrays of hundreds of kB are mapped and unmapped by the allocator each time they are made, which triples the
time of a gradient. The largest temporaries therefore live in three `buffers`: 0 holds the argument, 1 and 2
are overwritten.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from backproof.scratch.activations import ACTIVATIONS, Activation, sigmoid
from backproof.scratch.architecture import Array
from backproof.scratch.losses import LOSSES, Loss

Buffers = Sequence[Array]  # three flat arrays

_EXPM1 = [1 / math.factorial(k) for k in range(1, 10)]  # of x^k, k = 1 .. 9
_LOG1P = [(-1) ** (k + 1) / k for k in range(1, 10)]  # of x^k
_TANH = [1.0, -1 / 3, 2 / 15, -17 / 315, 62 / 2835]  # of x^(2k + 1)


def shaped(buffer: Array, shape: tuple[int, ...]) -> Array:
    """The front of a flat buffer as an array of this shape, contents arbitrary."""
    return buffer[: math.prod(shape)].reshape(shape)


def largest(x: Array) -> float:
    """max |x|."""
    return float(np.abs(x).max()) if np.iscomplexobj(x) else float(max(x.max(), -x.min()))


def _needed(coefficients: Sequence[float], size: float, x: Array) -> Sequence[float]:
    """Of x (c_0 + c_1 x + ...) the terms that |x| <= size needs in x's precision; () if more than are known.

    The first one left out is at most eps/8 of x, and those after it fall off at least like powers of `size`.
    """
    negligible = np.finfo(x.dtype).eps / 8
    for k, c in enumerate(coefficients[1:], start=1):
        if abs(c) * size**k <= negligible:
            return coefficients[:k]
    return ()


def _series(x: Array, factor: Array, coefficients: Sequence[float], out: Array | None = None) -> Array:
    """factor (c_0 + c_1 x + c_2 x^2 + ...), by Horner's rule."""
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


def _relu_change(z: Array, s: Array, buffers: Buffers) -> Array:
    moved = shaped(buffers[2], s.shape)
    if np.iscomplexobj(s):
        # Imaginary steps leave the real parts, and so the selection, where they were.
        return np.multiply(s, z > 0, out=moved)
    np.add(s, np.minimum(z, 0), out=moved)
    return np.maximum(moved, -np.maximum(z, 0), out=moved)


def _tanh_change(z: Array, s: Array, buffers: Buffers) -> Array | None:
    coefficients = _needed(_TANH, largest(s) ** 2, s)
    if not coefficients:
        return None
    square = np.square(s, out=shaped(buffers[1], s.shape))
    change = _series(square, s, coefficients, shaped(buffers[2], s.shape))  # tau
    divisor = np.multiply(np.tanh(z), change, out=square)
    divisor += 1
    decay = np.exp(-2 * np.abs(z))
    change *= 4 * decay / np.square(1 + decay)  # sech^2(z), where 1 - tanh^2(z) would cancel
    change /= divisor
    return change


def _sigmoid_change(z: Array, s: Array, buffers: Buffers) -> Array | None:
    change = _tanh_change(z / 2, s / 2, buffers)
    return change if change is None else np.multiply(change, 0.5, out=change)


ActivationChange = Callable[[Array, Array, Buffers], Array | None]  # None: s is too large for the formula
ACTIVATION_CHANGES: dict[Activation, ActivationChange] = {
    ACTIVATIONS["relu"]: _relu_change,
    ACTIVATIONS["tanh"]: _tanh_change,
    ACTIVATIONS["sigmoid"]: _sigmoid_change,
}


def _unknown(*_: object) -> None:
    """No formula: subtract."""


def activation_change(activation: Activation, z: Array, s: Array, buffers: Buffers) -> Array:
    """f(z + s) - f(z), z broadcasting against s: buffer 2, or a fresh array."""
    change = ACTIVATION_CHANGES.get(activation, _unknown)(z, s, buffers)
    if change is None:
        change, base = z + s, z.copy()
        activation.apply(change)
        activation.apply(base)
        change -= base
    return change


def softmax(z: Array) -> Array:
    """exp(z_c) / sum_c exp(z_c) for each row of z."""
    p: Array = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return p


class Move(NamedTuple):
    """Changes D (examples, outputs, k) of the logits, to be taken with each of `signs`; size >= max |D|."""

    D: Array
    signs: tuple[int, ...]
    size: float


Logits = tuple[Array, Array, Array]  # z, the targets and softmax(z), each (examples, ...)
LossChange = Callable[[Logits, Move, Buffers], list[Array] | None]  # None: D is too large for the formula


def _log1p(x: Array, size: float) -> Array:
    coefficients = _needed(_LOG1P, size, x)
    return _series(x, x, coefficients) if coefficients else np.log1p(x)


def _cross_entropy_change(logits: Logits, move: Move, buffers: Buffers) -> list[Array] | None:
    D, signs, size = move
    coefficients = _needed(_EXPM1, size, D)
    if not coefficients:
        return None
    # expm1(+-D) = (cosh(D) - 1) +- sinh(D): both signs for the price of one.
    square, out = np.square(D, out=shaped(buffers[1], D.shape)), shaped(buffers[2], D.shape)
    p = logits[2][:, None]
    sinh = (p @ _series(square, D, coefficients[0::2], out))[:, 0]
    cosh = (p @ _series(square, square, coefficients[1::2] or (0.0,), out))[:, 0]
    return [_log1p(cosh + sign * sinh, math.expm1(size)) for sign in signs]


def _binary_cross_entropy_change(logits: Logits, move: Move, buffers: Buffers) -> list[Array] | None:
    coefficients = _needed(_EXPM1, move.size, move.D)
    if not coefficients:
        return None
    p, t, size = sigmoid(logits[0])[:, :, None], logits[1][:, :, None], math.expm1(move.size)
    moved = (sign * move.D for sign in move.signs)
    return [(_log1p(p * _series(x, x, coefficients), size) - t * x).sum(axis=1) for x in moved]


def _squares_change(logits: Logits, move: Move, buffers: Buffers) -> list[Array]:
    slope = 2 * (logits[0] - logits[1])[:, None]
    odd, even = (slope @ move.D)[:, 0], np.square(move.D, out=shaped(buffers[1], move.D.shape)).sum(axis=1)
    return [even + sign * odd for sign in move.signs]


LOSS_CHANGES: dict[Loss, LossChange] = {
    LOSSES["cross_entropy"]: _cross_entropy_change,
    LOSSES["binary_cross_entropy"]: _binary_cross_entropy_change,
    LOSSES["mse"]: _squares_change,
    LOSSES["sum_of_squares"]: _squares_change,
}


def loss_changes(loss: Loss, logits: Logits, move: Move, buffers: Buffers) -> list[Array]:
    """l(z + sign D) - l(z), (examples, k) per sign; for cross_entropy D is relative to the label's logit."""
    if (changes := LOSS_CHANGES.get(loss, _unknown)(logits, move, buffers)) is not None:
        return changes
    (z, targets, _), (examples, outputs, k) = logits, move.D.shape
    base, repeated = loss.per_example(z, targets)[:, None], np.repeat(targets, k, axis=0)
    moved = ((z[:, :, None] + sign * move.D).transpose(0, 2, 1).reshape(-1, outputs) for sign in move.signs)
    return [loss.per_example(row, repeated).reshape(examples, k) - base for row in moved]
