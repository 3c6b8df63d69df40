"""Logistic regression: one node, linear part and activation, z = w . x + b, y = sigmoid(z).

    L = 1/N sum [log(1 + exp(z_n)) - t_n z_n]            (log loss, in terms of z)
    dL/dw = 1/N sum (sigmoid(z_n) - t_n) x_n

The gradient is taken by every method there is. With |L^(k)| bounded through |d^2/dz^2 softplus| <= 1/4,
|d^3| <= 1 / (6 sqrt 3) and |d^5| <= 1/4, each difference scheme has its own bound: truncation + rounding.
"""

import numpy as np

from backproof.comparisons.lessons.frame import (
    Claim,
    Correction,
    Figure,
    LessonResult,
    Setting,
    Slider,
    at_least,
    at_most,
    number,
    percent,
)
from backproof.comparisons.lessons.pictures import (
    COLOURS,
    DASHES,
    INK,
    REFERENCE,
    SCRATCH,
    TORCH,
    axes,
    line,
    points,
    rounded,
)
from backproof.reference.torch_mlp import TorchMLP
from backproof.scratch.activations import sigmoid
from backproof.scratch.architecture import Architecture, Array, OptimizerSpec
from backproof.scratch.differences import SCHEMES, difference
from backproof.scratch.gradients import METHODS, gradient, loss_function
from backproof.scratch.initializers import initialize
from backproof.scratch.network import Network
from backproof.scratch.training import Recipe, train

N = 60  # examples per class
ARCHITECTURE = Architecture((2, 1), loss="binary_cross_entropy")
# Bounds of the derivatives of log(1 + exp(z)), by order.
DERIVATIVE = {2: 1 / 4, 3: 1 / (6 * np.sqrt(3)), 5: 1 / 4}
EPS = float(np.finfo(float).eps)
STEPS = np.logspace(-16, 0, 65)


def data(seed: int) -> tuple[Array, Array]:
    """Two clouds in the plane: x (2 N, 2) and targets (2 N, 1)."""
    rng = np.random.default_rng(seed)
    x = np.vstack([rng.normal(-1.4, 1.0, (N, 2)), rng.normal(1.4, 1.0, (N, 2))])
    return x, np.repeat([[0.0], [1.0]], N, axis=0)


def derivative_bound(x: Array, order: int) -> float:
    """|d^k L / dw_i^k| <= max_i mean_n |x_ni|^k * bound on the k-th derivative of softplus."""
    moments = np.mean(np.abs(np.column_stack([x, np.ones(len(x))])) ** order, axis=0)
    return float(moments.max() * DERIVATIVE[order])


def error_bound(name: str, x: Array, scale: float, evaluation_error: float) -> float:
    """Truncation + rounding of a scheme at its own step; `scale` is the largest max(1, |theta|).

    What is not a difference, or is extrapolated, is held to the bound of backprop's own rounding.
    """
    scheme = SCHEMES.get(name)
    if scheme is None:
        return (
            evaluation_error
            if name == "backprop"
            else error_bound("central_difference", x, scale, evaluation_error)
        )
    step = scheme.optimal_step(EPS)
    truncation = scheme.error_bound(step * scale, 0.0, derivative_bound(x, scheme.order + 1))
    rounding = scheme.error_bound(step, evaluation_error, 0.0)
    return float(truncation + rounding + evaluation_error)


def fitted(network: Network, x: Array, targets: Array) -> Network:
    """The network after gradient descent on the whole data."""
    train(network, x, targets, [np.arange(len(x))] * 300, Recipe(OptimizerSpec(learning_rate=0.5)))
    return network


def run(setting: Setting) -> LessonResult:
    x, targets = data(setting.seed)
    network = Network(ARCHITECTURE, initialize(ARCHITECTURE, setting.seed, "normal"))
    scale = max(1.0, float(np.abs(network.parameters.flat).max()))
    # One loss: every z takes 3 roundings, softplus a few, the mean of 2 N terms up to log2 as many.
    reach = float(np.abs(x).sum(axis=1).max() + 1) * scale
    evaluation_error = 16 * EPS * max(1.0, reach)
    exact = gradient(network, x, targets)
    claims = [
        Claim(
            f"method_{name}",
            *_judged(
                gradient(network, x, targets, method=name),
                exact,
                error_bound(name, x, scale, evaluation_error),
            ),
        )
        for name in METHODS
        if name != "backprop"
    ]
    witness = TorchMLP()
    witness.load(ARCHITECTURE, network.parameters.layers)
    ((dW, db),) = witness.loss_and_gradient(x, targets)[1]
    claims.append(Claim("torch", *_judged(np.append(dW.ravel(), db), exact, evaluation_error)))
    v_curve = _v_curve(network, x, targets, exact)
    fitted(network, x, targets)
    z = network.forward(x)[-1][:, 0].copy()
    accuracy = float(((z > 0) == (targets[:, 0] == 1)).mean())
    claims.append(at_least("accuracy", accuracy, 0.9, percent))
    values = {"accuracy": percent(accuracy), "n": number(2 * N)}
    return LessonResult(
        claims,
        (v_curve, _decision(network, x, targets)),
        (error_bound, fitted),
        (_bias_is_no_activation(z),),
        values=values,
    )


