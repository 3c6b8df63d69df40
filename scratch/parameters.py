"""All weights and biases of a network in one flat vector, with a (weight, bias) view per layer.

One vector makes an optimiser a handful of array operations, a numerical gradient one loop, and a copy one
call; the views make the network read as the mathematics does. The same type holds a gradient.
"""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from scratch.architecture import Architecture, Array, Weights


class Parameters:
    """A flat vector (n_parameters,) and, per layer, views W (fan_in, fan_out) and b (fan_out,) into it.

    `flat` is used as it is, without a copy, when given; else it is zeros of `dtype` (the architecture's
    where none is named). Raises ValueError for a vector of another length.
    """

    __slots__ = ("architecture", "flat", "layers")

    def __init__(
        self, architecture: Architecture, flat: Array | None = None, dtype: DTypeLike | None = None
    ) -> None:
        if flat is None:
            flat = np.zeros(architecture.n_parameters, dtype or architecture.dtype)
        if flat.shape != (architecture.n_parameters,):
            raise ValueError(f"flat: expected shape ({architecture.n_parameters},), got {flat.shape}")
        self.architecture = architecture
        self.flat = flat
        self.layers: list[tuple[Array, Array]] = [
            (flat[weight].reshape(shape), flat[bias])
            for (weight, bias), shape in zip(
                architecture.layer_slices(), architecture.layer_shapes, strict=True
            )
        ]

    @classmethod
    def from_weights(cls, architecture: Architecture, weights: Weights) -> "Parameters":
        """A copy of `weights`, checked for number, shapes and finite values."""
        parameters = cls(architecture)
        for (weight, bias), (new_weight, new_bias) in zip(
            parameters.layers, architecture.checked_weights(weights), strict=True
        ):
            weight[...] = new_weight
            bias[...] = new_bias
        return parameters

    def astype(self, dtype: Any) -> "Parameters":
        """A copy, in `dtype` (complex128 and longdouble are welcome)."""
        return Parameters(self.architecture, self.flat.astype(dtype))

    def copy(self) -> "Parameters":
        return Parameters(self.architecture, self.flat.copy())

    def weights(self) -> list[tuple[Array, Array]]:
        """Copies of every layer's (weight, bias), which belong to the caller."""
        return [(weight.copy(), bias.copy()) for weight, bias in self.layers]
