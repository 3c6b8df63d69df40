"""`check_module`: the backward pass of a `torch.nn.Module` or `torch.autograd.Function`, tensor by tensor.

What a module y = m(x; theta) returns is made a number, L = sum_i c_i y_i, with c drawn from the normal
distribution: of both signs, so that errors cannot add up to nothing by design, and two draws of it, so that
they do not by chance. Autograd's dL/dtheta is then held against the values of L (`verdicts.any_function`): a
verdict for every parameter and every floating-point input. One call of the module serves both draws.

Differences need double precision. A float32 module is copied to float64 first: what is checked are its
formulas, not its rounding. What computes in float32 all the same is judged by the noise that it has.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from backproof.comparisons.verdicts.function_line import Point
from backproof.comparisons.verdicts.function_noise import grid
from backproof.comparisons.verdicts.gradient_judge import (
    ONE_BY_ONE,
    SAMPLED,
    Choice,
    Claims,
    GradientNoise,
    judge,
)
from backproof.comparisons.verdicts.gradient_verdict import GradientVerdict
from backproof.comparisons.verdicts.parameter_tree import Tensor, coarsest
from backproof.reference.torch_module import TorchModule
from backproof.scratch.architecture import Array
from backproof.scratch.errors import InputError

PROJECTIONS = 2


def check_module(
    module: Callable[..., Any] | type,
    *inputs: Any,
    max_entries: int | None = None,
    resolution: float | None = None,
    seed: int = 0,
) -> GradientVerdict:
    """Is autograd's gradient of `module(*inputs)` right, for every parameter and every floating-point input?

    `module` is a `torch.nn.Module`, a `torch.autograd.Function` or a function of tensors. It is not changed.
    Inputs are as it takes them; floating-point ones become float64. Returns a verdict per tensor: parameters
    by their names, inputs as ``input 0``, ``input 1``, ..., and one overall. A tensor of up to 64 entries is
    looked at entry by entry; of a larger one 20 are (`max_entries`, drawn with `seed`), and all through
    random directions. `resolution` is as in `check_gradient`.

    Raises InputError where there is nothing to check, or where the module gives different values for the same
    inputs (dropout: call ``module.eval()`` first); InputTypeError where it returns no floating-point tensor.
    """
    if max_entries is not None and max_entries < 1:
        raise InputError(f"max_entries: expected at least 1, got {max_entries}")
    network = TorchModule(module, inputs)
    rng = np.random.default_rng(seed)
    c = rng.standard_normal((PROJECTIONS, network.n_outputs))
    outputs_dtype = network.dtype_of_outputs()
    point = Point(
        network.outputs,
        None,
        [_tensor(name, tensor) for name, tensor in network.tensors.items()],
        in_place=True,
        read=lambda y: _projected(c, y),
        kind=lambda y: coarsest([outputs_dtype, grid(y.numpy())]),
    )

    def gradients() -> list[Array]:
        return network.gradients(c)

    found = gradients()
    noise = GradientNoise(point, gradients, list, seed)
    claims = Claims(found, coarsest([grid(one) for one in found]), noise)
    everything: list[Array | None] = [None] * len(found)
    limits = max_entries or ONE_BY_ONE, max_entries or SAMPLED
    return judge(point, claims, Choice(everything, resolution, seed, *limits))


def _tensor(name: str, tensor: Any) -> Tensor:
    flat = tensor.detach().double().reshape(-1).numpy().copy()
    return Tensor(name, tuple(tensor.shape), flat, tensor)


def _projected(c: Array, y: Any) -> Array:
    values: Array = c @ y.numpy()
    return values
