"""scikit-learn as its users write it: one `fit` over all the data, which shuffles and cuts its own batches.

`fit` has no hook between steps. Each stretch between two checkpoints is therefore one `fit` of one epoch over
the rows of that stretch's batches, gathered beforehand; it reports no loss per step.
"""

import warnings
from collections.abc import Sequence

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from backproof.reference.contender import Checkpoints, NotOffered, between, checked_training, stretches_of
from backproof.reference.sklearn_mlp import SklearnMLP
from backproof.scratch.architecture import Architecture, Inputs, Logits, OptimizerSpec, Rows, Targets, Weights


class SklearnFit:
    """`MLPClassifier.fit`, warm-started at the loaded weights."""

    def __init__(self) -> None:
        self._sklearn = SklearnMLP()

    def load(self, architecture: Architecture, weights: Weights) -> None:
        self._sklearn.load(architecture, weights)

    def logits(self, x: Inputs) -> Logits:
        return self._sklearn.logits(x)

    def loss_and_gradient(self, x: Inputs, targets: Targets) -> tuple[float, Weights]:
        return self._sklearn.loss_and_gradient(x, targets)

    def weights(self) -> Weights:
        return self._sklearn.weights()

    def train(
        self,
        x: Inputs,
        targets: Targets,
        batches: Sequence[Rows],
        optimizer: OptimizerSpec,
        checkpoints: Checkpoints | None = None,
    ) -> Sequence[float]:
        """One shuffled epoch over each stretch, in batches of the first one's size. No losses."""
        architecture = self._sklearn.architecture
        x, labels, rows = checked_training(architecture, x, targets, batches)
        model = self._sklearn.model_at_weights(optimizer)
        model.set_params(batch_size=len(rows[0]), shuffle=True, random_state=0)
        stretches = stretches_of(rows, checkpoints)

        def finish() -> None:
            self._sklearn.take_weights(model)

        for stretch in between(stretches, checkpoints, finish, steps=len):
            chosen = np.concatenate(stretch)
            stretch_x, stretch_labels = x[chosen], labels[chosen]
            if len(np.unique(stretch_labels)) < architecture.n_outputs:
                raise NotOffered("MLPClassifier's warm start needs every class in its data")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # one epoch is all that is asked for
                model.fit(stretch_x, stretch_labels)
        finish()
        return []
