"""A Keras model of one's own as a contender, on TensorFlow: Dense layers with an activation after each.

The model's layers are called one after the other, as `keras.Sequential` calls them. A Dense layer is called
with its activation taken out, which is called by itself, so that z shows; derivatives come from a tape. The
model itself is used: one with activations of its own cannot be cloned.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from backproof.reference.contender import Checkpoints, NotOffered, between, checked_batches
from backproof.reference.tensorflow_mlp import LOSSES
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
from backproof.scratch.errors import InputError


def _gelu_by_tanh(z: Any) -> Any:
    return keras.activations.gelu(z, approximate=True)


def _leaky_relu(z: Any) -> Any:
    return keras.activations.leaky_relu(z, negative_slope=0.01)


def _gelu(z: Any) -> Any:
    return keras.activations.gelu(z, approximate=False)


def stack_of(architecture: Architecture, activations: Sequence[str]) -> "KerasStack":
    """Keras's own layers of these sizes, with one activation behind each but the last.

    Parameters
    ----------
    architecture
        Sizes and dtype.
    activations
        One for each hidden layer.

    Returns
    -------
    KerasStack
        At random weights.

    Raises
    ------
    NotOffered
        For float64: Keras holds the constants of some activations in single precision.
    """
    if architecture.dtype == "float64":
        raise NotOffered("Keras holds the constants of some activations in single precision")
    own = {"identity": "linear", "gelu": _gelu, "gelu_tanh": _gelu_by_tanh, "leaky_relu": _leaky_relu}
    kinds = [own.get(kind, kind) for kind in (*activations, "identity")]
    sizes = [columns for _, columns in architecture.layer_shapes]
    layers = [keras.layers.Dense(n, activation=kind) for n, kind in zip(sizes, kinds, strict=True)]
    return KerasStack(keras.Sequential([keras.Input((architecture.n_inputs,)), *layers]))


class KerasStack:
    """`model` as a contender with a trace. Raises InputError where it is no stack of Dense layers."""

    def __init__(self, model: Any) -> None:
        if not isinstance(model, keras.Sequential) or not model.built:
            raise InputError("model: expected a keras.Sequential that is built; give it a keras.Input first")
        self.model = model
        self._find_dense()

    def _find_dense(self) -> None:
        self.dense = [layer for layer in self.model.layers if isinstance(layer, keras.layers.Dense)]
        if not self.dense or any(not layer.use_bias for layer in self.dense):
            raise InputError("model: expected Dense layers, each with a bias")
        if sum(v.shape.num_elements() for v in self.model.trainable_variables) != sum(
            v.shape.num_elements() for layer in self.dense for v in (layer.kernel, layer.bias)
        ):
            raise InputError("model: expected parameters in Dense layers alone; it has others")
        last = self.model.layers[-1]
        if last is not self.dense[-1] or last.activation is not keras.activations.linear:
            raise InputError(
                "model: expected it to return logits: a last Dense layer without activation; take it out, "
                "and use a loss from logits"
            )

    def load(self, architecture: Architecture, weights: Weights) -> None:
        """Copy `weights` into the Dense layers. Raises NotOffered where their sizes or dtype are others."""
        if architecture.layer_shapes != [W.shape for W, _ in self.weights()]:
            raise NotOffered(f"this model has layers of {[W.shape for W, _ in self.weights()]}")
        if architecture.dtype != self.dense[0].kernel.dtype:
            raise NotOffered(f"this model is of {self.dense[0].kernel.dtype}")
        self.architecture = architecture
        for layer, (W, b) in zip(self.dense, architecture.checked_weights(weights), strict=True):
            layer.kernel.assign(W)
            layer.bias.assign(b)

    def weights(self) -> Weights:
        return [(_array(layer.kernel.value), _array(layer.bias.value)) for layer in self.dense]

    def logits(self, x: Inputs) -> Logits:
        outputs: Array = _array(self.model(tf.constant(self.architecture.checked_inputs(x))))
        return outputs

    def loss_and_gradient(self, x: Inputs, targets: Targets) -> tuple[float, Weights]:
        loss, gradients = self._gradient(*self._tensors(x, targets))
        arrays = [_array(gradient) for gradient in gradients]
        return float(loss), list(zip(arrays[::2], arrays[1::2], strict=True))

    def train(
        self,
        x: Inputs,
        targets: Targets,
        batches: Sequence[Rows],
        optimizer: OptimizerSpec,
        checkpoints: Checkpoints | None = None,
    ) -> Sequence[float]:
        """By Keras's SGD; its Adam and its weight decay are other rules than those compared here."""
        if optimizer.name != "sgd" or optimizer.weight_decay:
            raise NotOffered("Keras's Adam adds eps before the bias correction, and its decay is decoupled")
        if optimizer.momentum and self.architecture.dtype == "float64":
            raise NotOffered("Keras holds the momentum in single precision: another number")
        rule = keras.optimizers.SGD(
            optimizer.learning_rate, momentum=optimizer.momentum, nesterov=optimizer.nesterov
        )
        all_x, all_targets = self._tensors(x, targets)
        losses = []
        for rows in between(checked_batches(batches, len(all_x)), checkpoints):
            loss, gradients = self._gradient(tf.gather(all_x, rows), tf.gather(all_targets, rows))
            rule.apply(gradients, self._variables())
            losses.append(float(loss))
        return losses

    def trace(self, x: Inputs, targets: Targets) -> Mapping[str, Array]:
        """The loss, and z, a and delta of every layer, under the names of `comparisons.compare.trace`.

        Parameters
        ----------
        x
            Inputs (batch, n_inputs), of any real dtype.
        targets
            Labels (batch,), or numbers (batch, n_outputs).

        Returns
        -------
        dict of arrays
            Each (batch, units) in the model's dtype, ``loss`` a scalar.
        """
        a, batch_targets = self._tensors(x, targets)
        shown: dict[str, tf.Tensor] = {}
        zs: list[Any] = []
        with tf.GradientTape() as tape:
            for layer in self.model.layers:
                if layer not in self.dense:
                    a = layer(a)
                    continue
                if zs:
                    shown[f"a{len(zs)}"] = a
                z = _without_activation(layer, a)
                tape.watch(z)
                zs.append(z)
                shown["logits" if layer is self.dense[-1] else f"z{len(zs)}"] = z
                a = layer.activation(z)
            loss = LOSSES[self.architecture.loss](batch_targets, a)
        deltas = tape.gradient(loss, zs)
        shown |= {"loss": loss} | {f"delta{i}": delta for i, delta in enumerate(deltas, start=1)}
        return {name: _array(value) for name, value in shown.items()}

    def _variables(self) -> list[Any]:
        return [variable for layer in self.dense for variable in (layer.kernel, layer.bias)]

    def _gradient(self, x: Any, targets: Any) -> tuple[Any, Sequence[Any]]:
        variables = self._variables()
        with tf.GradientTape() as tape:
            loss = LOSSES[self.architecture.loss](targets, self.model(x))
        return loss, tape.gradient(loss, [variable.value for variable in variables])

    def _tensors(self, x: Inputs, targets: Targets) -> tuple[Any, Any]:
        x, targets = self.architecture.checked_batch(x, targets)
        return tf.constant(x), tf.constant(targets)


def _array(value: Any) -> Array:
    found: Array = value.numpy().copy()
    return found


def _without_activation(layer: Any, a: Any) -> Any:
    kept, layer.activation = layer.activation, keras.activations.linear
    try:
        return layer(a)
    finally:
        layer.activation = kept
