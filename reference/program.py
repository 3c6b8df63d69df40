"""A differentiable function in a framework, seen from outside: numbers in, numbers out, its derivatives.

Of a program y(theta) with everything but its tensors held, y all its floating-point outputs in one row:

    values()      y                                 (n_outputs,)
    pull(c)       c y'       reverse mode: vector-Jacobian products, one for each row of c
    push(v)       y' v       forward mode: a Jacobian-vector product
    backward()    the program (theta, C) -> sum_o C_o dy_o/dtheta: the backward pass

All numbers that cross are float64 NumPy arrays. The tensors are arrays that can be written to: whoever moves
theta writes into `cells`, and the program reads them at its next call. `NotOffered` says that a framework has
no such derivative of this function.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from backproof.scratch.architecture import Array
from backproof.scratch.errors import InputError, InputTypeError

EPS = {
    "float64": 2.0**-52,
    "float32": 2.0**-23,
    "tf32": 2.0**-10,  # float32 whose products are rounded like float16
    "float16": 2.0**-10,
    "bfloat16": 2.0**-7,
}
AGAIN = 0.75  # two calls may differ by this power of eps, of what is largest: sums in an order of their own


@dataclass(frozen=True)
class Output:
    """One floating-point tensor that is returned."""

    name: str
    size: int
    dtype: str


class Program(Protocol):
    """As the module says."""

    @property
    def cells(self) -> Mapping[str, Any]:
        """The tensors by their names: torch tensors or NumPy arrays."""

    @property
    def outputs(self) -> Sequence[Output]: ...

    @property
    def inside(self) -> str:
        """A coarser format than all of these, in which it is seen to compute in between; else ""."""

    def values(self) -> Array:
        """y, (n_outputs,); NaN outside the function's domain."""

    def pull(self, c: Array) -> list[Array]:
        """c J, the products with the Jacobian from the left: reverse mode, as the framework differentiates.

        Parameters
        ----------
        c
            Weights of the outputs (m, n_outputs), float64.

        Returns
        -------
        list of arrays
            For every tensor (m, n), float64: zeros where y does not depend on it.

        Raises
        ------
        NotOffered
            Where the framework refuses to differentiate.
        """

    def push(self, directions: Sequence[Array]) -> Array:
        """J v, the product with the Jacobian from the right: forward mode.

        Parameters
        ----------
        directions
            v as one vector (n,) for every tensor, float64.

        Returns
        -------
        array (n_outputs,)
            In float64.

        Raises
        ------
        NotOffered
            Where the framework has no forward mode for this function.
        """

    def backward(self) -> "Program":
        """The backward pass as a program of the tensors and of the ``upstream`` gradients."""


def dtype_of(outputs: Sequence[Output]) -> str:
    """The coarsest dtype among the outputs.

    Parameters
    ----------
    outputs
        One at least.

    Returns
    -------
    str
        Such as "float32".
    """
    return max((output.dtype for output in outputs), key=lambda name: EPS.get(name, 0.0))


def upstream_name(output: str) -> str:
    """``upstream`` of ``output``, ``upstream['loss']`` of ``output['loss']``.

    Parameters
    ----------
    output
        Its name, which begins with "output".

    Returns
    -------
    str
        That of the gradient that comes to it from above.
    """
    return "upstream" + output.removeprefix("output")


def checked_first(first: Array, second: Array, outputs: Sequence[Output], remedy: str) -> None:
    """Raise InputError unless two calls gave the same finite numbers, or all but the same.

    Parameters
    ----------
    first, second
        y (n_outputs,) of two calls with the same arguments.
    outputs
        Whose entries these are, in their order.
    remedy
        What would make two calls agree, for the message.

    Raises
    ------
    InputError
        For NaN, Inf, or numbers that differ.

    Notes
    -----
    A device that adds in an order of its own gives the same but for rounding. Dropout and the like differ by
    more than eps^(3/4) of the largest number, which is 2e-12 in float64.
    """
    start = 0
    for output in outputs:
        part = slice(start, start + output.size)
        if not np.isfinite(first[part]).all():
            raise InputError(
                f"f: expected finite numbers, found NaN or Inf in {output.name}; choose other arguments"
            )
        apart = np.abs(second[part] - first[part]).max(initial=0.0)
        if not apart <= EPS.get(output.dtype, 0.0) ** AGAIN * np.abs(first[part]).max(initial=0.0):
            raise InputError(f"f: two calls with the same arguments differ; {remedy}")
        start += output.size


def checked_outputs(outputs: Sequence[Output], kinds: Sequence[str], returned: object) -> None:
    """Raise InputTypeError for complex outputs, and where there is no floating-point one.

    Parameters
    ----------
    outputs
        The floating-point tensors among what was returned.
    kinds
        The dtypes of all tensors that were returned.
    returned
        What was returned, whose type is told where there is no tensor.

    Raises
    ------
    InputError
        For outputs without any entry.
    InputTypeError
        For complex numbers, and where no floating-point tensor is returned.
    """
    if any("complex" in kind for kind in kinds):
        raise InputTypeError("f: expected real outputs, found complex ones; return real and imaginary parts")
    if not outputs:
        found = ", ".join(kinds) or type(returned).__name__
        raise InputTypeError(f"f: expected it to return floating-point tensors, got {found}")
    if not sum(output.size for output in outputs):
        raise InputError("f: expected outputs with at least one entry, got empty ones")
