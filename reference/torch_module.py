"""A `torch.nn.Module` or `torch.autograd.Function` as functions of its tensors, everything else held.

What is returned, every floating-point tensor of it however nested, is one vector y. `outputs` gives y, and
`gradients` autograd's dL/dtheta of L = sum_i c_i y_i for all of the tensors. A float32 module is copied to
float64; where its kernels refuse that, it is taken as it is.
"""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from backproof.scratch.architecture import Array
from backproof.scratch.errors import InputError, InputTypeError


class TorchModule:
    """A copy of the module with its inputs; `tensors` names every one that has a gradient.

    Parameters go by their own names, floating-point inputs by ``input 0``, ``input 1``, ... Raises InputError
    where there is no such tensor, or where two calls give different values; InputTypeError where no
    floating-point tensor is returned.
    """

    def __init__(self, module: Callable[..., Any] | type, inputs: Sequence[Any]) -> None:
        self._set_up(module, inputs, torch.float64)
        if not self.tensors:
            raise InputError("module: nothing to check; expected parameters or floating-point inputs")
        try:
            first = self.outputs()
        except (RuntimeError, TypeError):  # torch's word for a kernel that takes no float64
            self._set_up(module, inputs, None)
            first = self.outputs()
        if not torch.equal(first, self.outputs()):
            raise InputError("module: two calls differ; call module.eval() first, or fix its seed")
        self.n_outputs = int(first.numel())

    def _set_up(
        self, module: Callable[..., Any] | type, inputs: Sequence[Any], dtype: torch.dtype | None
    ) -> None:
        self._arguments = [_leaf(value, dtype) for value in inputs]
        self.tensors: dict[str, torch.Tensor] = {}
        self._call = module
        if isinstance(module, torch.nn.Module):
            copied = copy.deepcopy(module)
            self._call = copied if dtype is None else copied.to(dtype)
            self.tensors = {name: p for name, p in self._call.named_parameters() if p.requires_grad}
        elif isinstance(module, type(torch.autograd.Function)):
            self._call = module.apply
        self.tensors |= {f"input {i}": a for i, a in enumerate(self._arguments) if _is_leaf(a)}

    def outputs(self) -> torch.Tensor:
        """y (n_outputs,), in float64, without a graph."""
        with torch.no_grad():
            return self._flat().double()

    def dtype_of_outputs(self) -> str:
        """The coarsest floating-point dtype that is returned."""
        with torch.no_grad():
            parts = list(_floating(self._call(*self._arguments)))
        coarsest = max((part.dtype for part in parts), key=lambda dtype: torch.finfo(dtype).eps)
        return str(coarsest).rpartition(".")[2]

    def gradients(self, c: Array) -> list[Array]:
        """Autograd's dL/dtheta for every row of c (m, n_outputs): per tensor (m, n).

        Zeros where it says that L does not depend on the tensor.
        """
        tensors = list(self.tensors.values())
        found = [np.zeros((len(c), tensor.numel())) for tensor in tensors]
        y = self._flat()
        if not y.requires_grad:
            return found
        for row, weights in enumerate(torch.from_numpy(c)):
            last = row == len(c) - 1
            of_row = torch.autograd.grad(
                y, tensors, weights.to(y.dtype), allow_unused=True, retain_graph=not last
            )
            for place, one in zip(found, of_row, strict=True):
                if one is not None:
                    place[row] = one.detach().reshape(-1).double().numpy()
        return found

    def _flat(self) -> torch.Tensor:
        returned = self._call(*self._arguments)
        parts = list(_floating(returned))
        if not parts:
            found = type(returned).__name__
            raise InputTypeError(f"module: expected it to return floating-point tensors, got {found}")
        coarse = [part.reshape(-1) for part in parts]
        return torch.cat([part.double() for part in coarse])


def _floating(returned: Any) -> Iterator[torch.Tensor]:
    """Every floating-point tensor in what is returned: tuples, lists, dicts, nested as they may be."""
    if isinstance(returned, torch.Tensor):
        if returned.is_floating_point():
            yield returned
    elif isinstance(returned, Mapping):
        for value in returned.values():
            yield from _floating(value)
    elif isinstance(returned, tuple | list):
        for value in returned:
            yield from _floating(value)


def _leaf(value: Any, dtype: torch.dtype | None) -> Any:
    if isinstance(value, torch.Tensor) and value.is_floating_point():
        return value.detach().to(dtype or value.dtype, copy=True).requires_grad_()
    return value


def _is_leaf(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.requires_grad
