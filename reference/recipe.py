"""`Recipe`: a whole way to train, as plain data that NumPy's network and every framework follow alike.

Beside the update rule it has a learning rate for every step, label smoothing, and adversarial training: the
inputs x of a batch are replaced, before each step, by

    x + r g / |g|_2,    g = dL/dx at x, for every example by itself                                  [1]

the neighbour at distance r whose loss grows fastest. It knows nothing of which inputs are neighbours.

References
----------
[1] Miyato, Maeda, Koyama, Ishii 2019; without the norm, Goodfellow, Shlens, Szegedy 2015.
In full: `backproof.scratch.references`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from backproof.reference.contender import Checkpoints
from backproof.scratch.architecture import (
    Architecture,
    Batch,
    Inputs,
    Labels,
    Logits,
    OptimizerSpec,
    Rows,
    Weights,
)

# Below this length a slope counts as none: its square is no float32, and the example is learned already.
SHORTEST_SLOPE = 1e-18
Change = Callable[[Batch], None]  # writes another batch of inputs (float32) over the one it is given


@dataclass(frozen=True)
class Recipe:
    """How every step is taken.

    Parameters
    ----------
    optimizer
        The update rule; its learning rate is not used.
    rates
        The learning rate of each step, one per batch.
    label_smoothing
        The share of every target that is spread evenly over the outputs.
    adversarial
        The distance r; 0 for none.
    """

    optimizer: OptimizerSpec
    rates: Sequence[float]
    label_smoothing: float = 0.0
    adversarial: float = 0.0


class RecipeContender(Protocol):
    """A network of relus with softmax and cross-entropy that is trained by a whole recipe.

    What it is given is trusted: contiguous float32 inputs, int64 labels, intp rows.
    """

    def load(self, architecture: Architecture, weights: Weights) -> None:
        """Take these weights (copied); everything else starts afresh.

        Parameters
        ----------
        architecture
            Layer sizes and dtype; its activation is relu, its loss cross-entropy.
        weights
            Per layer W (fan_in, fan_out) and b (fan_out,).
        """

    def follow(
        self,
        x: Inputs,
        labels: Labels,
        batches: Sequence[Rows],
        recipe: Recipe,
        change: Change | None = None,
        checkpoints: Checkpoints | None = None,
    ) -> None:
        """Take one step of a fresh optimiser on each batch.

        Parameters
        ----------
        x, labels
            All examples (examples, n_inputs), and their labels (examples,).
        batches
            Row indices (batch,) each; one step on each, in this order.
        recipe
            How each step is taken; it has as many rates as there are batches.
        change
            Called with the inputs (batch, n_inputs) of each step, in order, before all else.
        checkpoints
            As in `Contender.train`.
        """

    def logits(self, x: Inputs) -> Logits:
        """The outputs of the last layer.

        Parameters
        ----------
        x
            Inputs (batch, n_inputs).

        Returns
        -------
        array (batch, n_outputs)
            Fresh; a later call does not change it.
        """
