"""torch.autograd.gradcheck at its defaults, on the same networks: the checker in everyday use, as a
yardstick.

gradcheck compares autograd with central differences of step 1e-6 under |a - n| <= 1e-5 + 1e-3 |n|. Its
subject here is torch's own network (`TorchMLP`), as a function of its parameters, returning the loss. To
see what it would catch, `altered` replaces one parameter's gradient on its way out of autograd."""

import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch.func import functional_call

from backproof.reference.torch_mlp import TorchMLP
from backproof.scratch.architecture import Architecture, Flat, Inputs, Targets, Weights

Alteration = Callable[[torch.Tensor], torch.Tensor]


def passes(
    architecture: Architecture,
    weights: Weights,
    x: Inputs,
    targets: Targets,
    altered: tuple[int, Alteration] | None = None,
) -> bool:
    """Whether gradcheck accepts autograd's gradient of this loss.

    Parameters
    ----------
    architecture
        Of torch's own network, in whose dtype it runs.
    weights
        Per layer W (fan_in, fan_out) and b (fan_out,).
    x
        Inputs (batch, n_inputs).
    targets
        As the loss wants them.
    altered
        (i, change) passes the gradient of tensor i (W1, b1, W2, ... counted from 0) through `change` first,
        which sees torch's (fan_out, fan_in) layout of weights.

    Returns
    -------
    bool
        At gradcheck's defaults.
    """
    contender = TorchMLP()
    contender.load(architecture, weights)
    batch_x, batch_targets = contender.tensors(x, targets)
    names = [name for name, _ in contender.model.named_parameters()]
    leaves = [p.detach().clone().requires_grad_() for p in contender.model.parameters()]

    def loss(*parameters: torch.Tensor) -> torch.Tensor:
        values = list(parameters)
        if altered is not None:
            tensor, change = altered
            values[tensor] = _Altered.apply(values[tensor], change)  # type: ignore[no-untyped-call] # torch ships it unannotated
        outputs = functional_call(contender.model, dict(zip(names, values, strict=True)), (batch_x,))
        result: torch.Tensor = contender.loss(outputs, batch_targets)
        return result

    with warnings.catch_warnings():
        # In float32 gradcheck warns that its defaults suit double precision alone; that is what is measured.
        warnings.filterwarnings("ignore", message=".*not a double precision.*")
        return bool(torch.autograd.gradcheck(loss, leaves, raise_exception=False))


def accepts(evaluate: Callable[[Flat], tuple[float, Flat]], theta: Flat) -> bool:
    """Whether gradcheck accepts a loss and its gradient, given as one function of the flat theta (n,).

    Parameters
    ----------
    evaluate
        Takes a vector like theta and gives the loss and its claimed gradient (n,).
    theta
        (n,) float64.

    Returns
    -------
    bool
        At gradcheck's defaults.
    """
    leaf = torch.tensor(theta, dtype=torch.float64, requires_grad=True)

    def loss(point: torch.Tensor) -> torch.Tensor:
        value: torch.Tensor = _Given.apply(point, evaluate)  # type: ignore[no-untyped-call] # torch ships it unannotated
        return value

    return bool(torch.autograd.gradcheck(loss, (leaf,), raise_exception=False))


class _Given(torch.autograd.Function):
    """A loss, with the gradient that somebody says it has."""

    @staticmethod
    def forward(
        ctx: Any, theta: torch.Tensor, evaluate: Callable[[Flat], tuple[float, Flat]]
    ) -> torch.Tensor:
        with torch.enable_grad():  # it is off in here, and whoever is judged may use autograd himself
            loss, gradient = evaluate(theta.detach().numpy())
        ctx.save_for_backward(torch.from_numpy(gradient))
        return theta.new_tensor(loss)

    @staticmethod
    def backward(ctx: Any, upstream: torch.Tensor) -> tuple[torch.Tensor, None]:
        (gradient,) = ctx.saved_tensors
        return upstream * gradient, None


class _Altered(torch.autograd.Function):
    """The identity, whose gradient is not."""

    @staticmethod
    def forward(ctx: Any, value: torch.Tensor, change: Alteration) -> torch.Tensor:
        ctx.change = change
        return value.view_as(value)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        return ctx.change(gradient), None
