"""PyTorch by a whole recipe: a rate for every step, label smoothing, adversarial inputs; eager, on the CPU.

The network and the update rules are those of `torch_mlp`; the slopes of the inputs are autograd's.
"""

from collections.abc import Callable, Sequence

import torch
from torch import nn
from torch.nn import functional

from backproof.reference.contender import Checkpoints, between
from backproof.reference.recipe import SHORTEST_SLOPE, Change, Recipe
from backproof.reference.torch_mlp import TorchMLP, torch_optimizer
from backproof.scratch.architecture import Architecture, Inputs, Labels, Logits, Rows, Weights

Forward = Callable[[torch.Tensor], torch.Tensor]


def adversarial_inputs(
    model: Forward, x: torch.Tensor, labels: torch.Tensor, distance: float
) -> torch.Tensor:
    """x + distance * g / |g|_2, g the slope of every example's own loss.

    Parameters
    ----------
    model
        From inputs (batch, n_inputs) to logits.
    x, labels
        A batch (batch, n_inputs), which is not changed, and its labels (batch,).
    distance
        How far every example is moved.

    Returns
    -------
    tensor (batch, n_inputs)
        Detached from the graph.
    """
    moving = x.detach().requires_grad_()
    (g,) = torch.autograd.grad(functional.cross_entropy(model(moving), labels, reduction="sum"), moving)
    moved: torch.Tensor = x + g * (distance / g.norm(dim=1, keepdim=True).clamp_min(SHORTEST_SLOPE))
    return moved


class TorchRecipe:
    """Eager, torch.optim as it comes; or with a fused optimiser, or with a compiled network."""

    def __init__(self, fused: bool = False, compiled: bool = False) -> None:
        self._torch = TorchMLP()
        self._fused, self._compiled = fused, compiled

    def load(self, architecture: Architecture, weights: Weights) -> None:
        self._torch.load(architecture, weights)
        model: nn.Sequential = self._torch.model
        self._model: Forward = torch.compile(model) if self._compiled else model

    def follow(
        self,
        x: Inputs,
        labels: Labels,
        batches: Sequence[Rows],
        recipe: Recipe,
        change: Change | None = None,
        checkpoints: Checkpoints | None = None,
    ) -> None:
        model, all_x, all_labels = self._model, torch.from_numpy(x), torch.from_numpy(labels)
        rule = torch_optimizer(
            list(self._torch.model.parameters()), recipe.optimizer, fused=self._fused or None
        )
        for batch, rate in zip(between(batches, checkpoints), recipe.rates, strict=True):
            rows = torch.from_numpy(batch)
            batch_x, batch_labels = all_x[rows], all_labels[rows]
            if change is not None:
                change(batch_x.numpy())
            if recipe.adversarial:
                batch_x = adversarial_inputs(model, batch_x, batch_labels, recipe.adversarial)
            for group in rule.param_groups:
                group["lr"] = rate
            rule.zero_grad(set_to_none=True)
            smoothing = recipe.label_smoothing
            loss = functional.cross_entropy(model(batch_x), batch_labels, label_smoothing=smoothing)
            loss.backward()  # type: ignore[no-untyped-call] # torch ships it unannotated
            rule.step()

    def logits(self, x: Inputs) -> Logits:
        return self._torch.logits(x)


def with_fused_optimizer() -> TorchRecipe:
    """``fused=True``: one kernel per update.

    Returns
    -------
    TorchRecipe
        Everything else as it comes.
    """
    return TorchRecipe(fused=True)


def with_compile() -> TorchRecipe:
    """`torch.compile` of the network, and a fused optimiser.

    Returns
    -------
    TorchRecipe
        Its first steps compile.
    """
    return TorchRecipe(fused=True, compiled=True)
