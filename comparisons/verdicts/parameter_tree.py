"""Parameters as people keep them (an array, a list, a dict, any nesting of them) as named flat tensors.

    {"W1": (3, 2), "b1": (2,)}   ->   params["W1"], params["b1"]        entry 5 of the first: params["W1"][2,
    1]
    [(W1, b1), (W2, b2)]         ->   params[0][0], params[0][1], params[1][0], ...

NumPy, torch and JAX arrays are read and made without importing a framework: each array makes others like
itself. A NumPy array is handed on in double precision (a float32 network whose formulas take any dtype is so
judged in a float64 shadow); torch and JAX arrays keep their dtype, which their functions insist on.
"""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backproof.comparisons.verdicts.function_noise import grid
from backproof.comparisons.verdicts.shapes import Entries
from backproof.reference.nested import ROOT, leaves
from backproof.scratch.architecture import Array
from backproof.scratch.errors import InputError, InputTypeError

FLOATING = ("float64", "float32", "float16", "bfloat16", "float128")


def dtype_name(array: Any) -> str:
    """``float32`` for NumPy's, JAX's and torch's float32.

    Parameters
    ----------
    array
        NumPy's, JAX's, torch's, or what NumPy makes an array of.

    Returns
    -------
    str
        The name without the library's prefix.
    """
    dtype = array.dtype if hasattr(array, "dtype") else np.asarray(array).dtype
    return str(dtype).rpartition(".")[2]


def is_torch(array: Any) -> bool:
    """Whether it is a torch tensor, told without importing torch.

    Parameters
    ----------
    array
        Anything.

    Returns
    -------
    bool
        True also for what has a tensor's `new_tensor`.
    """
    return type(array).__module__.partition(".")[0] == "torch" or hasattr(array, "new_tensor")


def as_numpy(array: Any) -> Array:
    """A float64 copy (complex128 of complex numbers), whatever made the array; None is no array.

    Parameters
    ----------
    array
        NumPy's, JAX's, torch's (on any device), or nested lists of numbers.

    Returns
    -------
    array
        Of the same shape; it belongs to the caller.

    Raises
    ------
    InputTypeError
        For what NumPy makes no numbers of.
    """
    if is_torch(array):
        dense = array.detach().to_dense() if "sparse" in str(array.layout) else array.detach()
        on_cpu = dense.cpu().resolve_conj().resolve_neg()
        array = (on_cpu if on_cpu.is_complex() else on_cpu.double()).numpy()
    plain = np.asarray(array)
    kind = np.complex128 if plain.dtype.kind == "c" else np.float64
    try:
        return plain.astype(kind, copy=True)
    except (TypeError, ValueError):
        raise InputTypeError(f"expected an array of numbers, got {type(array).__name__}") from None


def like(model: Any, values: Array) -> Any:
    """An array of the model's kind with these float64 values: torch's and JAX's keep their dtype.

    Parameters
    ----------
    model
        An array of the library that is wanted.
    values
        float64, of the model's shape.

    Returns
    -------
    array
        A copy in the model's dtype; of NumPy arrays in float64.
    """
    if is_torch(model):
        on_cpu = model.detach().new_empty(0, device="cpu").new_tensor(values)  # a device may have no float64
        return on_cpu.to(model.device)
    if type(model).__module__.partition(".")[0] in ("jax", "jaxlib"):
        return model.__array_namespace__().asarray(values, dtype=model.dtype)
    return values.copy()


@dataclass(frozen=True)
class Tensor:
    """One array of the parameters."""

    name: str
    shape: tuple[int, ...]
    flat: Entries  # float64, as it was found
    original: Any

    def entry(self, index: int) -> str:
        """``params["W1"][3, 1]``."""
        place = ", ".join(str(int(i)) for i in np.unravel_index(index, self.shape))
        return f"{self.name}[{place}]" if self.shape else self.name


def tensors(tree: Any, argument: str = ROOT) -> list[Tensor]:
    """Every array of the parameters, checked.

    Parameters
    ----------
    tree
        An array, or dicts, lists and tuples of them.
    argument
        The name the tensors' names begin with.

    Returns
    -------
    list of Tensor
        In the order in which the nest is read.

    Raises
    ------
    InputError
        For numbers that are not finite, or no numbers at all.
    InputTypeError
        For integers and complex numbers.
    """
    found = []
    for name, array in leaves(tree):
        label = name.replace(ROOT, argument, 1)
        kind = dtype_name(array)
        if "complex" in kind:
            raise InputTypeError(
                f"{label}: expected real numbers, got {kind}; take real and imaginary parts apart"
            )
        if kind not in FLOATING:
            raise InputTypeError(
                f"{label}: expected floating-point numbers, got {kind}; convert them to float64"
            )
        values = as_numpy(array)
        if not np.isfinite(values).all():
            raise InputError(f"{label}: expected finite numbers, found NaN or Inf; choose another point")
        found.append(Tensor(label, values.shape, values.ravel(), array))
    if not sum(tensor.flat.size for tensor in found):
        raise InputError(f"{argument}: expected at least one number, got none")
    return found


