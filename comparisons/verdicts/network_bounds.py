"""The gradient of a network with a bound on what any correct implementation may return: the whole case.

The pieces stand in modules of their own, each with its mathematics:

    rounding              what one sum or product rounds: worst case, and variance
    jacobian_paths        how an error travels from one layer to another
    activation_bounds     what an activation adds; loss_bounds: what the loss does
    forward_bounds        the errors of z_1, a_1, ..., the logits and delta_L
    backward_bounds       the errors of delta_l, dW_l and db_l
    forward_mode_bounds   the same for forward mode and the complex step
    relu_selections       the gradient for other signs of the relus that rounding decides

Here they are put together for the tiers: *worst case*, whatever the order and the signs of the roundings, and
*probabilistic*, the roundings independent.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from backproof.comparisons.verdicts.backward_bounds import backward
from backproof.comparisons.verdicts.forward_bounds import (
    PLAIN,
    ForwardPass,
    Regularized,
    Unit,
    forward,
)
from backproof.comparisons.verdicts.forward_mode_bounds import forward_mode_error
from backproof.comparisons.verdicts.rounding import Arithmetic, Bounded
from backproof.comparisons.verdicts.shadow import extended
from backproof.comparisons.verdicts.verdict import Tier
from backproof.scratch.architecture import Architecture, Inputs, Targets, Weights
from backproof.scratch.errors import InputError


@dataclass(frozen=True, eq=False)
class Reference:
    """What a contender should return in the architecture's dtype: float64 values with their bounds."""

    state: ForwardPass
    gradient: Bounded  # flat (n_parameters,), for the signs the shadow found
    given: tuple[Weights, Inputs, Targets, Regularized]  # weights, x, targets
    tier: Tier = Tier.WORST_CASE
    functions: str = "any"  # whose accuracy is assumed: a key of `rounding.FUNCTIONS`

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

    @cached_property
    def probabilistic(self) -> "Reference":
        """The same with bounds that hold with a probability, where they are narrower."""
        if self.state.arithmetic.random:
            return self
        weights, x, targets, regularized = self.given
        of = self.state.arithmetic
        arithmetic = Arithmetic.of(
            self.architecture.dtype, random=True, extended=of.extended, functions=self.functions
        )
        state = forward(self.architecture, weights, x, targets, arithmetic, regularized)
        error = backward(state).error
        narrower = Bounded(self.gradient.value, np.minimum(error, self.gradient.error))
        return Reference(state, narrower, self.given, Tier.PROBABILISTIC, self.functions)


def backprop_reference(
    architecture: Architecture,
    weights: Weights,
    x: Inputs,
    targets: Targets,
    order: str = "reverse",
    regularized: Regularized = PLAIN,
    functions: str = "any",
) -> Reference:
    """Logits, loss and gradient of one batch, with the bounds for an implementation in `architecture.dtype`.

    Parameters
    ----------
    architecture
        The network; its dtype is that of the implementation.
    weights
        Per layer W (fan_in, fan_out) and b (fan_out,).
    x
        Inputs (batch, n_inputs).
    targets
        Integer labels (batch,) for cross_entropy, else (batch, n_outputs).
    order
        "reverse", or "any" for a gradient's bound that covers forward mode too.
    regularized
        Dropout masks and label smoothing, if any.
    functions
        Whose elementary functions the implementation calls, "numpy" or "torch" where that is known: a key of
        `rounding.FUNCTIONS`.

    Returns
    -------
    Reference
        Worst-case bounds; it makes those that hold with a probability when asked.

    Raises
    ------
    InputError
        For an unknown order, and arrays that do not fit the architecture.
    InputTypeError
        For arrays of a wrong kind.

    References
    ----------
    Higham 2002, section 3.5; Higham, Mary 2019.
    """
    if order not in ("reverse", "any"):
        raise InputError(f"order: expected 'reverse' or 'any', got {order!r}")
    arithmetic = Arithmetic.of(
        architecture.dtype, extended=extended(architecture, len(x)), functions=functions
    )
    state = forward(architecture, weights, x, targets, arithmetic, regularized)
    gradient = backward(state)
    if order == "any":
        gradient = Bounded(gradient.value, np.maximum(gradient.error, forward_mode_error(state)))
    return Reference(state, gradient, (weights, x, targets, regularized), functions=functions)
