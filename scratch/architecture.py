"""What is trained, as data: `Architecture` (the network) and `OptimizerSpec` (the update rule).

Both are frozen and validated when they are made, so the rest of the project trusts them. Nothing here
computes: this is the one module of `scratch` that the framework references share.

A network with layer sizes (n_0, n_1, ..., n_L) has L layers, z_l = a_{l-1} @ W_l + b_l, with
W_l of shape (n_{l-1}, n_l) and b_l of shape (n_l,). Its flat vector holds W_1 (C order), b_1, W_2, b_2, ...
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]  # float32 | float64; complex128 and longdouble inside the difference schemes
Weights = Sequence[tuple[Array, Array]]  # per layer: (fan_in, fan_out), (fan_out,)

ACTIVATIONS = ("identity", "sigmoid", "tanh", "relu")
LOSSES = ("cross_entropy", "binary_cross_entropy", "mse", "sum_of_squares")
DTYPES = ("float32", "float64")
OPTIMIZERS = ("sgd", "adam")


def _expect_one_of(argument: str, value: object, choices: Sequence[str]) -> None:
    if value not in choices:
        raise ValueError(f"{argument}: expected one of {', '.join(choices)}; got {value!r}")


def _expect_number(argument: str, value: object, low: float, high: float = np.inf) -> None:
    """A real number in [low, high); infinity and NaN are in no such interval."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{argument}: expected a number, got {type(value).__name__}; pass a float")
    if not low <= float(value) < high:
        raise ValueError(f"{argument}: expected a number in [{low:g}, {high:g}), got {value!r}")


