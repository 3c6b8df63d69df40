"""Step size against error: what truncation and rounding leave of every difference scheme.

On one small smooth network, for relative steps h over the whole range and in both dtypes:

    error(h) = max_i |D_h,i - g_i| / max_i |g_i|

g is the complex step in extended precision at the very same weights. Beside each measured curve stands what
the theory derives for this loss, nothing fitted:

    max_i [C h_i^p |d^(p+1) L / dt_i^(p+1)| + A e / h_i] / max_i |g_i|,   e = eps |L|,   h_i = h max(1, |t_i|)

falling with slope -1 where rounding rules and rising with slope p where truncation does. The derivatives come
from Cauchy's formula: with z_j = r exp(2 pi i j / m),

    L^(k)(t) = k! / (m r^k) sum_j L(t + z_j) exp(-2 pi i j k / m)         (Lyness, Moler 1967)

whose error falls geometrically in m, since L is analytic where no pole of tanh is within r.
"""

import time
from math import factorial

import numpy as np

from backproof.comparisons.gradients.result import Curve, Optimum, Slope, Slopes, StepSizes
from backproof.scratch.architecture import DTYPES, Architecture, Array, DtypeName
from backproof.scratch.differences import CENTRAL, SCHEMES, Scheme, difference, step_sizes
from backproof.scratch.gradients import MethodName, gradient, loss_function
from backproof.scratch.initializers import initialize
from backproof.scratch.network import Network

ARCHITECTURE = Architecture((4, 5, 3), "tanh", "cross_entropy")
BATCH = 8
PER_DECADE = 4
CIRCLE_POINTS, RADIUS = 32, 0.25  # of Cauchy's formula
RULES = 10.0  # one term rules where it is this many times the other

METHODS: dict[MethodName, Scheme] = {scheme.name: scheme for scheme in SCHEMES.values()}
METHODS |= {"richardson": CENTRAL, "unitwise_difference": CENTRAL}
ROWS = 8  # of Richardson's tableau, whose step is its largest
Batch = tuple[Network, Array, Array]  # network, x, targets


def run(seed: int = 0) -> StepSizes:
    """Measure every scheme in float32 and float64, in a few seconds."""
    started = time.perf_counter()
    curves: list[Curve] = []
    backprop: dict[str, float] = {}
    for dtype in DTYPES:
        batch = _batch(dtype, seed)
        exact = _exact_gradient(batch)
        backprop[dtype] = _error(gradient(*batch), exact)
        derivatives = {scheme.order + 1: _derivative(batch, scheme.order + 1) for scheme in SCHEMES.values()}
        curves += [
            _curve(method, scheme, dtype, batch, exact, derivatives[scheme.order + 1])
            for method, scheme in METHODS.items()
        ]
    return StepSizes(
        layer_sizes=ARCHITECTURE.layer_sizes,
        activation=ARCHITECTURE.activation,
        loss=ARCHITECTURE.loss,
        batch_size=BATCH,
        rows=ROWS,
        seed=seed,
        curves=tuple(curves),
        backprop=backprop,
        seconds=time.perf_counter() - started,
    )


def _batch(dtype: DtypeName, seed: int) -> Batch:
    """The network and its examples, of the same numbers in both dtypes but for their rounding."""
    rng = np.random.default_rng(seed)
    architecture = Architecture(ARCHITECTURE.layer_sizes, ARCHITECTURE.activation, ARCHITECTURE.loss, dtype)
    parameters = initialize(architecture, rng, "normal", deviation=0.5, biases=True)
    x = rng.standard_normal((BATCH, architecture.n_inputs)).astype(dtype)
    return Network(architecture, parameters), x, rng.integers(0, architecture.n_outputs, BATCH)


def _exact_gradient(batch: Batch) -> Array:
    """(n_parameters,) longdouble, by complex steps in extended precision where the machine has it."""
    network, x, targets = batch
    theta = network.parameters.flat.astype(np.longdouble)
    return difference(loss_function(network, x, targets, np.clongdouble), theta, "complex_step")


def _error(found: Array, exact: Array) -> float:
    return float(np.abs(found - exact).max() / np.abs(exact).max())


