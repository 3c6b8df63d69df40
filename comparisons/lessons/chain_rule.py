"""The chain rule through a deep network of one neuron per layer, factor by factor.

H1 = w1 x + b1,  A1 = sigma(H1);   H2 = w2 A1 + b2,  A2 = sigma(H2);   yhat = w3 A2 + b3
loss = (yhat - y)^2 / 2

dL/dw2 = (yhat - y) * w3 * sigma'(H2) * A1         dL/db2 = (yhat - y) * w3 * sigma'(H2)
dL/dw1 = (yhat - y) * w3 * sigma'(H2) * w2 * sigma'(H1) * x      dL/db1: the same without x
"""

import math
from collections.abc import Callable
from functools import partial

import numpy as np
import torch

from backproof.comparisons.lessons.frame import (
    Correction,
    Figure,
    LessonResult,
    Setting,
    Table,
    at_least,
    at_most,
    number,
)
from backproof.comparisons.lessons.pictures import BAD, SCRATCH, TORCH, axes, line
from backproof.scratch.activations import sigmoid
from backproof.scratch.architecture import Array
from backproof.scratch.differences import CENTRAL, difference

NAMES = ("w1", "b1", "w2", "b2", "w3", "b3")
SUBSCRIPTS = "₀₁₂₃"
X, Y = 1.5, 0.4
EPS = float(np.finfo(float).eps)
# At its own step a central difference of this loss (derivatives and values of size one) errs by ~eps^(2/3).
DIFFERENCE_ERROR = 32 * EPS ** (2 / 3)
AUTOGRAD_ERROR = 16 * EPS  # some ten roundings in either of the two


def _sigmoid(z: float) -> float:
    return float(sigmoid(np.array(z)))


def forward(theta: Array) -> dict[str, float]:
    """Every quantity of the forward pass, by the names of the module's head."""
    w1, b1, w2, b2, w3, b3 = (float(t) for t in theta)
    H1 = w1 * X + b1
    A1 = _sigmoid(H1)
    H2 = w2 * A1 + b2
    A2 = _sigmoid(H2)
    yhat = w3 * A2 + b3
    return {"H1": H1, "A1": A1, "H2": H2, "A2": A2, "yhat": yhat, "loss": (yhat - Y) ** 2 / 2}


def factors(theta: Array) -> dict[str, list[tuple[str, float]]]:
    """For every parameter the named factors of its derivative; their product is dL/dparameter."""
    w2, w3 = float(theta[2]), float(theta[4])
    f = forward(theta)
    error = ("ŷ − y", f["yhat"] - Y)
    slope2 = ("σ′(H₂)", f["A2"] * (1 - f["A2"]))
    slope1 = ("σ′(H₁)", f["A1"] * (1 - f["A1"]))
    to_second = [error, ("w₃", w3), slope2]
    to_first = [*to_second, ("w₂", w2), slope1]
    return {
        "w3": [error, ("A₂", f["A2"])],
        "b3": [error],
        "w2": [*to_second, ("A₁", f["A1"])],
        "b2": to_second,
        "w1": [*to_first, ("x", X)],
        "b1": to_first,
    }


def product(named: list[tuple[str, float]]) -> float:
    return math.prod(value for _, value in named)


def by_autograd(theta: Array) -> Array:
    """dL/dtheta from torch."""
    t = torch.tensor(theta, requires_grad=True)
    hidden = torch.sigmoid(t[2] * torch.sigmoid(t[0] * X + t[1]) + t[3])
    (gradient,) = torch.autograd.grad((t[4] * hidden + t[5] - Y) ** 2 / 2, t)
    result: Array = gradient.numpy()
    return result


