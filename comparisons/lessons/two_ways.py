"""A gradient, two ways: the quotient of a secant, and the slope of the tangent.

    L(t) = (tanh t - 1/2)^2,   L'(t) = 2 (tanh t - 1/2) (1 - tanh^2 t)
    forward  (L(t + h) - L(t)) / h                error ~ h/2 M2 + 2e/h
    central  (L(t + h) - L(t - h)) / 2h           error ~ h^2/6 M3 + e/h
    complex  Im L(t + ih) / h                     error ~ h^2/6 M3, nothing is subtracted

e is the rounding of one evaluation: about 1e-16 in float64, 6e-8 in float32. Then all weights of a network at
once: a quotient costs one or two forward passes a weight, backprop costs one pass forward and one back.
"""

import numpy as np

from backproof.comparisons.lessons.frame import (
    Correction,
    Figure,
    LessonResult,
    Setting,
    at_least,
    at_most,
    equal,
    number,
    percent,
)
from backproof.comparisons.lessons.images import accuracy
from backproof.comparisons.lessons.lab_digits import ARCHITECTURE, SEED, fresh, lab_digits, pixels
from backproof.comparisons.lessons.pictures import JAX, SCRATCH, TORCH, axes, line
from backproof.scratch.architecture import Array
from backproof.scratch.gradients import gradient
from backproof.scratch.network import Network

POINT = -0.6
H, SMALL_H = 1e-5, 1e-12
STEPS = np.logspace(-16, 0, 81)
RATE, EPOCHS, BATCH_SIZE = 0.2, 8, 20
ROUNDED = 1.0005  # the planted mistake: every gradient is too long by this factor
LIMIT = 1e-6  # what differences in float64 leave of a right gradient, generously
NINETY = 0.9


def loss(t: Array) -> Array:
    """(tanh t - 1/2)^2, in the dtype of t; also for complex t."""
    result: Array = (np.tanh(t) - t.dtype.type(0.5)) ** 2
    return result


def slope(t: float) -> float:
    """L'(t) = 2 (tanh t - 1/2) (1 - tanh^2 t)."""
    return float(2 * (np.tanh(t) - 0.5) * (1 - np.tanh(t) ** 2))


def quotient(t: float, h: float, scheme: str, dtype: str = "float64") -> float:
    """The derivative at t by one quotient, every operation in `dtype`."""
    if scheme == "complex":
        return float(loss(np.array(t + 1j * h)).imag / h)
    kind = np.dtype(dtype).type
    at, step = np.array(kind(t)), np.array(kind(h))
    if scheme == "forward":
        return float((loss(at + step) - loss(at)) / step)
    return float((loss(at + step) - loss(at - step)) / (kind(2) * step))


def error(h: float, scheme: str, dtype: str = "float64") -> float:
    """Relative error of the quotient at POINT."""
    exact = slope(float(np.dtype(dtype).type(POINT)))
    return abs(quotient(POINT, h, scheme, dtype) - exact) / abs(exact)


def train_with(factor: float, x: Array, labels: Array) -> Network:
    """Plain descent on the digits, with a gradient that is too long by `factor`."""
    network = fresh(lab_digits().start)
    for _ in range(EPOCHS):
        for i in range(0, len(x), BATCH_SIZE):
            rows = slice(i, i + BATCH_SIZE)
            network.parameters.flat[...] -= RATE * factor * gradient(network, x[rows], labels[rows])
    return network


def run(setting: Setting) -> LessonResult:
    del setting  # everything follows from the seed that the page was made with
    digits = lab_digits()
    x, labels = pixels(digits.images), np.array(digits.labels)
    network, some = fresh(digits.weights), slice(0, 4)
    backprop = gradient(network, x[some], labels[some])
    numerical = gradient(network, x[some], labels[some], method="central_difference")
    size = float(np.abs(backprop).max())
    wrong = train_with(ROUNDED, x[: digits.train], labels[: digits.train])
    reached = accuracy(wrong.forward(x[digits.test :])[-1], labels[digits.test :])
    errors32 = min(error(h, "central", "float32") for h in STEPS[STEPS > 1e-7])
    claims = (
        at_most("central", error(H, "central"), 1e-9),
        at_most("complex", error(1e-20, "complex"), 1e-15),
        at_least("float32", errors32, 1e-6),
        equal("passes", 2 * len(backprop), 2 * ARCHITECTURE.n_parameters),
        at_most("same", float(np.abs(backprop - numerical).max()) / size, LIMIT),
        at_least("learns", reached, NINETY, percent),
        at_least("seen", float(np.abs(ROUNDED * backprop - numerical).max()) / size, 10 * LIMIT),
    )
    smaller = Correction(
        "smaller",
        at_most("tiny_is_better", error(SMALL_H, "central"), error(H, "central")),
        at_least("tiny_is_worse", error(SMALL_H, "central"), 1e3 * error(H, "central")),
    )
    values = {"h": number(H), "tiny": number(SMALL_H), "n": number(len(backprop)), "seed": number(SEED)}
    return LessonResult(claims, (_v_curve(),), (quotient, train_with), (smaller,), values=values)


def _v_curve() -> Figure:
    kinds = (("forward", "float32", TORCH, "dash"), ("central", "float32", TORCH, "solid"),
             ("forward", "float64", SCRATCH, "dash"), ("central", "float64", SCRATCH, "solid"),
             ("complex", "float64", JAX, "dot"))  # fmt: skip
    data = []
    for scheme, dtype, colour, dash in kinds:
        errors = [max(error(h, scheme, dtype), 1e-17) for h in STEPS]
        data.append(line(f"@{scheme}_{dtype}", STEPS, errors, colour, dash))
    return Figure("v_curve", data, axes("h", "@relative_error", x_log=True, y_log=True))