def _judged(found: Array, exact: Array, bound: float) -> tuple[bool, str, str]:
    error = float(np.abs(found - exact).max())
    return error <= bound, f"≤ {number(bound)}", number(error)


def _bias_is_no_activation(z: Array) -> Correction:
    """y = b added to W x is still a line: it leaves (0, 1). f(z) never does."""
    outside = [float(np.mean((y <= 0) | (y >= 1))) for y in (z, sigmoid(z))]
    return Correction(
        "activation",
        at_most("b_is_activation", outside[0], 0.0, percent),
        at_most("f_is_activation", outside[1], 0.0, percent),
    )


def _v_curve(network: Network, x: Array, targets: Array, exact: Array) -> Figure:
    """Step size against relative error, float64 and float32, and a slider that moves h along all curves."""
    curves = [(name, "float64", _errors(network, x, targets, exact, name)) for name in SCHEMES]
    single = network.astype(np.float32)
    x32, targets32 = x.astype(np.float32), targets.astype(np.float32)
    curves += [
        (name, "float32", _errors(single, x32, targets32, exact, name))
        for name in ("forward_difference", "central_difference")
    ]
    data = [
        line(f"@{name}_{dtype}", STEPS, errors, COLOURS[i], DASHES[i % len(DASHES)])
        for i, (name, dtype, errors) in enumerate(curves)
    ]
    frames, labels = [], []
    for i, h in enumerate(STEPS):
        heights = [errors[i] for _, _, errors in curves]
        frames.append({len(data): {"x": rounded([h] * len(heights)), "y": rounded(heights)}})
        labels.append(f"h = {number(float(f'{h:.2g}'))}")
    start = int(np.argmin(np.abs(np.log(STEPS / 1e-8))))
    data.append(
        points("@at_h", frames[start][len(data)]["x"], frames[start][len(data)]["y"], INK, "diamond", 10)
    )
    layout = axes(
        "@step_size",
        "@relative_error",
        x_log=True,
        y_log=True,
        height=480,
        xaxis={"exponentformat": "power"},
        yaxis={"exponentformat": "power"},
    )
    return Figure("v_curve", data, layout, Slider("@move_h", labels, frames, start))


def _errors(network: Network, x: Array, targets: Array, exact: Array, name: str) -> Array:
    """Relative error of the gradient for every h of STEPS; NaN where theta + h = theta; 1e-17 for 0."""
    f = loss_function(network, x, targets, np.complex128 if SCHEMES[name].is_complex else network.dtype)
    theta = network.parameters.flat
    errors = np.full(len(STEPS), np.nan)
    for i, h in enumerate(STEPS):
        steps = (np.abs(theta) + theta.dtype.type(h)) - np.abs(theta)
        if SCHEMES[name].is_complex:
            steps = np.full(theta.shape, h)
        if steps.all():
            found = difference(f, theta, SCHEMES[name], steps)
            errors[i] = max(float(np.linalg.norm(found - exact) / np.linalg.norm(exact)), 1e-17)
    return errors


def _decision(network: Network, x: Array, targets: Array) -> Figure:
    """The data and the line on which w . x + b = 0."""
    weight, bias = network.parameters.layers[0]
    ends = np.array([-3.5, 3.5])
    on_line = -(weight[0, 0] * ends + bias[0]) / weight[1, 0]
    yes = targets[:, 0] == 1
    return Figure(
        "decision",
        (
            points("t = 0", x[~yes, 0], x[~yes, 1], SCRATCH, "circle", 7),
            points("t = 1", x[yes, 0], x[yes, 1], TORCH, "diamond", 7),
            line("@decision_line", ends, on_line, REFERENCE),
        ),
        axes("x₁", "x₂", yaxis={"range": [-4.5, 4.5]}),
    )
