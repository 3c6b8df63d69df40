"""Whether a layer's weight and bias gradients can come from the same deltas.

Entry by entry, a bound must allow for everything that rounding may have done to delta. Where nearly all of
it is lost to cancellation (1 - a^2 of a saturated tanh, p - 1 of a saturated softmax) that is much, and a
wrong scale of dW alone hides in it. But backpropagation computes dW_l = a^T delta and db_l = 1^T delta from
one and the same delta_l: whatever error it has, it has in both. For unit j, with A = [a_{l-1}, 1] (batch,
fan_in + 1),

    found_j - expected_j = A^T d + r,   |d_n| <= E_nj   (the error of delta_l),   |r_i| <= rho_ij

where rho bounds what the two products themselves round, which is small. The least t for which some d
satisfies |found - expected - A^T d| <= t rho and |d| <= t E is the solution of a linear program: at most 1
for every implementation that computes a layer's gradients from one delta."""

import numpy as np
from scipy.optimize import linprog

from backproof.comparisons.verdicts.backward_bounds import deltas
from backproof.comparisons.verdicts.network_bounds import Reference
from backproof.comparisons.verdicts.rounding import Bounded, inner_products
from backproof.scratch.architecture import Array, Flat

LARGEST_PROGRAM = 4096  # batch times fan_in: beyond, entries resolve enough by themselves
LEAST_ROUNDING = 2.0**-6  # of one rounding of all that is summed
MARGIN = 1.05  # for the tolerance of the linear program's solver


def scale_of_error(reference: Reference, found: Flat, expected: Bounded, layer: int) -> tuple[float, int]:
    """(t, unit): the least t of the worst unit of this layer (from 0); t <= 1 where the deltas can be shared.

    `found` and `expected` are flat (n_parameters,); `expected.error` is what the expected values themselves
    may be off by. Returns (0, 0) for a layer too large, or whose bounds are not finite.

    Parameters
    ----------
    reference
        The network, its batch and its forward pass.
    found
        The gradient under judgement, (n_parameters,).
    expected
        Of the same shape; its error is what the expected values themselves may be off by.
    layer
        From 0.

    Returns
    -------
    tuple (float, int)
        (0, 0) for a layer too large, or whose bounds are not finite.
    """
    a, delta = reference.state.activations[layer], deltas(reference.state)[layer]
    known = np.isfinite(delta.error).all() and np.isfinite(expected.error).all()
    if a.value.size > LARGEST_PROGRAM or not known:
        return 0.0, 0
    weight, bias = reference.architecture.layer_slices()[layer]
    rows = slice(weight.start, bias.stop)  # W and, as its last row, b
    difference = (found[rows] - expected.value[rows]).reshape(-1, delta.value.shape[1])
    # Each expected entry was rounded by itself where the shadow's precision is more than double.
    stored = reference.state.arithmetic.storage * np.abs(expected.value[rows])
    own = (expected.error[rows] + stored).reshape(difference.shape)
    constant = np.ones((len(a.value), 1))
    A = Bounded(np.hstack([a.value, constant]), np.hstack([a.error, 0 * constant]))
    with np.errstate(all="ignore"):
        # Sizes on both sides: deltas of either sign, in whose sum nothing need cancel.
        sizes = Bounded(np.abs(A.value), A.error)
        rounded = inner_products(sizes.T, Bounded.exact(delta.magnitude), reference.state.arithmetic)
        # A product by one rounds nothing; the program's numbers must stay comparable all the same.
        least = LEAST_ROUNDING * reference.state.arithmetic.unit * (A.magnitude.T @ delta.magnitude)
        rho = np.maximum(rounded.error, least)
    tightness = [
        _least_scale(A.value, difference[:, j], rho[:, j] + own[:, j], delta.error[:, j])
        for j in range(delta.value.shape[1])
    ]
    worst = int(np.argmax(tightness))
    return tightness[worst], worst


def _least_scale(A: Array, difference: Array, rounding: Array, delta_error: Array) -> float:
    """min t with |difference - A^T d| <= t rounding, |d| <= t delta_error, by a linear program in (y, t)."""
    checked = rounding > 0
    if not checked.all() and (difference[~checked] != 0).any():
        return float("inf")
    if not checked.any():
        return 0.0
    # Rows in units of their rounding, columns in units of their delta's error: |y_n| <= t.
    D = difference[checked] / rounding[checked]
    M = (A[:, checked] * delta_error[:, None] / rounding[checked]).T
    if np.abs(D).max() <= 1.0:
        return float(np.abs(D).max())
    n = M.shape[1]
    ones, eye = np.ones((len(D), 1)), np.eye(n)
    within = -np.ones((n, 1))
    blocks = [(M, -ones), (-M, -ones), (eye, within), (-eye, within)]
    upper = np.vstack([np.hstack(block) for block in blocks])
    limits = np.concatenate([D, -D, np.zeros(2 * n)])
    objective = np.append(np.zeros(n), 1.0)
    solved = linprog(objective, upper, limits, bounds=[(None, None)] * n + [(0, None)])
    return float(solved.x[-1]) if solved.x is not None and solved.status == 0 else 0.0
