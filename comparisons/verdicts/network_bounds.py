"""The gradient of a network in double precision, with a bound on what any correct implementation may return.

Running error analysis (see `rounding`) along the forward and the backward pass:

    z_l = a_{l-1} W_l + b_l            inner products; exact where no order of summation can round
    a_l = f(z_l)                       e_a <= sup |f'| e_z + E u |a|, the sup over [z - e_z, z + e_z]
    d_l = f'(z_l)                      identity, relu: exact; tanh: 1 - a^2; sigmoid: a (1 - a)
    delta_L                            see `loss_bounds`
    delta_{l-1} = (delta_l W_l^T) d_{l-1}
    dW_l = a_{l-1}^T delta_l           at most N non-zero products per entry, and two more roundings for a
    db_l = 1^T delta_l                 mean taken late

relu has no derivative at 0, where the convention relu'(0) = 0 decides. Where |z| <= e_z, and only there, two
correct implementations may find different signs: those units are reported as *undecided*, the gradient is
given for the signs that the shadow found, and `selected` gives it for any other choice. A pre-activation
that is exactly zero in every order of summation is decided: its derivative is 0.

The bound of `order="reverse"` is that of backpropagation, whose delta holds what is left after the terms of
one unit have cancelled. `order="any"` also covers forward mode and the complex step, where they cancel only
at the end: the same recursion on absolute values, so that no cancellation is assumed anywhere.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from backproof.comparisons.verdicts.loss_bounds import LOSS_BOUNDS, LossBound, sigmoid
from backproof.comparisons.verdicts.rounding import (
    ELEMENTARY,
    SAFETY,
    Arithmetic,
    Bounded,
    inner_products,
    product,
)
from backproof.scratch.architecture import Architecture, Array, Weights
from backproof.scratch.errors import InputError

Unit = tuple[int, int, int]  # (hidden layer from 0, example, unit)
# a (1 - a) and 1 - a^2 need `a` alone; sech^2 or exp(-z) / (1 + exp(-z))^2 two elementary functions more.
BELOW_ONE = 1.0 - 2.0**-53  # tanh is never more, nor are its units in the last place
_DERIVATIVE_ROUNDINGS = 2 * ELEMENTARY + 4


def _identity(z: Bounded, arithmetic: Arithmetic) -> tuple[Bounded, Bounded]:
    return z, Bounded.exact(np.ones_like(z.value))


def _relu(z: Bounded, arithmetic: Arithmetic) -> tuple[Bounded, Bounded]:
    on = z.value > 0
    off = z.value + z.error <= 0
    a = Bounded(np.where(on, z.value, 0.0), np.where(off, 0.0, z.error))
    return a, Bounded.exact(on)


def _tanh(z: Bounded, arithmetic: Arithmetic) -> tuple[Bounded, Bounded]:
    value = np.tanh(z.value)
    nearest = np.maximum(np.abs(z.value) - z.error, 0.0)
    moved = np.minimum(z.error * _sech_squared(nearest), 2.0)
    a = Bounded(value, (moved + arithmetic.tanh_error(np.minimum(np.abs(value) + moved, BELOW_ONE))) * SAFETY)
    derivative = _sech_squared(z.value)
    # 1 - a^2: the error of a, the rounding of a^2, the rounding of the difference.
    error = a.error * (2 * np.abs(value) + a.error) + arithmetic.unit * value**2
    rounded = arithmetic.gamma(_DERIVATIVE_ROUNDINGS) * (derivative + error)
    return a, Bounded(derivative, (error + rounded + arithmetic.tiny) * SAFETY)


def _sech_squared(z: Array) -> Array:
    """1 / cosh(z)^2 without overflow: (2 e / (1 + e^2))^2 with e = exp(-|z|)."""
    decay = np.exp(-np.abs(z))
    result: Array = np.square(2 * decay / (1 + decay**2))
    return result


def _sigmoid(z: Bounded, arithmetic: Arithmetic) -> tuple[Bounded, Bounded]:
    a = sigmoid(z, arithmetic)
    # a (1 - a) with 1 - a = sigmoid(-z), which does not cancel.
    complement = sigmoid(Bounded(-z.value, z.error), arithmetic).value
    derivative = a.value * complement
    error = a.error * (np.abs(1 - 2 * a.value) + a.error) + arithmetic.unit * a.magnitude * a.error
    rounded = arithmetic.gamma(_DERIVATIVE_ROUNDINGS) * (derivative + error)
    return a, Bounded(derivative, (error + rounded + arithmetic.tiny) * SAFETY)


ACTIVATION_BOUNDS: dict[str, Callable[[Bounded, Arithmetic], tuple[Bounded, Bounded]]] = {
    "identity": _identity,
    "sigmoid": _sigmoid,
    "tanh": _tanh,
    "relu": _relu,
}


@dataclass(frozen=True)
class ForwardPass:
    """What the forward pass of one batch leaves for the backward pass."""

    architecture: Architecture
    arithmetic: Arithmetic
    weights: tuple[Bounded, ...]  # W_1 .. W_L, exact
    pre_activations: tuple[Bounded, ...]  # z_1 .. z_{L-1}, each (batch, n_l)
    activations: tuple[Bounded, ...]  # x, a_1 .. a_{L-1}
    derivatives: tuple[Bounded, ...]  # f'(z_1) .. f'(z_{L-1})
    undecided: tuple[Unit, ...]  # relu units whose sign is a matter of rounding
    logits: Bounded
    loss: LossBound


def forward(
    architecture: Architecture, weights: Weights, x: Array, targets: Array, arithmetic: Arithmetic
) -> ForwardPass:
    """The forward pass, everything with its bound. Inputs are checked as `Architecture` checks them."""
    x = architecture.checked_inputs(x)
    targets = architecture.checked_targets(targets, len(x))
    layers = [(Bounded.exact(W), b.astype(np.float64)) for W, b in architecture.checked_weights(weights)]
    hidden: list[Bounded] = []
    activations, derivatives = [Bounded.exact(x)], []
    undecided: list[Unit] = []
    with np.errstate(all="ignore"):
        for layer, (W, b) in enumerate(layers):
            z = inner_products(activations[-1], W, arithmetic, bias=b, recognise_exact=True)
            if layer == len(layers) - 1:
                break
            a, derivative = ACTIVATION_BOUNDS[architecture.activation](z, arithmetic)
            if architecture.activation == "relu":
                undecided += _undecided(layer, z)
            hidden.append(z)
            activations.append(a)
            derivatives.append(derivative)
        loss = LOSS_BOUNDS[architecture.loss](z, targets, arithmetic)
    return ForwardPass(
        architecture,
        arithmetic,
        tuple(W for W, _ in layers),
        tuple(hidden),
        tuple(activations),
        tuple(derivatives),
        tuple(undecided),
        z,
        loss,
    )


def _undecided(layer: int, z: Bounded) -> list[Unit]:
    rows, units = np.nonzero((np.abs(z.value) <= z.error) & (z.error > 0))
    return [(layer, int(row), int(unit)) for row, unit in zip(rows, units, strict=True)]


def deltas(
    state: ForwardPass, derivatives: Sequence[Bounded] | None = None, order: str = "reverse"
) -> list[Bounded]:
    """delta_l = dL/dz_l of every layer, (batch, n_l), for `derivatives` in place of the shadow's own."""
    derivatives = state.derivatives if derivatives is None else derivatives
    delta, weights = state.loss.delta, state.weights
    anyhow = order == "any"
    if anyhow:
        delta = Bounded(state.loss.terms, delta.error)
        weights = tuple(W.absolute() for W in weights)
    found = [delta]
    with np.errstate(all="ignore"):
        for layer in reversed(range(1, len(weights))):
            # Forward mode sums over fan_in where reverse mode sums over fan_out.
            extra = weights[layer].value.shape[0] + 1.0 if anyhow else 0.0
            summed = inner_products(found[0], weights[layer].T, state.arithmetic, extra=extra)
            found.insert(0, _masked(summed, derivatives[layer - 1], state))
    return found


