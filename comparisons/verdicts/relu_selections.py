"""The gradient for other signs of the undecided units than those that the shadow found.

A relu unit with |z| <= e_z is on for one correct implementation and off for another. Its derivative there is
d_l = 1 or 0, and everything below follows: the gradient of a *selection* is backpropagation with the
derivatives of the given units the other way round. A flipped unit changes its own example's part of the
gradient alone, so that one example's part is all that must be computed anew.
"""

from collections.abc import Iterable
from dataclasses import replace

from backproof.comparisons.verdicts.backward_bounds import backward
from backproof.comparisons.verdicts.forward_bounds import ForwardPass, Unit
from backproof.comparisons.verdicts.rounding import Bounded, Spread


def flipped_derivatives(state: ForwardPass, flipped: Iterable[Unit]) -> list[Bounded]:
    """The relu derivatives with those of the given units the other way round.

    Parameters
    ----------
    state
        What the forward pass left.
    flipped
        Units as (hidden layer from 0, example, unit).

    Returns
    -------
    list of Bounded
        Each (batch, n_l), zeros and ones without error.
    """
    derivatives = [derivative.value.copy() for derivative in state.derivatives]
    for layer, row, unit in flipped:
        derivatives[layer][row, unit] = 1.0 - derivatives[layer][row, unit]
    return [Bounded.exact(value) for value in derivatives]


def selected(state: ForwardPass, flipped: Iterable[Unit]) -> Bounded:
    """The gradient and its bound with the relu derivative of the given units the other way round.

    Parameters
    ----------
    state
        What the forward pass left.
    flipped
        Units as (hidden layer from 0, example, unit).

    Returns
    -------
    Bounded
        (n_parameters,) in float64.
    """
    return backward(state, flipped_derivatives(state, flipped))


def example_selected(state: ForwardPass, row: int, flipped: Iterable[Unit]) -> Bounded:
    """One example's part of the gradient, with the relu derivative of these units of it the other way.

    Parameters
    ----------
    state
        What the forward pass left.
    row
        The example's number.
    flipped
        Units of it; the example in them is not looked at.

    Returns
    -------
    Bounded
        (n_parameters,) in float64.
    """
    alone = one_example(state, row)
    return selected(alone, [(layer, 0, unit) for layer, _, unit in flipped])


def one_example(state: ForwardPass, row: int) -> ForwardPass:
    """The forward pass of one example of the batch; its loss keeps the batch's scale.

    Parameters
    ----------
    state
        What the forward pass left.
    row
        The example's number.

    Returns
    -------
    ForwardPass
        Of a batch of one.
    """
    rows = slice(row, row + 1)

    def cut(part: Bounded) -> Bounded:
        return Bounded(part.value[rows], part.error[rows])

    def cut_spread(part: Spread) -> Spread:
        return Spread(part.sure[rows], part.variance[rows])

    loss = replace(
        state.loss,
        per_example=cut(state.loss.per_example),
        delta=cut(state.loss.delta),
        terms=state.loss.terms[rows],
        jacobian=state.loss.jacobian[rows],
        rounded=state.loss.rounded[rows],
        remainder=state.loss.remainder[rows],
    )
    return replace(
        state,
        pre_activations=tuple(cut(z) for z in state.pre_activations),
        activations=tuple(cut(a) for a in state.activations),
        derivatives=tuple(cut(d) for d in state.derivatives),
        undecided=tuple((layer, 0, unit) for layer, n, unit in state.undecided if n == row),
        logits=cut(state.logits),
        loss=loss,
        spreads=tuple(cut_spread(spread) for spread in state.spreads),
        smooth=tuple(found.rows(rows) for found in state.smooth),
        delta=cut_spread(state.delta),
        covariance=state.covariance[rows],
        masks=tuple(None if mask is None else mask[rows] for mask in state.masks),
        multiplicities=tuple(m[rows] for m in state.multiplicities),
        local=tuple(variance[rows] for variance in state.local),
        targets=state.targets[rows],
        shadow=state.shadow.rows(rows),
    )


def any_selection(state: ForwardPass) -> Bounded:
    """The shadow's gradient with a bound that holds whatever the undecided units select.

    Parameters
    ----------
    state
        What the forward pass left.

    Returns
    -------
    Bounded
        (n_parameters,) in float64.
    """
    errors = [derivative.error.copy() for derivative in state.derivatives]
    for layer, row, unit in state.undecided:
        errors[layer][row, unit] = 1.0
    pairs = zip(state.derivatives, errors, strict=True)
    return backward(state, [Bounded(derivative.value, error) for derivative, error in pairs])
