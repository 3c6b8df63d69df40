"""The loss in extended precision, from the textbook's formulas, and its differences: an oracle for tests.

Written apart from `scratch`, sum by sum and with none of its kernels, in longdouble (x87: 64 bits of
mantissa, eps = 1.1e-19; where longdouble is float64, this is one more independent float64 witness, and
`EPS` says so). Slow, and meant to be.

    z_l = b_l + sum_i a_{l-1}[i] W_l[i];   cross_entropy: log sum_c exp(z_c - m) - (z_y - m), m = max_c z_c
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from backproof.scratch.architecture import Architecture, Array, Flat, Inputs, Logits, LossName, Targets

EPS = float(np.finfo(np.longdouble).eps)


def _sigmoid(z: Array) -> Array:
    """1 / (1 + exp(-z)); below zero exp(z) / (1 + exp(z)), since exp(-z) might overflow."""
    below = z.real < 0
    exp = np.exp(np.where(below, z, -z))
    result: Array = np.where(below, exp / (1 + exp), 1 / (1 + exp))
    return result


ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "identity": lambda z: z,
    "sigmoid": _sigmoid,
    "tanh": np.tanh,
    "relu": lambda z: np.where(z.real > 0, z, 0),
}


def loss(architecture: Architecture, theta: Flat, x: Inputs, targets: Targets) -> Any:
    """L at the flat vector theta (n_parameters,): a longdouble, a clongdouble for a complex theta.

    Parameters
    ----------
    architecture
        The network; its dtype does not matter here.
    theta
        (n_parameters,) real or complex.
    x
        Inputs (batch, n_inputs); trusted.
    targets
        Integer labels (batch,) for cross_entropy, else (batch, n_outputs); trusted.

    Returns
    -------
    scalar
        longdouble, or clongdouble.
    """
    kind = np.clongdouble if np.iscomplexobj(theta) else np.longdouble
    flat, a = np.asarray(theta, kind), np.asarray(x, kind)
    for layer, (weight, bias) in enumerate(architecture.layer_slices()):
        if layer > 0:
            a = ACTIVATIONS[architecture.activation](a)
        W = flat[weight].reshape(architecture.layer_shapes[layer])
        z = flat[bias] + np.zeros((len(a), 1), kind)
        for i in range(W.shape[0]):
            z = z + a[:, i : i + 1] * W[i]
        a = z
    return _loss_of_logits(architecture.loss, a, targets)


def _loss_of_logits(name: LossName, z: Logits, targets: Targets) -> Any:
    n_examples, n_outputs = z.shape
    if name == "cross_entropy":
        shifted = z - z.real.max(axis=1, keepdims=True)
        own = shifted[np.arange(n_examples), targets]
        return (np.log(np.exp(shifted).sum(axis=1)) - own).sum() / n_examples
    t = np.asarray(targets, np.longdouble)
    if name == "binary_cross_entropy":
        # log(1 + exp(z)) - t z, with the larger exponential taken out
        larger = np.where(z.real > 0, z, 0)
        terms = larger + np.log(np.exp(-larger) + np.exp(z - larger)) - t * z
        return terms.sum() / (n_examples * n_outputs)
    squares = ((z - t) ** 2).sum()
    return squares if name == "sum_of_squares" else squares / (n_examples * n_outputs)


def central_difference(
    architecture: Architecture, theta: Flat, x: Inputs, targets: Targets, steps: Flat
) -> Flat:
    """(L(t + h) - L(t - h)) / 2h per entry, (n_parameters,) longdouble, with `steps` (n_parameters,).

    Parameters
    ----------
    architecture
        The network; its dtype does not matter here.
    theta
        (n_parameters,) real.
    x
        Inputs (batch, n_inputs); trusted.
    targets
        As the loss wants them; trusted.
    steps
        (n_parameters,): h of each entry, as it is.

    Returns
    -------
    array (n_parameters,)
        longdouble.
    """
    theta = np.asarray(theta, np.longdouble)
    gradient = np.empty_like(theta)
    for i, h in enumerate(np.asarray(steps, np.longdouble)):
        above, below = theta.copy(), theta.copy()
        above[i] += h
        below[i] -= h
        rise = loss(architecture, above, x, targets) - loss(architecture, below, x, targets)
        gradient[i] = rise / (2 * h)
    return gradient


def complex_step(architecture: Architecture, theta: Flat, x: Inputs, targets: Targets) -> Flat:
    """Im L(t + ih) / h per entry, (n_parameters,) longdouble, h = 1e-30: exact but for rounding.

    Parameters
    ----------
    architecture
        The network; its dtype does not matter here.
    theta
        (n_parameters,) real.
    x
        Inputs (batch, n_inputs); trusted.
    targets
        As the loss wants them; trusted.

    Returns
    -------
    array (n_parameters,)
        longdouble.

    References
    ----------
    Squire, Trapp 1998.
    """
    h = np.longdouble("1e-30")
    gradient = np.empty(architecture.n_parameters, np.longdouble)
    for i in range(architecture.n_parameters):
        moved = np.array(theta, np.clongdouble)
        moved[i] += 1j * h
        gradient[i] = loss(architecture, moved, x, targets).imag / h
    return gradient
