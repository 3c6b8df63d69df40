"""Gradient descent on the squared error of one neuron, (O - A)^2 with O = w x + b.

w <- w - rate * dL/dw.   For a quadratic L with Hessian H every step multiplies the distance to the
minimum, along the eigenvector of lambda, by (1 - rate * lambda): it shrinks along all of them
exactly if rate < 2 / lambda_max.
"""

from collections.abc import Callable

import numpy as np

from backproof.comparisons.lessons.frame import (
    Claim,
    Correction,
    Figure,
    LessonResult,
    Setting,
    Slider,
    at_most,
    equal,
    number,
)
from backproof.comparisons.lessons.pictures import (
    BAD,
    GOOD,
    REFERENCE,
    SCRATCH,
    axes,
    line,
    points,
    rounded,
    vertical,
)
from backproof.scratch.architecture import Architecture, Array
from backproof.scratch.differences import difference
from backproof.scratch.gradients import gradient
from backproof.scratch.network import Network
from backproof.scratch.parameters import Parameters

ANSWER = 3.0  # A of the text
STEPS = 60
ARRIVED = 1e-6  # distance between O and A
FACTORS = (0.05, 0.25, 0.5, 0.75, 0.95, 1.05)  # rates, as parts of 2 / lambda_max


def descend(network: Network, x: Array, targets: Array, rate: float, steps: int) -> tuple[Array, Array]:
    """Losses (steps + 1,) and parameters (steps + 1, n): one update per step, with the whole data."""
    theta = network.parameters.flat
    losses, trail = [float(network.loss(x, targets))], [theta.copy()]
    for _ in range(steps):
        theta -= rate * gradient(network, x, targets)
        losses.append(float(network.loss(x, targets)))
        trail.append(theta.copy())
    return np.array(losses), np.array(trail)


def descend_scalar(f: Callable[[Array], Array], start: float, rate: float, steps: int) -> Array:
    """The trail (steps + 1,) of one number under descent by central differences."""
    value, trail = np.array([start]), [start]
    for _ in range(steps):
        value = value - rate * difference(lambda v: f(v)[0], value)
        trail.append(float(value[0]))
    return np.array(trail)


def largest_eigenvalue(x: Array) -> float:
    """lambda_max of the Hessian of mean (w x + b - t)^2: 2/N [x 1]^T [x 1]."""
    design = np.column_stack([x, np.ones(len(x))])
    return float(np.linalg.eigvalsh(2 / len(x) * design.T @ design)[-1])


def run(setting: Setting) -> LessonResult:
    rng = np.random.default_rng(setting.seed)
    x = rng.uniform(-3, 3, (30, 1))
    targets = 1.2 * x - 0.7
    limit = 2 / largest_eigenvalue(x)
    architecture = Architecture((1, 1), loss="mse", activation="identity")

    def fresh() -> Network:
        return Network(architecture, Parameters(architecture, np.array([-1.0, 2.0])))

    runs = {factor: descend(fresh(), x, targets, factor * limit, STEPS) for factor in FACTORS}
    below = [losses for factor, (losses, _) in runs.items() if factor < 1]
    above = [losses for factor, (losses, _) in runs.items() if factor > 1]
    a, b, c = descend(fresh(), x, targets, 0.25 * limit, 2)[0]
    claims = (
        Claim("abc", bool(a > b > c), "A > B > C", f"{number(a)} > {number(b)} > {number(c)}"),
        equal("below", sum(bool((np.diff(losses) <= 1e-12).all()) for losses in below), len(below)),
        equal("above", sum(bool(losses[-1] > losses[0]) for losses in above), len(above)),
    )
    corrections = (_distance_not_product(), _rate_is_missing(fresh(), x, targets, limit))
    values = {"limit": number(limit), "lambda": number(2 / limit), "steps": number(STEPS),
              "answer": number(ANSWER)}  # fmt: skip
    figures = (_trail(x), _rates(fresh, x, targets, limit), _two_losses())
    return LessonResult(claims, figures, (descend, largest_eigenvalue), corrections, values=values)


