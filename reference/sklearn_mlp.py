"""The scikit-learn contender: `MLPClassifier`, through its public interface alone.

What it offers there is training: weights go in and come out as `coefs_` and `intercepts_`, a step is one
`partial_fit` on one batch, and `loss_` is that step's loss. A fresh optimiser at given weights is what `fit`
with `warm_start` makes, so the first step is a `fit` of one epoch over the first batch. Its Adam adds eps to
sqrt(v) without the bias correction (Kingma, Ba 2015, end of section 2), torch's with it.

There is no public logit (log-probabilities lack a constant per example) and no public gradient. Losses other
than cross entropy, and two classes (one logistic output), make another network.
"""

import warnings
from collections.abc import Sequence

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from backproof.reference.contender import Checkpoints, NotOffered, between, checked_training
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

ACTIVATIONS = {"identity": "identity", "sigmoid": "logistic", "tanh": "tanh", "relu": "relu"}


def make_classifier(architecture: Architecture, spec: OptimizerSpec, batch_size: int) -> MLPClassifier:
    """An untrained MLPClassifier of this network and rule.

    Parameters
    ----------
    architecture
        Of loss cross_entropy and three outputs at least.
    spec
        The update rule, without weight decay.
    batch_size
        How many examples one step takes.

    Returns
    -------
    MLPClassifier
        Which shuffles nothing and trains one epoch at a time.

    Raises
    ------
    NotOffered
        Where scikit-learn has no such network or rule.
    """
    if architecture.loss != "cross_entropy":
        raise NotOffered(f"MLPClassifier minimises cross entropy alone, not {architecture.loss}")
    if architecture.n_outputs < 3:
        raise NotOffered("MLPClassifier has one logistic output for two classes")
    if spec.weight_decay:
        raise NotOffered("MLPClassifier's alpha spares the biases and is divided by the batch size")
    if spec.momentum > 1.0:
        raise NotOffered("MLPClassifier takes a momentum between 0 and 1")
    if spec.learning_rate == 0.0:
        raise NotOffered("MLPClassifier takes a positive learning rate alone")
    return MLPClassifier(
        hidden_layer_sizes=architecture.layer_sizes[1:-1],
        activation=ACTIVATIONS[architecture.activation],
        solver=spec.name,
        alpha=0.0,
        batch_size=batch_size,
        learning_rate_init=spec.learning_rate,
        momentum=spec.momentum,
        nesterovs_momentum=spec.nesterov,
        beta_1=spec.beta1,
        beta_2=spec.beta2,
        epsilon=spec.eps,
        shuffle=False,
        max_iter=1,
        tol=0.0,
        n_iter_no_change=np.iinfo(np.int32).max,
        warm_start=True,
    )


class SklearnMLP:
    """The contender called ``sklearn``."""

    def load(self, architecture: Architecture, weights: Weights) -> None:
        self.architecture = architecture
        self._weights = [
            (weight.copy(), bias.copy()) for weight, bias in architecture.checked_weights(weights)
        ]

    def logits(self, x: Inputs) -> Logits:
        raise NotOffered("MLPClassifier gives probabilities; the logits behind them are not public")

    def loss_and_gradient(self, x: Inputs, targets: Targets) -> tuple[float, Weights]:
        raise NotOffered("MLPClassifier has no public gradient")

    def train(
        self,
        x: Inputs,
        targets: Targets,
        batches: Sequence[Rows],
        optimizer: OptimizerSpec,
        checkpoints: Checkpoints | None = None,
    ) -> Sequence[float]:
        x, labels, rows = checked_training(self.architecture, x, targets, batches)
        model = self.model_at_weights(optimizer)
        losses: list[float] = []
        for batch in between(rows, checkpoints, finish=lambda: self.take_weights(model)):
            if not losses:
                self._first_step(model, x[batch], labels[batch], optimizer)
            else:
                if model.batch_size != len(batch):
                    model.set_params(batch_size=len(batch))  # else a batch is cut, or warned about
                model.partial_fit(x[batch], labels[batch])
            losses.append(float(model.loss_))
        self.take_weights(model)
        return losses

    def weights(self) -> Weights:
        return [(weight.copy(), bias.copy()) for weight, bias in self._weights]

    def model_at_weights(self, optimizer: OptimizerSpec) -> MLPClassifier:
        """A classifier that knows its classes (from a step on zeros), with these weights put in.

        Parameters
        ----------
        optimizer
            The update rule it will train with.

        Returns
        -------
        MLPClassifier
            The weights in it are copies.
        """
        classes = np.arange(self.architecture.n_outputs)
        model = make_classifier(self.architecture, optimizer, len(classes))
        dtype, n_inputs = self.architecture.dtype, self.architecture.n_inputs
        model.partial_fit(np.zeros((len(classes), n_inputs), dtype), classes, classes=classes)
        model.coefs_ = [weight.copy() for weight, _ in self._weights]
        model.intercepts_ = [bias.copy() for _, bias in self._weights]
        return model

    def _first_step(self, model: MLPClassifier, x: Array, labels: Array, optimizer: OptimizerSpec) -> None:
        """One step of a fresh optimiser."""
        model.set_params(batch_size=len(x))
        if len(np.unique(labels)) < self.architecture.n_outputs:
            raise NotOffered("MLPClassifier restarts its optimiser only on a batch that holds every class")
        with warnings.catch_warnings():
            # One epoch of one step is all that is asked for.
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(x, labels)
        model.set_params(warm_start=False)  # with it, every batch would have to hold every class

    def take_weights(self, model: MLPClassifier) -> None:
        """Show the model's weights of this moment.

        Parameters
        ----------
        model
            A classifier of this architecture, which is not kept.
        """
        self._weights = _weights_of(model)


def _weights_of(model: MLPClassifier) -> list[tuple[Array, Array]]:
    return [
        (weight.copy(), bias.copy()) for weight, bias in zip(model.coefs_, model.intercepts_, strict=True)
    ]
