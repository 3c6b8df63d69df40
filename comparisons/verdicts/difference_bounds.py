"""How far central differences may lie from backpropagation, for one hidden relu layer: of entries, of units.

z = x W_1 + b_1, a = relu(z), logits a W_2 + b_2, cross-entropy; N examples, u the unit roundoff. Entry t of
W_1 (unit j, input x_i; 1 for the bias) moves example n's logits with slope x_ni W_2[j], whose range over the
classes is |x_ni| R_j, R_j = max_c W_2[j, c] - min_c W_2[j, c]. Where no kink is crossed, the truncation is

    h^2 / 6 |third cumulant| <= h^2 (|x_ni| R_j)^3 / (36 sqrt 3)    (a variable on an interval: `certified`)

Where |z_nj| <= h |x_ni| + e_z the stencil may hold the kink, or rounding decide the sign. The quotient is
then an average of slopes of the loss, and backpropagation gives one of them; all of them lie between
-|x_ni| R_j and |x_ni| R_j, so the two differ by at most 2 |x_ni| R_j.

Entry (j, c) of W_2 moves one logit by a_nj: truncation h^2 a_nj^3 / (36 sqrt 3), and no kink.

Differences of units move z_nj itself, by h_nj: all of this holds with 1 in the place of x_ni (and of a_nj),
for each example by itself. What delta is off by comes into the gradient by way of the inputs' sizes.

Rounding: both gradients sum terms of at most |x_ni| R_j (or a_nj), each a product with fewer roundings than
n_0 + n_1 + n_2 + N + 60, from logits known to within e, which moves their probabilities by at most 2 e,
relatively: kappa = 2 gamma + 4 e together. e is the running error of the forward pass (Higham 2002, 3.5):

    e_z = gamma_{n_0 + 2} (|x| |W_1| + |b_1|),   e = gamma_{n_1 + 2} (|a| |W_2| + |b_2|) + e_z |W_2|

*How close.* The truncation is reached. At a kink half a slope is, and a whole one where rounding decides the
sign, of the two that are allowed: the slopes of the loss at both ends could differ as well. Of e a hundredth
is: it adds up sizes where a logit rounds once, and both gradients are given all of it in every class. Next to
a mistake it is nothing either way.
"""

from typing import NamedTuple

import numpy as np

from backproof.scratch.architecture import Array, Flat, Inputs, Units
from backproof.scratch.differences import CENTRAL, step_sizes
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
    state = _forward(network, x)
    first, second = _layers_of(network.architecture.layer_slices(), steps)
    near = np.abs(state.z) <= first.max(axis=0) * state.inputs.max(axis=1)[:, None] + state.e_z
    cubed, linear = state.slopes(near)
    kappa = np.broadcast_to(state.kappa, state.logits.shape)
    return _gathered(
        network,
        len(x),
        _terms(state.inputs, cubed, linear, first),
        _terms(state.a, np.ones_like(kappa), kappa, second),
    )


def unit_difference_bound(network: Network, x: Inputs, step: float) -> Flat:
    """Entry by entry: |central differences of units - backprop|, both in float64.

    Parameters
    ----------
    network
        One hidden layer of relus under cross_entropy, in float64.
    x
        Inputs (examples, n_inputs).
    step
        Of every pre-activation z, relative to max(1, |z|).

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
    state = _forward(network, x)
    first, second = (step_sizes(z, CENTRAL, step) for z in (state.z, state.logits))
    cubed, linear = state.slopes(np.abs(state.z) <= first + state.e_z)
    return _gathered(
        network,
        len(x),
        state.inputs.T @ (_third(first) * cubed + linear),
        state.a.T @ (_third(second) + state.kappa),
    )


class _Forward(NamedTuple):
    """The forward pass with its rounding, in the letters above; a last column of ones for the biases."""

    inputs: Array  # sizes
    z: Units
    a: Array
    logits: Array
    e_z: Units
    kappa: Array  # (examples, 1)
    spread: Array  # R_j

    def slopes(self, near: Units) -> tuple[Units, Units]:
        """What h^2 and what h^0 multiply, for an input of one; `near` says where a kink may be met."""
        on = self.z > 0
        return (on | near) * self.spread**3, (2 * near + self.kappa * on) * self.spread


def _forward(network: Network, x: Inputs) -> _Forward:
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
    spread = W2.max(axis=1) - W2.min(axis=1)
    return _Forward(inputs, z, a, a @ np.vstack([W2, b2]), e_z, kappa, spread)


def _gathered(network: Network, n_examples: int, *layers: Array) -> Flat:
    """Each layer's (fan_in + 1, fan_out), divided by N, as the flat vector."""
    bound = Parameters(network.architecture, dtype=np.float64)
    for (weight, bias), part in zip(bound.layers, layers, strict=True):
        weight[...], bias[...] = part[:-1] / n_examples, part[-1] / n_examples
    return bound.flat


def _third(h: Array) -> Array:
    """h^2 / 6 times the largest third cumulant on an interval of length one."""
    most: Array = h**2 / 6 * THIRD_CUMULANT
    return most


def _terms(inputs: Array, cubed: Array, linear: Array, h: Array) -> Array:
    """sum_n h^2 / 6 THIRD_CUMULANT |input|^3 cubed + |input| linear, (fan_in + 1, fan_out)."""
    third = inputs**3
    total: Array = _third(h) * (third.T @ cubed) + inputs.T @ linear
    return total


def _layers_of(slices: list[tuple[slice, slice]], steps: Array) -> list[Array]:
    """Each layer's steps, (fan_in + 1, fan_out): the bias is the last row."""
    return [steps[W.start : b.stop].reshape(-1, b.stop - b.start) for W, b in slices]


def _gamma(n: int) -> float:
    """n u / (1 - n u) (Higham 2002, lemma 3.1)."""
    share = n * 2.0**-53
    return share / (1 - share)
