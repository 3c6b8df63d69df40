"""A JAX function of pytrees as a `Program`: jit, custom_vjp and custom_jvp as they come.

The floating-point arrays among the arguments are kept as NumPy arrays, which can be written to; everything
else is handed on as it is. In a double precision program they are float64 and 64-bit numbers are switched on
around every call. Functions that can be traced are compiled once, since the same one is called hundreds of
times; those that cannot run as they are.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import islice
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from backproof.reference.contender import NotOffered
from backproof.reference.program import EPS, Output, checked_first, checked_outputs, dtype_of, upstream_name
from backproof.scratch.architecture import Array
from backproof.scratch.errors import InputError, InputTypeError

Function = Callable[[Sequence[Any]], list[Any]]  # the cells' arrays -> floating-point outputs

CONFIG: Any = jax.config  # its options are made at run time
REMEDY = "pass the key as an argument, or fix the seed inside f"
UNTRACEABLE = (TypeError, ValueError, NotImplementedError, RuntimeError)  # what concrete values are asked for
LEFT = 1e4  # roundings by which a compiled function may differ


def opened(f: Any, args: Sequence[Any], names: Sequence[str], dtype: str | None) -> "JaxProgram":
    """The program f(*args), its floating-point arrays in double precision (`dtype` float64), or as they are.

    Parameters
    ----------
    f
        A function of pytrees of arrays.
    args
        What it is called with.
    names
        One for every argument; what lies in it is named after it, ``x['w'][0]``.
    dtype
        "float64", or None: as they are.

    Returns
    -------
    JaxProgram
        Of the floating-point arrays among the arguments.

    Raises
    ------
    InputError
        Where there is no array to differentiate by, where outputs are not finite, or two calls differ.
    InputTypeError
        For complex numbers, and where no floating-point array is returned.
    """
    wide = dtype == "float64" or CONFIG.jax_enable_x64
    flat: list[tuple[str, Any]] = []  # the cell's name, or the value that is handed on
    cells: dict[str, NDArray[Any]] = {}
    shapes = []
    for arg, name in zip(args, names, strict=True):
        with_paths, shape = jax.tree_util.tree_flatten_with_path(arg)
        shapes.append((shape, len(with_paths)))
        for path, leaf in with_paths:
            label = name + jax.tree_util.keystr(path)
            if _is_floating(leaf, label):
                cells[label] = np.array(leaf, dtype=dtype or (None if wide else _narrow(leaf)))
            flat.append((label if label in cells else "", leaf))
    if not cells:
        raise InputError("f: nothing to check; expected floating-point arrays among the arguments")

    def call(arrays: Sequence[Any]) -> Any:
        at = dict(zip(cells, arrays, strict=True))
        values = iter([at[label] if label else leaf for label, leaf in flat])
        return f(*[jax.tree_util.tree_unflatten(shape, list(islice(values, n))) for shape, n in shapes])

    with _width(wide):
        returned = call([jnp.asarray(cell) for cell in cells.values()])
        with_paths, _ = jax.tree_util.tree_flatten_with_path(returned)
    parts = [("output" + jax.tree_util.keystr(path), leaf) for path, leaf in with_paths]
    kinds = [str(leaf.dtype) for _, leaf in parts if hasattr(leaf, "dtype")]
    floating = [hasattr(leaf, "dtype") and jnp.issubdtype(leaf.dtype, jnp.floating) for _, leaf in parts]
    outputs = [
        Output(name, int(leaf.size), str(leaf.dtype))
        for (name, leaf), chosen in zip(parts, floating, strict=True)
        if chosen
    ]
    checked_outputs(outputs, kinds, returned)

    def function(arrays: Sequence[Any]) -> list[Any]:
        found = jax.tree_util.tree_leaves(call(arrays))
        return [jnp.asarray(leaf) for leaf, chosen in zip(found, floating, strict=True) if chosen]

    return JaxProgram(function, cells, outputs, wide)


def _is_floating(leaf: Any, name: str) -> bool:
    if not hasattr(leaf, "dtype") or not hasattr(leaf, "shape"):
        return False
    if jnp.issubdtype(leaf.dtype, jnp.complexfloating):
        raise InputTypeError(
            f"{name}: expected real numbers, got {leaf.dtype}; let f take real and imaginary parts"
        )
    if not jnp.issubdtype(leaf.dtype, jnp.floating):
        return False
    if not np.isfinite(np.asarray(leaf).astype(np.float64)).all():
        raise InputError(f"{name}: expected finite numbers, found NaN or Inf; choose another point")
    return True


def _narrow(leaf: Any) -> Any:
    """The dtype that JAX gives it without 64-bit numbers."""
    return np.float32 if leaf.dtype == np.float64 else leaf.dtype


def undisturbed() -> AbstractContextManager[None]:
    """float32 is float32: on accelerators products would else be rounded further."""
    precision: AbstractContextManager[None] = jax.default_matmul_precision("float32")
    return precision


@contextmanager
def _width(wide: bool) -> Iterator[None]:
    with jax.enable_x64(wide):
        yield


class JaxProgram:
    """`Program` for JAX."""

    inside = ""  # not seen from outside

    def __init__(
        self, function: Function, cells: Mapping[str, Any], outputs: Sequence[Output], wide: bool
    ) -> None:
        self.function, self.cells, self.outputs, self._wide = function, dict(cells), list(outputs), wide
        self._forward: Callable[[list[Any]], list[Any]] = function
        first = self.values()
        checked_first(first, self.values(), self.outputs, REMEDY)
        self._compiled = self._compiles(first)

    def _compiles(self, eager: Array) -> bool:
        """Whether the function can be traced, and gives the same then."""
        compiled = jax.jit(self.function)
        try:
            with _width(self._wide):
                found = _in_a_row(compiled(self._arrays()))
        except UNTRACEABLE:
            return False
        allowed = LEFT * EPS[dtype_of(self.outputs)] * np.abs(eager).max(initial=0.0)
        if not np.abs(found - eager).max(initial=0.0) <= allowed:
            return False
        self._forward = compiled
        return True

    def _arrays(self) -> list[Any]:
        return [jnp.asarray(cell) for cell in self.cells.values()]

    def _maybe_compiled(self, derivative: Callable[..., Any]) -> Callable[..., Any]:
        return jax.jit(derivative) if self._compiled else derivative

    def values(self) -> Array:
        with _width(self._wide):
            return _in_a_row(self._forward(self._arrays()))

    def pull(self, c: Array) -> list[Array]:
        def pulled(arrays: list[Any], upstream: list[Any]) -> Any:
            _, vjp = jax.vjp(self.function, arrays)
            return vjp(upstream)[0]

        derivative = self._once("pull", pulled)
        found = [np.zeros((len(c), cell.size)) for cell in self.cells.values()]
        with _width(self._wide), _offered():
            shapes = jax.eval_shape(self.function, self._arrays()) if self._compiled else None
            parts = shapes or self.function(self._arrays())
            for number, row in enumerate(c):
                of_row = derivative(self._arrays(), _split(row, parts))
                for place, one in zip(found, of_row, strict=True):
                    place[number] = _in_a_row([one])
        return found

    def _once(self, name: str, derivative: Callable[..., Any]) -> Callable[..., Any]:
        """The same compiled function at every call."""
        kept: dict[str, Callable[..., Any]] = self.__dict__.setdefault("_derivatives", {})
        return kept.setdefault(name, self._maybe_compiled(derivative))

    def push(self, directions: Sequence[Array]) -> Array:
        def pushed(arrays: list[Any], tangents: list[Any]) -> Any:
            return jax.jvp(self.function, (arrays,), (tangents,))[1]

        with _width(self._wide), _offered():
            arrays = self._arrays()
            tangents = [_like(a, v) for a, v in zip(arrays, directions, strict=True)]
            return _in_a_row(self._once("push", pushed)(arrays, tangents))

    def backward(self) -> "JaxProgram":
        n = len(self.cells)
        rng = np.random.default_rng(0)
        with _width(self._wide):
            parts = self.function(self._arrays())
        upstream = {
            upstream_name(output.name): rng.standard_normal(part.shape).astype(part.dtype)
            for output, part in zip(self.outputs, parts, strict=True)
        }

        def function(arrays: Sequence[Any]) -> list[Any]:
            _, vjp = jax.vjp(self.function, list(arrays[:n]))
            return list(vjp(list(arrays[n:]))[0])

        outputs = [
            Output(f"gradient of {name}", int(cell.size), str(cell.dtype))
            for name, cell in self.cells.items()
        ]
        with _offered():
            return JaxProgram(function, {**self.cells, **upstream}, outputs, self._wide)


@contextmanager
def _offered() -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except (TypeError, ValueError, NotImplementedError) as error:
        raise NotOffered(f"JAX says: {' '.join(str(error).split())[:200]}") from error


def _in_a_row(arrays: Sequence[Any]) -> Array:
    return np.concatenate([np.asarray(array).astype(np.float64).ravel() for array in arrays])


def _like(model: Any, flat: Array) -> Any:
    return jnp.asarray(flat.reshape(model.shape), dtype=model.dtype)


def _split(row: Array, parts: Sequence[Any]) -> list[Any]:
    ends = np.cumsum([int(np.prod(part.shape)) for part in parts])
    pieces = np.split(row, ends[:-1])
    return [_like(part, piece) for part, piece in zip(parts, pieces, strict=True)]
