"""Keras and TensorFlow themselves, imported only when a lesson runs that uses them and they are installed."""

import importlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from backproof.comparisons.data.dataset import Dataset
from backproof.scratch.architecture import Architecture, Array, OptimizerSpec

INSTALL = 'pip install "backproof[tensorflow]"'


def installed() -> bool:
    return importlib.util.find_spec("tensorflow") is not None


def _tensorflow() -> Any:
    """TensorFlow without its start-up lines, on the CPU, where everybody else here computes."""
    with quiet_imports():
        return importlib.import_module("tensorflow")


@contextmanager
def quiet_imports() -> Iterator[None]:
    """Imports of TensorFlow, or of what brings it along: on the CPU, and nothing on the process's stderr.

    Its C++ writes there before any log level is known.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def tensorflow_cross_entropy(z: Array, labels: Array) -> float:
    """tf.nn.sparse_softmax_cross_entropy_with_logits, mean over the batch."""
    tf = _tensorflow()
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=z)
    return float(tf.reduce_mean(losses))


def keras_training(
    architecture: Architecture,
    weights: list[tuple[Array, Array]],
    data: Dataset,
    batches: list[Array],
    spec: OptimizerSpec,
    per_epoch: int,
) -> tuple[float, list[float]]:
    """(loss of the first batch before any step, test accuracy every `per_epoch` steps) in Keras.

    The layers, the loss, the optimiser and train_on_batch are Keras's own; start and batches are ours.
    """
    keras = _tensorflow().keras
    layers = [keras.layers.Input((architecture.n_inputs,))]
    sizes = architecture.layer_sizes[1:]
    for i, size in enumerate(sizes):
        last = i == len(sizes) - 1
        layers.append(keras.layers.Dense(size, activation=None if last else architecture.activation))
    model = keras.Sequential(layers)
    model.set_weights([array for pair in weights for array in pair])
    rule = (
        keras.optimizers.Adam(spec.learning_rate, beta_1=spec.beta1, beta_2=spec.beta2, epsilon=spec.eps)
        if spec.name == "adam"
        else keras.optimizers.SGD(spec.learning_rate)
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=rule, loss=loss)
    first = float(loss(data.train_labels[batches[0]], model(data.train_images[batches[0]])))
    return first, _epochs(model, data, batches, per_epoch)


def _epochs(model: Any, data: Dataset, batches: list[Array], per_epoch: int) -> list[float]:
    """Keras's fit, an epoch at a time, over the batches of the others (shuffle=False keeps their order)."""
    curve = []
    for start in range(0, len(batches), per_epoch):
        epoch = batches[start : start + per_epoch]
        rows = np.concatenate(epoch)
        model.fit(
            data.train_images[rows],
            data.train_labels[rows],
            batch_size=len(epoch[0]),
            epochs=1,
            shuffle=False,
            verbose=0,
        )
        logits = model.predict(data.test_images, batch_size=1000, verbose=0)
        curve.append(float((logits.argmax(axis=1) == data.test_labels).mean()))
    return curve