def backward(
    state: ForwardPass, derivatives: Sequence[Bounded] | None = None, order: str = "reverse"
) -> Bounded:
    """The flat gradient (n_parameters,) with its bound, for `derivatives` in place of the shadow's own."""
    anyhow = order == "any"
    parts: list[Bounded] = []
    with np.errstate(all="ignore"):
        for a, delta in zip(state.activations, deltas(state, derivatives, order), strict=True):
            parts += _layer_gradient(a.absolute() if anyhow else a, delta, state.arithmetic, anyhow)
    return Bounded(np.concatenate([p.value for p in parts]), np.concatenate([p.error for p in parts]))


def _layer_gradient(a: Bounded, delta: Bounded, arithmetic: Arithmetic, anyhow: bool) -> list[Bounded]:
    """dW = a^T delta and db = 1^T delta, flat."""
    extra = 2.0 + (ELEMENTARY if anyhow else 0.0)
    ones = Bounded.exact(np.ones((1, len(a.value))))
    dW = inner_products(a.T, delta, arithmetic, extra=extra)
    db = inner_products(ones, delta, arithmetic, extra=extra)
    return [Bounded(part.value.ravel(), part.error.ravel()) for part in (dW, db)]


def _masked(summed: Bounded, derivative: Bounded, state: ForwardPass) -> Bounded:
    if state.architecture.activation in ("relu", "identity"):  # times 0 or 1: nothing is rounded
        error = np.where(derivative.magnitude > 0, summed.error * derivative.magnitude, 0.0)
        return Bounded(summed.value * derivative.value, error + np.abs(summed.value) * derivative.error)
    return product(summed, derivative, state.arithmetic)


