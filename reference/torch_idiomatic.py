"""PyTorch as its users write it: a `DataLoader`, `torch.compile`, fused optimisers.

The network, the losses and the update rules are those of `torch_mlp`; only the loop around them differs. The
batches are the given ones in all of them: `DataLoader` takes them as its `batch_sampler`.
"""

from collections.abc import Callable, Iterable, Sequence

import torch
from torch.utils.data import DataLoader, TensorDataset

from backproof.reference.contender import Checkpoints, between, checked_batches
from backproof.reference.torch_mlp import TorchMLP, torch_optimizer
from backproof.scratch.architecture import Architecture, Inputs, Logits, OptimizerSpec, Rows, Targets, Weights

Batch = tuple[torch.Tensor, torch.Tensor]


class _Loop:
    """Training of a `TorchMLP`'s model by a loop of its own."""

    def __init__(self, fused: bool, compiled: bool, loader: bool) -> None:
        self._torch = TorchMLP()
        self._fused, self._compiled, self._loader = fused, compiled, loader

    def load(self, architecture: Architecture, weights: Weights) -> None:
        self._torch.load(architecture, weights)
        model, loss = self._torch.model, self._torch.loss

        def forward(x: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
            return loss(model(x), targets)

        self._loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] = (
            torch.compile(forward) if self._compiled else forward
        )

    def train(
        self,
        x: Inputs,
        targets: Targets,
        batches: Sequence[Rows],
        optimizer: OptimizerSpec,
        checkpoints: Checkpoints | None = None,
    ) -> Sequence[float]:
        all_x, all_targets = self._torch.tensors(x, targets)
        rows = checked_batches(batches, len(all_x))
        rule = torch_optimizer(list(self._torch.model.parameters()), optimizer, fused=self._fused or None)
        losses: list[torch.Tensor] = []
        for batch_x, batch_targets in between(self._batches(all_x, all_targets, rows), checkpoints):
            rule.zero_grad(set_to_none=True)
            loss = self._loss(batch_x, batch_targets)
            loss.backward()  # type: ignore[no-untyped-call] # torch ships it unannotated
            rule.step()
            losses.append(loss.detach())
        return [loss.item() for loss in losses]

    def _batches(self, x: torch.Tensor, targets: torch.Tensor, rows: Sequence[Rows]) -> Iterable[Batch]:
        if self._loader:
            indices = [row.tolist() for row in rows]
            return DataLoader(TensorDataset(x, targets), batch_sampler=indices)
        tensors = [torch.from_numpy(row.astype("int64")) for row in rows]
        return ((x[batch], targets[batch]) for batch in tensors)

    def logits(self, x: Inputs) -> Logits:
        return self._torch.logits(x)

    def loss_and_gradient(self, x: Inputs, targets: Targets) -> tuple[float, Weights]:
        return self._torch.loss_and_gradient(x, targets)

    def weights(self) -> Weights:
        return self._torch.weights()


def with_data_loader() -> _Loop:
    """`DataLoader` over a `TensorDataset`, everything else as it comes."""
    return _Loop(fused=False, compiled=False, loader=True)


def with_fused_optimizer() -> _Loop:
    """``fused=True``: one kernel per update."""
    return _Loop(fused=True, compiled=False, loader=False)


def with_compile() -> _Loop:
    """`torch.compile` of model and loss, and a fused optimiser."""
    return _Loop(fused=True, compiled=True, loader=False)