def _distance_not_product() -> Correction:
    """Descent on (O * A)^2 drives O to 0 whatever A is; on (O - A)^2 it drives O to A."""
    product = descend_scalar(lambda o: np.square(o * ANSWER), 1.0, 0.02, 200)[-1]
    distance = descend_scalar(lambda o: np.square(o - ANSWER), 1.0, 0.1, 200)[-1]
    return Correction(
        "distance",
        at_most("product", abs(product - ANSWER), ARRIVED),
        at_most("distance", abs(distance - ANSWER), ARRIVED),
    )


def _rate_is_missing(network: Network, x: Array, targets: Array, limit: float) -> Correction:
    """Subtracting the bare gradient is a rate of 1; here it lies beyond the limit."""
    start = network.parameters.flat.copy()
    bare = descend(network, x, targets, 1.0, 10)[0]
    network.parameters.flat[...] = start
    with_rate = descend(network, x, targets, 0.5 * limit, 10)[0]
    return Correction(
        "rate",
        at_most("no_rate", bare[-1] / bare[0], 1.0),
        at_most("with_rate", with_rate[-1] / with_rate[0], 0.1),
    )


def _trail(x: Array) -> Figure:
    """One weight, b held: L(w) is a parabola; the slider chooses the rate."""
    curvature = float(2 * np.mean(np.square(x)))
    lowest, start = 1.2, -1.0
    w = np.linspace(-2.6, 5.0, 153)

    def loss(weight: Array) -> Array:
        return curvature / 2 * (weight - lowest) ** 2

    frames, labels = [], []
    factors = np.round(np.arange(0.05, 1.16, 0.05), 2)
    for factor in factors:
        # w - rate * L'(w) with L'(w) = curvature (w - lowest) and rate = factor * 2 / curvature
        at_step = [lowest + (start - lowest) * (1 - 2 * factor) ** k for k in range(13)]
        inside = np.array([t for t in at_step if -2.6 <= t <= 5.0])
        frames.append({1: {"x": rounded(inside), "y": rounded(loss(inside))}})
        labels.append(f"η = {number(round(factor * 2 / curvature, 4))} = {factor:.2f} · 2/λ")
    at = int(np.flatnonzero(factors == 0.25)[0])
    trail = frames[at][1]
    data = [
        line("@loss_curve", w, loss(w), REFERENCE),
        line("@trail", trail["x"], trail["y"], SCRATCH, markers=True),
        points("@minimum", [lowest], [0.0], GOOD, "x", 11),
        {"type": "scatter", "mode": "text", "x": trail["x"][:3], "y": trail["y"][:3], "text": ["A", "B", "C"],
         "textposition": "top right", "showlegend": False},
    ]  # fmt: skip
    for frame in frames:
        frame[3] = {"x": frame[1]["x"][:3], "y": frame[1]["y"][:3]}
    return Figure("trail", data, axes("w", "L(w)"), Slider("@rate", labels, frames, at))


def _rates(fresh: Callable[[], Network], x: Array, targets: Array, limit: float) -> Figure:
    factors = np.linspace(0.02, 1.2, 60)
    losses = [descend(fresh(), x, targets, factor * limit, STEPS)[0][-1] for factor in factors]
    final = np.maximum(losses, 1e-30)
    first = float(fresh().loss(x, targets))
    return Figure(
        "rates",
        (
            line("@final_loss", factors * limit, final, SCRATCH, markers=True),
            vertical("2/λₘₐₓ", limit, float(min(final)), float(max(final))),
            line("@first_loss", [factors[0] * limit, factors[-1] * limit], [first] * 2, REFERENCE, "dot"),
        ),
        axes("@rate", "@final_loss", y_log=True),
    )


def _two_losses() -> Figure:
    o = np.linspace(-4, 6, 101)
    return Figure(
        "two_losses",
        (
            line("(O · A)²", o, np.square(o * ANSWER), BAD, "dash"),
            line("(O − A)²", o, np.square(o - ANSWER), SCRATCH),
            points("O = A", [ANSWER], [0.0], GOOD, "x", 11),
        ),
        axes("O", "@loss", yaxis={"range": [-2, 50]}),
    )
