"""What is trained, as data: `Architecture` (the network) and `OptimizerSpec` (the update rule).

Both are frozen and validated when they are made, so the rest of the project trusts them. Nothing here
computes: this is the one module of `scratch` that the framework references share.

A network with layer sizes (n_0, n_1, ..., n_L) has L layers, z_l = a_{l-1} @ W_l + b_l, with
W_l of shape (n_{l-1}, n_l) and b_l of shape (n_l,). Its flat vector holds W_1 (C order), b_1, W_2, b_2, ...
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from .errors import (
    InputTypeError,
    expect,
    expect_number,
    expect_one_of,
    expect_range,
    expect_shape,
)

Array = NDArray[Any]  # float32 | float64; complex128 and longdouble inside the difference schemes

# The text beside an array type names its axes, in order. Within one call equal names mean equal sizes.
Inputs = Annotated[Array, "examples inputs"]
Labels = Annotated[Array, "examples"]  # integers
PerExample = Annotated[Array, "examples"]  # a term of the loss, say
Logits = Annotated[Array, "examples outputs"]
Targets = Labels | Logits  # labels for cross_entropy, else a number for every logit
Units = Annotated[Array, "examples units"]  # a number for every unit of one layer
Scalar = Annotated[Array, ""]
Flat = Annotated[Array, "parameters"]  # all weights and biases, or a gradient, as one vector
Rows = Annotated[Array, "batch"]  # indices of examples
Batch = Annotated[Array, "batch inputs"]  # those examples
Weight = Annotated[Array, "fan_in fan_out"]
Bias = Annotated[Array, "fan_out"]
Weights = Sequence[tuple[Weight, Bias]]  # one pair per layer

ActivationName = Literal["identity", "sigmoid", "tanh", "relu"]
LossName = Literal["cross_entropy", "binary_cross_entropy", "mse", "sum_of_squares"]
DtypeName = Literal["float32", "float64"]
OptimizerName = Literal["sgd", "adam"]

ACTIVATIONS: tuple[ActivationName, ...] = get_args(ActivationName)
LOSSES: tuple[LossName, ...] = get_args(LossName)
DTYPES: tuple[DtypeName, ...] = get_args(DtypeName)
OPTIMIZERS: tuple[OptimizerName, ...] = get_args(OptimizerName)


def flattened(weights: Weights) -> Flat:
    """All weights (C order) and biases, layer by layer, as one fresh vector (n_parameters,).

    Parameters
    ----------
    weights
        Per layer W (fan_in, fan_out) and b (fan_out,), of one dtype.

    Returns
    -------
    array (n_parameters,)
        A copy in that dtype.
    """
    arrays = [array.ravel() for layer in weights for array in layer]
    return np.concatenate(arrays)


@dataclass(frozen=True)
class Architecture:
    """A fully connected network: hidden layers share one activation, the output layer gives logits.

    Parameters
    ----------
    layer_sizes
        Inputs, hidden layers if any, outputs: (784, 128, 10).
    activation
        Of the hidden layers, one of ACTIVATIONS.
    loss
        One of LOSSES; it decides what targets are.
    dtype
        One of DTYPES.

    Raises
    ------
    InputError
        For fewer than two layer sizes, a size below 1, or an unknown name.
    InputTypeError
        For layer sizes that are not a tuple (or list) of integers.
    """

    layer_sizes: tuple[int, ...]
    activation: ActivationName = "relu"
    loss: LossName = "cross_entropy"
    dtype: DtypeName = "float64"

    def __post_init__(self) -> None:
        sizes = self.layer_sizes
        known = isinstance(sizes, tuple | list)  # and no bool, which is an int to isinstance
        known = known and all(type(size) is int or isinstance(size, np.integer) for size in sizes)
        expect(known, f"layer_sizes: expected a tuple of integers, got {sizes!r}", InputTypeError)
        expect(len(sizes) > 1, f"layer_sizes: expected inputs and outputs, at least two sizes; got {sizes!r}")
        expect(min(sizes) >= 1, f"layer_sizes: expected sizes of at least 1, got {sizes!r}")
        object.__setattr__(self, "layer_sizes", tuple(int(size) for size in sizes))
        for argument, choices in (("activation", ACTIVATIONS), ("loss", LOSSES), ("dtype", DTYPES)):
            expect_one_of(argument, getattr(self, argument), choices)

    @property
    def n_inputs(self) -> int:
        return self.layer_sizes[0]

    @property
    def n_outputs(self) -> int:
        return self.layer_sizes[-1]

    @property
    def layer_shapes(self) -> list[tuple[int, int]]:
        """(fan_in, fan_out) of every layer."""
        return list(pairwise(self.layer_sizes))

    @cached_property
    def n_parameters(self) -> int:
        return sum(fan_in * fan_out + fan_out for fan_in, fan_out in self.layer_shapes)

    def layer_slices(self) -> list[tuple[slice, slice]]:
        """Where each layer's weight and bias lie in the flat vector."""
        slices, start = [], 0
        for fan_in, fan_out in self.layer_shapes:
            bias = start + fan_in * fan_out
            stop = bias + fan_out
            slices.append((slice(start, bias), slice(bias, stop)))
            start = stop
        return slices

    def parameter_name(self, index: int) -> str:
        """The name of one entry of the flat vector: ``W2[3, 1]`` or ``b1[0]`` (layers count from 1).

        Parameters
        ----------
        index
            In 0 .. n_parameters - 1.

        Returns
        -------
        str
            The layer's number, then row and column of a weight or the unit of a bias, both from 0.

        Raises
        ------
        IndexError
            For an index outside.
        """
        message = f"index: expected 0 .. {self.n_parameters - 1}, got {index}"
        expect(0 <= index < self.n_parameters, message, IndexError)
        layer = next(i for i, (_, bias) in enumerate(self.layer_slices()) if index < bias.stop)
        (fan_in, fan_out), (weight, _) = self.layer_shapes[layer], self.layer_slices()[layer]
        row, column = divmod(index - weight.start, fan_out)  # the bias is row fan_in
        return f"W{layer + 1}[{row}, {column}]" if row < fan_in else f"b{layer + 1}[{column}]"

    def checked_inputs(self, x: Inputs) -> Inputs:
        """`x` as (batch, n_inputs) of this dtype, finite, C-contiguous; not copied if it fits.

        Parameters
        ----------
        x
            Real numbers (batch >= 1, n_inputs), of any dtype.

        Returns
        -------
        array (batch, n_inputs)
            `x` itself, where it fits.

        Raises
        ------
        InputError
            For a wrong shape, an empty batch, NaN or Inf.
        InputTypeError
            For an array that does not hold real numbers.
        """
        x, n = np.asarray(x), self.n_inputs
        expected = f"x: expected shape (batch >= 1, {n}), got {x.shape}; flatten each example to {n} features"
        expect(x.ndim == 2 and x.shape[1] == n and len(x), expected)
        return self._checked("x", x, x.shape)

    def checked_targets(self, targets: Targets, batch_size: int) -> Targets:
        """Labels (batch,) as intp for cross_entropy, else finite targets (batch, n_outputs) of this dtype.

        Parameters
        ----------
        targets
            Labels or numbers, of any dtype of their kind.
        batch_size
            How many examples they must be of.

        Returns
        -------
        array
            `targets` itself, where it fits.

        Raises
        ------
        InputError
            For a wrong shape, labels outside 0 .. n_outputs - 1, NaN or Inf.
        InputTypeError
            For labels that are no integers, or targets that are no real numbers.
        """
        if self.loss != "cross_entropy":
            return self._checked("targets", targets, (batch_size, self.n_outputs))
        labels = np.asarray(targets)
        expected = f"targets: expected integer labels for cross_entropy, got dtype {labels.dtype}"
        expect(labels.dtype.kind in "iu", f"{expected}; pass labels.astype(int)", InputTypeError)
        expect_shape("targets", labels, (batch_size,))
        expect_range("targets", "labels", labels, self.n_outputs)
        return labels.astype(np.intp, order="C", copy=False)

    def checked_batch(self, x: Inputs, targets: Targets) -> tuple[Inputs, Targets]:
        """Inputs and targets, of as many examples, as `checked_inputs` and `checked_targets` give them.

        Parameters
        ----------
        x
            Real numbers (batch >= 1, n_inputs).
        targets
            Labels or numbers, as the loss wants them.

        Returns
        -------
        tuple of two arrays
            In the network's dtype; labels as intp.

        Raises
        ------
        InputError
            For a wrong shape, an empty batch, labels out of range, NaN or Inf.
        InputTypeError
            For what does not hold real numbers, or labels that are no integers.
        """
        x = self.checked_inputs(x)
        return x, self.checked_targets(targets, len(x))

    def checked_weights(self, weights: Weights) -> list[tuple[Weight, Bias]]:
        """`weights` in this dtype, finite, C-contiguous; copies nothing that already fits.

        Parameters
        ----------
        weights
            Per layer W (fan_in, fan_out) and b (fan_out,), real numbers of any dtype.

        Returns
        -------
        list of pairs of arrays
            The very arrays, where they fit.

        Raises
        ------
        InputError
            For another number of layers, wrong shapes, NaN or Inf; the array goes by its name: W1, b2.
        InputTypeError
            For an array that does not hold real numbers.
        """
        shapes = self.layer_shapes
        expect(len(weights) == len(shapes), f"weights: expected {len(shapes)} layers, got {len(weights)}")
        return [
            (self._checked(f"W{layer}", W, shape), self._checked(f"b{layer}", b, shape[1:]))
            for layer, ((W, b), shape) in enumerate(zip(weights, shapes, strict=True), start=1)
        ]

    def _checked(self, argument: str, array: Array, shape: tuple[int, ...]) -> Array:
        """A real, finite array of this shape, C-contiguous and in this dtype."""
        array = np.asarray(array)
        kind = array.dtype.kind
        expect(kind in "fiub", f"{argument}: expected real numbers, got dtype {array.dtype}", InputTypeError)
        expect_shape(argument, array, shape)
        finite = kind != "f" or np.isfinite(array).all()
        expect(finite, f"{argument}: expected finite numbers, found NaN or Inf; clean the data first")
        return array.astype(self.dtype, order="C", copy=False)


@dataclass(frozen=True)
class OptimizerSpec:
    """An update rule and its constants, with the meaning torch.optim gives them; formulas in `optimizers`.

    Parameters
    ----------
    name
        "sgd" or "adam".
    learning_rate
        At least 0.
    momentum, nesterov
        Of sgd.
    beta1, beta2, eps
        Of adam; the betas are in [0, 1).
    weight_decay
        Adds weight_decay * theta to the gradient, in both.

    Raises
    ------
    InputError
        For an unknown name, a number out of range, or nesterov without momentum.
    InputTypeError
        For a constant that is not a number.
    """

    name: OptimizerName = "sgd"
    learning_rate: float = 0.1
    momentum: float = 0.0
    nesterov: bool = False
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        expect_one_of("name", self.name, OPTIMIZERS)
        for argument in ("learning_rate", "momentum", "beta1", "beta2", "eps", "weight_decay"):
            expect_number(argument, getattr(self, argument), 0.0, 1.0 if "beta" in argument else np.inf)
        usable = self.momentum > 0.0 or not self.nesterov
        expect(usable, "nesterov: expected momentum > 0, got 0; set momentum or drop nesterov")
