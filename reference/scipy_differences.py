"""SciPy's own numerical differentiation, through its public functions: a witness for scratch's differences.

    2-point   scipy.optimize.approx_fprime: forward differences, step 1.5e-8
    3-point   scipy.optimize.least_squares, stopped before its first step: its Jacobian's central differences
    adaptive  scipy.differentiate.jacobian: order 8, steps shrunk until its own error estimate is met

Nothing here knows of networks: each takes a scalar function of a float64 vector. `loss_function` makes one of
any contender.
"""

from collections.abc import Callable

import numpy as np
from scipy import differentiate, optimize

from backproof.reference.contender import Contender
from backproof.scratch.architecture import Architecture, Array, Flat, Inputs, Targets

Function = Callable[[Array], float]


def two_point(f: Function, theta: Flat) -> Flat:
    """Forward differences, (n,). `theta` (n,) float64.

    Parameters
    ----------
    f
        Takes a vector like theta and gives a float.
    theta
        (n,) float64.

    Returns
    -------
    array (n,)
        scipy.optimize.approx_fprime's gradient, at its default step of 1.5e-8.
    """
    return np.asarray(optimize.approx_fprime(theta, f))


def three_point(f: Function, theta: Flat) -> Flat:
    """Central differences, (n,). `theta` (n,) float64.

    Parameters
    ----------
    f
        Takes a vector like theta and gives a float.
    theta
        (n,) float64.

    Returns
    -------
    array (n,)
        The Jacobian of scipy.optimize.least_squares before its first step.
    """

    def residuals(t: Array) -> Array:
        return np.array([f(t)])

    solution = optimize.least_squares(residuals, theta, jac="3-point", max_nfev=1)
    return np.asarray(solution.jac).reshape(theta.shape)


def adaptive(f: Function, theta: Flat, initial_step: float = 0.1) -> tuple[Flat, Flat]:
    """(gradient, its own error estimate), each (n,). `theta` (n,) float64.

    Parameters
    ----------
    f
        Takes a vector like theta and gives a float.
    theta
        (n,) float64.
    initial_step
        The longest step, as it is.

    Returns
    -------
    tuple of two arrays (n,)
        The gradient, and SciPy's own estimate of its error.
    """

    def vectorised(points: Array) -> Array:  # (n, ...) -> (...)
        return np.apply_along_axis(f, 0, points)

    result = differentiate.jacobian(vectorised, theta, initial_step=initial_step)
    return np.asarray(result.df), np.asarray(result.error)


def loss_function(contender: Contender, architecture: Architecture, x: Inputs, targets: Targets) -> Function:
    """The contender's loss as a function of the flat vector (n_parameters,): each call loads it anew.

    Parameters
    ----------
    contender
        It is loaded with other weights by every call.
    architecture
        Says where in the vector each layer's weights lie.
    x
        Inputs (batch, n_inputs).
    targets
        As the loss wants them.

    Returns
    -------
    function
        It takes theta (n_parameters,) and gives a float.
    """

    def loss(theta: Flat) -> float:
        weights = [
            (theta[weight].reshape(shape), theta[bias])
            for (weight, bias), shape in zip(
                architecture.layer_slices(), architecture.layer_shapes, strict=True
            )
        ]
        contender.load(architecture, weights)
        return contender.loss_and_gradient(x, targets)[0]

    return loss
