"""Keras layers and functions of TensorFlow whose derivatives are right, and one way to make each wrong.

As `torch_functions`. Left out is batch norm in training at second order: `tf.nn.moments`, on which it rests,
stops the gradient of the mean inside the variance. That is right for the first derivative alone, and found.
"""

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from backproof.reference.nested import leaves, rebuilt

Case = tuple[Any, tuple[Any, ...]]
layers = keras.layers


def _stack() -> Any:
    return keras.Sequential([layers.Dense(4, activation="tanh"), layers.Dense(2)])


def _attention(q: Any, k: Any, v: Any) -> Any:
    return tf.nn.softmax(tf.matmul(q, k, transpose_b=True)) @ v


def _cross_entropy(logits: Any) -> Any:
    labels = np.array([0, 2, 1])
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))


CASES: Mapping[str, tuple[Callable[[], Any], tuple[tuple[int, ...], ...]]] = {
    "Dense": (lambda: layers.Dense(2, activation="tanh"), ((4, 3),)),
    "EinsumDense": (lambda: layers.EinsumDense("ab,bc->ac", output_shape=2, bias_axes="c"), ((4, 3),)),
    "Conv1D": (lambda: layers.Conv1D(2, 3, padding="same"), ((1, 5, 2),)),
    "Conv2D": (lambda: layers.Conv2D(2, 2), ((1, 3, 3, 2),)),
    "BatchNormalization": (lambda: layers.BatchNormalization(), ((4, 3),)),
    "UnitNormalization": (lambda: layers.UnitNormalization(), ((3, 4),)),
    "GRU": (lambda: layers.GRU(2, unroll=True), ((2, 3, 2),)),
    "SimpleRNN": (lambda: layers.SimpleRNN(3, unroll=True), ((2, 3, 2),)),
    "MultiHeadAttention": (lambda: layers.MultiHeadAttention(2, 2), ((1, 3, 4), (1, 3, 4))),
    "Sequential": (_stack, ((4, 3),)),
    "attention": (lambda: _attention, ((3, 2), (4, 2), (4, 2))),
    "cross entropy": (lambda: _cross_entropy, ((3, 3),)),
}


def case(name: str, seed: int) -> Case:
    """One of CASES, with weights and arguments drawn from this seed.

    Parameters
    ----------
    name
        One of CASES.
    seed
        Keras's own, and that of the arguments.

    Returns
    -------
    tuple (layer or model, arguments)
        The arguments are float32 tensors.
    """
    keras.utils.set_random_seed(seed)
    make, shapes = CASES[name]
    rng = np.random.default_rng([seed, *name.encode()])
    return make(), tuple(tf.constant(rng.standard_normal(shape), tf.float32) for shape in shapes)


def mistaken(f: Any, kind: str) -> Callable[..., Any]:
    """f, with a mistake in what flows back through its first output, or through one output more.

    Parameters
    ----------
    f
        A layer or model, which returns a tensor or a nest of them.
    kind
        Of mistake: "sign", "one entry", "one of two outputs", "second derivative", "scaled in float32", "a
        thousandth"; any other name is a factor of 1 + 1e-6.

    Returns
    -------
    function
        Of f's arguments and values; its derivatives alone differ.
    """
    return (
        _Mistaken(f, kind) if isinstance(f, keras.layers.Layer) else lambda *args: _mistaken(kind, f(*args))
    )


class _Mistaken(keras.layers.Layer):  # type: ignore[misc] # Keras ships it unannotated
    """A layer with a mistake behind it; one itself, so that it can be copied in float64."""

    def __init__(self, inner: Any, kind: str, **options: Any) -> None:
        super().__init__(**options)
        self.inner, self.kind = inner, kind

    def call(self, *args: Any) -> Any:
        return _mistaken(self.kind, self.inner(*args))

    def get_config(self) -> Mapping[str, Any]:
        return {**super().get_config(), "inner": layers.serialize(self.inner), "kind": self.kind}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "_Mistaken":
        return cls(**{**config, "inner": layers.deserialize(dict(config["inner"]))})


def _mistaken(kind: str, y: Any) -> Any:
    values = [value for _, value in leaves(y, "")]
    if kind == "one of two outputs":
        return y, _wrong(kind, tf.sin(values[0]))
    return rebuilt(y, iter([_wrong(kind, values[0]), *values[1:]]))


def _wrong(kind: str, y: Any) -> Any:
    @tf.custom_gradient  # type: ignore[untyped-decorator]  # TensorFlow ships it unannotated
    def identity(value: Any) -> Any:
        return tf.identity(value), lambda upstream: _changed(kind, upstream, value)

    return identity(y)


def _changed(kind: str, upstream: Any, value: Any) -> Any:
    """What flows back instead of `upstream`; one entry is the largest output's, since others may be flat."""
    if kind == "second derivative":
        return _wrong("a thousandth", upstream)
    if kind == "one entry":
        largest = tf.one_hot(tf.argmax(tf.abs(tf.reshape(value, [-1]))), tf.size(value), dtype=upstream.dtype)
        return upstream * (1.0 - 0.5 * tf.reshape(largest, tf.shape(upstream)))
    factor = {"sign": -1.0, "a thousandth": 1.001}
    if kind == "scaled in float32":
        return upstream * (1.0 if upstream.dtype == tf.float64 else 1.01)
    return upstream * factor.get(kind, 1.0 + 1e-6)
