"""Every way to the gradient of a network's loss, by name: `gradient(network, x, targets, method=...)`.

What each method computes for the entry t of the flat vector theta, and what it costs for n parameters:

    forward_difference   (L(t + h) - L(t)) / h                n + 1 forward passes
    central_difference   (L(t + h) - L(t - h)) / 2h           2 n
    five_point           fourth-order central                 4 n
    richardson           central differences at ten steps, extrapolated to zero   20 n
    complex_step         Im L(t + ih) / h                     n, in complex arithmetic
    unitwise_difference  central differences on pre-activations   2 per unit, then one product per layer
    backprop             the chain rule                       1, and one backward pass

Formulas, error terms and steps: `scratch.differences`. The first five take evaluation="naive" (whole forward
passes: the textbook loop) or "structured" (the same quotients, computing only what one parameter can change:
`scratch.structured`).

A float32 network is differenced in float32, where a central difference is good to three or four digits and
its step, 7e-3, may well cross a kink of relu. Take gradient(network.astype(np.float64), ...) for more. The
complex step always works in complex128. Results come in the network's dtype.
"""

from collections.abc import Callable, Iterable
from functools import partial, wraps
from inspect import signature
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from backproof.scratch import differences
from backproof.scratch.architecture import Array
from backproof.scratch.differences import CENTRAL, SCHEMES, Scheme, Step
from backproof.scratch.errors import InputTypeError, expect_one_of
from backproof.scratch.network import Network, product
from backproof.scratch.parameters import Parameters
from backproof.scratch.structured import MEMORY, structured_difference

EVALUATIONS = ("naive", "structured")


def backprop(network: Network, x: Array, targets: Array) -> Array:
    """The chain rule, once backwards through the layers: one forward and one backward pass."""
    result = Parameters(network.architecture, dtype=network.dtype)
    network.loss_and_gradient(x, targets, result)
    return result.flat


def _by_difference(
    scheme: Scheme, network: Network, x: Array, targets: Array, *,
    step: Step = None, evaluation: str = "naive", memory: int = MEMORY,
) -> Array:  # fmt: skip
    """The scheme's quotient of every parameter, (n_parameters,), in the network's dtype."""
    theta = network.parameters.flat
    expect_one_of("evaluation", evaluation, EVALUATIONS)
    if evaluation == "structured":
        steps = differences.step_sizes(theta, scheme, step)
        return structured_difference(network, x, targets, scheme, steps, memory=memory)
    f = loss_function(network, x, targets, differences.working_dtype(theta.dtype, scheme))
    return differences.difference(f, theta, scheme, step)


def loss_function(network: Network, x: Array, targets: Array, dtype: DTypeLike) -> differences.Function:
    """L as a pure function of the flat vector, evaluated in `dtype` by a private copy of the network."""
    copy = network.astype(dtype)

    def loss(theta: Array) -> Array:
        copy.parameters.flat[...] = theta
        return copy.loss(x, targets)

    return loss


def richardson(
    network: Network, x: Array, targets: Array, *, step: float = 0.125, rows: int = 10,
    noise: float | Array | None = None, evaluation: str = "naive", memory: int = MEMORY,
) -> tuple[Array, Array]:  # fmt: skip
    """(gradient, error estimate), each (n_parameters,); see `differences.ridders`.

    `step` is the largest one (relative to max(1, |t|)), `noise` the absolute error of one loss (default:
    eps |L|).
    """
    if noise is None:
        noise = float(np.finfo(network.dtype).eps * abs(network.loss(x, targets)))
    central = partial(_by_difference, CENTRAL, network, x, targets, evaluation=evaluation, memory=memory)
    return differences.extrapolated(lambda h: central(step=h), network.parameters.flat, step, rows, noise)


@wraps(richardson)
def _by_richardson(*batch: Any, **options: Any) -> Array:
    return richardson(*batch, **options)[0]


def unitwise_difference(network: Network, x: Array, targets: Array, *, step: float | None = None) -> Array:
    """delta = dL/dz by central differences, one pair of passes per unit; weights by the outer product.

        delta_l[n, j] = s (l_n(z_l[n, j] + h_n) - l_n(z_l[n, j] - h_n)) / 2 h_n;   dW_l = a_{l-1}^T delta_l

    with L = s sum_n l_n: an example's loss sees its own pre-activations only, so one unit can move in every
    example at once, each by its own step. Error per delta: s (h^2/6 |d^3 l_n / dz^3| + e / h).
    """
    activations = [a.copy() for a in network.forward(x)]
    result = Parameters(network.architecture, dtype=network.dtype)
    for layer, ((W, b), (dW, db)) in enumerate(zip(network.parameters.layers, result.layers, strict=True)):
        z = product(activations[layer], W) + b
        steps = differences.step_sizes(z, CENTRAL, step)
        delta = np.empty_like(z)
        for j in range(z.shape[1]):
            losses = partial(_losses_above, network, targets, layer, z, j)
            delta[:, j] = differences.quotient(losses, z[:, j], steps[:, j], CENTRAL)
        product(activations[layer].T, delta, out=dW)
        np.sum(delta, axis=0, out=db)
    return result.flat


def _losses_above(network: Network, targets: Array, layer: int, z: Array, j: int, t: Array) -> Array:
    """Each example's part of the loss, (batch,), where layer `layer` has pre-activations z, t in column j."""
    z = z.copy()
    z[:, j] = t
    for W, b in network.parameters.layers[layer + 1 :]:
        network.activation.apply(z)
        z = product(z, W) + b
    loss = network.loss_function
    losses: Array = loss.per_example(z, targets) * z.dtype.type(loss.scale(*z.shape))
    return losses


METHODS: dict[str, Callable[..., Array]] = {
    "backprop": backprop,
    **{name: partial(_by_difference, scheme) for name, scheme in SCHEMES.items()},
    "richardson": _by_richardson,
    "unitwise_difference": unitwise_difference,
}


def gradient(network: Network, x: Array, targets: Array, method: str = "backprop", **options: Any) -> Array:
    """dL/dtheta as a new flat vector (n_parameters,), by any of METHODS; the network stays as it was.

    x (batch, n_inputs) and targets (see `losses`) are checked here. Options, where the method has them:
    `step` (relative to max(1, |t|); default: the derived optimum), `evaluation` ("naive" or "structured"),
    `memory` (bytes, of the structured evaluation), `rows` and `noise` (of richardson).

    Raises ValueError for an unknown method or a bad value, TypeError for an option the method does not take.
    """
    check_method(method, options)
    x = network.architecture.checked_inputs(x)
    targets = network.architecture.checked_targets(targets, len(x))
    return METHODS[method](network, x, targets, **options)


def check_method(method: str, options: Iterable[str] = ()) -> None:
    """Raise ValueError for an unknown method, and TypeError for an option that it does not take."""
    expect_one_of("method", method, METHODS)
    known = [p.name for p in signature(METHODS[method]).parameters.values() if p.kind is p.KEYWORD_ONLY]
    for option in sorted(set(options).difference(known)):
        raise InputTypeError(f"{option}: no option of {method}, which takes {', '.join(known) or 'none'}")
