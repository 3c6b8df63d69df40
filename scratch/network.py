"""The network: forward and backward pass.

    forward    a_0 = x;   z_l = a_{l-1} W_l + b_l;   a_l = f(z_l) for l < L;   logits = z_L
    backward   delta_L = dL/dz_L, given;   dW_l = a_{l-1}^T delta_l;   db_l = sum_n delta_l[n];
               delta_{l-1} = (delta_l W_l^T) * f'(z_{l-1})

Shapes: x (batch, n_inputs), z_l and a_l (batch, n_l), W_l (n_{l-1}, n_l). The activations go from forward
to backward by hand: nothing is cached that a second forward pass could make stale. Every product is
written into a buffer made once for the largest batch seen; a smaller batch works in its leading rows.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .activations import ACTIVATION_FUNCTIONS
from .architecture import Architecture, Array, Inputs, Logits, Scalar, Targets, Units
from .losses import LOSS_FUNCTIONS, Loss
from .parameters import Parameters
from .problem import Problem
from .regularization import Masks

# For products of finite numbers. OpenBLAS's float32 kernel for AVX-512 (sgemv_t of 0.3.31) multiplies a
# vector of five along with uninitialised memory: the result is right, but where a signalling NaN happens to
# lie there, matmul reports an "invalid value". A NaN of our own needs an overflow first: still reported.
finite_products = np.errstate(invalid="ignore")


@finite_products
def product(a: Array, b: Array, out: Array | None = None) -> Array:
    """matmul, without that report. (A training step pays for it once per pass, not once per product.)

    Parameters
    ----------
    a, b
        Matrices of finite numbers, or stacks of them, as matmul takes them.
    out
        Where to write the product. By default a new array.

    Returns
    -------
    array
        a @ b.
    """
    return np.matmul(a, b, out=out)


def ignore(*_: object) -> None:
    """A callback that does nothing: the default wherever one may be given."""


class Network:
    """An `Architecture` with `Parameters`, which are used as they are, without a copy.

    Parameters
    ----------
    architecture, parameters
        The dtype is the parameters' own.
    loss_function
        Replaces the architecture's loss by another of the same targets (label smoothing).

    Notes
    -----
    `astype(np.complex128)` and `astype(np.longdouble)` give the same network for complex steps and for
    extended precision.
    """

    def __init__(
        self, architecture: Architecture, parameters: Parameters, loss_function: Loss | None = None
    ) -> None:
        self.architecture = architecture
        self.parameters = parameters
        self.layers = parameters.layers
        self.dtype = parameters.flat.dtype
        self.activation = ACTIVATION_FUNCTIONS[architecture.activation]
        self.loss_function = loss_function or LOSS_FUNCTIONS[architecture.loss]
        self._capacity, self._rows = 0, -1  # rows the buffers can hold, and rows in use

    @classmethod
    def at(cls, problem: Problem) -> "Network":
        """The network of this problem, at a copy of its weights.

        Parameters
        ----------
        problem
            Architecture, weights and batch, of which the batch is not kept.

        Returns
        -------
        Network
            At a copy of its weights.
        """
        return cls(problem.architecture, Parameters(problem.architecture, problem.flat()))

    def astype(self, dtype: Any) -> "Network":
        """The same network with a copy of the parameters in `dtype`.

        Parameters
        ----------
        dtype
            Real or complex, such as complex128 or longdouble.

        Returns
        -------
        Network
            Of the same loss; nothing is shared but the architecture.
        """
        return Network(self.architecture, self.parameters.astype(dtype), self.loss_function)

    @finite_products
    def forward(self, x: Inputs, masks: Masks | None = None) -> list[Units]:
        """What each layer is given, and the logits.

        Parameters
        ----------
        x
            Inputs (batch, n_inputs); trusted.
        masks
            Of dropout, one per layer: each layer's inputs are multiplied by its mask first, and it is these
            products that are returned. Hand the same masks to backward.

        Returns
        -------
        list of arrays
            [x, a_1, ..., a_{L-1}, logits], each (batch, n_l). All but x are buffers that the next forward
            pass overwrites.
        """
        self._resize(len(x))
        a, activations = x, []
        for layer, ((W, b), z) in enumerate(zip(self.layers, self._outputs, strict=True)):
            if layer > 0:
                self.activation.apply(a)
            if masks and (mask := masks[layer]):
                # x is the caller's; the other activations are ours to change.
                out = a if layer > 0 else None
                a = np.multiply(a, mask.values, out=out)
            activations.append(a)
            # z_l = a_{l-1} W_l + b_l
            np.matmul(a, W, out=z)
            z += b
            a = z
        return [*activations, a]

    @finite_products
    def backward(
        self, activations: Sequence[Units], delta: Logits, gradient: Parameters, masks: Masks | None = None
    ) -> None:
        """Overwrite `gradient` with the gradient of sum(delta * logits), delta held fixed.

        Parameters
        ----------
        activations
            What forward returned for the same batch and masks.
        delta
            dL/dlogits, (batch, outputs); not changed. The result is linear in it.
        gradient
            Is overwritten, never added to.
        masks
            Those of the forward pass.
        """
        self._resize(len(delta))  # the last forward pass may have been of another batch
        for layer in reversed(range(len(activations) - 1)):
            a = activations[layer]
            dW, db = gradient.layers[layer]
            # dW_l = a_{l-1}^T delta_l ;  db_l = 1^T delta_l
            if len(delta) == 1:
                # dot is slow where memory is the bound: 784 x 1 by 1 x 1024 takes it 465 us instead of 264.
                np.einsum("ni,no->io", a, delta, out=dW)
            else:
                np.dot(a.T, delta, out=dW)
            np.matmul(self._ones, delta, out=db)
            if layer > 0:
                # delta_{l-1} = (delta_l W_l^T) * f'(z_{l-1})
                delta = np.matmul(delta, self.layers[layer][0].T, out=self._deltas[layer - 1])
                if masks and (mask := masks[layer]):
                    a = mask.backpropagate(delta, a)
                self.activation.backpropagate(delta, a)

    def loss(self, x: Inputs, targets: Targets, masks: Masks | None = None) -> Scalar:
        """The loss as a scalar of the network's dtype (complex for a complex network).

        Parameters
        ----------
        x
            Inputs (batch, n_inputs); trusted.
        targets
            Integer labels (batch,) for cross_entropy, else (batch, n_outputs); trusted.
        masks
            Of dropout, one per layer.

        Returns
        -------
        scalar
            In the network's dtype.
        """
        return self.loss_function.value(self.forward(x, masks)[-1], targets)

    def loss_and_gradient(
        self,
        x: Inputs,
        targets: Targets,
        gradient: Parameters,
        masks: Masks | None = None,
        factor: float = 1.0,
        finished: Callable[[str], object] = ignore,
    ) -> float:
        """Overwrite `gradient` with factor * dL/dtheta by backpropagation; return L. Weights stay.

        `finished(part)` is called after each of "forward", "loss" and "backward".

        Parameters
        ----------
        x
            Inputs (batch, n_inputs); trusted.
        targets
            Integer labels (batch,) for cross_entropy, else (batch, n_outputs); trusted.
        gradient
            Is overwritten, never added to.
        masks
            Of dropout, one per layer.
        factor
            What the gradient is multiplied by; L is not.
        finished
            Called with "forward", "loss" and "backward", each when that part is done.

        Returns
        -------
        float
            L of this batch.
        """
        activations = self.forward(x, masks)
        finished("forward")
        logits, delta = activations[-1], self._deltas[-1]
        loss = self.loss_function.value_and_delta(logits, targets, delta, factor)
        finished("loss")
        self.backward(activations, delta, gradient, masks)
        finished("backward")
        return float(loss)

    def _resize(self, n_examples: int) -> None:
        """Point the buffers at `n_examples` rows, growing them when a larger batch than ever comes."""
        if n_examples == self._rows:
            return
        sizes, self._rows = self.architecture.layer_sizes[1:], n_examples
        if n_examples > self._capacity:
            self._capacity = n_examples
            self._buffers = [[np.empty((n_examples, size), self.dtype) for size in sizes] for _ in range(2)]
            self._all_ones = np.ones(n_examples, self.dtype)
        self._outputs, self._deltas = map(self._leading_rows, self._buffers)
        self._ones = self._all_ones[:n_examples]

    def _leading_rows(self, buffers: Sequence[Array]) -> list[Array]:
        """The leading rows of every layer's buffer, contiguous for any number of them.

        Contiguous, so that no result depends, in its last bit, on which batches came before.
        """
        arrays = [buffer[: self._rows] for buffer in buffers]
        # Logits and their delta are column-major: the loss reduces over the outputs, which then runs along
        # whole columns of examples (maximum 1.2 us against 5.6, sum 1.0 against 2.4 for 100 x 10).
        arrays[-1] = arrays[-1].reshape(-1, self._rows).T
        return arrays
