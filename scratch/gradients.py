"""Every way to the gradient of a network's loss: `gradient(network, x, targets, method)`.

A method is a value with options of its own, or its name. What each computes for the entry t of the flat
vector theta, and what it costs for n parameters:

    name                 value                 formula                       cost, in forward passes
    forward_difference   ForwardDifference()   (L(t + h) - L(t)) / h         n + 1
    central_difference   CentralDifference()   (L(t + h) - L(t - h)) / 2h    2 n
    five_point           FivePoint()           fourth-order central          4 n
    richardson           Richardson()          central differences at ten
                                               steps, extrapolated to zero   20 n
    complex_step         ComplexStep()         Im L(t + ih) / h              n, in complex arithmetic
    unitwise_difference  UnitwiseDifference()  central differences on
                                               pre-activations               2 per unit, 1 product per layer
    backprop             Backprop()            the chain rule                1, and one backward pass

Formulas, error terms and steps: `scratch.differences`. The first five take evaluation="naive" (whole forward
passes: the textbook loop) or "structured" (the same quotients, computing only what one parameter can change:
`scratch.structured`).

A float32 network is differenced in float32, where a central difference is good to three or four digits and
its step, 7e-3, may well cross a kink of relu. Take gradient(network.astype(np.float64), ...) for more. The
complex step always works in complex128. Results come in the network's dtype.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from inspect import signature
from typing import Any, Literal, get_args

import numpy as np

from .architecture import Array, Flat, Inputs, Logits, PerExample, Targets
from .differences import (
    CENTRAL,
    COMPLEX,
    FIVE_POINT,
    FORWARD,
    Function,
    Scheme,
    SchemeName,
    Step,
    difference,
    quotient,
    ridders,
    step_sizes,
    working_dtype,
)
from .errors import InputTypeError, expect, expect_one_of
from .network import Network, product
from .parameters import Parameters
from .regularization import Dropout
from .structured import MEMORY, structured_difference

MethodName = SchemeName | Literal["richardson", "unitwise_difference", "backprop"]
Evaluation = Literal["naive", "structured"]
EVALUATIONS: tuple[Evaluation, ...] = get_args(Evaluation)


# A way to the gradient, its options included: dL/dtheta as a new vector; x and targets are trusted.
Method = Callable[[Network, Inputs, Targets], Flat]


@dataclass(frozen=True)
class Backprop:
    """The chain rule, once backwards through the layers: one forward and one backward pass.

    Parameters
    ----------
    dropout
        Makes it the gradient of the loss under masks: here those that its seed draws first, in training fresh
        ones for every step.
    """

    dropout: Dropout | None = None

    def __call__(self, network: Network, x: Inputs, targets: Targets) -> Flat:
        result = Parameters(network.architecture, dtype=network.dtype)
        masks = None
        if self.dropout is not None:
            rng = np.random.default_rng(self.dropout.seed)
            masks = self.dropout.masks(rng, network.architecture, len(x))
        network.loss_and_gradient(x, targets, result, masks)
        return result.flat


@dataclass(frozen=True)
class Difference:
    """One quotient of this scheme per parameter.

    Parameters
    ----------
    scheme
        One of `differences.SCHEMES`' values.
    step
        Relative to max(1, |t|), or an array with the step of every parameter; by default the derived optimum.
    evaluation
        "naive" takes the whole loss for every parameter, "structured" only what that parameter can change.
    memory
        What temporary arrays of the structured evaluation may take, in bytes.

    Raises
    ------
    InputError
        For an unknown evaluation.
    """

    scheme: Scheme
    step: Step = None
    evaluation: Evaluation = "naive"
    memory: int = MEMORY

    def __post_init__(self) -> None:
        expect_one_of("evaluation", self.evaluation, EVALUATIONS)

    def __call__(self, network: Network, x: Inputs, targets: Targets) -> Flat:
        theta, scheme = network.parameters.flat, self.scheme
        if self.evaluation == "structured":
            steps = step_sizes(theta, scheme, self.step)
            return structured_difference(network, x, targets, scheme, steps, memory=self.memory)
        working = working_dtype(theta.dtype, scheme)
        f = loss_function(network, x, targets, working)
        return difference(f, theta, scheme, self.step)


ForwardDifference = partial(Difference, FORWARD)
CentralDifference = partial(Difference, CENTRAL)
FivePoint = partial(Difference, FIVE_POINT)
ComplexStep = partial(Difference, COMPLEX)


def loss_function(network: Network, x: Inputs, targets: Targets, dtype: Any) -> Function:
    """L as a pure function of the flat vector, evaluated in `dtype` by a private copy of the network.

    Parameters
    ----------
    network
        Copied, and so neither read again nor changed.
    x
        Inputs (batch, n_inputs); trusted.
    targets
        As the loss wants them; trusted.
    dtype
        In which the loss is evaluated, such as complex128 for complex steps.

    Returns
    -------
    function
        It takes theta (n_parameters,) and gives a scalar of that dtype.
    """
    copy = network.astype(dtype)

    def loss(theta: Flat) -> Array:
        copy.parameters.flat[...] = theta
        return copy.loss(x, targets)

    return loss


@dataclass(frozen=True)
class Richardson:
    """Central differences extrapolated to step zero; see `ridders`.

    Parameters
    ----------
    step
        The largest of the steps, relative to max(1, |t|).
    rows
        How many steps, each half of the one before; at least 2.
    noise
        The absolute error of one loss, (n_parameters,) where it differs; by default eps |L|.
    evaluation, memory
        Those of `Difference`.

    Raises
    ------
    InputError
        For an unknown evaluation, or fewer than two rows.
    """

    step: float = 0.125
    rows: int = 10
    noise: float | Flat | None = None
    evaluation: Evaluation = "naive"
    memory: int = MEMORY

    def __post_init__(self) -> None:
        expect_one_of("evaluation", self.evaluation, EVALUATIONS)
        usable = type(self.rows) is int and self.rows >= 2
        expect(usable, f"rows: expected an integer >= 2, got {self.rows!r}")

    def __call__(self, network: Network, x: Inputs, targets: Targets) -> Flat:
        return self.with_estimate(network, x, targets)[0]

    def with_estimate(self, network: Network, x: Inputs, targets: Targets) -> tuple[Flat, Flat]:
        """The gradient, and what the tableau says of its error: an estimate, never a bound.

        Parameters
        ----------
        network
            Whose loss is differentiated, at its weights.
        x
            (batch, features).
        targets
            Labels (batch,) for cross_entropy, else (batch, outputs).

        Returns
        -------
        gradient, error
            (n_parameters,) each, in the order of the flat vector.
        """
        central = CentralDifference(evaluation=self.evaluation, memory=self.memory)
        noise = self.noise
        if noise is None:
            eps = np.finfo(network.dtype).eps
            noise = float(eps * abs(network.loss(x, targets)))
        theta = network.parameters.flat
        steps = np.array([step_sizes(theta, CENTRAL, self.step / 2**row) for row in range(self.rows)])
        quotients = np.array([replace(central, step=h)(network, x, targets) for h in steps])
        return ridders(quotients, steps, noise)


@dataclass(frozen=True)
class UnitwiseDifference:
    """delta = dL/dz by central differences, one pair of passes per unit; weights by the outer product.

        delta_l[n, j] = s (l_n(z_l[n, j] + h_n) - l_n(z_l[n, j] - h_n)) / 2 h_n;   dW_l = a_{l-1}^T delta_l

    with L = s sum_n l_n: an example's loss sees its own pre-activations only, so one unit can move in every
    example at once, each by its own step. Error per delta: s (h^2/6 |d^3 l_n / dz^3| + e / h).
    """

    step: float | None = None

    def __call__(self, network: Network, x: Inputs, targets: Targets) -> Flat:
        activations = [a.copy() for a in network.forward(x)]
        result = Parameters(network.architecture, dtype=network.dtype)
        for layer, (W, b) in enumerate(network.layers):
            a = activations[layer]
            z = product(a, W) + b
            delta = self._delta(network, targets, layer, z)
            # dW_l = a_{l-1}^T delta_l ;  db_l = 1^T delta_l
            dW, db = result.layers[layer]
            product(a.T, delta, out=dW)
            np.sum(delta, axis=0, out=db)
        return result.flat

    def _delta(self, network: Network, targets: Targets, layer: int, z: Logits) -> Logits:
        """dL/dz of this layer, one unit at a time."""
        steps = step_sizes(z, CENTRAL, self.step)
        delta = np.empty_like(z)
        for j in range(z.shape[1]):
            losses = partial(_losses_above, network, targets, layer, z, j)
            delta[:, j] = quotient(losses, z[:, j], steps[:, j], CENTRAL)
        return delta


def _losses_above(
    network: Network, targets: Targets, layer: int, z: Logits, j: int, t: PerExample
) -> PerExample:
    """Each example's part of the loss, (batch,), where layer `layer` has pre-activations z, t in column j."""
    z = z.copy()
    z[:, j] = t
    for W, b in network.layers[layer + 1 :]:
        network.activation.apply(z)
        z = product(z, W) + b
    loss = network.loss_function
    scale = z.dtype.type(loss.scale(*z.shape))
    losses: Array = loss.per_example(z, targets) * scale
    return losses


