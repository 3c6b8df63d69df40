"""The shadow: the network's own numbers, in more precision than the implementation under test has.

    z_l = a_{l-1} W_l + b_l     a_l = m_l f(z_l)     d_l = m_l f'(z_l)     (m_l a dropout mask, or 1)
    delta_L = dL/dz_L           delta_l = (delta_{l+1} W_{l+1}^T) d_l
    dW_l = a_{l-1}^T delta_l    db_l = 1^T delta_l

Beside float32 that is double precision. Beside float64 it is longdouble, where the platform's has at least 64
bits (x86), and the shadow's own rounding of 2^-64 adds next to nothing to a bound. Elsewhere, and for batches
so large that products without BLAS would take long (MOST_WORK), it is double precision again, whose rounding
the bounds then hold as well (`Arithmetic.of`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from backproof.comparisons.verdicts.rounding import Arithmetic
from backproof.scratch.architecture import (
    Architecture,
    Array,
    Inputs,
    Labels,
    Logits,
    LossName,
    PerExample,
    Targets,
    Units,
    Weight,
    Weights,
)

MOST_WORK = 3e7  # multiplications of one forward pass: a tenth of a second each in longdouble


@dataclass(frozen=True)
class Shadow:
    """The forward pass of one batch, every array in the shadow's precision."""

    inputs: tuple[Array, ...]  # x, a_1 .. a_{L-1}, each (batch, n_l), masks included
    pre_activations: tuple[Array, ...]  # z_1 .. z_L
    derivatives: tuple[Array, ...]  # f'(z_1) .. f'(z_{L-1}), before the masks
    delta: Array  # dL/dz_L, (batch, outputs)
    terms: Array  # of the loss, (batch,)

    def rows(self, rows: slice) -> "Shadow":
        """Of some examples; the loss keeps the batch's scale."""
        parts = [
            tuple(array[rows] for array in arrays)
            for arrays in (self.inputs, self.pre_activations, self.derivatives)
        ]
        return Shadow(parts[0], parts[1], parts[2], self.delta[rows], self.terms[rows])


def extended(architecture: Architecture, batch: int) -> bool:
    """Whether longdouble takes the place of double precision for this architecture and batch.

    Parameters
    ----------
    architecture
        Its dtype and number of parameters count.
    batch
        How many examples there are.

    Returns
    -------
    bool
        False for float32, where longdouble is no wider, or where the work would be too much.
    """
    return (
        architecture.dtype == "float64"
        and float(np.finfo(np.longdouble).eps) <= 2.0**-63
        and float(batch) * architecture.n_parameters <= MOST_WORK
    )


def propagated(
    architecture: Architecture,
    layers: Weights,
    x: Inputs,
    masks: Sequence[Units | None],
    arithmetic: Arithmetic,
) -> tuple[list[Units], list[Units], list[Units]]:
    """Inputs of the layers, z and f'(z); x has its mask, `masks` are those of the hidden layers.

    Parameters
    ----------
    architecture
        Names the activation.
    layers
        Per layer W (fan_in, fan_out) and b (fan_out,).
    x
        Inputs (batch, n_inputs).
    masks
        (batch, n_l) or None for every hidden layer.
    arithmetic
        Names the shadow's dtype.

    Returns
    -------
    tuple of three lists
        In the shadow's dtype, each array (batch, n_l).
    """
    a = x.astype(arithmetic.shadow)
    inputs, pre_activations, derivatives = [a], [], []
    for layer, (W, b) in enumerate(layers):
        z = a @ W.astype(a.dtype) + b
        pre_activations.append(z)
        if layer < len(layers) - 1:
            a, d = FUNCTIONS[architecture.activation](z)
            mask = masks[layer]
            a = a if mask is None else a * mask
            inputs.append(a)
            derivatives.append(d)
    return inputs, pre_activations, derivatives


def descended(delta: Logits, weights: Sequence[Weight], derivatives: Sequence[Units]) -> list[Units]:
    """delta_1 .. delta_L; `derivatives` d_1 .. d_{L-1} hold their masks.

    Parameters
    ----------
    delta
        dL/dlogits (batch, n_outputs).
    weights
        W_1 .. W_L.
    derivatives
        Each (batch, n_l).

    Returns
    -------
    list of arrays
        Each (batch, n_l), in delta's dtype.
    """
    deltas = [delta]
    for W, d in zip(reversed(weights[1:]), reversed(derivatives), strict=True):
        deltas.insert(0, (deltas[0] @ W.T.astype(delta.dtype)) * d)
    return deltas


def _identity(z: Array) -> tuple[Array, Array]:
    return z, np.ones_like(z)


def _relu(z: Array) -> tuple[Array, Array]:
    return np.where(z > 0, z, 0), (z > 0).astype(z.dtype)


def _tanh(z: Array) -> tuple[Array, Array]:
    return np.tanh(z), sech_squared(z)


def sech_squared(z: Array) -> Array:
    """1 / cosh(z)^2 without overflow: (2 e / (1 + e^2))^2 with e = exp(-|z|).

    Parameters
    ----------
    z
        Real numbers of any shape.

    Returns
    -------
    array
        Of z's shape and dtype, in [0, 1].
    """
    decay = np.exp(-np.abs(z))
    result: Array = np.square(2 * decay / (1 + decay**2))
    return result


def _sigmoid(z: Array) -> tuple[Array, Array]:
    a = expit(z)
    return a, a * expit(-z)  # 1 - a, which does not cancel


FUNCTIONS: dict[str, Callable[[Array], tuple[Array, Array]]] = {
    "identity": _identity,
    "relu": _relu,
    "tanh": _tanh,
    "sigmoid": _sigmoid,
}


def loss_and_delta(
    loss: LossName, z: Logits, targets: Targets, smoothing: float
) -> tuple[PerExample, Logits]:
    """The loss of each example (batch,), and delta_L (batch, outputs) of their mean or sum.

    Parameters
    ----------
    loss
        Which of the four.
    z
        Logits (batch, outputs).
    targets
        Labels (batch,), or numbers (batch, outputs).
    smoothing
        In [0, 1), of cross_entropy alone.

    Returns
    -------
    tuple of two arrays
        In z's dtype.
    """
    if loss == "cross_entropy":
        s = z - z.max(axis=1, keepdims=True)
        log_p = s - np.log(np.exp(s).sum(axis=1, keepdims=True))
        q = smoothed_targets(targets, z.shape[1], smoothing).astype(z.dtype)
        return -(q * np.where(q > 0, log_p, 0)).sum(axis=1), (np.exp(log_p) - q) / len(z)
    if loss == "binary_cross_entropy":
        return (np.logaddexp(0, z) - targets * z).sum(axis=1), (expit(z) - targets) / z.size
    difference = z - targets
    n = z.size if loss == "mse" else 1
    return np.square(difference).sum(axis=1), 2 * difference / n


def smoothed_targets(labels: Labels, n_outputs: int, smoothing: float) -> Logits:
    """q = (1 - s) onehot + s / K, (batch, outputs).

    Parameters
    ----------
    labels
        (batch,), integers.
    n_outputs
        K.
    smoothing
        s in [0, 1).

    Returns
    -------
    array (batch, outputs)
        In float64; rows sum to one.
    """
    q: Array = np.full((len(labels), n_outputs), smoothing / n_outputs)
    q[np.arange(len(labels)), labels] += 1.0 - smoothing
    return q