def matching(tree: Any, expected: Sequence[Tensor], argument: str) -> tuple[list[Entries], str]:
    """The arrays of a tree with the names and shapes of the parameters, and their coarsest dtype.

    Parameters
    ----------
    tree
        Nested as the parameters are.
    expected
        The parameters.
    argument
        The tree's own name, for messages.

    Returns
    -------
    tuple
        One float64 array (n,) per parameter, and the dtype's name.

    Raises
    ------
    InputError
        Where names or shapes differ.
    InputTypeError
        For complex numbers and what is no array.

    Notes
    -----
    A dtype is also known by its grid: float32 numbers are that in whatever dtype they come.
    """
    given = {name.removeprefix(ROOT): array for name, array in leaves(tree)}
    wanted = [tensor.name.removeprefix(ROOT) for tensor in expected]
    if len(given) != len(wanted):
        raise InputError(f"{argument}: expected {len(wanted)} arrays as in params, got {len(given)}")
    missing = [name for name in wanted if name not in given]
    if missing:
        found = ", ".join(argument + name for name in given)
        raise InputError(f"{argument}: expected {argument}{missing[0]} as in params, got {found}")
    flat, kinds = [], []
    for name, tensor in zip(wanted, expected, strict=True):
        values, kind = _matched(given[name], tensor, argument + name)
        flat.append(values.ravel())
        kinds += [kind, grid(values)]
    return flat, coarsest(kinds)


def _matched(array: Any, tensor: Tensor, name: str) -> tuple[Array, str]:
    if array is None:
        raise InputTypeError(f"{name}: expected an array of shape {tensor.shape}, got None; pass zeros")
    kind, values = dtype_name(array), as_numpy(array)
    if "complex" in kind:
        raise InputTypeError(f"{name}: expected real numbers, got {kind}; take the real part")
    if values.shape != tensor.shape:
        raise InputError(f"{name}: expected shape {tensor.shape} as {tensor.name}'s, got {values.shape}")
    return values, kind


def coarsest(kinds: Sequence[str]) -> str:
    """The dtype with the fewest digits.

    Parameters
    ----------
    kinds
        Names of dtypes.

    Returns
    -------
    str
        "float64" of none, and of names that are not known.
    """
    order = ("bfloat16", "float16", "float32")
    return next((kind for kind in order if kind in kinds), "float64")


class InPlace:
    """Arrays that a function reads by itself: moved where they are, and put back bit for bit."""

    def __init__(self, found: Sequence[Tensor]) -> None:
        for tensor in found:
            array = tensor.original
            writable = is_torch(array) or (isinstance(array, np.ndarray) and array.flags.writeable)
            if not writable:
                raise InputTypeError(
                    f"{tensor.name}: a function without arguments is checked by moving its parameters, "
                    f"and {type(array).__name__} cannot be written to; let the function take them"
                )
        self._places = [_Place.of(tensor.original) for tensor in found]

    def write(self, number: int, values: Entries) -> Entries:
        """Set one of them; returns what its dtype made of the values, in float64 (n,)."""
        return self._places[number].write(values)

    def restore(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            self._places[number].restore()


@dataclass(frozen=True)
class _Place:
    """Where the numbers of one array lie, and what they were: all that writing to it need not ask again."""

    original: Any
    kept: Any
    torch: Any  # the module, of torch's tensors
    plain: bool  # of them, those that torch copies NumPy's numbers to in one call
    wide: bool  # float64: what is written is what is there
    shared: "_Shared | None"  # where NumPy may write them, which is quicker at few of them

    @classmethod
    def of(cls, original: Any) -> "_Place":
        torch: Any = sys.modules.get("torch") if is_torch(original) else None
        plain = torch is not None and type(original) in (torch.Tensor, torch.nn.Parameter)
        on_cpu = plain and original.device.type == "cpu" and original.layout == torch.strided
        wide = dtype_name(original) == "float64"
        shares = on_cpu and wide and original.is_contiguous() and not original.is_neg()
        shared = _Shared.of(original) if shares else None
        return cls(original, _copy(original), torch, on_cpu, wide, shared)

    @property
    def data(self) -> Any:
        """What can be written to, without autograd's notice."""
        return self.original.detach() if is_torch(self.original) else self.original

    def write(self, values: Entries) -> Entries:
        if self.shared is not None and self.shared.holds(self.original):
            self.shared.numbers[:] = values
            return values
        shaped = values.reshape(tuple(self.original.shape))
        if self.plain:
            self.original.detach().copy_(self.torch.from_numpy(shaped))
        else:
            self.data[...] = like(self.original, shaped)
        if self.torch is not None:  # autocast keeps rounded copies, of what it was before
            self.torch.clear_autocast_cache()
        return values if self.wide else as_numpy(self.original).ravel()

    def restore(self) -> None:
        if self.shared is not None and self.shared.holds(self.original):
            self.shared.numbers[:] = self.shared.kept
        else:
            self.data[...] = self.kept


@dataclass(frozen=True)
class _Shared:
    """The memory of a torch tensor in double precision, as NumPy sees it."""

    numbers: Entries
    kept: Entries
    address: int

    @classmethod
    def of(cls, tensor: Any) -> "_Shared":
        numbers = tensor.detach().numpy().reshape(-1)
        return cls(numbers, numbers.copy(), tensor.data_ptr())

    def holds(self, tensor: Any) -> bool:
        """Whether the tensor still lies there: ``tensor.data = other`` gives it other memory."""
        return bool(tensor.data_ptr() == self.address)


def _copy(array: Any) -> Any:
    return array.detach().clone() if is_torch(array) else array.copy()
