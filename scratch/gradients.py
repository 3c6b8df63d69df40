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

from collections.abc import Callable
from functools import partial
from inspect import signature

import numpy as np

from scratch.architecture import Architecture, Array
from scratch.differences import (
    SCHEMES,
    Function,
    Scheme,
    difference,
    halved_steps,
    quotient,
    ridders,
    step_sizes,
    working_dtype,
)
from scratch.network import Network
from scratch.parameters import Parameters

EVALUATIONS = ("naive", "structured")


def backprop(network: Network, x: Array, targets: Array) -> Array:
    """The chain rule, once backwards through the layers: one forward and one backward pass."""
    result = Parameters(network.architecture, dtype=network.dtype)
    network.loss_and_gradient(x, targets, result)
    return result.flat


def _by_difference(
    scheme: Scheme,
    network: Network,
    x: Array,
    targets: Array,
    *,
    step: float | None = None,
    evaluation: str = "naive",
    memory: int | None = None,
) -> Array:
    steps = step_sizes(network.parameters.flat, scheme, step)
    return _evaluated(network, x, targets, scheme, steps, evaluation, memory)


def _evaluated(
    network: Network,
    x: Array,
    targets: Array,
    scheme: Scheme,
    steps: Array,
    evaluation: str,
    memory: int | None,
) -> Array:
    """The quotient of every parameter, with its own of `steps` (n_parameters,), in the network's dtype."""
    if evaluation not in EVALUATIONS:
        raise ValueError(f"evaluation: expected one of {', '.join(EVALUATIONS)}; got {evaluation!r}")
    if evaluation == "structured":
        from scratch.structured import structured_difference

        options = {} if memory is None else {"memory": memory}
        result: Array = structured_difference(network, x, targets, scheme, steps, **options)
        return result
    if memory is not None:
        raise TypeError("memory: belongs to evaluation='structured'; the naive one needs none")
    f = loss_function(network, x, targets, working_dtype(network.dtype, scheme))
    return difference(f, network.parameters.flat, scheme, steps=steps)


def loss_function(
    network: Network, x: Array, targets: Array, dtype: np.dtype | type | None = None
) -> Function:
    """L as a pure function of the flat vector, evaluated in `dtype` by a private copy of the network."""
    copy = network.astype(dtype or network.dtype)

    def loss(theta: Array) -> Array:
        copy.parameters.flat[...] = theta
        return copy.loss(x, targets)

    return loss


def richardson(
    network: Network,
    x: Array,
    targets: Array,
    *,
    step: float = 0.125,
    rows: int = 10,
    noise: float | None = None,
    evaluation: str = "naive",
    memory: int | None = None,
) -> tuple[Array, Array]:
    """(gradient, error estimate), each (n_parameters,); see `differences.ridders`.

    `step` is the largest one (relative to max(1, |t|)), `noise` the absolute error of one loss (default:
    eps |L|).
    """
    theta, scheme = network.parameters.flat, SCHEMES["central_difference"]
    if noise is None:
        noise = float(np.finfo(theta.dtype).eps * abs(network.loss(x, targets)))
    all_steps = halved_steps(theta, step, rows)
    quotients = [_evaluated(network, x, targets, scheme, steps, evaluation, memory) for steps in all_steps]
    return ridders(np.array(quotients), all_steps, noise)


def _by_richardson(
    network: Network,
    x: Array,
    targets: Array,
    *,
    step: float = 0.125,
    rows: int = 10,
    noise: float | None = None,
    evaluation: str = "naive",
    memory: int | None = None,
) -> Array:
    return richardson(
        network, x, targets, step=step, rows=rows, noise=noise, evaluation=evaluation, memory=memory
    )[0]


def unitwise_difference(network: Network, x: Array, targets: Array, *, step: float | None = None) -> Array:
    """delta = dL/dz by central differences, one pair of passes per unit; weights by the outer product.

        delta_l[n, j] = s (l_n(z_l[n, j] + h_n) - l_n(z_l[n, j] - h_n)) / 2 h_n;   dW_l = a_{l-1}^T delta_l

    with L = s sum_n l_n: an example's loss sees its own pre-activations only, so one unit can move in every
    example at once, each by its own step. Error per delta: s (h^2/6 |d^3 l_n / dz^3| + e / h).
    """
    activations = [a.copy() for a in network.forward(x)]
    result = Parameters(network.architecture, dtype=network.dtype)
    for layer, (W, b) in enumerate(network.parameters.layers):
        z = activations[layer] @ W + b
        per_example = _loss_per_example_above(network, layer, targets)
        delta = _delta_by_differences(per_example, z, step)
        dW, db = result.layers[layer]
        np.matmul(activations[layer].T, delta, out=dW)
        np.sum(delta, axis=0, out=db)
    return result.flat


def _delta_by_differences(per_example: Function, z: Array, step: float | None) -> Array:
    """d(sum of per_example)/dz, (batch, units), moving one column of z at a time."""
    central = SCHEMES["central_difference"]
    delta, moved = np.empty_like(z), z.copy()
    for j, column in enumerate(z.T):

        def values(t: Array, j: int = j) -> Array:
            moved[:, j] = t
            return np.array(per_example(moved))

        delta[:, j] = quotient(values, column, step_sizes(column, central, step), central)
        moved[:, j] = column
    return delta


def _loss_per_example_above(network: Network, layer: int, targets: Array) -> Function:
    """The terms s l_n (batch,) of the loss as a function of z (batch, units) of layer `layer`."""
    sizes = network.architecture.layer_sizes[layer + 1 :]
    loss, n_outputs = network.loss_function, network.architecture.n_outputs
    scale = network.dtype.type(loss.scale(len(targets), n_outputs))
    if len(sizes) == 1:
        return lambda z: loss.per_example(z, targets) * scale
    # The layers above are a network of their own, over the tail of the same flat vector.
    start = network.architecture.layer_slices()[layer + 1][0].start
    upper = Architecture(
        sizes, network.architecture.activation, network.architecture.loss, network.architecture.dtype
    )
    tail = Network(upper, Parameters(upper, network.parameters.flat[start:]))

    def per_example(z: Array) -> Array:
        a = z.copy()
        network.activation.apply(a)
        terms: Array = loss.per_example(tail.forward(a)[-1], targets) * scale
        return terms

    return per_example


METHODS: dict[str, Callable[..., Array]] = {
    "backprop": backprop,
    **{name: partial(_by_difference, scheme) for name, scheme in SCHEMES.items()},
    "richardson": _by_richardson,
    "unitwise_difference": unitwise_difference,
}


def gradient(
    network: Network, x: Array, targets: Array, method: str = "backprop", **options: object
) -> Array:
    """dL/dtheta as a new flat vector (n_parameters,), by any of METHODS; the network stays as it was.

    x (batch, n_inputs) and targets (see `losses`) are checked here. Options, where the method has them:
    `step` (relative to max(1, |t|); default: the derived optimum), `evaluation` ("naive" or "structured"),
    `memory` (bytes, of the structured evaluation), `rows` and `noise` (of richardson).

    Raises ValueError for an unknown method or a bad value, TypeError for an option the method does not take.
    """
    if method not in METHODS:
        raise ValueError(f"method: expected one of {', '.join(METHODS)}; got {method!r}")
    parameters = signature(METHODS[method]).parameters.values()
    known = [parameter.name for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY]
    for option in options:
        if option not in known:
            raise TypeError(f"{option}: no option of {method}, which takes {', '.join(known) or 'none'}")
    x = network.architecture.checked_inputs(x)
    targets = network.architecture.checked_targets(targets, len(x))
    return METHODS[method](network, x, targets, **options)
