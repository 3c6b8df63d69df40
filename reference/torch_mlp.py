"""The PyTorch contender: torch.nn layers, torch's own losses, autograd and torch.optim; eager, on the CPU.

Nothing is derived by hand here: this is the witness that `scratch` is checked against.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from backproof.reference.contender import Checkpoints, between, checked_batches
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

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "identity": nn.Identity,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
}


def _sum_of_squares(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return functional.mse_loss(logits, targets, reduction="sum")


LOSSES: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "cross_entropy": functional.cross_entropy,
    "binary_cross_entropy": functional.binary_cross_entropy_with_logits,
    "mse": functional.mse_loss,
    "sum_of_squares": _sum_of_squares,
}


def torch_optimizer(
    parameters: Sequence[nn.Parameter], spec: OptimizerSpec, fused: bool | None = None
) -> torch.optim.Optimizer:
    """torch.optim's own implementation of `spec`.

    Parameters
    ----------
    parameters
        What it updates.
    spec
        The rule and its numbers.
    fused
        As torch takes it: whether one kernel updates all tensors; None leaves it to torch.

    Returns
    -------
    torch.optim.SGD or torch.optim.Adam
        Fresh: no step was taken.
    """
    if spec.name == "sgd":
        return torch.optim.SGD(
            parameters,
            lr=spec.learning_rate,
            momentum=spec.momentum,
            nesterov=spec.nesterov,
            weight_decay=spec.weight_decay,
            fused=fused,
        )
    return torch.optim.Adam(
        parameters,
        lr=spec.learning_rate,
        betas=(spec.beta1, spec.beta2),
        eps=spec.eps,
        weight_decay=spec.weight_decay,
        fused=fused,
    )


class TorchMLP:
    """The contender called ``torch``."""

    def load(self, architecture: Architecture, weights: Weights) -> None:
        """Build nn.Linear layers and copy `weights` into them (torch stores (fan_out, fan_in))."""
        weights = architecture.checked_weights(weights)
        self.architecture = architecture
        self.dtype = getattr(torch, architecture.dtype)
        modules: list[nn.Module] = []
        for weight, bias in weights:
            fan_in, fan_out = weight.shape
            linear = nn.Linear(fan_in, fan_out, dtype=self.dtype)
            with torch.no_grad():
                linear.weight.copy_(torch.tensor(weight.T.copy()))
                linear.bias.copy_(torch.tensor(bias))
            modules += [linear, ACTIVATIONS[architecture.activation]()]
        self.model = nn.Sequential(*modules[:-1])
        self.loss = LOSSES[architecture.loss]

    def logits(self, x: Inputs) -> Logits:
        with torch.no_grad():
            outputs: Array = self.model(self._tensor(self.architecture.checked_inputs(x))).numpy().copy()
        return outputs

    def loss_and_gradient(self, x: Inputs, targets: Targets) -> tuple[float, Weights]:
        batch_x, batch_targets = self.tensors(x, targets)
        loss = self.loss(self.model(batch_x), batch_targets)
        gradients = torch.autograd.grad(loss, list(self.model.parameters()))
        pairs = zip(gradients[::2], gradients[1::2], strict=True)
        return loss.item(), [(np.ascontiguousarray(w.numpy().T), b.numpy().copy()) for w, b in pairs]

    def train(
        self,
        x: Inputs,
        targets: Targets,
        batches: Sequence[Rows],
        optimizer: OptimizerSpec,
        checkpoints: Checkpoints | None = None,
    ) -> Sequence[float]:
        all_x, all_targets = self.tensors(x, targets)
        rows = checked_batches(batches, len(all_x))
        indices = [torch.from_numpy(row.astype(np.int64)) for row in rows]
        rule = torch_optimizer(list(self.model.parameters()), optimizer)
        losses: list[torch.Tensor] = []
        for batch in between(indices, checkpoints):
            rule.zero_grad(set_to_none=True)
            loss = self.loss(self.model(all_x[batch]), all_targets[batch])
            loss.backward()  # type: ignore[no-untyped-call] # torch ships it unannotated
            rule.step()
            losses.append(loss.detach())
        return [loss.item() for loss in losses]

    def weights(self) -> Weights:
        linears = [module for module in self.model if isinstance(module, nn.Linear)]
        return [(m.weight.detach().numpy().T.copy(), m.bias.detach().numpy().copy()) for m in linears]

    def tensors(self, x: Inputs, targets: Targets) -> tuple[torch.Tensor, torch.Tensor]:
        """Checked inputs and targets as tensors, sharing memory where they can.

        Parameters
        ----------
        x
            Inputs (batch, n_inputs), of any real dtype.
        targets
            Labels (batch,), or numbers (batch, n_outputs).

        Returns
        -------
        tuple of two tensors
            (batch, n_inputs) in the architecture's dtype, and int64 labels or numbers of that dtype.
        """
        x, targets = self.architecture.checked_batch(x, targets)
        return self._tensor(x), self._tensor(targets)

    @staticmethod
    def _tensor(array: Array) -> torch.Tensor:
        # torch warns about read-only memory even when it never writes, and knows no negative strides (which a
        # contiguous array of one row may have): hand it a copy then.
        usable = array.flags.writeable and min(array.strides) >= 0
        return torch.from_numpy(array if usable else array.copy())
