"""All weights and biases of a network in one flat vector, with a (weight, bias) view per layer.

One vector makes an optimiser a handful of array operations, a numerical gradient one loop, and a copy one
call; the views make the network read as the mathematics does. The same type holds a gradient.
"""

from typing import Any

import numpy as np

from .architecture import Architecture, Bias, Flat, Weight, Weights, flattened
from .errors import expect_shape


class Parameters:
    """A flat vector (n_parameters,) and, per layer, views W (fan_in, fan_out) and b (fan_out,) into it.

    Parameters
    ----------
    architecture
        Says the shapes.
    flat
        The vector; used as it is, without a copy. By default zeros.
    dtype
        Of these zeros; by default the architecture's.

    Raises
    ------
    InputError
        For a vector of another length.
    """

    def __init__(self, architecture: Architecture, flat: Flat | None = None, dtype: Any = None) -> None:
        if flat is None:
            flat = np.zeros(architecture.n_parameters, dtype or architecture.dtype)
        expect_shape("flat", flat, (architecture.n_parameters,))
        self.architecture = architecture
        self.flat = flat
        self.layers = []
        for (weight, bias), shape in zip(architecture.layer_slices(), architecture.layer_shapes, strict=True):
            self.layers.append((flat[weight].reshape(shape), flat[bias]))

    @classmethod
    def from_weights(cls, architecture: Architecture, weights: Weights) -> "Parameters":
        """A copy of weights that were given.

        Parameters
        ----------
        architecture
            Says how many layers there are, and their shapes.
        weights
            Per layer W (fan_in, fan_out) and b (fan_out,).

        Returns
        -------
        Parameters
            In the architecture's dtype.

        Raises
        ------
        InputError
            For another number of layers, another shape, or a value that is not finite.
        """
        return cls(architecture, flattened(architecture.checked_weights(weights)))

    def astype(self, dtype: Any) -> "Parameters":
        """A copy in another dtype.

        Parameters
        ----------
        dtype
            Any that NumPy converts to; complex128 and longdouble are welcome.

        Returns
        -------
        Parameters
            Of the same architecture.
        """
        return Parameters(self.architecture, self.flat.astype(dtype))

    def weights(self) -> list[tuple[Weight, Bias]]:
        """Copies of every layer's (weight, bias), which belong to the caller."""
        return [(weight.copy(), bias.copy()) for weight, bias in self.layers]
