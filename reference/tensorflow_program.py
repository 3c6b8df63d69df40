"""A Keras layer or a function of TensorFlow tensors as a `Program`.

A layer is called without state (`stateless_call`): its trainable variables are tensors like the inputs, and
what a call would change in the others, running statistics for one, is lost. In float64 it is a copy, made of
its configuration with every dtype in it replaced, since a layer converts what it is given to its own dtype.
"""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from backproof.reference.contender import NotOffered
from backproof.reference.nested import leaves, rebuilt
from backproof.reference.program import Output, checked_first, checked_outputs, upstream_name
from backproof.scratch.architecture import Array
from backproof.scratch.errors import InputError, InputTypeError

Named = dict[str, tf.Tensor]
Cells = dict[str, Array]
Function = Callable[[Sequence[Any]], Named]  # tensors -> floating-point outputs by name

REMEDY = "call the layer with training=False, or use the stateless random functions with a fixed seed"
REFUSALS = (TypeError, ValueError, NotImplementedError, LookupError, tf.errors.OpError)


def opened(f: Any, args: Sequence[Any], names: Sequence[str], dtype: str | None) -> "TensorFlowProgram":
    """The program f(*args), its floating-point tensors in this dtype, or as they are.

    Parameters
    ----------
    f
        A function, a Keras layer or model, or one of these with keywords bound by `functools.partial`.
    args
        What it is called with: nests of tensors.
    names
        One for every argument; what lies in it is named after it.
    dtype
        "float64", say, or None: as they are.

    Returns
    -------
    TensorFlowProgram
        Of the layer's trainable variables, in copies, and of the floating-point tensors among the arguments.

    Raises
    ------
    InputError
        Where there is no tensor to differentiate by, where outputs are not finite, or two calls differ.
    InputTypeError
        For complex numbers, and where no floating-point tensor is returned.
    """
    named = [pair for arg, name in zip(args, names, strict=True) for pair in leaves(arg, name)]
    f, keywords = (f.func, f.keywords) if isinstance(f, functools.partial) and not f.args else (f, {})
    cells: Cells = {}
    inputs = [_cell(value, name, dtype, cells) for name, value in named]
    trainable: Cells = {}
    if isinstance(f, keras.layers.Layer):
        layer = _built(f, args, keywords, dtype)
        trainable = dict(_named(layer.trainable_variables))
        others = [tf.convert_to_tensor(v.value) for v in layer.non_trainable_variables]

        def call(variables: Sequence[Any], arguments: Sequence[Any]) -> Any:
            return layer.stateless_call(list(variables), others, *arguments, **keywords)[0]
    else:

        def call(variables: Sequence[Any], arguments: Sequence[Any]) -> Any:
            return f(*arguments, **keywords)

    if not trainable and not cells:
        raise InputError("f: nothing to check; expected variables or floating-point arguments")

    def function(tensors: Sequence[Any]) -> Named:
        own, given = tensors[: len(trainable)], iter(tensors[len(trainable) :])
        values = [next(given) if is_cell else value for is_cell, value in inputs]
        return _floating(call(own, rebuilt(tuple(args), iter(values)) if args else ()))

    return TensorFlowProgram(function, {**trainable, **cells})


