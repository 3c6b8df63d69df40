"""How much an example's loss changes when its logits move a little, without subtracting two values.

With D_c the change of the logit z_c:

    cross_entropy         log1p(sum_c p_c expm1(D_c)),  p = softmax(z), every D_c relative to the label's
    binary_cross_entropy  sum_c log1p(p_c expm1(D_c)) - t_c D_c,  p = sigmoid(z)
    squares               sum_c D_c^2 + 2 (z_c - t_c) D_c

The first follows from log sum_c exp(z_c + D_c) - log sum_c exp(z_c) = log sum_c p_c exp(D_c). Where D is not
small, or a loss is not listed, two values are subtracted: the change is then large and little is lost.

A worked example: logits (6, 1), targets (5, 1), a sum of squares. The first logit moves by 1 or by -1, so the
loss goes from 1 to 4 or to 0.

>>> z, targets = np.array([[6.0, 1.0]]), np.array([[5.0, 1.0]])
>>> D = np.array([[[1.0], [0.0]]])  # (examples, outputs, moves)
>>> buffers = [np.empty(2) for _ in range(3)]
>>> squares = LOSS_FUNCTIONS["sum_of_squares"]
>>> loss_changes(squares, UnmovedLogits(z, targets, softmax(z)), Move(D, (1, -1), 1.0), buffers)
[array([[3.]]), array([[-1.]])]
"""

import math
from typing import Annotated, NamedTuple

import numpy as np

from .activations import sigmoid
from .architecture import Array, Logits, Targets
from .changes import Buffers, no_formula, shaped
from .losses import LOSS_FUNCTIONS, Loss
from .series import EXPM1, LOG1P, horner, terms_needed

Changes = list[Annotated[Array, "examples moves"]]  # for each sign, of every example's loss


class UnmovedLogits(NamedTuple):
    """Where the logits stand before they move."""

    z: Logits
    targets: Targets
    softmax: Logits


class Move(NamedTuple):
    """Changes D of the logits, to be taken with each of `signs`; size >= max |D|."""

    D: Annotated[Array, "examples outputs moves"]
    signs: tuple[int, ...]
    size: float


def softmax(z: Logits) -> Logits:
    """exp(z_c) / sum_c exp(z_c) for each row of z.

    Parameters
    ----------
    z
        Logits (examples, outputs), real or complex.

    Returns
    -------
    array (examples, outputs)
        In z's dtype. Rows sum to one, and no exponential overflows.
    """
    p: Array = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return p


def _log1p(x: Array, size: float) -> Array:
    coefficients = terms_needed(LOG1P, size, x.dtype)
    return horner(x, x, coefficients) if coefficients else np.log1p(x)


def _cross_entropy_change(logits: UnmovedLogits, move: Move, buffers: Buffers) -> Changes | None:
    D, signs, size = move
    coefficients = terms_needed(EXPM1, size, D.dtype)
    if not coefficients:
        return None
    p = logits.softmax[:, None]
    square = np.square(D, out=shaped(buffers[1], D.shape))
    out = shaped(buffers[2], D.shape)
    # expm1(+-D) = (cosh(D) - 1) +- sinh(D): both signs for the price of one.
    odd, even = coefficients[0::2], coefficients[1::2] or (0.0,)
    sinh = (p @ horner(square, D, odd, out))[:, 0]
    cosh = (p @ horner(square, square, even, out))[:, 0]
    largest_sum = math.expm1(size)
    return [_log1p(cosh + sign * sinh, largest_sum) for sign in signs]


def _binary_cross_entropy_change(logits: UnmovedLogits, move: Move, buffers: Buffers) -> Changes | None:
    coefficients = terms_needed(EXPM1, move.size, move.D.dtype)
    if not coefficients:
        return None
    p = sigmoid(logits.z)[:, :, None]
    t = logits.targets[:, :, None]
    largest_term = math.expm1(move.size)
    moved = [sign * move.D for sign in move.signs]
    return [(_log1p(p * horner(D, D, coefficients), largest_term) - t * D).sum(axis=1) for D in moved]


def _squares_change(logits: UnmovedLogits, move: Move, buffers: Buffers) -> Changes:
    slope = 2 * (logits.z - logits.targets)[:, None]
    odd = (slope @ move.D)[:, 0]
    squares = np.square(move.D, out=shaped(buffers[1], move.D.shape))
    even = squares.sum(axis=1)
    return [even + sign * odd for sign in move.signs]


# A formula gives None where D is too large for it.
LOSS_CHANGES = {
    LOSS_FUNCTIONS["cross_entropy"]: _cross_entropy_change,
    LOSS_FUNCTIONS["binary_cross_entropy"]: _binary_cross_entropy_change,
    LOSS_FUNCTIONS["mse"]: _squares_change,
    LOSS_FUNCTIONS["sum_of_squares"]: _squares_change,
}


def loss_changes(loss: Loss, logits: UnmovedLogits, move: Move, buffers: Buffers) -> Changes:
    """l(z + sign D) - l(z) per sign; for cross_entropy D is relative to the label's logit.

    Parameters
    ----------
    loss
        One of LOSS_FUNCTIONS, or one of the user's own, which is then subtracted.
    logits
        Where they stand, with their targets and softmax.
    move
        The changes D (examples, outputs, moves), and the signs they are taken with.
    buffers
        Three flat arrays of D's dtype, as long as D has numbers.

    Returns
    -------
    list of arrays (examples, moves)
        One for every sign.
    """
    formula = LOSS_CHANGES.get(loss, no_formula)
    return formula(logits, move, buffers) or _subtracted(loss, logits, move)


def _subtracted(loss: Loss, logits: UnmovedLogits, move: Move) -> Changes:
    """The same by two values of the loss; every move of an example is a row of its own."""
    examples, outputs, moves = move.D.shape
    base = loss.per_example(logits.z, logits.targets)[:, None]
    targets = np.repeat(logits.targets, moves, axis=0)
    changes = []
    for sign in move.signs:
        moved = logits.z[:, :, None] + sign * move.D
        rows = moved.transpose(0, 2, 1).reshape(-1, outputs)
        values = loss.per_example(rows, targets)
        changes.append(values.reshape(examples, moves) - base)
    return changes
