"""A Keras model of any layers, on TensorFlow: its record, in torch's layouts.

The method `call` of every layer is wrapped while a pass is recorded, as hooks wrap a torch module; tensors
pass an identity whose backward pass shows the gradient. Images are turned from channels last to channels
first, what `Flatten` makes of them is put into the order that torch's has, and weights likewise:

    Conv2D kernel (height, width, in, out)  ->  (out, in, height, width)
    Dense kernel (in, out)                  ->  (out, in), the rows behind a Flatten reordered as its outputs

The activation of a layer is taken out of it and recorded as a call of its own. torch divides the batch's
variance by n - 1 for the running one, Keras by n: the running variance is recorded as torch would have it.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import prod
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from backproof.reference.contender import NotOffered
from backproof.reference.nested import leaves, rebuilt
from backproof.reference.record import RATE, WHOLE, Call, Record, Task
from backproof.scratch.architecture import Array
from backproof.scratch.errors import InputError

BATCH_SIZE = 6
Image = tuple[int, ...]  # height, width, channels of what was flattened
# What a layer without weights is called in torch: those are paired by their kinds.
KINDS: Mapping[str, str] = {
    "MaxPooling2D": "MaxPool2d",
    "AveragePooling2D": "AvgPool2d",
    "Conv2D": "Conv2d",
    "Dense": "Linear",
    "LayerNormalization": "LayerNorm",
    "relu": "ReLU",
    "tanh": "Tanh",
    "sigmoid": "Sigmoid",
    "gelu": "GELU",
    "silu": "SiLU",
    "elu": "ELU",
    "softplus": "Softplus",
    "softmax": "Softmax",
    "leaky_relu": "LeakyReLU",
}


class KerasModel:
    """`model`, with the inputs of its example. Raises InputError where it is not built."""

    framework = "Keras"

    def __init__(self, model: Any, example: Any = None) -> None:
        if not model.built:
            raise InputError("model: expected a Keras model that is built; give it a keras.Input first")
        self.module, self.example = model, example
        kinds = {str(variable.dtype) for variable in model.trainable_variables}
        if not kinds <= {"float32", "float64"}:
            raise InputError(f"model: expected weights in float32 or float64, got {', '.join(kinds)}")
        self.dtype = "float64" if kinds == {"float64"} else "float32"

    def inputs(self, seed: int) -> list[Array]:
        """Those of the example, else numbers of the input's shape, images with their channels first.

        Parameters
        ----------
        seed
            Of the numbers.

        Returns
        -------
        arrays
            What goes in, in order.
        """
        if self.example is not None:
            return [_channels_first(np.array(one)) for _, one in leaves([self.example], "")]
        rng, found = np.random.default_rng(seed), []
        for given in self.module.inputs:
            shape = (BATCH_SIZE, *(size or 9 for size in given.shape[1:]))
            embeddings = [one for one in _layers(self.module) if isinstance(one, keras.layers.Embedding)]
            if embeddings and len(shape) == 2:
                found.append(rng.integers(0, embeddings[0].input_dim, shape))
            else:
                found.append(_channels_first(rng.normal(size=shape)))
        return found

    def output(self, task: Task) -> Array:
        """Nothing: a torch module is the measure.

        Parameters
        ----------
        task
            Its mode, dtype, inputs, targets, and parameters to take first.

        Returns
        -------
        array
            Of its own shape.

        Raises
        ------
        NotOffered
            Always.
        """
        raise NotOffered("a Keras model is no measure")

    def record(self, task: Task, into: Record) -> None:
        """Fill `into`, as far as an exception lets it; the model is then as it was.

        Parameters
        ----------
        task
            Its mode, dtype, inputs, targets, and parameters to take first.
        into
            Where the calls, gradients and statistics go.
        """
        model = self.module if task.dtype == self.dtype else _in_dtype(self.module, task.dtype)
        before = model.get_weights()
        try:
            _Recording(model, task, into).run()
        finally:
            model.set_weights(before)

    def expected(self, task: Task, theirs: Mapping[str, Call]) -> dict[str, tuple[Array, Array]]:
        """Nothing: a torch module is the measure.

        Parameters
        ----------
        task
            Its mode, dtype, inputs, targets, and parameters to take first.
        theirs
            The recorded calls, by the names of their counterparts here.

        Returns
        -------
        dict
            By name, the value and the estimate of its rounding.

        Raises
        ------
        NotOffered
            Always.
        """
        raise NotOffered("a Keras model is no measure")

    def explain(
        self, task: Task, theirs: Mapping[str, Call], tensor: str, found: Array, allowed: Array
    ) -> Sequence[str]:
        """Nothing: a torch module is the measure.

        Parameters
        ----------
        task
            Its mode, dtype, inputs, targets, and parameters to take first.
        theirs
            The recorded calls, by the names of their counterparts here.
        tensor
            The name of the one that differs.
        found
            What was recorded.
        allowed
            How far each entry may be off, of the same shape.

        Returns
        -------
        texts
            A sentence each.
        """
        return []


def _in_dtype(model: Any, dtype: str) -> Any:
    """The same model in another precision. Raises NotOffered where its configuration does not make one."""
    other = {"float64": "float32", "float32": "float64"}[dtype]
    try:
        config = json.loads(json.dumps(model.get_config()).replace(f'"{other}"', f'"{dtype}"'))
        made = type(model).from_config(config)
        made.set_weights(model.get_weights())
    except (TypeError, ValueError, NotImplementedError) as error:
        raise NotOffered(f"it cannot be made again in {dtype} from its configuration ({error})") from error
    return made


def _layers(model: Any) -> Iterator[Any]:
    """All layers inside, those of models inside it too."""
    for layer in getattr(model, "layers", ()):
        yield layer
        yield from _layers(layer)


def _channels_first(value: Array) -> Array:
    return value.transpose(0, 3, 1, 2) if value.ndim == 4 else value


def _channels_last(value: Array) -> Array:
    return value.transpose(0, 2, 3, 1) if value.ndim == 4 else value


def _reordered(value: Array, image: Image | None, axis: int) -> Array:
    """The entries of a flattened image along an axis, in the order that torch flattens it."""
    if image is None or value.ndim <= axis or value.shape[axis] != prod(image):
        return value
    order = np.arange(prod(image)).reshape(image).transpose(2, 0, 1).ravel()
    return value.take(order, axis)


@dataclass
class _Recording:
    """One pass of one model."""

    model: Any
    task: Task
    into: Record
    images: dict[str, Image] = field(default_factory=dict)  # by layer, what its flat inputs were
    open: list[int] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    batch_sizes: dict[str, int] = field(default_factory=dict)  # numbers a channel's variance is over
    image: Image | None = None  # what the tensors on their way were flattened from

    def run(self) -> None:
        if self.task.parameters:
            self._find_images()
        self._assign()
        variables = self.model.trainable_variables
        unlearned = [v for _, layer in self._named() for v in layer.non_trainable_variables]
        start = {v.path: v.numpy().copy() for v in unlearned}
        given = [tf.constant(_channels_last(one)) for one in self.task.inputs]
        with tf.GradientTape() as tape, self._wrapped():
            for one in given:
                if one.dtype.is_floating:
                    tape.watch(one)
            output = self.model(given[0] if len(given) == 1 else given, training=self.task.training)
            loss = self._loss(output)
        self.into.loss = np.asarray(loss.numpy())
        gradients = tape.gradient(loss, [v.value for v in variables])
        self.into.parameters = self._by_name(variables, [v.value for v in variables])
        self.into.gradients = self._by_name(variables, gradients)
        self._statistics(start)
        self._step(variables, gradients)

    def _find_images(self) -> None:
        """Which layers stand behind a Flatten, by a pass whose record is thrown away."""
        kept, self.into = self.into, Record()
        with self._wrapped():
            given = [tf.constant(_channels_last(one)) for one in self.task.inputs]
            self.model(given[0] if len(given) == 1 else given, training=False)
        self.into, self.image, self.counts = kept, None, {}

    def _loss(self, output: Any) -> Any:
        first = next(value for _, value in leaves(output, ""))
        if self.task.targets.dtype.kind == "i":
            terms = tf.nn.sparse_softmax_cross_entropy_with_logits(self.task.targets, first)
            return tf.reduce_mean(terms)
        return tf.reduce_mean((first - tf.constant(_channels_last(self.task.targets), first.dtype)) ** 2)

    def _step(self, variables: Sequence[Any], gradients: Sequence[Any]) -> None:
        if self.task.dtype == "float64":
            self.into.notes.append("a step in float64: Keras holds the learning rate in single precision")
            return
        pairs = [(g, v) for g, v in zip(gradients, variables, strict=True) if g is not None]
        keras.optimizers.SGD(RATE).apply([g for g, _ in pairs], [v for _, v in pairs])
        self.into.stepped = self._by_name(variables, [v.value for v in variables])

    # -- names and layouts of weights

    def _named(self) -> list[tuple[str, Any]]:
        return [(layer.name, layer) for layer in _layers(self.model) if not getattr(layer, "layers", ())]

    def _by_name(self, variables: Sequence[Any], values: Sequence[Any]) -> dict[str, Array]:
        """By layer and variable, as torch lays them out."""
        owners = {id(v): (name, layer) for name, layer in self._named() for v in layer.weights}
        found = {}
        for variable, value in zip(variables, values, strict=True):
            if value is not None:
                name, layer = owners[id(variable)]
                array = tf.convert_to_tensor(value).numpy().copy()
                found[f"{name}.{variable.name}"] = _as_torch(array, layer, self.images.get(name))
        return found

    def _assign(self) -> None:
        for name, layer in self._named():
            for variable in layer.trainable_variables:
                value = self.task.parameters.get(f"{name}.{variable.name}")
                if value is not None:
                    variable.assign(_as_keras(value, layer, self.images.get(name)))

    def _statistics(self, start: Mapping[str, Array]) -> None:
        for name, layer in self._named():
            for variable in layer.non_trainable_variables:
                value = variable.numpy().copy()
                if value.dtype.kind != "f":
                    continue
                if isinstance(layer, keras.layers.BatchNormalization) and "variance" in variable.name:
                    value = self._unbiased(name, layer, start[variable.path], value)
                found = _reordered(value, self.images.get(name), 0)
                self.into.buffers[f"{name}.{variable.name}"] = found

    def _unbiased(self, name: str, layer: Any, before: Array, after: Array) -> Array:
        n = self.batch_sizes.get(name, 0)
        if not self.task.training or n < 2:
            return after
        kept = layer.momentum * before
        found: Array = kept + (after - kept) * (n / (n - 1))
        return found

    # -- calls

    @contextmanager
    def _wrapped(self) -> Iterator[None]:
        everything = [(WHOLE, self.model), *((layer.name, layer) for layer in _layers(self.model))]
        for name, layer in everything:
            object.__setattr__(layer, "call", self._observed(name, layer, layer.call))
        try:
            yield
        finally:
            for _, layer in everything:
                object.__delattr__(layer, "call")

    def _observed(self, name: str, layer: Any, plain: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            if (
                isinstance(layer, keras.layers.Dropout | keras.layers.SpatialDropout2D)
                or "training" in kwargs
            ):
                is_off = not isinstance(layer, keras.layers.BatchNormalization | keras.Model)
                kwargs = {**kwargs, "training": False if is_off else kwargs.get("training")}
            size = sum(prod(v.shape) for v in layer.trainable_variables)
            record = self._begin(name, type(layer).__name__, size)
            self._look(layer, name, args)
            args = self._tapped(args, record.inputs, record.input_gradients)
            activation = getattr(layer, "activation", None)
            if activation in (None, keras.activations.linear) or isinstance(layer, keras.layers.Activation):
                return self._end(layer, plain(*args, **kwargs), record)
            layer.activation = keras.activations.linear
            try:
                output = self._end(layer, plain(*args, **kwargs), record)
            finally:
                layer.activation = activation
            record = self._begin(f"{name} activation", getattr(activation, "__name__", "activation"), 0)
            output = self._tapped(output, record.inputs, record.input_gradients)
            return self._end(None, activation(output), record)

        return call

    def _begin(self, path: str, kind: str, size: int) -> Call:
        self.counts[path] = self.counts.get(path, 0) + 1
        name = path if self.counts[path] == 1 else f"{path}#{self.counts[path]}"
        parent = self.open[-1] if self.open else -1
        record = Call(name, path, KINDS.get(kind, kind), parent, size)
        self.open.append(len(self.into.calls))
        self.into.calls.append(record)
        return record

    def _look(self, layer: Any, name: str, args: Any) -> None:
        """What a layer says of the shapes around it."""
        x = next((value for _, value in leaves(args, "") if hasattr(value, "shape")), None)
        if x is None:
            return
        if isinstance(layer, keras.layers.Activation):
            self.into.calls[-1].kind = KINDS.get(layer.activation.__name__, "Activation")
        if isinstance(layer, keras.layers.BatchNormalization):
            self.into.calls[-1].kind = "BatchNorm2d" if x.ndim == 4 else "BatchNorm1d"
            self.batch_sizes[name] = prod(x.shape) // x.shape[-1]
        if self.image is not None and x.ndim == 2 and x.shape[1] == prod(self.image):
            self.images[name] = self.image
        if isinstance(layer, keras.layers.Flatten) and x.ndim == 4:
            self.images[name] = tuple(x.shape[1:])

    def _end(self, layer: Any, output: Any, record: Call) -> Any:
        if isinstance(layer, keras.layers.Flatten):
            self.image = self.images.get(layer.name)
        elif isinstance(layer, keras.layers.Dense):
            self.image = None
        self.open.pop()
        return self._tapped(output, record.outputs, record.output_gradients)

    def _tapped(self, nest: Any, values: list[Array], gradients: dict[int, Array]) -> Any:
        """The same tensors, seen, and their gradients when they come back."""
        found = []
        for _, value in leaves(nest, ""):
            if isinstance(value, tf.Tensor):
                values.append(self._as_torch(value, self.image))
                value = self._kept(value, gradients, len(values) - 1) if value.dtype.is_floating else value
            found.append(value)
        return rebuilt(nest, iter(found))

    def _kept(self, value: Any, gradients: dict[int, Array], i: int) -> Any:
        image = self.image

        def same(x: Any) -> Any:
            def back(upstream: Any) -> Any:
                gradients[i] = self._as_torch(upstream, image)
                return upstream

            return tf.identity(x), back

        return tf.custom_gradient(same)(value)

    @staticmethod
    def _as_torch(value: Any, image: Image | None) -> Array:
        array = tf.convert_to_tensor(value).numpy().copy()
        return np.ascontiguousarray(_reordered(_channels_first(array), image, 1))


def _as_torch(value: Array, layer: Any, image: Image | None) -> Array:
    """A weight, or the gradient of one, as torch lays it out."""
    value = _reordered(value, image, 0)
    if value.ndim == 4:
        value = value.transpose(3, 2, 0, 1)
    elif value.ndim == 2 and not isinstance(layer, keras.layers.Embedding):
        value = value.T
    return np.ascontiguousarray(value)


def _as_keras(value: Array, layer: Any, image: Image | None) -> Array:
    """The way back."""
    if value.ndim == 4:
        value = value.transpose(2, 3, 1, 0)
    elif value.ndim == 2 and not isinstance(layer, keras.layers.Embedding):
        value = value.T
    if image is not None and value.shape[0] == prod(image):
        order = np.arange(prod(image)).reshape(image).transpose(2, 0, 1).ravel()
        value = value.take(np.argsort(order), 0)
    return value
