"""What is asked of everybody who follows a whole recipe: the same steps as the from-scratch network's."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from backproof.comparisons.race.scratch_recipe import ScratchRecipe
from backproof.reference.recipe import Recipe, RecipeContender
from backproof.scratch.architecture import Architecture, Array, Batch, OptimizerSpec
from backproof.scratch.initializers import initialize

ARCHITECTURE = Architecture((9, 8, 7, 5), dtype="float64")
PLAIN = Recipe(OptimizerSpec("sgd", 0.3), (0.1, 0.3, 0.2, 0.05, 0.01))
RECIPES = {
    "sgd": PLAIN,
    "nesterov": replace(PLAIN, optimizer=OptimizerSpec("sgd", 0.3, momentum=0.9, nesterov=True)),
    "adam": replace(PLAIN, optimizer=OptimizerSpec("adam", 0.01)),
    "label smoothing": replace(PLAIN, optimizer=OptimizerSpec("adam", 0.01), label_smoothing=0.2),
    "adversarial": replace(PLAIN, label_smoothing=0.1, adversarial=0.4),
}


def halved(batch: Batch) -> None:
    """A change of the inputs, in place."""
    batch *= 0.5


def logits_after(
    contender: RecipeContender, recipe: Recipe, change: Callable[[Batch], None] | None = None
) -> list[Array]:
    """The logits at a checkpoint in the middle, and at the end."""
    rng = np.random.default_rng(0)
    x, labels = rng.standard_normal((40, 9)), rng.integers(0, 5, 40)
    batches = [rng.permutation(40)[:size] for size in (12, 12, 12, 12, 4)]
    contender.load(ARCHITECTURE, initialize(ARCHITECTURE, 0).weights())
    seen: list[Array] = []
    contender.follow(x, labels, batches, recipe, change, {3: lambda: seen.append(contender.logits(x))})
    return [*seen, contender.logits(x)]


def same_steps_as_scratch(contender: RecipeContender, recipe: Recipe, change: bool) -> None:
    """In float64 five steps differ by rounding alone: some 1e-15 each, amplified by slopes of a few."""
    own = logits_after(ScratchRecipe(), recipe, halved if change else None)
    found = logits_after(contender, recipe, halved if change else None)
    assert len(found) == len(own) == 2
    for one, other in zip(found, own, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-11)
