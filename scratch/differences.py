"""Numerical differentiation of any scalar function of a vector: the textbook way.

    forward_difference   (f(t + h) - f(t)) / h           error  h/2 |f''|  + 2 e / h
    central_difference   (f(t + h) - f(t - h)) / 2h      error  h^2/6 |f'''| + e / h

with t one entry of theta, all others held, and e the absolute error of one evaluation of f. The sum of
truncation (first term) and rounding (second) is least near h = eps^(1/2) for the forward and eps^(1/3) for
the central difference, times the scale of t (Gill, Murray, Saunders, Wright 1983; Nocedal, Wright 2006,
section 8.1). Steps are made exactly representable, h = (t + h) - t, so that the quotient divides by the
step that was really taken.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from scratch.architecture import Array

Function = Callable[[Array], Any]  # theta (n,) -> a scalar of its dtype


def step_sizes(theta: Array, order: int) -> Array:
    """Per entry, eps^(1 / (order + 1)) * max(1, |t|), representable; the truncation error is O(h^order)."""
    eps = np.finfo(theta.dtype).eps
    h = np.power(eps, 1.0 / (order + 1)) * np.maximum(1.0, np.abs(theta))
    steps: Array = (theta + h.astype(theta.dtype)) - theta
    return steps


def forward_difference(f: Function, theta: Array) -> Array:
    """(f(t + h) - f(t)) / h per entry of theta (n,): n + 1 evaluations. `theta` is left as it was."""
    steps = step_sizes(theta, order=1)
    gradient = np.empty_like(theta)
    base = f(theta)
    for i, h in enumerate(steps):
        gradient[i] = (_perturbed(f, theta, i, h) - base) / h
    return gradient


def central_difference(f: Function, theta: Array) -> Array:
    """(f(t + h) - f(t - h)) / 2h per entry of theta (n,): 2 n evaluations. `theta` is left as it was."""
    steps = step_sizes(theta, order=2)
    gradient = np.empty_like(theta)
    for i, h in enumerate(steps):
        gradient[i] = (_perturbed(f, theta, i, h) - _perturbed(f, theta, i, -h)) / (2 * h)
    return gradient


def _perturbed(f: Function, theta: Array, i: int, h: Any) -> Any:
    """f with entry i moved by h. The entry is put back bit for bit, also when f raises."""
    kept = theta[i]
    theta[i] = kept + h
    try:
        return f(theta)
    finally:
        theta[i] = kept
