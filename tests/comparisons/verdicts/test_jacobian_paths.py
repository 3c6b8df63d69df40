"""Errors travel along the products of the layers' Jacobians, written out here example by example."""

from itertools import pairwise

import numpy as np
import pytest

from backproof.comparisons.verdicts import jacobian_paths
from backproof.comparisons.verdicts.jacobian_paths import Paths
from backproof.scratch.architecture import Array

WIDTHS = (4, 3, 5, 2, 3)  # of z_0 .. z_4; the last are the logits
BATCH = 3


def some_paths(seed: int = 0) -> Paths:
    rng = np.random.default_rng(seed)
    weights = [rng.standard_normal(shape) for shape in pairwise((6, *WIDTHS))]
    derivatives = [rng.standard_normal((BATCH, width)) for width in WIDTHS[:-1]]
    derivatives[1][:, 0] = 0.0  # a dead unit
    return Paths(derivatives, weights)


def jacobian(paths: Paths, example: int, low: int, high: int) -> Array:
    """dz_high / dz_low of one example, factor by factor."""
    product = np.eye(WIDTHS[low])
    for layer in range(low, high):
        product = product @ np.diag(paths.derivatives[layer][example]) @ paths.weights[layer + 1]
    return product


def sources(seed: int) -> list[Array]:
    rng = np.random.default_rng(seed)
    return [rng.random((BATCH, width)) for width in WIDTHS]


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("high", [1, 2, 3, 4])
def test_what_arrives_above_is_every_source_times_its_jacobian(high: int, power: int) -> None:
    paths, given = some_paths(), sources(1)
    found = paths.up(given[:high], given[:high], power)
    for n in range(BATCH):
        expected = sum(given[low][n] @ np.abs(jacobian(paths, n, low, high)) ** power for low in range(high))
        np.testing.assert_allclose(found[n], expected, rtol=1e-12)


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("low", [0, 1, 2, 3])
def test_what_arrives_below_is_every_source_times_its_jacobian(low: int, power: int) -> None:
    paths, given = some_paths(), sources(2)
    found = paths.down(low, given[low + 1 :], given[low + 1], power)
    for n in range(BATCH):
        expected = sum(
            np.abs(jacobian(paths, n, low, high)) ** power @ given[high][n] for high in range(low + 1, 5)
        )
        np.testing.assert_allclose(found[n], expected, rtol=1e-12)


@pytest.mark.parametrize("low", [0, 1, 2, 3])
def test_the_jacobian_to_the_logits_is_the_product_of_all_layers(low: int) -> None:
    paths = some_paths()
    for n in range(BATCH):
        np.testing.assert_allclose(paths.to_logits(low)[n], jacobian(paths, n, low, 4), rtol=1e-12)


def arrivals(paths: Paths, power: int) -> list[Array]:
    """What arrives at z_1 .. z_4, each from what arrived before."""
    given, arrived = sources(3), [np.zeros((BATCH, WIDTHS[0]))]
    for high in range(1, len(WIDTHS)):
        arrived.append(paths.up(given[:high], arrived, power))
    return arrived


@pytest.mark.parametrize("power", [1, 2])
def test_where_the_jacobians_cost_too_much_what_arrives_is_never_less(
    power: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = arrivals(some_paths(), power)
    monkeypatch.setattr(jacobian_paths, "MOST_WORK", 0.0)
    frugal = some_paths()
    assert not frugal.dense
    for narrow, wide in zip(exact, arrivals(frugal, power), strict=True):
        assert (wide >= narrow * (1 - 1e-12)).all()


@pytest.mark.parametrize("power", [1, 2])
def test_below_too(power: int, monkeypatch: pytest.MonkeyPatch) -> None:
    given = sources(4)

    def descend(paths: Paths) -> list[Array]:
        found, arrived = [], np.zeros((BATCH, WIDTHS[-1]))
        for low in reversed(range(4)):
            arrived = paths.down(low, given[low + 1 :], arrived, power)
            found.append(arrived)
        return found

    exact = descend(some_paths())
    monkeypatch.setattr(jacobian_paths, "MOST_WORK", 0.0)
    for narrow, wide in zip(exact, descend(some_paths()), strict=True):
        assert (wide >= narrow * (1 - 1e-12)).all()


def test_jacobians_between_hidden_layers_are_made_up_to_so_many_multiplications(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """4 x 3 x 5 and 4 x 5 x 2 from the first hidden layer, 3 x 5 x 2 from the second; three examples."""
    work = BATCH * (4 * 3 * 5 + 4 * 5 * 2 + 3 * 5 * 2)
    for most, dense in ((work, True), (work - 1, False)):
        monkeypatch.setattr(jacobian_paths, "MOST_WORK", float(most))
        assert some_paths().dense is dense
