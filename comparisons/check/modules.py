"""`check_module`: the backward pass of a `torch.nn.Module` or `torch.autograd.Function`, tensor by tensor.

What a module y = m(x; theta) returns is made a number, L = sum_i c_i y_i, with c drawn from the normal
distribution: of both signs, so that errors cannot add up to nothing by design, and two draws of it, so that
they do not by chance. Autograd's dL/dtheta is then held against the values of L (`verdicts.any_function`): a
verdict for every parameter and every floating-point input.

Differences need double precision. A float32 module is copied to float64 first: what is checked are its
formulas, not its rounding.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from backproof.comparisons.verdicts.any_function import check_gradient
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.verdict import Verdict
from backproof.reference.torch_module import TorchModule
from backproof.scratch.architecture import Array
from backproof.scratch.errors import InputError

PROJECTIONS = 2


def check_module(
    module: Callable[..., Any] | type, *inputs: Any, max_entries: int = 20, seed: int = 0
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
        raise InputError(f"max_entries: expected at least 1, got {max_entries}")
    network = TorchModule(module, inputs)
    rng = np.random.default_rng(seed)
    projections = [rng.standard_normal(network.n_outputs) for _ in range(PROJECTIONS)]
    found = {}
    for name, shape in network.shapes.items():
        n = int(np.prod(shape, dtype=int))
        entries = np.sort(np.random.default_rng(seed).choice(n, min(n, max_entries), replace=False))
        found[name] = _worst([_judge(network, name, c, entries) for c in projections])
    return found


def _judge(network: TorchModule, name: str, c: Array, entries: Array) -> Verdict:
    shape, before = network.shapes[name], network.theta(name)

    def value(theta: Array) -> float:
        network.move(name, theta)
        return network.value(c)

    def gradient(theta: Array) -> Array:
        network.move(name, theta)
        return network.gradient(name, c)

    def entry_name(index: int) -> str:
        place = ", ".join(str(int(i)) for i in np.unravel_index(index, shape))
        return f"{name}[{place}]" if shape else name

    try:
        return check_gradient(value, gradient, before, entries=entries.tolist(), name=entry_name)
    finally:
        network.move(name, before)


def _worst(verdicts: Sequence[Verdict]) -> Verdict:
    order = (Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.PASS)
    return min(verdicts, key=lambda verdict: order.index(verdict.outcome))