def _derivative(batch: Batch, order: int) -> Array:
    """|d^order L / dt_i^order|, (n_parameters,), by Cauchy's formula."""
    network, x, targets = batch
    f = loss_function(network, x, targets, np.complex128)
    theta = network.parameters.flat.astype(np.complex128)
    turns = np.arange(CIRCLE_POINTS) / CIRCLE_POINTS
    points, weights = RADIUS * np.exp(2j * np.pi * turns), np.exp(-2j * np.pi * turns * order)
    sums = np.empty(theta.size, np.complex128)
    for i in range(theta.size):
        moved = theta.copy()
        values = []
        for point in points:
            moved[i] = theta[i] + point
            values.append(f(moved))
        sums[i] = np.array(values) @ weights
    derivative: Array = np.abs(sums) * factorial(order) / (CIRCLE_POINTS * RADIUS**order)
    return derivative


def _curve(
    method: MethodName, scheme: Scheme, dtype: str, batch: Batch, exact: Array, derivative: Array
) -> Curve:
    eps = float(np.finfo(dtype).eps)
    extrapolated = method == "richardson"
    steps = _steps(scheme, eps * 2**ROWS if extrapolated else eps)
    optimum = 0.125 if extrapolated else scheme.optimal_step(eps)
    # Unit by unit the same two terms rule, but with the derivatives by z: no model of its own is drawn.
    truncation, rounding = _model(scheme, steps, batch, exact, derivative)
    modelled = method == scheme.name

    def error_at(step: float) -> float:
        if extrapolated:
            return _error(gradient(*batch, method, step=step, rows=ROWS), exact)
        return _error(gradient(*batch, method, step=step), exact)

    errors = [error_at(step) for step in steps]
    at_optimum = error_at(optimum)
    return Curve(
        method=method,
        dtype=dtype,
        order=scheme.order,
        steps=tuple(steps),
        errors=tuple(error or None for error in errors),
        truncation=tuple(truncation.tolist()) if modelled else None,
        rounding=tuple(rounding.tolist()) if modelled else None,
        optimum=Optimum(optimum, at_optimum),
        slopes=Slopes()
        if extrapolated
        else _slopes(scheme, np.array(steps), np.array(errors), truncation, rounding),
    )


def _steps(scheme: Scheme, eps: float) -> list[float]:
    """From where a step is lost in rounding (or far below, off the axis) up to 1."""
    low = 1e-20 if scheme.is_complex else 8 * eps
    decades = -np.log10(low)
    return [float(step) for step in np.geomspace(low, 1.0, int(decades * PER_DECADE) + 1)]


def _model(
    scheme: Scheme, steps: list[float], batch: Batch, exact: Array, derivative: Array
) -> tuple[Array, Array]:
    """(truncation, rounding), each (steps,), relative to the largest entry of the gradient."""
    network, x, targets = batch
    eps, largest = float(np.finfo(network.dtype).eps), float(np.abs(exact).max())
    noise = eps * abs(float(network.loss(x, targets)))
    theta = network.parameters.flat.astype(np.float64)
    h = np.array([step_sizes(theta, scheme, step) for step in steps])
    truncation = (scheme.error_constant * h**scheme.order * derivative).max(axis=1) / largest
    # Off the axis nothing cancels: what is left is a rounding of the gradient itself.
    rounding = (scheme.amplification * noise / h).max(axis=1) / largest + eps
    return truncation, rounding


def _slopes(scheme: Scheme, steps: Array, errors: Array, truncation: Array, rounding: Array) -> Slopes:
    """Predicted and measured slopes of log error over log step, on each side of the optimum."""
    # A step of order one is no small step: there the next Taylor terms rule.
    small = (truncation > RULES * rounding) & (steps <= 0.1)
    return Slopes(
        truncation=Slope(float(scheme.order), _slope(steps, errors, small)),
        rounding=Slope(
            0.0 if scheme.is_complex else -1.0, _slope(steps, errors, rounding > RULES * truncation)
        ),
    )


def _slope(steps: Array, errors: Array, where: Array) -> float | None:
    """Least squares through the points of one side; None where they are fewer than four."""
    where = where & (errors > 0)
    if where.sum() < 4:
        return None
    return float(np.polyfit(np.log10(steps[where]), np.log10(errors[where]), 1)[0])
