"""`Problem`: a network at given weights, and one batch. The point at which a gradient is taken and judged.

Data alone, like `architecture`: nothing here computes, so the framework references may share it.
`Network.at(problem)` makes the from-scratch network of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .architecture import Architecture, DtypeName, Flat, Inputs, Rows, Targets, Weights, flattened


@dataclass(frozen=True, eq=False)
class Problem:
    """An architecture, its weights, and a batch of inputs with targets; checked when it is made.

    Parameters
    ----------
    architecture
        The network; its dtype is the dtype of everything here.
    weights
        Per layer W (fan_in, fan_out) and b (fan_out,).
    x
        Inputs (batch, n_inputs), batch >= 1.
    targets
        Integer labels (batch,) for cross_entropy, else (batch, n_outputs).

    Arrays that already fit are kept as they are, without a copy; others are converted. Two problems are equal
    only if they are the same object.

    Raises
    ------
    InputError
        For wrong shapes, an empty batch, labels out of range, NaN or Inf; it names the argument.
    InputTypeError
        For an array that does not hold real numbers, or labels that are no integers.
    """

    architecture: Architecture
    weights: Weights
    x: Inputs
    targets: Targets

    def __post_init__(self) -> None:
        architecture = self.architecture
        x, targets = architecture.checked_batch(self.x, self.targets)
        # A frozen dataclass sets its own fields this way.
        object.__setattr__(self, "weights", architecture.checked_weights(self.weights))
        object.__setattr__(self, "x", x)
        object.__setattr__(self, "targets", targets)

    @property
    def batch_size(self) -> int:
        return len(self.x)

    def flat(self) -> Flat:
        """All weights and biases as one fresh vector (n_parameters,), in the order of the flat vector."""
        return flattened(self.weights)

    def astype(self, dtype: DtypeName) -> "Problem":
        """The same numbers in another of DTYPES: float32 widened to float64 exactly, or float64 rounded.

        Parameters
        ----------
        dtype
            "float32" or "float64".

        Returns
        -------
        Problem
            Itself a copy; this one stays.
        """
        return replace(self, architecture=replace(self.architecture, dtype=dtype))

    def rows(self, indices: Sequence[int] | Rows) -> "Problem":
        """The same network with these rows of the batch, in this order.

        Parameters
        ----------
        indices
            Of examples, from 0; a row may come more than once.

        Returns
        -------
        Problem
            A copy of these rows of the batch; the weights are shared.

        Raises
        ------
        InputError
            For no rows at all.
        """
        chosen = np.asarray(indices)
        return replace(self, x=self.x[chosen], targets=self.targets[chosen])
