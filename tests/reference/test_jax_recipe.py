"""JAX by a recipe: the same steps as the network from scratch, whatever the recipe asks."""

import pytest

pytest.importorskip("jax")

from backproof.reference.jax_recipe import JaxRecipe
from tests.support.recipes import RECIPES, same_steps_as_scratch


@pytest.mark.parametrize("name", RECIPES)
def test_jax_takes_the_same_steps_as_scratch(name: str) -> None:
    same_steps_as_scratch(JaxRecipe(), RECIPES[name], False)


def test_jax_takes_the_same_steps_on_batches_that_are_changed_first() -> None:
    same_steps_as_scratch(JaxRecipe(), RECIPES["adversarial"], True)


def test_one_contender_follows_one_recipe_after_another() -> None:
    contender = JaxRecipe()
    for name in ("sgd", "nesterov"):
        same_steps_as_scratch(contender, RECIPES[name], False)
