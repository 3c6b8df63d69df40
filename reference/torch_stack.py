"""A torch module of one's own as a contender: Linear layers with an activation between each two.

How the module computes is its own affair, modules, functions or both; hooks at its Linear layers show what
goes into them and what comes out, and autograd the derivative of the loss with respect to that:

    a_{l-1} -> Linear_l -> z_l -> whatever stands between -> a_l -> Linear_{l+1}

The module is copied, and the copy is put into evaluation mode.
"""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn

from backproof.reference.contender import Checkpoints, NotOffered, between, checked_batches
from backproof.reference.torch_mlp import LOSSES, torch_optimizer
from backproof.scratch.architecture import (
    Architecture,
    Array,
    Inputs,
    Logits,
    OptimizerSpec,
    Rows,
    Targets,
    Weights,
)
from backproof.scratch.errors import InputError

Passed = tuple[nn.Linear, torch.Tensor, torch.Tensor]  # a Linear layer, what went in, what came out


ACTIVATIONS: Mapping[str, Callable[[], nn.Module]] = {
    "identity": nn.Identity,
    "relu": nn.ReLU,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "softplus": nn.Softplus,
    "silu": nn.SiLU,
    "gelu": nn.GELU,
    "gelu_tanh": lambda: nn.GELU("tanh"),
}


def stack_of(architecture: Architecture, activations: Sequence[str]) -> "TorchStack":
    """torch's own layers of these sizes, with one activation behind each but the last.

    Parameters
    ----------
    architecture
        Sizes and dtype.
    activations
        One for each hidden layer.

    Returns
    -------
    TorchStack
        At random weights.
    """
    layers: list[nn.Module] = []
    for (rows, columns), kind in zip(architecture.layer_shapes, [*activations, "identity"], strict=True):
        layers += [nn.Linear(rows, columns), ACTIVATIONS[kind]()]
    return TorchStack(nn.Sequential(*layers[:-1]).to(getattr(torch, architecture.dtype)))


class TorchStack:
    """`module` as a contender with a trace. Raises InputError where it is no stack of Linear layers."""

    def __init__(self, module: nn.Module) -> None:
        self.model = copy.deepcopy(module).cpu().eval()
        linears = [one for one in self.model.modules() if isinstance(one, nn.Linear)]
        if not linears or any(one.bias is None for one in linears):
            raise InputError("model: expected Linear layers, each with a bias")
        n_own = sum(p.numel() for p in self.model.parameters())
        if n_own != sum(p.numel() for one in linears for p in one.parameters()):
            raise InputError("model: expected parameters in Linear layers alone; it has others")
        passed, output = self._passed(torch.zeros(2, linears[0].in_features, dtype=self._dtype(linears[0])))
        self.linears = [linear for linear, _, _ in passed]
        if len({id(one) for one in self.linears}) != len(passed) or len(passed) != len(linears):
            raise InputError("model: expected every Linear layer to be used once")
        if output is not passed[-1][2]:
            raise InputError(
                "model: expected the output of the last Linear layer, the logits, to be returned"
            )

    @staticmethod
    def _dtype(linear: nn.Linear) -> torch.dtype:
        return linear.weight.dtype

    def load(self, architecture: Architecture, weights: Weights) -> None:
        """Copy `weights` into the Linear layers. Raises NotOffered where their sizes are others."""
        shapes = [(one.in_features, one.out_features) for one in self.linears]
        if architecture.layer_shapes != shapes:
            raise NotOffered(f"this model has layers of {shapes}")
        self.architecture = architecture
        self.model.to(getattr(torch, architecture.dtype))
        with torch.no_grad():
            for linear, (W, b) in zip(self.linears, architecture.checked_weights(weights), strict=True):
                linear.weight.copy_(torch.tensor(W).T)
                linear.bias.copy_(torch.tensor(b))

    def weights(self) -> Weights:
        return [
            (one.weight.detach().numpy().T.copy(), one.bias.detach().numpy().copy()) for one in self.linears
        ]

    def logits(self, x: Inputs) -> Logits:
        with torch.no_grad():
            outputs: Array = self.model(torch.tensor(self.architecture.checked_inputs(x))).numpy().copy()
        return outputs

    def loss_and_gradient(self, x: Inputs, targets: Targets) -> tuple[float, Weights]:
        loss = self._loss(*self._tensors(x, targets))
        gradients = torch.autograd.grad(loss, self._parameters())
        pairs = zip(gradients[::2], gradients[1::2], strict=True)
        return loss.item(), [(w.numpy().T.copy(), b.numpy().copy()) for w, b in pairs]

    def train(
        self,
        x: Inputs,
        targets: Targets,
        batches: Sequence[Rows],
        optimizer: OptimizerSpec,
        checkpoints: Checkpoints | None = None,
    ) -> Sequence[float]:
        """By torch.optim."""
        all_x, all_targets = self._tensors(x, targets)
        rule = torch_optimizer(self._parameters(), optimizer)
        losses = []
        for rows in between(checked_batches(batches, len(all_x)), checkpoints):
            batch = torch.from_numpy(rows.astype(np.int64))
            rule.zero_grad()
            loss = self._loss(all_x[batch], all_targets[batch])
            torch.autograd.backward(loss)
            rule.step()
            losses.append(loss.item())
        return losses

    def trace(self, x: Inputs, targets: Targets) -> Mapping[str, Array]:
        """The loss, and z, a and delta of every layer, under the names of `comparisons.compare.trace`.

        Parameters
        ----------
        x
            Inputs (batch, n_inputs), of any real dtype.
        targets
            Labels (batch,), or numbers (batch, n_outputs).

        Returns
        -------
        dict of arrays
            Each (batch, units) in the model's dtype, ``loss`` a scalar.
        """
        batch_x, batch_targets = self._tensors(x, targets)
        passed, output = self._passed(batch_x)
        loss = LOSSES[self.architecture.loss](output, batch_targets)
        deltas = torch.autograd.grad(loss, [z for _, _, z in passed])
        found: dict[str, torch.Tensor] = {"loss": loss}
        last = len(passed)
        for layer, ((_, a, z), delta) in enumerate(zip(passed, deltas, strict=True), start=1):
            if layer > 1:
                found[f"a{layer - 1}"] = a
            found["logits" if layer == last else f"z{layer}"] = z
            found[f"delta{layer}"] = delta
        return {name: tensor.detach().numpy().copy() for name, tensor in found.items()}

    def _parameters(self) -> list[nn.Parameter]:
        return [p for one in self.linears for p in one.parameters()]

    def _loss(self, x: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return LOSSES[self.architecture.loss](self.model(x), targets)

    def _tensors(self, x: Inputs, targets: Targets) -> tuple[torch.Tensor, torch.Tensor]:
        x, targets = self.architecture.checked_batch(x, targets)
        return torch.tensor(x), torch.tensor(targets)

    def _passed(self, x: torch.Tensor) -> tuple[list[Passed], torch.Tensor]:
        """Every call of a Linear layer, in order, and the module's output."""
        with _hooked(self.model) as passed:
            output = self.model(x)
        return passed, output


@contextmanager
def _hooked(model: nn.Module) -> Iterator[list[Passed]]:
    passed: list[Passed] = []

    def keep(linear: Any, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        passed.append((linear, inputs[0], output))

    handles = [one.register_forward_hook(keep) for one in model.modules() if isinstance(one, nn.Linear)]
    try:
        yield passed
    finally:
        for handle in handles:
            handle.remove()
