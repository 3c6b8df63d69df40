"""A bound on the gradient by forward mode, and by the complex step, whose terms cancel only at the end.

The tangent of a parameter of layer l, J_{l,m-1} from z_l on, rounds in every product with W_m, by gamma
times |J_{l,m-1}| |d_{m-1}| |W_m|; that reaches the loss through delta_m. So what a source

    tau_{m-1} = gamma |d_{m-1}| (|W_m| |delta_m|)        of delta_{m-1}

would do in reverse mode, it does here. What the evaluation of the point itself is off by is the same in both
modes. The complex step Im L(theta + i h) / h adds its truncation, a multiple of h^2, and h makes underflow
larger by 1 / h.

*How close.* A sum over examples reaches half of its bound. Tangents reach less than half of theirs: those of
all outputs are taken to be off at once, and each product to round as a sum does. Of the truncation a twelfth
is reached: y^2 f' stands for y^2 f^(3) / 6, on the way to the loss and once more in it. Of what underflows a
quarter: every operation is allowed it, and few results are as small.
"""

from dataclasses import replace

import numpy as np

from backproof.comparisons.verdicts.backward_bounds import delta_spreads, masked_derivatives, row_blocks
from backproof.comparisons.verdicts.forward_bounds import ForwardPass, forward
from backproof.comparisons.verdicts.jacobian_paths import Paths
from backproof.comparisons.verdicts.rounding import SAFETY, Arithmetic, Bounded, numbers
from backproof.scratch.architecture import Architecture, Array, Flat, Inputs, Targets, Weights

TANGENT_ROUNDINGS = 12.0  # of a complex product, of f' and its product, beside the sum's own


def forward_mode_error(state: ForwardPass, step: float = 0.0) -> Flat:
    """A bound on the error of forward mode, or of the complex step.

    Parameters
    ----------
    state
        The forward pass of the batch, with its bounds.
    step
        h of the complex step; 0 leaves no truncation.

    Returns
    -------
    array (n_parameters,)
        float64, infinite where nothing is known.
    """
    with np.errstate(all="ignore"):
        found, spreads = delta_spreads(state, None)
        values = [value.astype(np.float64) for value in found]
        d = [slope.astype(np.float64) for slope in masked_derivatives(state, None)]
        off = _truncation(state, d, step)
        sources = _tangent_sources(state, d, values, off)
        arrived, last = np.zeros_like(sources[-1]), len(values) - 1
        errors = [sources[-1]]
        for layer in reversed(range(last)):
            arrived = _descended(state, d, layer, sources, arrived)
            errors.insert(0, sources[layer] + arrived)
        summing = float(state.arithmetic.gamma(len(values[0]) + 8.0)) + off
        parts: list[Array] = []
        for a, value, error, spread in zip(state.activations, values, errors, spreads, strict=True):
            delta = Bounded(np.abs(value), error + spread.total)
            for left in (a.absolute(), Bounded.exact(np.ones((len(value), 1)))):
                size = left.magnitude.T @ delta.magnitude
                carried = left.value.T @ delta.error + left.error.T @ delta.magnitude
                underflow = np.where(size > 0, len(value) * state.arithmetic.tiny, 0.0)
                parts.append((carried + summing * size + underflow).ravel())
    return numbers(np.concatenate(parts) * SAFETY)


def _tangent_sources(state: ForwardPass, d: list[Array], values: list[Array], off: float) -> list[Array]:
    """tau_l of every layer, the logits' own last: gamma and the truncation, times sizes."""
    arithmetic, sources = state.arithmetic, []
    for slope, above, W in zip(d, values[1:], state.weights[1:], strict=True):
        size = np.abs(slope) * (np.abs(above) @ W.magnitude.T)
        terms = (W.magnitude > 0).sum(axis=0).max()
        underflow = np.where(size > 0, terms * arithmetic.tiny, 0.0)
        sources.append((arithmetic.gamma(terms + TANGENT_ROUNDINGS) + off) * size + underflow)
    at_loss = arithmetic.gamma(2 * arithmetic.logarithm + values[-1].shape[1] + 8) + off
    return [*sources, at_loss * state.loss.terms]


def _descended(state: ForwardPass, d: list[Array], layer: int, sources: list[Array], arrived: Array) -> Array:
    """What the sources above arrive as at delta of this layer."""
    found = np.zeros((len(arrived), state.weights[layer].value.shape[1]))
    for rows in row_blocks(state):
        paths = Paths([one[rows] for one in d], [W.value for W in state.weights])
        above = [source[rows] for source in sources[layer + 1 :]]
        found[rows] = paths.down(layer, above, arrived[rows], 1)
    return found


def _truncation(state: ForwardPass, d: list[Array], step: float) -> float:
    """The relative error of the imaginary parts: their cubes' share, where h moves a z by at most 0.1.

    |Im f(z + i y) / y - f'(z)| <= y^2 sup |f^(3)| / 6, at most y^2 times f' for tanh, the sigmoid and a
    softmax near the real axis.
    """
    if step == 0.0:
        return 0.0
    steepest, largest = 0.0, 1.0
    for rows in row_blocks(state):
        paths = Paths([one[rows] for one in d], [W.value for W in state.weights])
        for low in range(paths.last):
            near = np.abs(d[low][rows]).max(initial=0.0) * np.abs(state.weights[low + 1].value).max(
                initial=0.0
            )
            steepest = max(steepest, float(near))
        steepest = max([steepest, *(float(np.abs(J).max(initial=0.0)) for J in paths.matrices.values())])
    for a in state.activations:
        largest = max(largest, float(a.magnitude.max(initial=0.0)))
    y = step * largest * max(1.0, steepest)
    return len(state.weights) * y**2 if y <= 0.1 else float("inf")


def complex_step_bound(
    architecture: Architecture, weights: Weights, x: Inputs, targets: Targets, step: float = 1e-20
) -> Flat:
    """A bound on the error of a complex step Im L(theta + i h) / h taken in complex128.

    Parameters
    ----------
    architecture
        The network. Its dtype is that of the numbers given; the arithmetic is float64.
    weights
        Per layer W (fan_in, fan_out) and b (fan_out,).
    x
        Inputs (batch, n_inputs).
    targets
        Integer labels (batch,) for cross_entropy, else (batch, n_outputs).
    step
        h, as it is.

    Returns
    -------
    array (n_parameters,)
        float64, infinite where h is no small step: where it moves a pre-activation or a logit by more than
        0.1.

    Notes
    -----
    Derivatives travel as h times themselves, so that what underflows is larger by 1 / h.

    References
    ----------
    Lyness, Moler 1967; Squire, Trapp 1998.
    """
    arithmetic = Arithmetic.of("float64", shadow=False)
    arithmetic = replace(arithmetic, tiny=arithmetic.tiny / step)
    return forward_mode_error(forward(architecture, weights, x, targets, arithmetic), step)
