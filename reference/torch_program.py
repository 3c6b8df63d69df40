"""A `torch.nn.Module`, `torch.autograd.Function` or function of tensors as a `Program`.

The module is copied, and every call has buffers of its own: running statistics that a call in training mode
moves are where they were. What a plain function closes over is not copied (and stays in its own precision),
but its buffers are kept likewise. The inputs are copies; integers and all else are handed on as they are.
"""

import copy
import functools
import inspect
import operator
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch.autograd import forward_ad

from backproof.reference.contender import NotOffered
from backproof.reference.nested import leaves, rebuilt
from backproof.reference.program import EPS, Output, checked_first, checked_outputs, upstream_name
from backproof.reference.torch_arithmetic import (
    Switches,
    double,
    double_module,
    doubled,
    kept_in,
    same_random_numbers,
    using,
)
from backproof.scratch.architecture import Array
from backproof.scratch.errors import InputError, InputTypeError

Named = dict[str, torch.Tensor]
NESTS = (Mapping, list, tuple)
Function = Callable[[Sequence[torch.Tensor]], Named]

REMEDY = (
    "call module.eval() first, or fix the seed inside f (torch.manual_seed), so that dropout and the like "
    "draw the same numbers"
)
MAKE_DUAL: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] = forward_ad.make_dual
UNPACK_DUAL: Callable[[torch.Tensor], Any] = forward_ad.unpack_dual


def opened(f: Any, args: Sequence[Any], names: Sequence[str], dtype: str | None) -> "TorchProgram":
    """The program f(*args), its floating-point tensors in "float64", or as they are.

    Parameters
    ----------
    f
        A function, module or `torch.autograd.Function`, or one with arguments bound by `functools.partial`.
    args
        What it is called with: nests of tensors.
    names
        One for every argument; what lies in it is named after it.
    dtype
        "float64", say, or None: as they are.

    Returns
    -------
    TorchProgram
        Of a module's trainable parameters, in a copy, and of the floating-point tensors among the arguments,
        copied too.

    Raises
    ------
    InputError
        Where a module cannot be copied, there is no tensor to differentiate by, where outputs are not finite,
        or two calls differ.
    InputTypeError
        For complex numbers, and where no floating-point tensor is returned.
    """
    wide = dtype == "float64"
    f, bound = _unwrapped(f)
    if isinstance(f, type) and issubclass(f, torch.autograd.Function):
        f = f.apply
    named = [pair for arg, name in zip(args, names, strict=True) for pair in leaves(arg, name)]
    arguments = [_leaf(value, wide, name) for name, value in named]
    cells: Named = {}
    if isinstance(f, torch.nn.Module):
        f = _copied(f, wide)
        cells = {name: p for name, p in f.named_parameters() if p.requires_grad}
        for name, parameter in cells.items():
            _refuse_complex(parameter, name)
    inputs = {
        name: a for (name, _), a in zip(named, arguments, strict=True) if _is_floating(a) and a.requires_grad
    }
    cells |= inputs
    if not cells:
        raise InputError("f: nothing to check; expected parameters or floating-point arguments")
    return TorchProgram(_Call(f, bound, args, arguments, cells, len(inputs)), cells)


@contextmanager
def undisturbed(own: Switches) -> Iterator[None]:
    """float32 is float32, and random states are put back; one thread, since a team costs small tensors more
    than it gives; no history is kept where none is asked for.

    Parameters
    ----------
    own
        The switches that are put back.

    Yields
    ------
    None
    """
    threads = torch.get_num_threads()
    with same_random_numbers(), using(own.full, own), torch.no_grad():
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)
            torch.clear_autocast_cache()


def _unwrapped(f: Any) -> tuple[Any, Mapping[str, object]]:
    """A `functools.partial` of a module with keywords alone is the module, with these."""
    if isinstance(f, functools.partial) and isinstance(f.func, torch.nn.Module) and not f.args:
        return f.func, f.keywords
    return f, {}


