"""Other people's checkers on a function and a gradient of which nothing is known, each at its defaults.

    gradcheck       torch.autograd.gradcheck: one central difference of step 1e-6, |a - n| <= 1e-5 + 1e-3 |n|
    check_grads     jax.test_util.check_grads, reverse mode, in double precision
    check_grad      scipy.optimize.check_grad: forward differences; its norm counts as small below 1e-5 max(1,
    |g|)
    numdifftools    numdifftools.Gradient: extrapolated central differences, within rtol 1e-6
    autograd        autograd.test_util.check_grads, reverse mode

The last two are asked where they are installed. Each is given f and the claimed gradient as they are, wrapped
as a custom derivative rule where it insists on differentiating itself. A checker that raises has not
accepted.
"""

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np

from backproof.scratch.architecture import Array

Function = Callable[[Array], Any]
Checker = Callable[[Function, Array, Array], bool]  # f, the claimed gradient, theta -> accepted

REFUSALS = (AssertionError, ArithmeticError, ValueError, TypeError, RuntimeError)
SMALL = 1e-5  # check_grad returns a norm and leaves it to the reader what is small
RTOL = 1e-6


def _gradcheck(f: Function, gradient: Array, theta: Array) -> bool:
    from backproof.reference.torch_gradcheck import accepts

    flat = gradient.ravel()
    return accepts(lambda point: (float(f(point.reshape(theta.shape))), flat), theta.ravel())


def _check_grads(f: Function, gradient: Array, theta: Array) -> bool:
    import jax
    import jax.test_util

    with jax.enable_x64(True):
        scalar = jax.numpy.zeros(())

        @jax.custom_vjp
        def claimed(t: Any) -> Any:
            return jax.pure_callback(lambda point: np.float64(f(np.array(point))), scalar, t)

        claimed.defvjp(
            lambda t: (claimed(t), None), lambda _, upstream: (upstream * jax.numpy.asarray(gradient),)
        )
        jax.test_util.check_grads(  # type: ignore[no-untyped-call]  # JAX ships it unannotated
            claimed, (jax.numpy.asarray(theta),), order=1, modes=["rev"]
        )
    return True


def _check_grad(f: Function, gradient: Array, theta: Array) -> bool:
    from scipy.optimize import check_grad

    def flat_f(flat: Array) -> float:
        return float(f(flat.reshape(theta.shape)))

    def flat_gradient(flat: Array) -> Array:
        return gradient.ravel()

    norm = check_grad(flat_f, flat_gradient, theta.ravel())
    return bool(norm <= SMALL * max(1.0, float(np.linalg.norm(gradient))))


def _numdifftools(f: Function, gradient: Array, theta: Array) -> bool:
    numdifftools = importlib.import_module("numdifftools")
    found = numdifftools.Gradient(lambda flat: float(f(flat.reshape(theta.shape))))(theta.ravel())
    return bool(np.allclose(gradient.ravel(), np.atleast_1d(found), rtol=RTOL, atol=0))


def _autograd(f: Function, gradient: Array, theta: Array) -> bool:
    extend = importlib.import_module("autograd.extend")
    claimed = extend.primitive(lambda t: float(f(t)))
    extend.defvjp(claimed, lambda value, t: lambda upstream: upstream * gradient)
    importlib.import_module("autograd.test_util").check_grads(claimed, modes=["rev"], order=1)(theta)
    return True


_KNOWN: dict[str, tuple[str, Checker]] = {  # name: the package it takes, the checker
    "gradcheck": ("torch", _gradcheck),
    "check_grads": ("jax", _check_grads),
    "check_grad": ("scipy", _check_grad),
    "numdifftools": ("numdifftools", _numdifftools),
    "autograd": ("autograd", _autograd),
}


def installed() -> tuple[str, ...]:
    """The checkers that can be asked here."""
    return tuple(name for name, (package, _) in _KNOWN.items() if importlib.util.find_spec(package))


def accepts(checker: str, f: Function, gradient: Array, theta: Array) -> bool:
    """Whether it accepts this gradient, shaped as theta, of f at theta.

    Parameters
    ----------
    checker
        One of `installed`.
    f
        Takes an array shaped as theta and gives a real number.
    gradient
        What is claimed, shaped as theta.
    theta
        float64, of any shape.

    Returns
    -------
    bool
        False also where the checker raises.
    """
    try:
        with np.errstate(all="ignore"):
            return _KNOWN[checker][1](f, np.asarray(gradient, dtype=np.float64), theta)
    except REFUSALS:
        return False
