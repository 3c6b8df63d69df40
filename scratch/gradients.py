"""Every way to the gradient of a network's loss, by name: `gradient(network, x, targets, method=...)`."""

from collections.abc import Callable

from scratch import differences
from scratch.architecture import Array
from scratch.network import Network
from scratch.parameters import Parameters


def backprop(network: Network, x: Array, targets: Array) -> Array:
    """The chain rule, once backwards through the layers: one forward and one backward pass."""
    result = Parameters(network.architecture, dtype=network.dtype)
    network.loss_and_gradient(x, targets, result)
    return result.flat


def forward_difference(network: Network, x: Array, targets: Array) -> Array:
    """(L(t + h) - L(t)) / h: one forward pass per parameter."""
    return differences.forward_difference(*_loss_of_flat(network, x, targets))


def central_difference(network: Network, x: Array, targets: Array) -> Array:
    """(L(t + h) - L(t - h)) / 2h: two forward passes per parameter."""
    return differences.central_difference(*_loss_of_flat(network, x, targets))


METHODS: dict[str, Callable[..., Array]] = {
    "backprop": backprop,
    "forward_difference": forward_difference,
    "central_difference": central_difference,
}


def gradient(
    network: Network, x: Array, targets: Array, method: str = "backprop", **options: object
) -> Array:
    """dL/dtheta as a new flat vector (n_parameters,), by any of METHODS; the network stays as it was.

    x (batch, n_inputs) and targets (see `losses`) are checked here. Raises ValueError for an unknown method.
    """
    if method not in METHODS:
        raise ValueError(f"method: expected one of {', '.join(METHODS)}; got {method!r}")
    x = network.architecture.checked_inputs(x)
    targets = network.architecture.checked_targets(targets, len(x))
    return METHODS[method](network, x, targets, **options)


def _loss_of_flat(network: Network, x: Array, targets: Array) -> tuple[differences.Function, Array]:
    """The loss of a copy of the network as a function of its flat vector, and that vector."""
    copy = network.astype(network.dtype)
    return (lambda theta: copy.loss(x, targets)), copy.parameters.flat