def _copied(module: torch.nn.Module, wide: bool) -> torch.nn.Module:
    try:
        copied = copy.deepcopy(module)
    except RuntimeError as error:  # a tensor with a history, kept as an attribute, cannot be copied
        raise InputError(
            f"f: expected a module that can be copied, got {error}; pass a function that calls it"
        ) from error
    return double_module(copied) if wide else copied


def _is_floating(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.is_floating_point()


def _refuse_complex(value: Any, name: str) -> None:
    if isinstance(value, torch.Tensor) and value.is_complex():
        raise InputTypeError(
            f"{name}: expected real numbers, got {value.dtype}; let f take real and imaginary parts"
        )


def _leaf(value: Any, wide: bool, name: str) -> Any:
    _refuse_complex(value, name)
    if not isinstance(value, torch.Tensor):
        return value
    if not _is_floating(value):
        return doubled(value) if wide else value
    if not torch.isfinite(value).all():
        raise InputError(f"{name}: expected finite numbers, found NaN or Inf; choose another point")
    copied = doubled(value.detach()).clone() if wide else value.detach().clone()
    return copied.requires_grad_()


class _Call:
    """f at any tensors in place of its own, with every buffer put back."""

    def __init__(
        self,
        f: Any,
        keywords: Mapping[str, object],
        args: Sequence[Any],
        arguments: Sequence[Any],
        cells: Named,
        n_inputs: int,
    ) -> None:
        self._f, self._keywords, self._args, self._arguments = f, keywords, tuple(args), list(arguments)
        self._own = list(cells.values())
        self._parameters = list(cells)[: len(cells) - n_inputs]
        self._buffers = _Buffers(_modules_of(f))
        self._moving = [_is_floating(a) and a.requires_grad for a in arguments]
        self._plain = len(args) == len(arguments) and not any(isinstance(a, NESTS) for a in args)
        self._checked: list[tuple[str, torch.dtype, int]] = []

    def __call__(self, tensors: Sequence[torch.Tensor]) -> Named:
        torch.clear_autocast_cache()  # rounded copies of weights, which may have been moved since
        self._buffers.copied()
        try:
            returned = self._returned(tensors)
        finally:
            self._buffers.put_back()
        every = _tensors_in(returned)
        self._check([(name, part.dtype, part.numel()) for name, part in every], returned)
        return {name: part for name, part in every if part.is_floating_point()}

    def _check(self, found: list[tuple[str, torch.dtype, int]], returned: Any) -> None:
        """Whether these names, dtypes and sizes will do; what the last call gave as well has been checked."""
        if found and found == self._checked:
            return
        outputs = [Output(name, size, _name_of(kind)) for name, kind, size in found if kind.is_floating_point]
        checked_outputs(outputs, [_name_of(kind) for _, kind, _ in found], returned)
        self._checked = found

    def _returned(self, tensors: Sequence[torch.Tensor]) -> Any:
        own = all(map(operator.is_, tensors, self._own))  # and so are the arguments
        inputs = iter(tensors[len(self._parameters) :])
        values = (
            self._arguments
            if own
            else [
                next(inputs) if moved else a for a, moved in zip(self._arguments, self._moving, strict=True)
            ]
        )
        # Nests are new ones at each call, since f may change them.
        args = tuple(values) if self._plain else rebuilt(self._args, iter(values))
        if own or not self._parameters:
            return self._f(*args, **self._keywords)
        parameters = dict(zip(self._parameters, tensors, strict=False))
        with warnings.catch_warnings():  # the copies of a recurrent module's weights lie apart: our doing
            warnings.filterwarnings("ignore", message="RNN module weights are not part of single contiguous")
            return torch.func.functional_call(self._f, parameters, args, dict(self._keywords))


def _tensors_in(returned: Any) -> list[tuple[str, torch.Tensor]]:
    """The tensors by their names, as `leaves` gives them; one, or a tuple of them, at once."""
    if type(returned) is torch.Tensor:
        return [("output", returned)]
    if type(returned) is tuple and all(type(part) is torch.Tensor for part in returned):
        return [(f"output[{i}]", part) for i, part in enumerate(returned)]
    return [(name, part) for name, part in leaves(returned, "output") if isinstance(part, torch.Tensor)]


def _kind(tensor: torch.Tensor) -> str:
    return _name_of(tensor.dtype)


def _name_of(dtype: torch.dtype) -> str:
    return str(dtype).rpartition(".")[2]


def _modules_of(f: Any) -> list[torch.nn.Module]:
    """f, or the modules that a function closes over, is a method of, or finds among its globals."""
    if isinstance(f, torch.nn.Module):
        return [f]
    if isinstance(f, functools.partial):
        return [m for part in (f.func, *f.args, *f.keywords.values()) for m in _modules_of(part)]
    owner = getattr(f, "__self__", None)
    found = [owner] if isinstance(owner, torch.nn.Module) else []
    if inspect.isfunction(f):
        around = inspect.getclosurevars(f)
        reached = [*around.nonlocals.values(), *around.globals.values()]
        found += [value for value in reached if isinstance(value, torch.nn.Module)]
    return found


class _Buffers:
    """Running statistics and the like: every call has copies of them, and what it does to these is lost."""

    def __init__(self, modules: Sequence[torch.nn.Module]) -> None:
        every = [inner for module in modules for inner in module.modules()]
        self._own = [(inner, dict(inner._buffers)) for inner in every if inner._buffers]

    def copied(self) -> None:
        for inner, own in self._own:
            inner._buffers.update({name: None if b is None else b.clone() for name, b in own.items()})

    def put_back(self) -> None:
        for inner, own in self._own:
            inner._buffers.clear()
            inner._buffers.update(own)


class TorchProgram:
    """`Program` for torch: `function` makes named outputs of tensors that stand for `cells`."""

    def __init__(self, function: Function, cells: Named) -> None:
        self.function, self.cells = function, cells
        self._leaves = list(cells.values())
        with torch.enable_grad():
            parts, kept = kept_in(lambda: function(self._leaves))
        self.outputs = [Output(name, part.numel(), _kind(part)) for name, part in parts.items()]
        said = [_kind(tensor) for tensor in (*self._leaves, *parts.values())]
        self.inside = kept if kept and EPS[kept] > max(EPS.get(kind, 0.0) for kind in said) else ""
        self._grad = False
        try:
            first = self._flat()
        except RuntimeError:  # a function that itself differentiates wants autograd on
            self._grad = True
            first = self._flat()
        checked_first(first, self._flat(), self.outputs, REMEDY)

    def _flat(self) -> Array:
        if torch.is_grad_enabled() == self._grad:
            return _in_a_row(self.function(self._leaves).values())
        with torch.set_grad_enabled(self._grad):
            return _in_a_row(self.function(self._leaves).values())

    def values(self) -> Array:
        try:
            return self._flat()
        except (RuntimeError, ValueError):  # it ran at the arguments: these lie outside its domain
            return np.full(sum(output.size for output in self.outputs), np.nan)

    def pull(self, c: Array) -> list[Array]:
        found = [np.zeros((len(c), leaf.numel())) for leaf in self._leaves]
        with torch.enable_grad(), _offered():
            parts = list(self.function(self._leaves).values())
            alive = [i for i, part in enumerate(parts) if part.requires_grad]
            for number, row in enumerate(c):
                weights = _split(row, parts)
                of_row = (
                    torch.autograd.grad(
                        [parts[i] for i in alive],
                        self._leaves,
                        [weights[i] for i in alive],
                        allow_unused=True,
                        retain_graph=number < len(c) - 1,
                    )
                    if alive
                    else ()
                )
                for place, one in zip(found, of_row, strict=False):
                    if one is not None:
                        place[number] = _in_a_row([one])
        return found

    def push(self, directions: Sequence[Array]) -> Array:
        with torch.no_grad(), forward_ad.dual_level(), _offered():
            duals = [
                _dual(leaf.detach(), _like(leaf, direction))
                for leaf, direction in zip(self._leaves, directions, strict=True)
            ]
            tangents = [
                torch.zeros_like(part) if tangent is None else tangent
                for part in self.function(duals).values()
                for tangent in [UNPACK_DUAL(part).tangent]
            ]
            return _in_a_row(tangents)

    def backward(self) -> "TorchProgram":
        n = len(self._leaves)
        with torch.no_grad():
            parts = self.function(self._leaves)
        generator = torch.Generator().manual_seed(0)
        upstream = {
            upstream_name(name): torch.randn(part.shape, generator=generator, dtype=torch.float64)
            .to(part.dtype)
            .to(part.device)
            .requires_grad_()
            for name, part in parts.items()
        }
        names = [f"gradient of {name}" for name in self.cells]

        def function(tensors: Sequence[torch.Tensor]) -> Named:
            with torch.enable_grad():
                outputs = self.function(tensors[:n]).values()
                pairs = [(y, c) for y, c in zip(outputs, tensors[n:], strict=True) if y.requires_grad]
                found = torch.autograd.grad(
                    [y for y, _ in pairs],
                    list(tensors[:n]),
                    [c for _, c in pairs],
                    create_graph=True,
                    materialize_grads=True,
                )
            return dict(zip(names, found, strict=True))

        with _offered():
            program = TorchProgram(function, {**self.cells, **upstream})
            if any(_refuses(part.grad_fn) for part in function(list(program.cells.values())).values()):
                raise NotOffered("torch says: a backward pass is marked as once_differentiable")
            return program


def _refuses(node: Any) -> bool:
    """Whether a graph ends in the error that torch keeps for a derivative that nobody has written."""
    waiting, seen = [node], set()
    while waiting:
        one = waiting.pop()
        if one is None or one in seen:
            continue
        if "Error" in one.name():
            return True
        seen.add(one)
        waiting += [following for following, _ in one.next_functions]
    return False


def _dual(value: torch.Tensor, tangent: torch.Tensor) -> torch.Tensor:
    with warnings.catch_warnings():  # the first of them loads torch's rules, by a way that torch deprecates
        warnings.filterwarnings("ignore", message=".*torch.jit.script.*", category=DeprecationWarning)
        return MAKE_DUAL(value, tangent)


@contextmanager
def _offered() -> Iterator[None]:
    try:
        yield
    except (RuntimeError, NotImplementedError) as error:
        raise NotOffered(f"torch says: {' '.join(str(error).split())[:200]}") from error


def _in_a_row(tensors: Any) -> Array:
    """A copy of all their numbers."""
    row = [_numbers(tensor) for tensor in tensors]
    found: Array = np.concatenate(row) if len(row) > 1 else row[0]
    return found


def _numbers(tensor: torch.Tensor) -> Array:
    found: Array
    if tensor.dtype is torch.float64 and type(tensor) is torch.Tensor and _is_ordinary(tensor):
        found = tensor.detach().numpy().flatten()
    else:
        found = double(tensor).cpu().reshape(-1).clone().numpy()
    return found


def _is_ordinary(tensor: torch.Tensor) -> bool:
    """Whether NumPy reads it where it lies."""
    return tensor.is_cpu and tensor.layout is torch.strided and not tensor.is_neg()


def _like(model: torch.Tensor, flat: Array) -> torch.Tensor:
    """The dtype first: a device may have no double precision."""
    return torch.from_numpy(flat).reshape(model.shape).to(model.dtype).to(model.device)


def _split(row: Array, parts: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    ends = np.cumsum([part.numel() for part in parts])[:-1]
    return [_like(part, flat) for part, flat in zip(parts, np.split(row, ends), strict=True)]
