"""Keras as its users write it: `keras.Sequential`, `compile`, `fit`, on TensorFlow.

`fit` draws its own batches, reports no loss per step, and has Keras's own update rules (its Adam adds eps
without the bias correction). Only networks for labels are built: this is a contender for the clock.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from backproof.reference.contender import Checkpoints, NotOffered, between
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

ACTIVATIONS = {"identity": "linear", "sigmoid": "sigmoid", "tanh": "tanh", "relu": "relu"}


def _optimizer(spec: OptimizerSpec) -> Any:
    if spec.weight_decay:
        raise NotOffered("Keras's weight_decay is decoupled: another rule")
    if spec.name == "sgd":
        return keras.optimizers.SGD(spec.learning_rate, momentum=spec.momentum, nesterov=spec.nesterov)
    return keras.optimizers.Adam(spec.learning_rate, spec.beta1, spec.beta2, spec.eps)


class _AtSteps(keras.callbacks.Callback):  # type: ignore[misc] # Keras finds callbacks by inheritance
    """Calls the checkpoints, and stops after the last step."""

    def __init__(self, n_steps: int, checkpoints: Checkpoints | None) -> None:
        super().__init__()
        self.steps = between(range(n_steps), checkpoints)

    def on_train_begin(self, logs: Any = None) -> None:
        next(self.steps)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if next(self.steps, None) is None:
            self.model.stop_training = True


class KerasFit:
    """`model.fit(x, labels, batch_size)` for as many epochs as the steps need."""

    def load(self, architecture: Architecture, weights: Weights) -> None:
        if architecture.loss != "cross_entropy":
            raise NotOffered("only networks for labels are built with Keras here")
        keras.backend.set_floatx(architecture.dtype)
        self.architecture = architecture
        *hidden, n_outputs = architecture.layer_sizes[1:]
        activation = ACTIVATIONS[architecture.activation]
        layers = [keras.layers.Dense(size, activation=activation) for size in hidden]
        self.model = keras.Sequential(
            [keras.Input((architecture.n_inputs,)), *layers, keras.layers.Dense(n_outputs)]
        )
        self.model.set_weights([array for pair in architecture.checked_weights(weights) for array in pair])

    def logits(self, x: Inputs) -> Logits:
        outputs: Array = np.array(self.model(self.architecture.checked_inputs(x)))
        return outputs

    def loss_and_gradient(self, x: Inputs, targets: Targets) -> tuple[float, Weights]:
        raise NotOffered("Keras has no gradient without its backend's")

    def train(
        self,
        x: Inputs,
        targets: Targets,
        batches: Sequence[Rows],
        optimizer: OptimizerSpec,
        checkpoints: Checkpoints | None = None,
    ) -> Sequence[float]:
        """As many steps as there are batches, of the size of the first; Keras draws its own. No losses."""
        x, labels = self.architecture.checked_batch(x, targets)
        batch_size = len(batches[0])
        self.model.compile(
            optimizer=_optimizer(optimizer),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        )
        self.model.fit(
            x,
            labels,
            batch_size=batch_size,
            epochs=-(-len(batches) // -(-len(x) // batch_size)),
            verbose=0,
            callbacks=[_AtSteps(len(batches), checkpoints)],
        )
        return []

    def weights(self) -> Weights:
        arrays = [np.array(array) for array in self.model.get_weights()]
        return list(zip(arrays[::2], arrays[1::2], strict=True))
