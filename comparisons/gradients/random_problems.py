"""Random small networks for the campaign: the numbers that break gradient checkers.

    normal      weights, biases and inputs N(0, 1)
    integer     weights, biases and inputs uniform in {-2, ..., 2}: sums are exact, kinks are hit exactly
    wide        each tensor N(0, 1) at its own scale, log-uniform in 1e-6 .. 1e3
    saturated   normal, with the weights of one layer multiplied by a factor log-uniform in 10 .. 100, so
                that its sigmoid, tanh or softmax saturates

Depth is 1 to 3 layers, widths 1 to 6, the batch 1 to 6, each uniform; the loss is any of the four.
"""

from dataclasses import dataclass, replace

import numpy as np

from backproof.scratch.architecture import LOSSES, ActivationName, Architecture, Array, DtypeName, Weights
from backproof.scratch.errors import InputError
from backproof.scratch.network import Network
from backproof.scratch.parameters import Parameters

FAMILIES = ("normal", "integer", "wide", "saturated")
LARGEST_SIZE = 6


@dataclass(frozen=True)
class Case:
    """One network at one point with one batch, everything in the architecture's dtype."""

    family: str
    architecture: Architecture
    weights: Weights
    x: Array  # (batch, n_inputs)
    targets: Array  # (batch,) labels | (batch, n_outputs)

    def shadow(self) -> tuple[Network, Array, Array]:
        """The from-scratch network in float64 at the same numbers, with its batch."""
        return float64_shadow(self.architecture, self.weights, self.x, self.targets)


def float64_shadow(
    architecture: Architecture, weights: Weights, x: Array, targets: Array
) -> tuple[Network, Array, Array]:
    """The from-scratch network in float64 at the numbers that `architecture.dtype` holds, with its batch."""
    parameters = Parameters.from_weights(architecture, weights)
    wide = replace(architecture, dtype="float64")
    network = Network(wide, Parameters(wide, parameters.flat.astype(np.float64)))
    x = architecture.checked_inputs(x)
    targets = architecture.checked_targets(targets, len(x))
    return network, wide.checked_inputs(x), wide.checked_targets(targets, len(x))


def draw(rng: np.random.Generator, family: str, activation: ActivationName, dtype: DtypeName) -> Case:
    """A case of this family. Raises ValueError for an unknown family."""
    if family not in FAMILIES:
        raise InputError(f"family: expected one of {', '.join(FAMILIES)}; got {family!r}")
    sizes = tuple(int(size) for size in rng.integers(1, LARGEST_SIZE + 1, rng.integers(2, 5)))
    loss = LOSSES[rng.choice(len(LOSSES))]
    architecture = Architecture(sizes, activation, loss, dtype)
    batch = int(rng.integers(1, LARGEST_SIZE + 1))
    weights = [(_tensor(rng, family, s), _tensor(rng, family, s[1:])) for s in architecture.layer_shapes]
    if family == "saturated":
        factor, layer = 10.0 ** rng.uniform(1.0, 2.0), int(rng.integers(len(weights)))
        weights[layer] = (weights[layer][0] * factor, weights[layer][1] * factor)
    x = _tensor(rng, family, (batch, sizes[0])).astype(dtype)
    typed = [(W.astype(dtype), b.astype(dtype)) for W, b in weights]
    return Case(family, architecture, typed, x, _targets(rng, family, architecture, batch))


def _tensor(rng: np.random.Generator, family: str, shape: tuple[int, ...]) -> Array:
    if family == "integer":
        return rng.integers(-2, 3, shape).astype(np.float64)
    values: Array = rng.standard_normal(shape)
    return values * 10.0 ** rng.uniform(-6.0, 3.0) if family == "wide" else values


def _targets(rng: np.random.Generator, family: str, architecture: Architecture, batch: int) -> Array:
    shape = (batch, architecture.n_outputs)
    if architecture.loss == "cross_entropy":
        return rng.integers(0, architecture.n_outputs, batch)
    if architecture.loss == "binary_cross_entropy":
        return rng.integers(0, 2, shape).astype(architecture.dtype)
    return _tensor(rng, family, shape).astype(architecture.dtype)