def run(setting: Setting) -> LessonResult:
    theta = np.random.default_rng(setting.seed).normal(0.0, 1.0, 6)
    named = factors(theta)
    analytic = np.array([product(named[name]) for name in NAMES])
    numeric = difference(lambda t: forward(t)["loss"], theta, CENTRAL)
    scale = max(1.0, float(np.abs(theta).max()), float(np.abs(analytic).max()))
    claims = [
        at_most(f"d{name}", abs(float(analytic[i] - numeric[i])), DIFFERENCE_ERROR * scale)
        for i, name in enumerate(NAMES)
    ]
    claims.append(
        at_most("autograd", float(np.abs(analytic - by_autograd(theta)).max()), AUTOGRAD_ERROR * scale)
    )
    rows = [
        [
            f"∂L/∂{name[0]}{SUBSCRIPTS[int(name[1])]}",
            " · ".join(f"{n} ({number(round(v, 5))})" for n, v in named[name]),
            number(analytic[i]),
            number(numeric[i]),
        ]
        for i, name in enumerate(NAMES)
    ]
    table = Table("factors", ("@derivative", "@factors", "@product", "@difference"), rows)
    losses = _two_losses(theta)
    corrections = (_loss(losses), _missing_factor(theta, numeric, scale), _bias_in_h2(theta, numeric, scale))
    values = {"x": number(X), "y": number(Y), "yhat": number(forward(theta)["yhat"])}
    return LessonResult(
        claims,
        (_descent(losses), _sizes(analytic, numeric)),
        (forward, factors),
        corrections,
        (table,),
        values,
    )


def _error(made: dict[str, float]) -> float:
    return made["yhat"] - Y


def _half_square(made: dict[str, float]) -> float:
    return made["loss"]


def _through(loss: Callable[[dict[str, float]], float], theta: Array) -> float:
    return loss(forward(theta))


def _two_losses(theta: Array) -> tuple[Array, Array]:
    """ŷ - y itself and (ŷ - y)^2 / 2, along 60 steps of descent on each."""
    trails = []
    for loss in (_error, _half_square):
        point, trail = theta.copy(), []
        for _ in range(60):
            trail.append(loss(forward(point)))
            point = point - 0.5 * difference(partial(_through, loss), point, CENTRAL)
        trails.append(np.array(trail))
    return trails[0], trails[1]


def _loss(losses: tuple[Array, Array]) -> Correction:
    """A loss must have a least value; ŷ - y has none."""
    return Correction(
        "loss",
        at_least("difference_bounded", losses[0][-1], 0.0),
        at_least("square_bounded", losses[1].min(), 0.0),
    )


def _missing_factor(theta: Array, numeric: Array, scale: float) -> Correction:
    """The text's dL/dw2 = w3 sigma'(H2) A1 lacks (ŷ - y)."""
    full = factors(theta)["w2"]
    return Correction(
        "factor",
        at_most("without_factor", abs(product(full[1:]) - float(numeric[2])), DIFFERENCE_ERROR * scale),
        at_most("with_factor", abs(product(full) - float(numeric[2])), DIFFERENCE_ERROR * scale),
    )


def _bias_in_h2(theta: Array, numeric: Array, scale: float) -> Correction:
    """H2 = w2 A1, as the text has it, gives sigma' at the wrong place."""
    f, (_, _, w2, b2, w3, _) = forward(theta), theta
    found = []
    for H2 in (w2 * f["A1"], w2 * f["A1"] + b2):
        a = _sigmoid(H2)
        found.append(abs((f["yhat"] - Y) * w3 * a * (1 - a) * f["A1"] - float(numeric[2])))
    return Correction(
        "bias",
        at_most("h2_without_b2", found[0], DIFFERENCE_ERROR * scale),
        at_most("h2_with_b2", found[1], DIFFERENCE_ERROR * scale),
    )


def _descent(losses: tuple[Array, Array]) -> Figure:
    steps = np.arange(len(losses[0]))
    return Figure(
        "descent",
        (line("ŷ − y", steps, losses[0], BAD, "dash"), line("(ŷ − y)² / 2", steps, losses[1], SCRATCH)),
        axes("@step", "@loss"),
    )


def _sizes(analytic: Array, numeric: Array) -> Figure:
    """The six derivatives by both ways, as bars."""
    labels = [f"∂L/∂{name[0]}{SUBSCRIPTS[int(name[1])]}" for name in NAMES]
    bars = [
        {
            "type": "bar",
            "name": name,
            "x": labels,
            "y": [float(f"{v:.6g}") for v in values],
            "marker": {"color": colour, "pattern": {"shape": pattern}},
        }
        for name, values, colour, pattern in (
            ("@product", analytic, SCRATCH, ""),
            ("@difference", numeric, TORCH, "/"),
        )
    ]
    return Figure("sizes", bars, axes("", "@derivative", barmode="group", height=340))
