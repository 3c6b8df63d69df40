"""The two-layer NumPy network of the text, as it is printed there: no biases, a sum of squares.

    h = x w1,  h_relu = max(h, 0),  y_pred = h_relu w2,   loss = sum (y_pred - y)^2

The six lines of its backward pass are kept in the text's own names, so that they can be checked against
autograd line by line.
"""

from dataclasses import dataclass

import numpy as np

from backproof.scratch.architecture import Architecture, Array
from backproof.scratch.network import Network
from backproof.scratch.parameters import Parameters

N, D_IN, H, D_OUT = 64, 1000, 100, 10
ARCHITECTURE = Architecture((D_IN, H, D_OUT), activation="relu", loss="sum_of_squares")


@dataclass(frozen=True)
class Forward:
    h: Array  # (N, H)
    h_relu: Array  # (N, H)
    y_pred: Array  # (N, D_out)


def text_data() -> tuple[Array, Array]:
    """x (N, D_in) filled with 0.025 and y (N, D_out) of ones, as the text makes them."""
    x = np.zeros((N, D_IN))
    x.fill(0.025)
    return x, np.ones((N, D_OUT))


def text_weights(seed: int) -> tuple[Array, Array]:
    """w1 (D_in, H) and w2 (H, D_out), each entry from N(0, 1)."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((D_IN, H)), rng.standard_normal((H, D_OUT))


def forward(x: Array, w1: Array, w2: Array) -> Forward:
    h = x.dot(w1)
    h_relu = np.maximum(h, 0)
    return Forward(h, h_relu, h_relu.dot(w2))


def backward(x: Array, y: Array, w2: Array, made: Forward) -> dict[str, Array]:
    """Every intermediate gradient of the text, by its name. One line is not the text's: its mask."""
    grad_y_pred = 2.0 * (made.y_pred - y)
    grad_w2 = made.h_relu.T.dot(grad_y_pred)
    grad_h_relu = grad_y_pred.dot(w2.T)
    grad_h = grad_h_relu * (made.h > 0)  # the text: a copy, set to 0 where h < 0, which keeps h = 0
    grad_w1 = x.T.dot(grad_h)
    return {
        "grad_y_pred": grad_y_pred, "grad_w2": grad_w2, "grad_h_relu": grad_h_relu, "grad_h": grad_h,
        "grad_w1": grad_w1,
    }  # fmt: skip


def update(w1: Array, w2: Array, gradients: dict[str, Array], rate: float) -> None:
    w1 -= rate * gradients["grad_w1"]
    w2 -= rate * gradients["grad_w2"]


def scratch_network(w1: Array, w2: Array) -> Network:
    """The same network in scratch, whose layers have biases: they start at zero and are held there."""
    layers = [(w1, np.zeros(H)), (w2, np.zeros(D_OUT))]
    return Network(ARCHITECTURE, Parameters.from_weights(ARCHITECTURE, layers))


def train_without_biases(
    network: Network, x: Array, y: Array, rate: float, steps: int
) -> tuple[Array, Array]:
    """Losses (steps + 1,) and the number of hidden units alive on some example (steps + 1,)."""
    gradient = Parameters(network.architecture)
    losses, living = [], []
    for step in range(steps + 1):
        loss = network.loss_and_gradient(x, y, gradient)  # forward and backward
        losses.append(loss)
        living.append(
            int((network.forward(x)[1] > 0).any(axis=0).sum()) if step % 10 == 0 or step < 60 else -1
        )
        for _, bias in gradient.layers:
            bias[...] = 0.0
        network.parameters.flat -= rate * gradient.flat  # update
        if not np.isfinite(loss):
            break
    return np.array(losses), np.array(living)
