"""JAX by a whole recipe: one jitted step per batch that takes its rate as an argument.

The network and the update rules are those of `jax_mlp`; the slopes of the inputs are `jax.grad`'s. A changed
batch is NumPy's and is handed over; otherwise the batch is gathered inside the step.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from backproof.reference.contender import Checkpoints, between
from backproof.reference.jax_mlp import UPDATES, JaxMLP, State, forward_function
from backproof.reference.recipe import SHORTEST_SLOPE, Change, Recipe
from backproof.scratch.architecture import Architecture, Array, Inputs, Labels, Logits, Rows, Weights


def step_by_recipe(architecture: Architecture, recipe: Recipe) -> tuple[int, Any]:
    """The number of moments, and a jitted (state, x, labels, rows, rate) -> state.

    Parameters
    ----------
    architecture
        Names the activation.
    recipe
        Its rates are left out: the step takes its own.

    Returns
    -------
    tuple (int, function)
        How many moments the rule keeps for every parameter, and the step; where `rows` is None, x is the
        batch itself. The state it is given is donated.
    """
    forward, smoothing = forward_function(architecture), recipe.label_smoothing
    spec = replace(recipe.optimizer, learning_rate=1.0)
    n_moments, update = UPDATES[spec.name](spec)

    def losses(parameters: Any, x: Any, labels: Any) -> Any:
        log_shares = jax.nn.log_softmax(forward(parameters, x))
        own = jnp.take_along_axis(log_shares, labels[:, None], axis=1)[:, 0]
        return own, jnp.mean(log_shares, axis=1)

    def sharp(x: Any, parameters: Any, labels: Any) -> Any:
        return -jnp.sum(losses(parameters, x, labels)[0])

    def smoothed(parameters: Any, x: Any, labels: Any) -> Any:
        own, even = losses(parameters, x, labels)
        return -jnp.mean((1 - smoothing) * own + smoothing * even)

    def step(state: State, x: Any, labels: Any, rows: Any, rate: Any) -> State:
        parameters, moments, t = state
        if rows is not None:
            x, labels = x.at[rows].get(mode="clip"), labels.at[rows].get(mode="clip")
        if recipe.adversarial:
            g = jax.grad(sharp)(x, parameters, labels)
            length = jnp.maximum(jnp.linalg.norm(g, axis=1, keepdims=True), SHORTEST_SLOPE)
            x = x + g * (recipe.adversarial / length)
        gradients = jax.tree.leaves(jax.grad(smoothed)(parameters, x, labels))
        leaves, shape = jax.tree.flatten(parameters)
        # From zero and at a rate of 1, what the rule gives is the step itself.
        new = [
            update(jnp.zeros_like(theta), *entry)
            for theta, *entry in zip(leaves, gradients, [t + 1] * len(leaves), *moments, strict=True)
        ]
        steps, *moments = ([entry[k] for entry in new] for k in range(n_moments + 1))
        thetas = [theta + rate * moved for theta, moved in zip(leaves, steps, strict=True)]
        return jax.tree.unflatten(shape, thetas), moments, t + 1

    return n_moments, jax.jit(step, donate_argnums=0)


class JaxRecipe:
    """One jitted step per batch; compiled functions are kept as long as architecture and recipe are."""

    def __init__(self) -> None:
        self._jax = JaxMLP()
        self._compiled_for: tuple[Architecture, Recipe] | None = None

    def load(self, architecture: Architecture, weights: Weights) -> None:
        self._jax.load(architecture, weights)

    def follow(
        self,
        x: Inputs,
        labels: Labels,
        batches: Sequence[Rows],
        recipe: Recipe,
        change: Change | None = None,
        checkpoints: Checkpoints | None = None,
    ) -> None:
        own = self._jax
        with own.precision():
            n_moments, step = self._step(own.architecture, recipe)
            state = own.fresh_state(n_moments)
            all_labels = labels.astype(np.int32)
            everything = (jnp.array(x), jnp.array(all_labels)) if change is None else None

            def finish() -> None:
                own.take_parameters(state)

            rates = np.array(recipe.rates, own.architecture.dtype)
            for batch, rate in zip(between(batches, checkpoints, finish), rates, strict=True):
                if everything is not None:
                    state = step(state, *everything, batch.astype(np.int32), rate)
                else:
                    state = step(state, *_changed(x, all_labels, batch, change), None, rate)
            finish()

    def _step(self, architecture: Architecture, recipe: Recipe) -> tuple[int, Any]:
        key = (architecture, replace(recipe, rates=()))
        if key != self._compiled_for:
            self._found, self._compiled_for = step_by_recipe(*key), key
        return self._found

    def logits(self, x: Inputs) -> Logits:
        return self._jax.logits(x)


def _changed(x: Inputs, labels: Labels, batch: Rows, change: Change | None) -> tuple[Array, Array]:
    """The changed batch, and its labels."""
    batch_x = x[batch]
    if change is not None:
        change(batch_x)
    return batch_x, labels[batch]