@dataclass(frozen=True)
class Architecture:
    """A fully connected network: hidden layers share one activation, the output layer gives logits.

    Raises ValueError or TypeError, naming the argument, for fewer than two layer sizes, sizes that are not
    positive integers, and unknown activation, loss or dtype.
    """

    layer_sizes: tuple[int, ...]  # (784, 128, 10): inputs, hidden..., outputs
    activation: str = "relu"  # of the hidden layers
    loss: str = "cross_entropy"
    dtype: str = "float64"

    def __post_init__(self) -> None:
        if not isinstance(self.layer_sizes, tuple | list):
            raise TypeError(f"layer_sizes: expected a tuple of integers, got {self.layer_sizes!r}")
        for size in self.layer_sizes:
            if isinstance(size, bool) or not isinstance(size, int | np.integer):
                raise TypeError(f"layer_sizes: expected integers, got {size!r} in {self.layer_sizes!r}")
            if size < 1:
                raise ValueError(f"layer_sizes: expected sizes of at least 1, got {self.layer_sizes!r}")
        if len(self.layer_sizes) < 2:
            raise ValueError(
                f"layer_sizes: expected inputs and outputs, at least two sizes; got {self.layer_sizes!r}"
            )
        object.__setattr__(self, "layer_sizes", tuple(int(size) for size in self.layer_sizes))
        _expect_one_of("activation", self.activation, ACTIVATIONS)
        _expect_one_of("loss", self.loss, LOSSES)
        _expect_one_of("dtype", self.dtype, DTYPES)

    @property
    def n_inputs(self) -> int:
        return self.layer_sizes[0]

    @property
    def n_outputs(self) -> int:
        return self.layer_sizes[-1]

    @property
    def layer_shapes(self) -> list[tuple[int, int]]:
        """(fan_in, fan_out) of every layer."""
        return list(zip(self.layer_sizes[:-1], self.layer_sizes[1:], strict=True))

    @cached_property
    def n_parameters(self) -> int:
        return sum(fan_in * fan_out + fan_out for fan_in, fan_out in self.layer_shapes)

    def layer_slices(self) -> list[tuple[slice, slice]]:
        """Where each layer's weight and bias lie in the flat vector."""
        slices, start = [], 0
        for fan_in, fan_out in self.layer_shapes:
            middle, stop = start + fan_in * fan_out, start + (fan_in + 1) * fan_out
            slices.append((slice(start, middle), slice(middle, stop)))
            start = stop
        return slices

    def parameter_name(self, index: int) -> str:
        """The name of one entry of the flat vector: ``W2[3, 1]`` or ``b1[0]`` (layers count from 1)."""
        for layer, (weight, bias) in enumerate(self.layer_slices(), start=1):
            if weight.start <= index < weight.stop:
                row, column = divmod(index - weight.start, bias.stop - bias.start)
                return f"W{layer}[{row}, {column}]"
            if bias.start <= index < bias.stop:
                return f"b{layer}[{index - bias.start}]"
        raise IndexError(f"index: expected 0 .. {self.n_parameters - 1}, got {index}")

    def checked_inputs(self, x: Array) -> Array:
        """`x` as (batch, n_inputs) of this dtype, finite, C-contiguous; not copied if it fits.

        Raises TypeError unless it is a real array; ValueError for a wrong shape, an empty batch, NaN or Inf.
        """
        x = np.asarray(x)
        if x.dtype.kind not in "fiub":
            raise TypeError(f"x: expected real numbers, got dtype {x.dtype}")
        if x.ndim != 2 or x.shape[1] != self.n_inputs or len(x) == 0:
            raise ValueError(
                f"x: expected shape (batch >= 1, {self.n_inputs}), got {x.shape}; "
                f"flatten each example to {self.n_inputs} features"
            )
        if x.dtype.kind == "f" and not np.isfinite(x).all():
            raise ValueError("x: expected finite numbers, found NaN or Inf; clean the data first")
        return x.astype(self.dtype, order="C", copy=False)

    def checked_targets(self, targets: Array, batch_size: int) -> Array:
        """Labels (batch,) for cross_entropy, else finite targets (batch, n_outputs) of this dtype."""
        targets = np.asarray(targets)
        if self.loss == "cross_entropy":
            return self._checked_labels(targets, batch_size)
        if targets.dtype.kind not in "fiub":
            raise TypeError(f"targets: expected real numbers for {self.loss}, got dtype {targets.dtype}")
        if targets.shape != (batch_size, self.n_outputs):
            raise ValueError(
                f"targets: expected shape ({batch_size}, {self.n_outputs}) for {self.loss}, "
                f"got {targets.shape}"
            )
        if targets.dtype.kind == "f" and not np.isfinite(targets).all():
            raise ValueError("targets: expected finite numbers, found NaN or Inf; clean the data first")
        return targets.astype(self.dtype, order="C", copy=False)

    def _checked_labels(self, labels: Array, batch_size: int) -> Array:
        if labels.dtype.kind not in "iu":
            raise TypeError(
                f"targets: expected integer labels for cross_entropy, got dtype {labels.dtype}; "
                "pass labels.astype(int)"
            )
        if labels.shape != (batch_size,):
            raise ValueError(f"targets: expected shape ({batch_size},), got {labels.shape}")
        if labels.min() < 0 or labels.max() >= self.n_outputs:
            raise ValueError(
                f"targets: expected labels 0 .. {self.n_outputs - 1}, found {labels.min()} .. {labels.max()}"
            )
        return labels.astype(np.intp, order="C", copy=False)

    @staticmethod
    def checked_batches(batches: Sequence[Array], n_examples: int) -> list[Array]:
        """Every batch as row indices (batch,) in 0 .. n_examples - 1; copies nothing that already fits."""
        checked = [np.asarray(batch) for batch in batches]
        for number, batch in enumerate(checked):
            if batch.ndim != 1 or len(batch) == 0 or batch.dtype.kind not in "iu":
                raise ValueError(
                    f"batches[{number}]: expected row indices, shape (batch >= 1,), "
                    f"got shape {batch.shape}, dtype {batch.dtype}"
                )
            if batch.min() < 0 or batch.max() >= n_examples:
                raise ValueError(
                    f"batches[{number}]: expected rows 0 .. {n_examples - 1}, "
                    f"found {batch.min()} .. {batch.max()}"
                )
        return [batch.astype(np.intp, copy=False) for batch in checked]

    def checked_weights(self, weights: Weights) -> list[tuple[Array, Array]]:
        """`weights` of the right number, shapes and dtype, finite; copies nothing that already fits."""
        if len(weights) != len(self.layer_shapes):
            raise ValueError(f"weights: expected {len(self.layer_shapes)} layers, got {len(weights)}")
        checked = []
        for layer, ((weight, bias), (fan_in, fan_out)) in enumerate(
            zip(weights, self.layer_shapes, strict=True), start=1
        ):
            pair = []
            for name, array, shape in (
                (f"W{layer}", weight, (fan_in, fan_out)),
                (f"b{layer}", bias, (fan_out,)),
            ):
                array = np.asarray(array)
                if array.dtype.kind not in "fiub":
                    raise TypeError(f"{name}: expected real numbers, got dtype {array.dtype}")
                if array.shape != shape:
                    raise ValueError(f"{name}: expected shape {shape}, got {array.shape}")
                if array.dtype.kind == "f" and not np.isfinite(array).all():
                    raise ValueError(f"{name}: expected finite numbers, found NaN or Inf")
                pair.append(array.astype(self.dtype, copy=False))
            checked.append((pair[0], pair[1]))
        return checked


@dataclass(frozen=True)
class OptimizerSpec:
    """An update rule and its constants, with the meaning torch.optim gives them.

    `momentum` and `nesterov` belong to sgd; `beta1`, `beta2` and `eps` to adam; `weight_decay` adds
    weight_decay * theta to the gradient in both.
    """

    name: str = "sgd"
    learning_rate: float = 0.1
    momentum: float = 0.0
    nesterov: bool = False
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        _expect_one_of("name", self.name, OPTIMIZERS)
        _expect_number("learning_rate", self.learning_rate, 0.0)
        _expect_number("momentum", self.momentum, 0.0)
        _expect_number("beta1", self.beta1, 0.0, 1.0)
        _expect_number("beta2", self.beta2, 0.0, 1.0)
        _expect_number("eps", self.eps, 0.0)
        _expect_number("weight_decay", self.weight_decay, 0.0)
        if self.nesterov and self.momentum == 0.0:
            raise ValueError("nesterov: expected momentum > 0, got 0; set momentum or drop nesterov")
