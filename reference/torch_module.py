"""A `torch.nn.Module` or `torch.autograd.Function` as scalar functions of one flat vector each.

What is returned, y, is made a number L = sum_i c_i y_i. `value` gives L and `gradient` autograd's dL/dtheta
for one of the module's tensors, everything in float64 and in NumPy.
"""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from backproof.scratch.architecture import Array
from backproof.scratch.errors import InputError, InputTypeError


class TorchModule:
    """A copy of the module in float64 with its inputs; `shapes` names every tensor that has a gradient.

    Parameters go by their own names, floating-point inputs by ``input 0``, ``input 1``, ... Raises ValueError
    where there is no such tensor, or where two calls give different values; TypeError where no floating-point
    tensor is returned.
    """

    def __init__(self, module: Callable[..., Any] | type, inputs: Sequence[Any]) -> None:
        self._arguments = [_leaf(value) for value in inputs]
        self._tensors: dict[str, torch.Tensor] = {}
        self._call = module
        if isinstance(module, torch.nn.Module):
            double = copy.deepcopy(module).double()
            self._call = double
            self._tensors = {name: p for name, p in double.named_parameters() if p.requires_grad}
        elif isinstance(module, type(torch.autograd.Function)):
            self._call = module.apply
        self._tensors |= {f"input {i}": a for i, a in enumerate(self._arguments) if _is_leaf(a)}
        if not self._tensors:
            raise InputError("module: nothing to check; expected parameters or floating-point inputs")
        with torch.no_grad():
            first, second = self._outputs(), self._outputs()
        if not torch.equal(first, second):
            raise InputError("module: two calls differ; call module.eval() first, or fix its seed")
        self.n_outputs = int(first.numel())
        self.shapes = {name: tuple(tensor.shape) for name, tensor in self._tensors.items()}

    def theta(self, name: str) -> Array:
        """A copy of this tensor, flat (n,)."""
        flat: Array = self._tensors[name].detach().reshape(-1).numpy().copy()
        return flat

    def move(self, name: str, theta: Array) -> None:
        """Set this tensor."""
        tensor = self._tensors[name]
        with torch.no_grad():
            tensor.copy_(torch.from_numpy(theta).reshape(tensor.shape))

    def value(self, c: Array) -> float:
        """L = sum_i c_i y_i; c (n_outputs,)."""
        with torch.no_grad():
            return float(torch.from_numpy(c) @ self._outputs())

    def gradient(self, name: str, c: Array) -> Array:
        """Autograd's dL/dtheta (n,) for this tensor; zeros where it says that L does not depend on it."""
        tensor = self._tensors[name]
        outputs = torch.from_numpy(c) @ self._outputs()
        if not outputs.requires_grad:
            return np.zeros(tensor.numel())
        found = torch.autograd.grad(outputs, [tensor], allow_unused=True)[0]
        return np.zeros(tensor.numel()) if found is None else found.detach().reshape(-1).numpy().copy()

    def _outputs(self) -> torch.Tensor:
        """Everything floating that is returned, as one vector."""
        returned = self._call(*self._arguments)
        several = list(returned) if isinstance(returned, tuple | list) else [returned]
        parts = [p for p in several if isinstance(p, torch.Tensor) and p.is_floating_point()]
        if not parts:
            found = type(returned).__name__
            raise InputTypeError(f"module: expected it to return floating-point tensors, got {found}")
        return torch.cat([part.reshape(-1) for part in parts])


def _leaf(value: Any) -> Any:
    if isinstance(value, torch.Tensor) and value.is_floating_point():
        return value.detach().to(torch.float64, copy=True).requires_grad_()
    return value


def _is_leaf(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.requires_grad
