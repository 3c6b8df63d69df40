"""The from-scratch network by a whole recipe: what `RecipeContender` asks, in NumPy."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from backproof.comparisons.record.adversary import Adversary
from backproof.reference.contender import Checkpoints, between
from backproof.reference.recipe import Change, Recipe
from backproof.scratch.architecture import Architecture, Batch, Inputs, Labels, Logits, Rows, Weights
from backproof.scratch.network import Network
from backproof.scratch.parameters import Parameters
from backproof.scratch.training import Recipe as TrainingRecipe
from backproof.scratch.training import train


class ScratchRecipe:
    """`scratch.training.train`, its schedule the recipe's rates."""

    def load(self, architecture: Architecture, weights: Weights) -> None:
        """Take a copy of `weights`."""
        self.network = Network(architecture, Parameters.from_weights(architecture, weights))

    def follow(
        self,
        x: Inputs,
        labels: Labels,
        batches: Sequence[Rows],
        recipe: Recipe,
        change: Change | None = None,
        checkpoints: Checkpoints | None = None,
    ) -> None:
        """One step per batch, with a fresh optimiser."""
        adversary = Adversary(self.network, recipe.adversarial) if recipe.adversarial else None
        rows: Rows = np.empty(0, np.intp)

        def noted() -> Iterator[Rows]:
            nonlocal rows
            for batch in between(batches, checkpoints):
                rows = batch
                yield batch

        def changed(batch_x: Batch) -> None:
            if change is not None:
                change(batch_x)
            if adversary is not None:
                adversary(batch_x, labels[rows])

        steps = TrainingRecipe(
            replace(recipe.optimizer, learning_rate=1.0),
            schedule=lambda step: recipe.rates[int(step)],
            augmentation=changed if change is not None or adversary is not None else None,
            label_smoothing=recipe.label_smoothing,
        )
        train(self.network, x, labels, noted(), steps)

    def logits(self, x: Inputs) -> Logits:
        """(batch, outputs), a fresh array."""
        # A network of its own: the buffers of training stay as large as its batches.
        return Network(self.network.architecture, self.network.parameters).forward(x)[-1].copy()
