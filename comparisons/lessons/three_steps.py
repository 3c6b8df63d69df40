"""Forward, backward, update: three separate things, the backward pass checked against autograd line by line.

    forward    h = x w1,  h_relu = max(h, 0),  y_pred = h_relu w2          changes no weight
    backward   the adjoint of each line, last line first                     changes no weight
    update     w <- w - rate * gradient                                      changes nothing else

The adjoint of A is the map with <A u, v> = <u, A^T v> for all u, v: this is what the text writes as .T. It is
not the inverse: nothing is moved to the other side of an equation.
"""

import numpy as np
import torch

from backproof.comparisons.lessons import text_network
from backproof.comparisons.lessons.frame import (
    Claim,
    Correction,
    Figure,
    LessonResult,
    Setting,
    Table,
    at_least,
    at_most,
    equal,
    number,
)
from backproof.comparisons.lessons.pictures import REFERENCE, SCRATCH, SIGNED, axes, images, line, points
from backproof.comparisons.lessons.text_network import backward, forward, update
from backproof.scratch.architecture import Architecture, Array
from backproof.scratch.network import Network
from backproof.scratch.parameters import Parameters

LINES = ("grad_y_pred", "grad_w2", "grad_h_relu", "grad_h", "grad_w1")
SIZES = (8, 12, 6, 3)  # N, D_in, H, D_out of this lesson: small enough to see
EPS = float(np.finfo(float).eps)
# Three products in a row, inner sizes up to 12, both sides rounded: 2 (12 + 6 + 8) eps of the largest entry.
ROUNDING = 64 * EPS


def by_autograd(x: Array, y: Array, w1: Array, w2: Array) -> dict[str, Array]:
    """The same five quantities from torch, which keeps the gradients of its intermediate results."""
    t1, t2 = (torch.tensor(w, requires_grad=True) for w in (w1, w2))
    h = torch.from_numpy(x) @ t1
    h_relu = h.relu()
    y_pred = h_relu @ t2
    wanted = {"grad_y_pred": y_pred, "grad_w2": t2, "grad_h_relu": h_relu, "grad_h": h, "grad_w1": t1}
    loss = (y_pred - torch.from_numpy(y)).square().sum()
    found = torch.autograd.grad(loss, list(wanted.values()))
    return {name: gradient.numpy() for name, gradient in zip(wanted, found, strict=True)}


def by_scratch(x: Array, y: Array, w1: Array, w2: Array) -> dict[str, Array]:
    """The weight gradients from scratch's own backward pass."""
    n_inputs, hidden = w1.shape
    architecture = Architecture((n_inputs, hidden, w2.shape[1]), loss="sum_of_squares")
    layers = [(w1, np.zeros(hidden)), (w2, np.zeros(w2.shape[1]))]
    network = Network(architecture, Parameters.from_weights(architecture, layers))
    gradient = Parameters(architecture)
    network.loss_and_gradient(x, y, gradient)
    return {"grad_w1": gradient.layers[0][0], "grad_w2": gradient.layers[1][0]}


def run(setting: Setting) -> LessonResult:
    rng = np.random.default_rng(setting.seed)
    n, d_in, hidden, d_out = SIZES
    x, y = rng.standard_normal((n, d_in)), rng.standard_normal((n, d_out))
    w1, w2 = rng.standard_normal((d_in, hidden)), rng.standard_normal((hidden, d_out))
    made = forward(x, w1, w2)
    ours, torchs, scratchs = backward(x, y, w2, made), by_autograd(x, y, w1, w2), by_scratch(x, y, w1, w2)
    gaps = {name: _gap(ours[name], torchs[name]) for name in LINES}
    claims = [at_most(name, gaps[name], ROUNDING) for name in LINES]
    claims.append(at_most("scratch", max(_gap(scratchs[k], torchs[k]) for k in scratchs), ROUNDING))
    claims.append(_only_update_changes(x, y, w1, w2))
    rows = [
        [name, str(ours[name].shape), number(np.abs(ours[name]).max()), number(gaps[name])] for name in LINES
    ]
    table = Table("lines", ("@line", "@shape", "@largest", "@gap"), rows)
    corrections = (_forward(x, w1, w2), _mask(ours, torchs), _adjoint(rng, x, y, w1, w2), _at_zero())
    values = {"units": number(hidden), "masked": number(int((made.h <= 0).sum())), "of": number(made.h.size)}
    return LessonResult(
        claims,
        (_maps(ours, torchs), _slope_at_zero()),
        (text_network.forward, backward, update),
        corrections,
        (table,),
        values,
    )


