"""How far a central-difference gradient may lie from backpropagation's, for one hidden relu layer.

z = x W_1 + b_1, a = relu(z), logits a W_2 + b_2, cross-entropy; N examples, u the unit roundoff. Entry t of
W_1 (unit j, input x_i; 1 for the bias) moves example n's logits with slope x_ni W_2[j], whose range over the
classes is |x_ni| R_j, R_j = max_c W_2[j, c] - min_c W_2[j, c]. Where no kink is crossed, the truncation is

    h^2 / 6 |third cumulant| <= h^2 (|x_ni| R_j)^3 / (36 sqrt 3)    (a variable on an interval: `certified`)

Where |z_nj| <= h |x_ni| + e_z the stencil may hold the kink, or rounding decide the sign. The quotient is
then an average of slopes of the loss, and backpropagation gives one of them; all of them lie between
-|x_ni| R_j and |x_ni| R_j, so the two differ by at most 2 |x_ni| R_j.

Entry (j, c) of W_2 moves one logit by a_nj: truncation h^2 a_nj^3 / (36 sqrt 3), and no kink.

Rounding: both gradients sum terms of at most |x_ni| R_j (or a_nj), each a product with fewer roundings than
n_0 + n_1 + n_2 + N + 60, from logits known to within e, which moves their probabilities by at most 2 e,
relatively: kappa = 2 gamma + 4 e together. e is the running error of the forward pass (Higham 2002, 3.5):

    e_z = gamma_{n_0 + 2} (|x| |W_1| + |b_1|),   e = gamma_{n_1 + 2} (|a| |W_2| + |b_2|) + e_z |W_2|
"""

import numpy as np

from backproof.scratch.architecture import Array, Flat, Inputs
from backproof.scratch.errors import InputError
from backproof.scratch.network import Network
from backproof.scratch.parameters import Parameters

THIRD_CUMULANT = 1.0 / (6.0 * np.sqrt(3.0))  # of a variable on an interval of length 1, at most
_ROUNDINGS = 60  # of exp, the sums over classes, the series and the quotient, beside the inner products


def central_difference_bound(network: Network, x: Inputs, steps: Flat) -> Flat:
    """Entry by entry: |structured central difference - backprop|, both in float64.

    Parameters
    ----------
    network
        One hidden layer of relus under cross_entropy, in float64.
    x
        Inputs (examples, n_inputs).
    steps
        (n_parameters,): the quotients' steps, as they are.

    Returns
    -------
    array (n_parameters,)
        float64; no difference of the two is larger.

    Raises
    ------
    InputError
        For another network.

    References
    ----------
    Higham 2002, section 3.5.
    """
    architecture = network.architecture
    if len(architecture.layer_shapes) != 2 or (architecture.activation, architecture.loss) != (
        "relu",
        "cross_entropy",
    ):
        raise InputError(f"network: expected one hidden relu layer and cross_entropy, got {architecture}")
    (W1, b1), (W2, b2) = network.parameters.layers
    inputs = np.concatenate([np.abs(x), np.ones((len(x), 1))], axis=1)
    z = x @ W1 + b1
    a = np.concatenate([np.maximum(z, 0), np.ones((len(x), 1))], axis=1)
    e_z = _gamma(len(W1) + 2) * (inputs @ np.vstack([np.abs(W1), np.abs(b1)]))
    e = _gamma(len(W2) + 2) * (a @ np.vstack([np.abs(W2), np.abs(b2)])) + e_z @ np.abs(W2)
    kappa = 2 * _gamma(sum(architecture.layer_sizes) + len(x) + _ROUNDINGS) + 4 * e.max(axis=1)[:, None]
    first, second = _layers_of(architecture.layer_slices(), steps)
    spread = W2.max(axis=1) - W2.min(axis=1)  # R_j
    reach = first.max(axis=0) * inputs.max(axis=1)[:, None] + e_z
    near, on = np.abs(z) <= reach, z > 0
    bound = Parameters(architecture, dtype=np.float64)
    parts = (
        _terms(inputs, (on | near) * spread**3, (2 * near + kappa * on) * spread, first),
        _terms(a, np.ones_like(e), np.broadcast_to(kappa, e.shape), second),
    )
    for (weight, bias), part in zip(bound.layers, parts, strict=True):
        weight[...], bias[...] = part[:-1] / len(x), part[-1] / len(x)
    return bound.flat


def _terms(inputs: Array, cubed: Array, linear: Array, h: Array) -> Array:
    """sum_n h^2 / 6 THIRD_CUMULANT |input|^3 cubed + |input| linear, (fan_in + 1, fan_out)."""
    third = inputs**3
    total: Array = h**2 / 6 * THIRD_CUMULANT * (third.T @ cubed) + inputs.T @ linear
    return total


def _layers_of(slices: list[tuple[slice, slice]], steps: Array) -> list[Array]:
    """Each layer's steps, (fan_in + 1, fan_out): the bias is the last row."""
    return [steps[W.start : b.stop].reshape(-1, b.stop - b.start) for W, b in slices]


def _gamma(n: int) -> float:
    """n u / (1 - n u) (Higham 2002, lemma 3.1)."""
    share = n * 2.0**-53
    return share / (1 - share)
