"""Every tolerance of the tests, derived from eps, operation counts and bounds on derivatives: none is fitted.

Here the rounding of what computes a gradient or a step once; that of difference quotients, and their
truncation, stands in `quotient_bounds`, on what `stencils` says of the loss nearby.
"""

from dataclasses import dataclass

import numpy as np

from backproof.comparisons.verdicts.network_bounds import backprop_reference
from backproof.comparisons.verdicts.relu_selections import any_selection
from backproof.comparisons.verdicts.rounding import ELEMENTARY_ULPS
from backproof.scratch.architecture import Array
from tests.support.strategies import Case


def unit_roundoff(dtype: np.dtype | str) -> float:
    """u = eps / 2: the relative error of one rounding."""
    return float(np.finfo(dtype).eps) / 2


def gamma(n: float, dtype: np.dtype | str) -> float:
    """gamma_n = n u / (1 - n u): the relative error of n roundings in sequence (Higham 2002, lemma 3.1)."""
    share = n * unit_roundoff(dtype)
    assert share < 1, f"gamma_{n} says nothing in {dtype}"
    return share / (1 - share)


@dataclass(frozen=True)
class Backprop:
    """What backpropagation should return, and how far a correct one may lie from it."""

    gradient: Array  # (n_parameters,)
    bound: Array
    logits: Array  # (batch, outputs): the bound of the logits


def backprop_bound(case: Case) -> Backprop:
    """In the case's own dtype; where rounding decides a relu's sign, the bound covers both selections."""
    reference = backprop_reference(case.architecture, case.weights, case.x, case.targets)
    bounded = any_selection(reference.state) if reference.undecided else reference.gradient
    return Backprop(bounded.value, bounded.error, reference.logits.error)


def backward_bound(case: Case, delta: Array) -> Array:
    """The rounding error of the backward pass of any delta whose size is `delta` (batch, outputs), (n,).

    The same pass over absolute values, times gamma of the roundings that touch one term.
    """
    network = case.network()
    activations = [a.copy() for a in network.forward(case.x)]
    parts: list[Array] = []
    for layer in reversed(range(len(case.weights))):
        a = np.abs(activations[layer])
        parts = [(a.T @ delta).ravel(), delta.sum(axis=0), *parts]
        if layer > 0:
            slope = np.ones_like(a)
            network.activation.backpropagate(slope, activations[layer])
            delta = (delta @ np.abs(case.weights[layer][0]).T) * np.abs(slope)
    roundings = len(case.x) + sum(size + 2 for size in case.architecture.layer_sizes) + 4
    return gamma(roundings, case.flat.dtype) * np.concatenate(parts)


def ulp_distance(found: Array, expected: Array, dtype: np.dtype | str) -> float:
    """The largest |found - expected| in units in the last place of `dtype` at `expected`.

    Below the smallest normal number the unit is that number's, since results there may be flushed to zero.
    """
    expected = np.asarray(expected, np.longdouble)
    smallest = np.finfo(dtype).smallest_normal
    with np.errstate(over="ignore"):
        near = np.clip(np.abs(expected), smallest, np.finfo(dtype).max).astype(dtype)
    distance = np.abs(np.asarray(found, np.longdouble) - expected) / np.spacing(near).astype(np.longdouble)
    # Flushed to zero: no farther away than the smallest normal number.
    flushed = (np.abs(expected) < smallest) & (np.asarray(found) == 0)
    return float(np.where(flushed, 0, distance).max())


def smoothed_cross_entropy_bounds(z: Array) -> tuple[float, float]:
    """How far two correct smoothed cross entropies, and their deltas, of logits z may lie apart (float64).

    With S the largest |z|: s = z - max rounds by 2 S u, exp(s) by |s| e^s u <= u / e more, a sum over K by
    K u, its logarithm by ELEMENTARY u and log K u. The loss adds terms of at most 2 S + log K, in any order.
    delta is made of terms of at most 1 / N; where s is far below zero, exp(s) is as wrong as it is small.
    """
    n_examples, n_outputs = z.shape
    size = 2 * float(np.abs(z).max()) + np.log(n_outputs) + 1
    roundings = n_examples + 2 * n_outputs + 2 * ELEMENTARY_ULPS + 12
    value = 2 * gamma(roundings, "float64") * 2 * size
    delta = 2 * gamma(roundings + 2 * size, "float64") / n_examples
    return value, delta


def descent_bound(case: Case, rate: float, gradient_error: Array) -> Array:
    """|theta - (theta_0 - rate g)|, (n_parameters,), after one step of plain descent; g has an error.

    The error of g times the rate, and three roundings: of the rate, of rate * g, of the difference.
    """
    flat, gradient = np.abs(case.flat.astype(float)), np.abs(gradient_error)
    exact = np.abs(backprop_bound(case).gradient)
    rounding: Array = gamma(3, case.flat.dtype) * (flat + rate * (exact + gradient))
    return rate * gradient + rounding


def adam_bound(rate: float, eps: float, x: Array, theta: Array, moment: float, n_steps: int) -> float:
    """How far theta may lie from exact arithmetic after `n_steps` of Adam on a linear layer's sum_of_squares.

    With e the error of theta, g = 2 x^T (x theta - t) is off by e_g <= 2 |x|^T |x| e + gamma (its terms), the
    corrected first moment by no more, and so is the square root of the second, a weighted 2-norm of the g's.
    The step m / (sqrt(v) + eps) then moves by at most e_g / eps + |m| e_g / eps^2, |m| <= `moment`; its own
    dozen operations add gamma_16. x (batch, inputs + 1) has the column of ones that the bias belongs to.
    """
    lipschitz = 2.0 * float((np.abs(x).T @ np.abs(x)).sum(axis=1).max())
    size, error = float(np.abs(theta).max()) + n_steps * rate * moment / eps, 0.0
    for _ in range(n_steps):
        off = lipschitz * error + gamma(4 * len(x) + 8, "float64") * moment
        error += rate * (off / eps + moment * off / eps**2)
        error += gamma(16, "float64") * (rate * moment / eps + size)
    return error