METHODS: dict[MethodName, Callable[..., Method]] = {
    "backprop": Backprop,
    "forward_difference": ForwardDifference,
    "central_difference": CentralDifference,
    "five_point": FivePoint,
    "complex_step": ComplexStep,
    "richardson": Richardson,
    "unitwise_difference": UnitwiseDifference,
}

_signature = lru_cache(signature)  # 25 us each time it is made


def method_named(name: MethodName, **options: Any) -> Method:
    """The method of this name with these options.

    Parameters
    ----------
    name
        One of METHODS.
    **options
        Those of the method, as its class takes them.

    Returns
    -------
    Method
        A value that gradients are taken with: method(network, x, targets).

    Raises
    ------
    InputError
        For an unknown name, or a value that an option cannot have.
    InputTypeError
        For an option that the method does not take.
    """
    expect_one_of("method", name, METHODS)
    for option in sorted(options):
        known = _signature(METHODS[name]).parameters
        unknown = f"{option}: no option of {name}, which takes {', '.join(known)}"
        expect(option in known, unknown, InputTypeError)
    return METHODS[name](**options)


def gradient(
    network: Network, x: Inputs, targets: Targets, method: MethodName | Method = "backprop", **options: Any
) -> Flat:
    """dL/dtheta by any method; the network stays as it was.

    Parameters
    ----------
    network
        The network, at its present parameters.
    x
        Inputs (batch, n_inputs); checked.
    targets
        Integer labels (batch,) for cross_entropy, else (batch, n_outputs); checked.
    method
        One of METHODS by name, or a value such as CentralDifference(evaluation="structured").
    **options
        Those of the method, where it is given by name.

    Returns
    -------
    array (n_parameters,)
        A new vector, in the network's dtype.

    Raises
    ------
    InputError
        For an unknown method, a bad value of an option, or a batch that does not fit the network.
    InputTypeError
        For an option that the method does not take.

    Examples
    --------
    One weight and one bias, L = (w x + b - t)^2 at w = 2, b = 0, x = 3, t = 5: dL/dw = 2 (6 - 5) 3.

    >>> from backproof.scratch.architecture import Architecture
    >>> line = Architecture((1, 1), loss="sum_of_squares")
    >>> network = Network(line, Parameters(line, np.array([2.0, 0.0])))
    >>> gradient(network, np.array([[3.0]]), np.array([[5.0]]))
    array([6., 2.])
    >>> gradient(network, np.array([[3.0]]), np.array([[5.0]]), CentralDifference(step=0.5))
    array([6., 2.])
    """
    if isinstance(method, str):
        method = method_named(method, **options)
    else:
        given = ", ".join(options)
        expect(not options, f"{given}: the method is a value; give it its options", InputTypeError)
    x, targets = network.architecture.checked_batch(x, targets)
    return method(network, x, targets)
