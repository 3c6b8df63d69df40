"""`check_module`: the backward pass of a `torch.nn.Module` or `torch.autograd.Function`, tensor by tensor.

What a module y = m(x; theta) returns is made a number, L = sum_i c_i y_i, with c drawn from the normal
distribution: of both signs, so that errors cannot add up to nothing by design, and two draws of it, so that
they do not by chance. Autograd's dL/dtheta is then held against the values of L (`comparisons.blackbox`): a
verdict for every parameter and every floating-point input.

Differences need double precision. A float32 module is copied to float64 first: what is checked are its
formulas, not its rounding.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from comparisons.blackbox import check_gradient
from comparisons.verdict import FAIL, INCONCLUSIVE, PASS, Verdict
from scratch.architecture import Array

PROJECTIONS = 2


@dataclass(frozen=True)
class _Network:
    """The outputs as a function of named float64 tensors, which are changed in place."""

    call: Callable[[], Any]
    tensors: Mapping[str, torch.Tensor]

    def outputs(self) -> torch.Tensor:
        """Everything floating that is returned, as one vector."""
        returned = self.call()
        several = list(returned) if isinstance(returned, tuple | list) else [returned]
        parts = [p for p in several if isinstance(p, torch.Tensor) and p.is_floating_point()]
        if not parts:
            raise TypeError(
                f"module: expected it to return floating-point tensors, got {type(returned).__name__}"
            )
        return torch.cat([part.reshape(-1) for part in parts])


def check_module(
    module: Callable[..., Any] | type[torch.autograd.Function],
    *inputs: Any,
    max_entries: int = 20,
    seed: int = 0,
) -> dict[str, Verdict]:
    """Is autograd's gradient of `module(*inputs)` right, for every parameter and every floating-point input?

    `module` is a `torch.nn.Module`, a `torch.autograd.Function` or a function of tensors. It is not changed.
    Inputs are as it takes them; floating-point ones become float64. Returns a verdict per tensor: parameters
    by their names, inputs as ``input 0``, ``input 1``, ... Of each tensor at most `max_entries` entries are
    checked, drawn with `seed`; each costs 20 to 50 evaluations.

    Raises ValueError where there is nothing to check, or where the module gives different values for the same
    inputs (dropout: call ``module.eval()`` first); TypeError where it returns no floating-point tensor.
    """
    if max_entries < 1:
        raise ValueError(f"max_entries: expected at least 1, got {max_entries}")
    network = _prepared(module, inputs)
    if not network.tensors:
        raise ValueError("module: nothing to check; expected parameters or floating-point inputs")
    with torch.no_grad():
        if not torch.equal(network.outputs(), network.outputs()):
            raise ValueError(
                "module: two calls gave different values; call module.eval() first, or fix its seed"
            )
    rng = np.random.default_rng(seed)
    size = int(network.outputs().numel())
    projections = [torch.from_numpy(rng.standard_normal(size)) for _ in range(PROJECTIONS)]
    return {
        name: _worst([_judge(network, name, c, _entries(tensor, max_entries, seed)) for c in projections])
        for name, tensor in network.tensors.items()
    }


def _prepared(module: Any, inputs: Sequence[Any]) -> _Network:
    arguments = [_leaf(value) for value in inputs]
    tensors = {f"input {i}": a for i, a in enumerate(arguments) if _is_leaf(a)}
    if isinstance(module, torch.nn.Module):
        double = copy.deepcopy(module).double()
        own = {name: p for name, p in double.named_parameters() if p.requires_grad}
        return _Network(lambda: double(*arguments), {**own, **tensors})
    call = module.apply if isinstance(module, type(torch.autograd.Function)) else module
    return _Network(lambda: call(*arguments), tensors)


def _leaf(value: Any) -> Any:
    if isinstance(value, torch.Tensor) and value.is_floating_point():
        return value.detach().to(torch.float64, copy=True).requires_grad_()
    return value


def _is_leaf(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.requires_grad


def _entries(tensor: torch.Tensor, limit: int, seed: int) -> Array:
    n = tensor.numel()
    return np.sort(np.random.default_rng(seed).choice(n, min(n, limit), replace=False))


def _judge(network: _Network, name: str, projection: torch.Tensor, entries: Array) -> Verdict:
    tensor = network.tensors[name]
    shape, before = tensor.shape, tensor.detach().clone()

    def move(theta: Array) -> None:
        with torch.no_grad():
            tensor.copy_(torch.from_numpy(theta).reshape(shape))

    def value(theta: Array) -> float:
        move(theta)
        with torch.no_grad():
            return float(projection @ network.outputs())

    def gradient(theta: Array) -> Array:
        move(theta)
        found = torch.autograd.grad(projection @ network.outputs(), [tensor], allow_unused=True)[0]
        return np.zeros(tensor.numel()) if found is None else found.detach().reshape(-1).numpy().copy()

    def entry_name(index: int) -> str:
        return f"{name}[{', '.join(str(int(i)) for i in np.unravel_index(index, shape))}]" if shape else name

    try:
        return check_gradient(
            value, gradient, before.reshape(-1).numpy(), entries=entries.tolist(), name=entry_name
        )
    finally:
        move(before.reshape(-1).numpy())


def _worst(verdicts: Sequence[Verdict]) -> Verdict:
    order = (FAIL, INCONCLUSIVE, PASS)
    return min(verdicts, key=lambda verdict: order.index(verdict.outcome))
