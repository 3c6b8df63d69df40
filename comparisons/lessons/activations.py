"""Activations and their derivatives: what a step lacks is not non-linearity but a useful derivative.

step(z) = [z > 0]       d/dz = 0 wherever it exists; a central difference across the jump gives 1 / 2h
sigmoid(z) = 1 / (1 + exp(-z)),   logit(p) = log(p / (1 - p)),   sigmoid(logit(p)) = p
"""

from collections.abc import Callable

import numpy as np
from scipy.special import logit

from backproof.comparisons.lessons.frame import (
    Correction,
    Figure,
    LessonResult,
    Setting,
    Slider,
    at_least,
    at_most,
    equal,
    number,
)
from backproof.comparisons.lessons.pictures import COLOURS, DASHES, INK, axes, line, points, rounded
from backproof.scratch.activations import ACTIVATION_FUNCTIONS, sigmoid
from backproof.scratch.architecture import Array
from backproof.scratch.differences import CENTRAL, difference

SMOOTH = ("sigmoid", "tanh", "relu")
H = 1e-3
EPS = float(np.finfo(float).eps)
REACH = 4.0  # |z| of the points at which derivatives are compared
THIRD_DERIVATIVE = {"sigmoid": 1 / 8, "tanh": 2.0, "relu": 0.0}  # largest |f'''|
ULPS = 4.0  # rounding errors of one value f(z), in units of eps max(1, |f|)


def step(z: Array) -> Array:
    return np.where(z > 0, 1.0, 0.0)


def value_and_derivative(name: str, z: Array) -> tuple[Array, Array]:
    """a = f(z) and f'(z), as the network computes them: both shaped like z."""
    a, derivative = z.copy(), np.ones_like(z)
    ACTIVATION_FUNCTIONS[name].apply(a)
    ACTIVATION_FUNCTIONS[name].backpropagate(derivative, a)
    return a, derivative


def by_differences(name: str, z: Array) -> Array:
    """f'(z) by central differences, one point after the other."""

    def f(point: Array) -> float:
        return float(value_and_derivative(name, point)[0][0])

    return np.array([difference(f, point)[0] for point in z[:, None]])


def difference_bound(name: str) -> float:
    """h^2/6 M3 + e/h for |z| <= REACH, whose steps lie between the scheme's h and REACH h."""
    h = CENTRAL.optimal_step(EPS)
    size = REACH if name == "relu" else 1.0
    truncation = CENTRAL.error_bound(REACH * h, 0.0, THIRD_DERIVATIVE[name])
    return float(truncation + CENTRAL.error_bound(h, ULPS * EPS * size, 0.0))


def quotient(f: Callable[[Array], Array], z: Array, h: float) -> Array:
    """(f(z + h) - f(z - h)) / 2h, entry by entry."""
    result: Array = (f(z + h) - f(z - h)) / (2 * h)
    return result


def run(setting: Setting) -> LessonResult:
    rng = np.random.default_rng(setting.seed)
    z = rng.uniform(-REACH, REACH, 40)
    z = z[np.abs(z) > 1e-3]  # relu has no derivative at its kink
    claims = []
    for name in SMOOTH:
        gap = np.abs(by_differences(name, z) - value_and_derivative(name, z)[1]).max()
        claims.append(at_most(name, float(gap), difference_bound(name)))
    away = np.array([-2.0, -0.5, 0.5, 2.0])
    claims += [
        equal("step_flat", float(np.abs(quotient(step, away, H)).max()), 0.0),
        equal("step_jump", float(quotient(step, np.zeros(1), H)[0]), 1 / (2 * H)),
        equal("relu_at_zero", float(value_and_derivative("relu", np.zeros(1))[1][0]), 0.0),
    ]
    values = {"h": number(H), "jump": number(1 / (2 * H)), "sigmoid_slope": number(0.25)}
    corrections = (_step_is_not_linear(away), _logit(rng))
    return LessonResult(
        claims,
        (_values(), _derivatives()),
        (value_and_derivative, by_differences),
        corrections,
        values=values,
    )


def _step_is_not_linear(away: Array) -> Correction:
    """A linear function has f(a + b) = f(a) + f(b); what training needs is a slope to follow."""
    u, v = 1.0, 2.0
    gap = abs(float(step(np.array(u + v)) - step(np.array(u)) - step(np.array(v))))
    slope = float(np.abs(quotient(sigmoid, away, H)).min())
    return Correction(
        "step_linear", equal("step_is_linear", gap, 0.0), at_least("sigmoid_slope", slope, 0.01)
    )


def _logit(rng: np.random.Generator) -> Correction:
    p = rng.uniform(0.05, 0.95, 50)
    return Correction(
        "logit",
        at_most("sigmoid_is_logit", float(np.abs(sigmoid(p) - logit(p)).max()), 8 * EPS),
        at_most("sigmoid_inverts_logit", float(np.abs(sigmoid(logit(p)) - p).max()), 8 * EPS),
    )


def _values() -> Figure:
    z = np.linspace(-4, 4, 161)
    curves = [(name, value_and_derivative(name, z)[0]) for name in SMOOTH] + [("step", step(z))]
    data = [line(name, z, a, COLOURS[i], DASHES[i]) for i, (name, a) in enumerate(curves)]
    return Figure("values", data, axes("z", "f(z)", yaxis={"range": [-1.2, 2.2]}))


def _derivatives() -> Figure:
    """Derivatives, with a slider that moves one point z along all of them."""
    z = np.linspace(-4, 4, 161)
    functions = [(name, value_and_derivative(name, z)[1]) for name in SMOOTH] + [("step", np.zeros_like(z))]
    data = [line(name, z, d, COLOURS[i], DASHES[i]) for i, (name, d) in enumerate(functions)]
    positions = z[::8]
    frames, labels = [], []
    for at in range(0, len(z), 8):
        slopes = [derivative[at] for _, derivative in functions]
        frames.append({len(data): {"x": rounded([z[at]] * len(slopes)), "y": rounded(slopes)}})
        named = zip(functions, slopes, strict=True)
        labels.append(
            f"z = {number(z[at])}: " + ", ".join(f"{f[0]}′ {number(round(s, 4))}" for f, s in named)
        )
    start = len(positions) // 2
    first = frames[start][len(data)]
    data.append(points("@at_z", first["x"], first["y"], INK, "diamond", 10))
    return Figure("derivatives", data, axes("z", "f′(z)"), Slider("@move_z", labels, frames, start))
