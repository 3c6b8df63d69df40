"""Forward gradients: one derivative in a random direction, and the gradient guessed from it.

Forward mode carries a tangent along with every value, once through the network and never back. With v the
direction of the parameters, V_l and c_l its parts for W_l and b_l, and dots for tangents:

    z'_l = a'_{l-1} W_l + a_{l-1} V_l + c_l,   a'_0 = 0;    a'_l = f'(z_l) z'_l;    L' = sum(dL/dz_L z'_L) =
    J v

Then g = (J v) v is right on average if v is standard normal, since E[v v^T] = I (Baydin et al. 2022). But one
draw of n numbers knows the gradient along one line only:

    E |g - J^T|^2 = (n + 1) |J|^2

`ForwardGradient("weights")` draws the direction of all parameters. `ForwardGradient("units")` draws one for
the pre-activations of every example, u_l[n], and takes the outer product with the inputs, as differences of
units do (Ren et al. 2023): fewer numbers are guessed, and the guesses of a batch's examples average.

    z'_l = a'_{l-1} W_l + u_l;    delta_l[n] = l'_n u_l[n];    dW_l = a_{l-1}^T delta_l,   db_l = 1^T delta_l

A worked example: L = (w x + b - t)^2 at w = 2, b = 0, x = 3, t = 5, so that dL/dw = 6 and dL/db = 2. In the
direction v = (1, -1) the slope is 6 - 2 = 4, and g = (4, -4).

>>> from backproof.scratch.architecture import Architecture
>>> line = Architecture((1, 1), loss="sum_of_squares")
>>> network = Network(line, Parameters(line, np.array([2.0, 0.0])))
>>> x, targets, v = np.array([[3.0]]), np.array([[5.0]]), Parameters(line, np.array([1.0, -1.0]))
>>> slope = directional_derivative(network, x, targets, v)
>>> float(slope), (slope * v.flat).tolist()
(4.0, [4.0, -4.0])
"""

from dataclasses import dataclass, field
from typing import Literal, final, get_args

import numpy as np

from backproof.scratch.architecture import Flat, Inputs, PerExample, Scalar, Targets, Units
from backproof.scratch.errors import expect, expect_one_of
from backproof.scratch.network import Network, product
from backproof.scratch.parameters import Parameters

Perturbed = Literal["weights", "units"]
PERTURBED: tuple[Perturbed, ...] = get_args(Perturbed)


@final
@dataclass(frozen=True)
class ForwardGradient:
    """The gradient guessed from slopes in random directions: a method of `scratch.gradients`.

    Parameters
    ----------
    perturbed
        What the directions are of: all "weights" (and biases) at once, or the "units" of every example.
    seed
        Of the directions; each call draws new ones.
    directions
        How many guesses one call averages, at least 1.

    Raises
    ------
    InputError
        For another name, or no direction.

    References
    ----------
    Baydin et al. 2022; Ren et al. 2023.
    """

    perturbed: Perturbed = "weights"
    seed: int = 0
    directions: int = 1
    rng: np.random.Generator = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        expect_one_of("perturbed", self.perturbed, PERTURBED)
        expect(self.directions >= 1, f"directions: expected at least 1, got {self.directions}")
        # A frozen dataclass sets its own fields this way.
        object.__setattr__(self, "rng", np.random.default_rng(self.seed))

    def __call__(self, network: Network, x: Inputs, targets: Targets) -> Flat:
        guess = self._by_weights if self.perturbed == "weights" else self._by_units
        total = guess(network, x, targets)
        for _ in range(1, self.directions):
            total += guess(network, x, targets)
        total /= self.directions
        return total

    def _by_weights(self, network: Network, x: Inputs, targets: Targets) -> Flat:
        flat = self.rng.standard_normal(network.architecture.n_parameters, network.dtype)
        v = Parameters(network.architecture, flat)
        flat *= directional_derivative(network, x, targets, v)
        return flat

    def _by_units(self, network: Network, x: Inputs, targets: Targets) -> Flat:
        sizes = network.architecture.layer_sizes[1:]
        u = [self.rng.standard_normal((len(x), size), network.dtype) for size in sizes]
        slopes = unit_derivatives(network, x, targets, u)
        activations = network.forward(x)
        result = Parameters(network.architecture, dtype=network.dtype)
        for (dW, db), a, direction in zip(result.layers, activations, u, strict=False):
            delta = slopes[:, None] * direction
            # dW_l = a_{l-1}^T delta_l ;  db_l = 1^T delta_l
            product(a.T, delta, out=dW)
            np.sum(delta, axis=0, out=db)
        return result.flat


def directional_derivative(network: Network, x: Inputs, targets: Targets, v: Parameters) -> Scalar:
    """J v: the slope of the loss where all parameters move along v, by forward mode.

    Parameters
    ----------
    network
        At the parameters where the slope is taken; they stay.
    x
        Inputs (examples, n_inputs); trusted.
    targets
        As the loss wants them; trusted.
    v
        The direction, of the network's architecture and dtype.

    Returns
    -------
    scalar
        In the network's dtype.

    References
    ----------
    Griewank, Walther 2008, section 3.1.
    """
    activations = network.forward(x)
    # z'_1 = x V_1 + c_1
    V, c = v.layers[0]
    moved = product(x, V) + c
    for (W, _), (V, c), a in zip(network.layers[1:], v.layers[1:], activations[1:], strict=False):
        # a'_l = f'(z_l) z'_l ;  z'_{l+1} = a'_l W_{l+1} + a_l V_{l+1} + c_{l+1}
        network.activation.backpropagate(moved, a)
        moved = product(moved, W) + product(a, V) + c
    slope: Scalar = _slopes(network, activations[-1], targets, moved).sum()
    return slope


def unit_derivatives(network: Network, x: Inputs, targets: Targets, u: list[Units]) -> PerExample:
    """The slope of each example's share of the loss where its pre-activations move along u.

    Parameters
    ----------
    network
        At the parameters where the slope is taken; they stay.
    x
        Inputs (examples, n_inputs); trusted.
    targets
        As the loss wants them; trusted.
    u
        Per layer a direction (examples, units), in the network's dtype.

    Returns
    -------
    array (examples,)
        In the network's dtype.

    References
    ----------
    Ren et al. 2023.
    """
    activations = network.forward(x)
    moved = u[0].copy()
    for (W, _), direction, a in zip(network.layers[1:], u[1:], activations[1:], strict=False):
        # a'_l = f'(z_l) z'_l ;  z'_{l+1} = a'_l W_{l+1} + u_{l+1}
        network.activation.backpropagate(moved, a)
        moved = product(moved, W) + direction
    return _slopes(network, activations[-1], targets, moved)


def _slopes(network: Network, logits: Units, targets: Targets, moved: Units) -> PerExample:
    """sum_c dL/dz_c z'_c of every example."""
    delta = network.loss_function.delta(logits, targets, np.empty_like(logits))
    slopes: PerExample = (delta * moved).sum(axis=1)
    return slopes