def _gap(found: Array, expected: Array) -> float:
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def _only_update_changes(x: Array, y: Array, w1: Array, w2: Array) -> Claim:
    """Weights before, after forward and backward, after update: how many entries changed in each."""
    weights = [w1.copy(), w2.copy()]
    gradients = backward(x, y, weights[1], forward(x, *weights))
    before = sum(int((a != b).sum()) for a, b in zip(weights, (w1, w2), strict=True))
    update(weights[0], weights[1], gradients, 1e-3)
    after = sum(int((a != b).sum()) for a, b in zip(weights, (w1, w2), strict=True))
    moving = sum(int((gradients[name] != 0).sum()) for name in ("grad_w1", "grad_w2"))
    return equal("update_only", f"{before}, {after}", f"0, {moving}")


def _forward(x: Array, w1: Array, w2: Array) -> Correction:
    weights = [w1.copy(), w2.copy()]
    forward(x, *weights)
    changed = sum(int((a != b).sum()) for a, b in zip(weights, (w1, w2), strict=True))
    return Correction("forward", at_least("forward_updates", changed, 1), equal("forward_leaves", changed, 0))


def _mask(ours: dict[str, Array], torchs: dict[str, Array]) -> Correction:
    """grad_h as a plain copy of grad_h_relu, and with the mask."""
    return Correction(
        "mask",
        at_most("copy", _gap(ours["grad_h_relu"], torchs["grad_h"]), ROUNDING),
        at_most("masked", _gap(ours["grad_h"], torchs["grad_h"]), ROUNDING),
    )


def _adjoint(rng: np.random.Generator, x: Array, y: Array, w1: Array, w2: Array) -> Correction:
    """Moving w2 across y_pred = h_relu w2 would multiply by its (pseudo)inverse; backprop transposes."""
    delta = 2 * (forward(x, w1, w2).y_pred - y)
    expected = by_autograd(x, y, w1, w2)["grad_h_relu"]
    return Correction(
        "adjoint",
        at_most("moved_across", _gap(delta @ np.linalg.pinv(w2), expected), ROUNDING),
        at_most("transposed", _gap(delta @ w2.T, expected), ROUNDING),
    )


def _at_zero() -> Correction:
    """One hidden unit with h = 0 exactly: the text's mask [h >= 0] keeps slope 1, torch and scratch 0."""
    x, y, w1, w2 = np.ones((1, 1)), np.ones((1, 1)), np.zeros((1, 1)), np.ones((1, 1))
    made = forward(x, w1, w2)
    grad_h = (2.0 * (made.y_pred - y)).dot(w2.T)
    grad_h[made.h < 0] = 0
    torchs = by_autograd(x, y, w1, w2)["grad_h"]
    ours = backward(x, y, w2, made)["grad_h"]
    return Correction(
        "zero",
        equal("text_mask", float(grad_h[0, 0]), float(torchs[0, 0])),
        equal("our_mask", float(ours[0, 0]), float(torchs[0, 0])),
    )


def _maps(ours: dict[str, Array], torchs: dict[str, Array]) -> Figure:
    """grad_w1 by hand and by autograd, and grad_h before and after the mask."""
    maps = [ours["grad_w1"], torchs["grad_w1"], ours["grad_h_relu"], ours["grad_h"]]
    titles = ["grad_w1", "torch: w1.grad", "grad_h_relu", "grad_h"]
    traces, layout = images(maps, titles, 2, SIGNED)
    for trace, matrix in zip(traces, maps, strict=True):
        limit = float(np.abs(matrix).max())
        trace |= {"zmin": -limit, "zmax": limit, "xgap": 1, "ygap": 1}
    return Figure("maps", traces, layout)


def _slope_at_zero() -> Figure:
    h = np.linspace(-1, 1, 41)
    return Figure(
        "slope",
        (
            line("relu(h)", h, np.maximum(h, 0), REFERENCE),
            points("@slopes", [0.0, 0.0], [0.0, 1.0], SCRATCH, "diamond", 10),
        ),
        axes("h", "", height=300),
    )
