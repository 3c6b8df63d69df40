"""Adversarial inputs: the slope is the slope, the distance is the distance, the loss grows."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from backproof.comparisons.record.adversary import Adversary
from backproof.reference.torch_recipe import adversarial_inputs
from backproof.scratch.architecture import Architecture, Array
from backproof.scratch.initializers import initialize
from backproof.scratch.network import Network
from tests.support.tolerances import gamma

SIZES = (7, 6, 5, 4)
SEEDS = st.integers(0, 2**32 - 1)


def case(seed: int, n: int = 9, sizes: tuple[int, ...] = SIZES) -> tuple[Network, Array, Array]:
    rng = np.random.default_rng(seed)
    architecture = Architecture(sizes, dtype="float64")
    network = Network(architecture, initialize(architecture, seed, "normal", biases=True))
    return network, rng.standard_normal((n, sizes[0])), rng.integers(0, sizes[-1], n)


@given(SEEDS)
def test_the_slope_of_the_inputs_is_the_complex_step_of_each_examples_own_loss(seed: int) -> None:
    network, x, labels = case(seed, n=3)
    smooth = Network(replace(network.architecture, activation="tanh"), network.parameters)
    found = Adversary(smooth, 1.0).input_gradient(x, labels)
    wide = smooth.astype(np.complex128)
    for n in range(len(x)):
        for pixel in range(x.shape[1]):
            moved = x[n : n + 1].astype(np.complex128)
            moved[0, pixel] += 1e-20j
            expected = wide.loss(moved, labels[n : n + 1]).imag / 1e-20
            np.testing.assert_allclose(found[n, pixel], expected, rtol=1e-9, atol=1e-12)


@given(SEEDS, st.floats(0.01, 3.0))
def test_every_example_is_moved_by_the_distance(seed: int, distance: float) -> None:
    network, x, labels = case(seed)
    before = x.copy()
    slopes = np.linalg.norm(Adversary(network, distance).input_gradient(x, labels), axis=1)
    Adversary(network, distance)(x, labels)
    moved = np.linalg.norm(x - before, axis=1)
    # x + move rounds at the size of x; the norm sums seven squares.
    atol = gamma(16, "float64") * (np.abs(before).max() + distance)
    np.testing.assert_allclose(moved[slopes > 1e-17], distance, rtol=gamma(20, "float64"), atol=10 * atol)


@given(SEEDS)
def test_the_loss_grows_where_the_distance_is_short(seed: int) -> None:
    network, x, labels = case(seed)
    slope = float(np.linalg.norm(Adversary(network, 1e-6).input_gradient(x, labels)))
    before = float(network.loss(x, labels))
    Adversary(network, 1e-6)(x, labels)
    assert slope < 1e-6 or float(network.loss(x, labels)) > before


def test_torchs_autograd_moves_the_examples_to_the_same_places() -> None:
    network, x, labels = case(3)
    layers: list[torch.nn.Module] = []
    for weight, bias in network.layers:
        linear = torch.nn.Linear(*weight.shape, dtype=torch.float64)
        linear.weight.data, linear.bias.data = torch.tensor(weight.T.copy()), torch.tensor(bias)
        layers += [linear, torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    expected = adversarial_inputs(model, torch.tensor(x), torch.tensor(labels), 0.7)
    Adversary(network, 0.7)(x, labels)
    np.testing.assert_allclose(x, expected.numpy(), rtol=1e-12, atol=1e-12)


def test_an_example_without_a_slope_stays_where_it_is() -> None:
    network, x, labels = case(0, sizes=(7, 4))
    for weight, bias in network.layers:
        weight[...], bias[...] = 0.0, 0.0
    before = x.copy()
    Adversary(network, 0.5)(x, labels)
    np.testing.assert_array_equal(x, before)


def test_the_buffers_of_the_network_are_left_alone() -> None:
    network, x, labels = case(1)
    before = network.forward(x)
    kept = [array.copy() for array in before[1:]]
    Adversary(network, 0.5).input_gradient(2 * x, labels)
    for array, copy in zip(before[1:], kept, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("n", [9, 4, 12])
def test_a_shorter_or_longer_batch_gives_what_it_gives_alone(n: int) -> None:
    network, x, labels = case(2, n=12)
    used = Adversary(network, 0.5)
    used.input_gradient(x[:9], labels[:9])
    found = used.input_gradient(x[:n], labels[:n]).copy()
    np.testing.assert_array_equal(found, Adversary(network, 0.5).input_gradient(x[:n], labels[:n]))
