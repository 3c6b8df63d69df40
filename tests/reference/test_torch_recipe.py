"""PyTorch by a recipe: the same steps as the network from scratch, whatever the recipe asks."""

from dataclasses import replace

import numpy as np
import pytest

from backproof.comparisons.race.scratch_recipe import ScratchRecipe
from backproof.reference.torch_recipe import TorchRecipe, with_fused_optimizer
from tests.support.recipes import PLAIN, RECIPES, logits_after, same_steps_as_scratch


@pytest.mark.parametrize("change", [False, True])
@pytest.mark.parametrize("name", RECIPES)
def test_torch_takes_the_same_steps_as_scratch(name: str, change: bool) -> None:
    same_steps_as_scratch(TorchRecipe(), RECIPES[name], change)


def test_a_fused_optimizer_takes_them_too() -> None:
    same_steps_as_scratch(with_fused_optimizer(), RECIPES["adam"], False)


@pytest.mark.parametrize(
    "other",
    [
        replace(PLAIN, rates=PLAIN.rates[::-1]),
        replace(PLAIN, label_smoothing=0.1),
        replace(PLAIN, adversarial=0.4),
    ],
)
def test_another_recipe_would_have_been_seen(other: object) -> None:
    assert isinstance(other, type(PLAIN))
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(
            logits_after(TorchRecipe(), PLAIN)[1], logits_after(ScratchRecipe(), other)[1], rtol=1e-9
        )


def test_a_recipe_with_too_few_rates_is_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        logits_after(TorchRecipe(), replace(PLAIN, rates=PLAIN.rates[:3]))
