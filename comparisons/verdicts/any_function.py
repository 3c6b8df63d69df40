"""A verdict on the gradient of any scalar function, of which nothing is known but its values.

    check_gradient(f, gradient, params)

Where a network's own arithmetic is known there are bounds (`network_bounds`); here there are estimates,
called so:

    noise          how far one value of f is off: its dtype, its grid, a difference table       function_noise
    slope          central quotients in windows of steps, coarse and fine, that must agree      step_windows
    one line       the claimed slope against these; kinks; zeros                                line_judge
    one tensor     its entries one by one, all of them along random directions                  tensor_judge
                   what was seen of it, in words                                                tensor_verdict
    a gradient     all tensors of all functions, and one verdict                                gradient_judge

Each is multiplied by SAFETY: good guesses, counted over a campaign of known functions (`backproof gradients
--functions`), not bounds that hold in every case.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from backproof.comparisons.verdicts.function_line import Point
from backproof.comparisons.verdicts.gradient_judge import Choice, Claims, judge
from backproof.comparisons.verdicts.gradient_noise import GradientNoise
from backproof.comparisons.verdicts.gradient_verdict import GradientVerdict
from backproof.comparisons.verdicts.parameter_tree import Tensor, matching, tensors
from backproof.comparisons.verdicts.shapes import Chosen
from backproof.reference.nested import leaves
from backproof.scratch.architecture import Array
from backproof.scratch.errors import InputError, InputTypeError, expect


def check_gradient(
    f: Callable[..., Any],
    gradient: Any,
    params: Any,
    *,
    entries: Any = None,
    resolution: float | None = None,
    name: Callable[[int], str] | None = None,
    seed: int = 0,
) -> GradientVerdict:
    """Is `gradient` the derivative of f at `params`, entry by entry; and if not, what may be the cause?

    Parameters
    ----------
    f
        Takes the parameters and gives a real number; or takes nothing and reads them itself: they are then
        moved in place, and put back bit for bit, also where it raises. A NumPy array is handed on as a
        float64 copy.
    gradient
        What is to be judged, nested and shaped like `params`; or a function, called as f is, that gives it.
    params
        An array, a list, a dict or any nesting of them, of NumPy, torch or JAX arrays.
    entries
        Indices into the flattened array, or a boolean mask; for several arrays nested like them. By default
        all entries of a tensor of up to 64, else 20 of them, and all of them along 8 random directions.
    resolution
        The relative error of a tensor that must be seen before it may PASS; by default 1e-6 where f gives
        float64 numbers, 1e-3 for float32, 5e-3 below. Every single entry is known to 5e-3 at least.
    name
        Names entry i of a single array; by default ``params[3, 1]``, ``params["W1"][3, 1]``.
    seed
        Of the entries and directions drawn.

    Returns
    -------
    GradientVerdict
        A verdict per tensor and one overall, true only where it is a PASS; a FAIL has its `causes`. Some 4
        evaluations of f for each entry or direction, about 70 where these do not decide.

    Raises
    ------
    InputError
        For parameters that are not finite, shapes that differ, entries out of range, or f(params) not finite.
    InputTypeError
        For integer or complex numbers, and where f gives no real number.
    """
    expect(
        resolution is None or 0 < resolution < 1, f"resolution: expected a number in (0, 1), got {resolution}"
    )
    tree = _listed(params)
    found = tensors(tree)
    point = Point(f, tree, found, _takes_nothing(f))
    split = _of_one_function(found)
    given = point.call(gradient) if callable(gradient) else gradient
    claimed, kind = matching(_listed(given), found, "gradient")
    own = GradientNoise(point, gradient, split, seed) if callable(gradient) else None
    claims = Claims([flat[None] for flat in claimed], kind, own)
    return judge(point, claims, Choice(chosen_entries(entries, found), resolution, seed), name)


def _of_one_function(found: Sequence[Tensor]) -> Callable[[Any], list[Array]]:
    return lambda given: [flat[None] for flat in matching(_listed(given), found, "gradient")[0]]


def _listed(tree: Any) -> Any:
    """Generators, such as ``net.parameters()``, become lists."""
    if (
        isinstance(tree, Mapping | Sequence | str)
        or hasattr(tree, "__array__")
        or not hasattr(tree, "__iter__")
    ):
        return tree
    return list(tree)


def _takes_nothing(f: Callable[..., Any]) -> bool:
    try:
        return not inspect.signature(f).parameters
    except (TypeError, ValueError):  # built-in functions have no signature: they take what they are given
        return False


def chosen_entries(entries: Any, found: Sequence[Tensor]) -> list[Chosen | None]:
    """Indices into every flat tensor, None for all of one.

    Parameters
    ----------
    entries
        Indices or a boolean mask of a single tensor; for several, nested like them; None for all of all.
    found
        The tensors.

    Returns
    -------
    list of arrays or None
        One for each tensor, indices (chosen,) from 0.

    Raises
    ------
    InputError
        For indices out of range, masks of another shape, or another number of arrays.
    InputTypeError
        For what is neither integers nor truth values.
    """
    if entries is None:
        return [None] * len(found)
    if len(found) == 1:
        return [_indices(entries, found[0])]
    given = [value for _, value in leaves(entries)]
    if len(given) != len(found):
        raise InputError(f"entries: expected one selection for each of {len(found)} arrays, got {len(given)}")
    return [None if one is None else _indices(one, tensor) for one, tensor in zip(given, found, strict=True)]


def _indices(entries: Any, tensor: Tensor) -> Array:
    plain, n = np.asarray(entries), tensor.flat.size
    if plain.dtype == bool:
        if plain.shape != tensor.shape and plain.shape != (n,):
            raise InputError(f"entries: expected a mask of shape {tensor.shape}, got {plain.shape}")
        return np.flatnonzero(plain)
    if plain.size and plain.dtype.kind not in "iu":
        raise InputTypeError(f"entries: expected integers or a boolean mask, got {plain.dtype}")
    indices: Array = plain.astype(np.intp).ravel()
    if indices.size and (indices.min() < -n or indices.max() >= n):
        raise InputError(f"entries: expected indices 0 .. {n - 1}, got {indices.min()} .. {indices.max()}")
    return indices % n if n else indices
