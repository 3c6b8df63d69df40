"""The networks of a class: all of the contract, and what remains of them by what is stated."""

from itertools import product

import pytest

from backproof.comparisons.check.forms.space import Space, narrowed
from backproof.scratch.architecture import (
    ACTIVATIONS,
    DTYPES,
    LOSSES,
    ActivationName,
    Architecture,
    DtypeName,
)

FULL = Space.full()


def test_the_contract_has_every_activation_and_loss_with_none_one_and_two_hidden_layers() -> None:
    assert set(FULL.kinds) == set(product(ACTIVATIONS, LOSSES, (0, 1, 2)))
    assert (FULL.dtypes, FULL.biases, FULL.plain_descent) == (DTYPES, True, False)


def test_names_and_depths_are_those_of_its_kinds_in_the_order_of_the_contract() -> None:
    space = FULL.where(losses=("mse", "cross_entropy"), activations=("tanh", "relu"))
    assert space.activations == tuple(name for name in ACTIVATIONS if name in ("tanh", "relu"))
    assert space.losses == tuple(name for name in LOSSES if name in ("mse", "cross_entropy"))
    assert space.depths == (0, 1, 2)


def test_an_activation_that_stands_only_without_a_hidden_layer_is_none_of_its_own() -> None:
    assert Space((("relu", "mse", 0), ("tanh", "mse", 1))).activations == ("tanh",)
    assert Space((("relu", "mse", 0),)).activations == ("relu",)


@pytest.mark.parametrize(
    ("dtypes", "dtype"),
    [(DTYPES, "float64"), (("float32",), "float32"), (("float64",), "float64"), ((), "float64")],
)
def test_double_precision_is_tried_where_a_class_has_it(dtypes: tuple[DtypeName, ...], dtype: str) -> None:
    assert Space(FULL.kinds, dtypes).dtype == dtype


@pytest.mark.parametrize(
    ("sizes", "activation", "dtype", "has"),
    [
        ((3, 2), "tanh", "float64", True),
        ((3, 4, 2), "tanh", "float64", False),
        ((3, 4, 4, 2), "tanh", "float64", True),
        ((3, 2), "relu", "float64", False),
        ((3, 2), "tanh", "float32", False),
    ],
)
def test_a_network_is_one_of_it_by_its_kind_and_its_precision(
    sizes: tuple[int, ...], activation: ActivationName, dtype: DtypeName, has: bool
) -> None:
    space = Space((("tanh", "mse", 0), ("tanh", "mse", 2)), ("float64",))
    assert space.has(Architecture(sizes, activation, "mse", dtype)) == has


def test_what_is_stated_narrows_and_deeper_networks_come_in_where_they_are_asked_for() -> None:
    space = narrowed(
        FULL, {"activation": ("tanh",), "loss": ("mse",), "hidden_layers": (1, 3), "dtype": ("float32",)}
    )
    assert space.kinds == (("tanh", "mse", 1), ("tanh", "mse", 3))
    assert space.dtypes == ("float32",)
    assert narrowed(FULL, {}).kinds == FULL.kinds
    assert narrowed(Space(FULL.kinds, biases=False), {}).biases is False
