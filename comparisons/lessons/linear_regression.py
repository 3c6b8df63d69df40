"""Linear regression z = W x + b, trained by numerical differentiation alone.

    L(W, b) = 1/N sum (W x_n + b - y_n)^2
    W <- W - rate * (L(W + h, b) - L(W - h, b)) / 2h,   b likewise

The minimum has a closed form, (W, b) = argmin |[x 1] (W, b) - y|^2: what descent must reach.
"""

import numpy as np

from backproof.comparisons.lessons.frame import (
    Claim,
    Correction,
    Figure,
    LessonResult,
    Setting,
    Table,
    at_most,
    number,
)
from backproof.comparisons.lessons.pictures import (
    BAD,
    GOOD,
    JAX,
    REFERENCE,
    SCRATCH,
    TORCH,
    axes,
    heatmap,
    line,
    points,
)
from backproof.scratch.architecture import Architecture, Array
from backproof.scratch.gradients import gradient
from backproof.scratch.network import Network
from backproof.scratch.parameters import Parameters

LINES = ((1.1, 0.4), (0.3, 1.2), (-0.6, 1.0))  # (W, b) of the text's straight lines 1, 2 and 3
AGREEMENT = 1e-8  # distance to least squares that descent must reach
EXCESS = 1e-6  # relative to the least loss there is: when training has arrived
RATE, STEPS = 0.3, 200


def data(seed: int) -> tuple[Array, Array]:
    """Points around a rising line: x and y, each (40, 1)."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 2, (40, 1))
    return x, 1.2 * x + 0.3 + 0.25 * rng.standard_normal((40, 1))


def fit_by_differences(network: Network, x: Array, y: Array, update: bool = True) -> tuple[Array, Array]:
    """Losses (steps + 1,) and (W, b) after each step (steps + 1, 2), by central differences only."""
    theta = network.parameters.flat
    losses, trail = [float(network.loss(x, y))], [theta.copy()]
    for _ in range(STEPS):
        slope = gradient(network, x, y, method="central_difference")
        if update:
            theta -= RATE * slope
        losses.append(float(network.loss(x, y)))
        trail.append(theta.copy())
    return np.array(losses), np.array(trail)


def run(setting: Setting) -> LessonResult:
    x, y = data(setting.seed)
    architecture = Architecture((1, 1), activation="identity", loss="mse")

    def at(weight: float, bias: float) -> Network:
        return Network(architecture, Parameters(architecture, np.array([weight, bias])))

    errors = [float(at(*candidate).loss(x, y)) for candidate in LINES]
    exact = np.linalg.lstsq(np.column_stack([x, np.ones(len(x))]), y[:, 0], rcond=None)[0]
    losses, trail = fit_by_differences(at(-1.0, 2.0), x, y)
    still = fit_by_differences(at(-1.0, 2.0), x, y, update=False)[0]
    best = float(at(*exact).loss(x, y))
    order = " < ".join(str(i + 1) for i in np.argsort(errors))
    claims = (
        Claim("ranking", order == "1 < 2 < 3", "1 < 2 < 3", order),
        at_most("least_squares", float(np.abs(trail[-1] - exact).max()), AGREEMENT),
        at_most("better", losses[-1], min(errors)),
    )
    correction = Correction(
        "update",
        at_most("no_update", still[-1] / best - 1, EXCESS),
        at_most("with_update", losses[-1] / best - 1, EXCESS),
    )
    rows = [
        [f"@line{i + 1}", number(w), number(b), number(round(error, 6))]
        for i, ((w, b), error) in enumerate(zip(LINES, errors, strict=True))
    ]
    rows.append(["@descent", *(number(v) for v in trail[-1]), number(losses[-1])])
    rows.append(["@closed_form", *(number(v) for v in exact), number(best)])
    return LessonResult(
        claims,
        (_lines(x, y, trail[-1]), _surface(x, y, trail, exact)),
        (fit_by_differences,),
        (correction,),
        (Table("candidates", ("@line", "W", "b", "@mse"), rows),),
        {"steps": number(STEPS), "rate": number(RATE), "weight": number(exact[0]), "bias": number(exact[1])},
    )


def _lines(x: Array, y: Array, found: Array) -> Figure:
    ends = np.array([-1.0, 2.0])
    styles = ((GOOD, "dash"), (TORCH, "dot"), (BAD, "dashdot"))
    candidates = [
        line(f"@line{i + 1}", ends, w * ends + b, *style)
        for i, ((w, b), style) in enumerate(zip(LINES, styles, strict=True))
    ]
    fitted = line("@descent", ends, found[0] * ends + found[1], SCRATCH)
    return Figure(
        "lines", [points("@data", x[:, 0], y[:, 0], REFERENCE, size=7), *candidates, fitted], axes("x", "y")
    )


def _surface(x: Array, y: Array, trail: Array, exact: Array) -> Figure:
    """The loss over (W, b), as a map of log10 L, and the trail of descent on it."""
    weights, biases = np.linspace(-1.6, 2.6, 43), np.linspace(-1.2, 2.6, 39)
    residual = weights[None, :, None] * x[:, 0] + biases[:, None, None] - y[:, 0]
    loss = np.mean(np.square(residual), axis=-1)
    return Figure(
        "surface",
        (
            heatmap(np.log10(loss), weights, biases, showscale=True, colorbar={"title": {"text": "log₁₀ L"}}),
            line("@trail", trail[:40, 0], trail[:40, 1], TORCH, markers=True),
            points("@closed_form", exact[:1], exact[1:], JAX, "x", 12),
        ),
        axes("W", "b"),
    )