def selected(state: ForwardPass, flipped: Iterable[Unit]) -> Bounded:
    """The gradient and its bound with the relu derivative of the given units the other way round."""
    derivatives = [derivative.value.copy() for derivative in state.derivatives]
    for layer, row, unit in flipped:
        derivatives[layer][row, unit] = 1.0 - derivatives[layer][row, unit]
    return backward(state, [Bounded.exact(value) for value in derivatives])


def any_selection(state: ForwardPass) -> Bounded:
    """The shadow's gradient with a bound that holds whatever the undecided units select."""
    errors = [derivative.error.copy() for derivative in state.derivatives]
    for layer, row, unit in state.undecided:
        errors[layer][row, unit] = 1.0
    pairs = zip(state.derivatives, errors, strict=True)
    return backward(state, [Bounded(derivative.value, error) for derivative, error in pairs])


@dataclass(frozen=True)
class Reference:
    """What a contender should return in the architecture's dtype: float64 values with their bounds."""

    state: ForwardPass
    gradient: Bounded  # flat (n_parameters,), for the signs the shadow found

    @property
    def architecture(self) -> Architecture:
        return self.state.architecture

    @property
    def logits(self) -> Bounded:
        return self.state.logits

    @property
    def loss(self) -> Bounded:
        return self.state.loss.total(self.state.arithmetic)

    @property
    def undecided(self) -> tuple[Unit, ...]:
        return self.state.undecided


def backprop_reference(
    architecture: Architecture, weights: Weights, x: Array, targets: Array, order: str = "reverse"
) -> Reference:
    """Logits, loss and gradient of one batch, with the bounds for an implementation in `architecture.dtype`.

    x (batch, n_inputs), targets as the loss wants them. `order="any"` widens the gradient's bound to cover
    forward mode too. Raises ValueError or TypeError for inputs that do not fit the architecture.
    """
    if order not in ("reverse", "any"):
        raise InputError(f"order: expected 'reverse' or 'any', got {order!r}")
    state = forward(architecture, weights, x, targets, Arithmetic.of(architecture.dtype))
    gradient = backward(state)
    if order == "any":
        gradient = Bounded(gradient.value, np.maximum(gradient.error, backward(state, order="any").error))
    return Reference(state, gradient)


def complex_step_bound(
    architecture: Architecture, weights: Weights, x: Array, targets: Array, step: float = 1e-20
) -> Array:
    """Bound (n_parameters,) on the error of a complex step Im L(theta + i h) / h taken in complex128.

    Weights, x and targets are those of `architecture.dtype`, the arithmetic is float64. Derivatives travel as
    h times themselves, so that what underflows is larger by 1 / h; truncation, h^2, is below every rounding.
    """
    arithmetic = Arithmetic.of("float64", shadow=False)
    arithmetic = replace(arithmetic, tiny=arithmetic.tiny / step)
    return backward(forward(architecture, weights, x, targets, arithmetic), order="any").error