def _named(variables: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    """``kernel``; ``dense/kernel`` where a layer has several of that name."""
    short = [variable.path.rpartition("/")[2] for variable in variables]
    long = [variable.path for variable in variables]
    names = short if len(set(short)) == len(short) else long
    if len(set(names)) < len(names):  # two layers of one name
        names = [f"variables[{i}]" for i in range(len(variables))]
    return zip(names, (variable.numpy().copy() for variable in variables), strict=True)


def _cell(value: Any, name: str, dtype: str | None, cells: Cells) -> tuple[bool, Any]:
    """Whether an argument is one that is differentiated by, which joins the cells; else the argument."""
    if not hasattr(value, "dtype"):
        return False, value
    kind = tf.as_dtype(value.dtype)
    if kind.is_complex:
        raise InputTypeError(
            f"{name}: expected real numbers, got {kind.name}; let f take real and imaginary parts"
        )
    if not kind.is_floating:
        return False, value
    plain = np.array(value)
    if not np.isfinite(plain.astype(np.float64)).all():
        raise InputError(f"{name}: expected finite numbers, found NaN or Inf; choose another point")
    cells[name] = plain.astype(dtype) if dtype else plain
    return True, value


def _built(layer: Any, args: Sequence[Any], keywords: Mapping[str, Any], dtype: str | None) -> Any:
    """The layer with its variables made; a copy in another dtype, where one is asked for."""
    if keras.backend.backend() != "tensorflow":
        found = keras.backend.backend()
        raise InputError(f"f: expected Keras with the backend tensorflow, got {found}; set KERAS_BACKEND")
    if not layer.built:
        layer(*args, **keywords)
    if dtype is None:
        return layer
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(dtype)
    try:
        copied = type(layer).from_config(_in_dtype(layer.get_config(), dtype))
        copied(*rebuilt(tuple(args), iter([_wide(v, dtype) for _, v in leaves(tuple(args))])), **keywords)
    finally:
        keras.config.set_dtype_policy(before)
    for own, theirs in zip(copied.variables, layer.variables, strict=True):
        own.assign(theirs.numpy())
    return copied


def _wide(value: Any, dtype: str) -> Any:
    is_floating = hasattr(value, "dtype") and tf.as_dtype(value.dtype).is_floating
    return tf.cast(value, dtype) if is_floating else value


def _in_dtype(config: Any, dtype: str) -> Any:
    """A configuration with every ``dtype`` in it replaced, however deep."""
    if isinstance(config, Mapping):
        return {key: dtype if key == "dtype" else _in_dtype(value, dtype) for key, value in config.items()}
    if isinstance(config, list | tuple):
        return type(config)(_in_dtype(value, dtype) for value in config)
    return config


def _floating(returned: Any) -> Named:
    parts = [(name, part) for name, part in leaves(returned, "output") if hasattr(part, "dtype")]
    found = {name: tf.convert_to_tensor(part) for name, part in parts if tf.as_dtype(part.dtype).is_floating}
    kinds = [tf.as_dtype(part.dtype).name for _, part in parts]
    checked_outputs(_outputs(found), kinds, returned)
    return found


def _outputs(parts: Mapping[str, Any]) -> list[Output]:
    return [Output(name, int(tf.size(part)), part.dtype.name) for name, part in parts.items()]


class TensorFlowProgram:
    """`Program` for TensorFlow."""

    inside = ""  # not seen from outside

    def __init__(self, function: Function, cells: Mapping[str, Any]) -> None:
        self._function, self.cells = function, dict(cells)
        self.outputs = _outputs(function(self._tensors()))
        first = _in_a_row(function(self._tensors()).values())
        checked_first(first, self.values(), self.outputs, REMEDY)

    def _tensors(self) -> list[Any]:
        return [tf.convert_to_tensor(cell) for cell in self.cells.values()]

    def values(self) -> Array:
        try:
            return _in_a_row(self._function(self._tensors()).values())
        except tf.errors.InvalidArgumentError:  # it ran at the arguments: these lie outside its domain
            return np.full(sum(output.size for output in self.outputs), np.nan)

    def pull(self, c: Array) -> list[Array]:
        tensors = self._tensors()
        found = [np.zeros((len(c), cell.size)) for cell in self.cells.values()]
        with _offered():
            with tf.GradientTape(persistent=True) as tape:
                tape.watch(tensors)
                parts = list(self._function(tensors).values())
            for number, row in enumerate(c):
                of_row = tape.gradient(
                    parts, tensors, _split(row, parts), unconnected_gradients=tf.UnconnectedGradients.ZERO
                )
                for place, one in zip(found, of_row, strict=True):
                    place[number] = _in_a_row([one])
        return found

    def push(self, directions: Sequence[Array]) -> Array:
        tensors = self._tensors()
        tangents = [_like(tensor, v) for tensor, v in zip(tensors, directions, strict=True)]
        with _offered(), tf.autodiff.ForwardAccumulator(tensors, tangents) as accumulator:
            parts = self._function(tensors).values()
            zero = tf.UnconnectedGradients.ZERO
            return _in_a_row([accumulator.jvp(part, unconnected_gradients=zero) for part in parts])

    def backward(self) -> "TensorFlowProgram":
        n = len(self.cells)
        parts = self._function(self._tensors())
        rng = np.random.default_rng(0)
        upstream = {
            upstream_name(name): rng.standard_normal(part.shape).astype(part.dtype.as_numpy_dtype)
            for name, part in parts.items()
        }
        names = [f"gradient of {name}" for name in self.cells]

        def function(tensors: Sequence[Any]) -> Named:
            with tf.GradientTape() as tape:
                tape.watch(list(tensors[:n]))
                outputs = list(self._function(tensors[:n]).values())
            zero = tf.UnconnectedGradients.ZERO
            found = tape.gradient(outputs, list(tensors[:n]), list(tensors[n:]), unconnected_gradients=zero)
            return {name: tf.convert_to_tensor(one) for name, one in zip(names, found, strict=True)}

        with _offered():
            return TensorFlowProgram(function, {**self.cells, **upstream})


@contextmanager
def _offered() -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except REFUSALS as error:
        raise NotOffered(f"TensorFlow says: {' '.join(str(error).split())[:200]}") from error


def _in_a_row(tensors: Any) -> Array:
    return np.concatenate(
        [np.asarray(tf.convert_to_tensor(one)).astype(np.float64).ravel() for one in tensors]
    )


def _like(model: Any, flat: Array) -> Any:
    return tf.cast(tf.reshape(tf.convert_to_tensor(flat), model.shape), model.dtype)


def _split(row: Array, parts: Sequence[Any]) -> list[Any]:
    ends = np.cumsum([int(tf.size(part)) for part in parts])
    return [_like(part, piece) for part, piece in zip(parts, np.split(row, ends[:-1]), strict=True)]
