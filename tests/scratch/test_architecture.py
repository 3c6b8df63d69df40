"""What is trained, as data: validated when made, and the names and places of every parameter."""

from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from backproof.scratch.architecture import Architecture, LossName, OptimizerSpec
from backproof.scratch.parameters import Parameters
from tests.support.strategies import architectures

NET = Architecture((3, 4, 2))
NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"layer_sizes": (3,)}, ValueError, "at least two sizes"),
        ({"layer_sizes": ()}, ValueError, "at least two sizes"),
        ({"layer_sizes": (3, 0, 2)}, ValueError, "sizes of at least 1"),
        ({"layer_sizes": (3, -1)}, ValueError, "sizes of at least 1"),
        ({"layer_sizes": (3, 2.0)}, TypeError, "tuple of integers"),
        ({"layer_sizes": (True, 2)}, TypeError, "tuple of integers"),
        ({"layer_sizes": "32"}, TypeError, "expected a tuple"),
        ({"layer_sizes": 32}, TypeError, "expected a tuple"),
        ({"activation": "gelu"}, ValueError, "activation: expected one of identity, sigmoid, tanh, relu"),
        ({"loss": "hinge"}, ValueError, "loss: expected one of cross_entropy"),
        ({"dtype": "float16"}, ValueError, "dtype: expected one of float32, float64"),
    ],
)
def test_an_architecture_that_makes_no_sense_is_refused(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Architecture(**{"layer_sizes": (3, 2), **arguments})


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"name": "lion"}, ValueError, "name: expected one of sgd, adam"),
        ({"learning_rate": -0.1}, ValueError, "learning_rate: expected a number in"),
        ({"learning_rate": NAN}, ValueError, "learning_rate: expected a number in"),
        ({"learning_rate": INF}, ValueError, "learning_rate: expected a number in"),
        ({"learning_rate": "0.1"}, TypeError, "learning_rate: expected a number, got str"),
        ({"momentum": -1.0}, ValueError, "momentum"),
        ({"beta1": 1.0}, ValueError, "beta1"),
        ({"beta2": -0.1}, ValueError, "beta2"),
        ({"eps": NAN}, ValueError, "eps"),
        ({"weight_decay": -1e-4}, ValueError, "weight_decay"),
        ({"nesterov": True}, ValueError, "nesterov: expected momentum > 0"),
    ],
)
def test_an_optimizer_that_makes_no_sense_is_refused(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        OptimizerSpec(**arguments)


def test_an_architecture_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        NET.dtype = "float32"  # type: ignore[misc]


def test_sizes_become_a_tuple_of_plain_integers() -> None:
    assert Architecture([np.int64(3), 2]).layer_sizes == (3, 2)  # type: ignore[arg-type]


@given(architectures())
def test_the_slices_of_the_layers_tile_the_flat_vector(architecture: Architecture) -> None:
    places = [
        index
        for pair in architecture.layer_slices()
        for part in pair
        for index in range(part.start, part.stop)
    ]
    assert places == list(range(architecture.n_parameters))


@given(architectures())
def test_every_parameter_is_where_its_name_says(architecture: Architecture) -> None:
    layers = Parameters(architecture, np.arange(architecture.n_parameters, dtype=float)).layers
    for index in range(architecture.n_parameters):
        name = architecture.parameter_name(index)
        kind, layer, place = name[0], int(name[1 : name.index("[")]), name[name.index("[") + 1 : -1]
        array = layers[layer - 1]["Wb".index(kind)]
        assert array[tuple(map(int, place.split(",")))] == index


@pytest.mark.parametrize("index", [-1, NET.n_parameters])
def test_there_is_no_name_outside_the_vector(index: int) -> None:
    with pytest.raises(IndexError, match=r"expected 0 \.\. 25"):
        NET.parameter_name(index)


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (np.zeros((2, 4)), ValueError, r"expected shape \(batch >= 1, 3\), got \(2, 4\)"),
        (np.zeros(3), ValueError, "expected shape"),
        (np.zeros((0, 3)), ValueError, "expected shape"),
        (np.zeros((1, 3, 1)), ValueError, "flatten each example"),
        (np.array([[0.0, NAN, 1.0]]), ValueError, "NaN or Inf"),
        (np.array([[0.0, INF, 1.0]]), ValueError, "NaN or Inf"),
        (np.array([["a", "b", "c"]]), TypeError, "expected real numbers"),
        (np.zeros((2, 3), complex), TypeError, "expected real numbers"),
        (np.array([[None, 1, 2]]), TypeError, "expected real numbers"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(x: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        NET.checked_inputs(x)


def test_inputs_that_fit_are_not_copied() -> None:
    x = np.zeros((2, 3))
    assert NET.checked_inputs(x) is x


def test_inputs_of_another_type_are_converted() -> None:
    checked = NET.checked_inputs(np.arange(6, dtype=np.uint8).reshape(2, 3))
    np.testing.assert_array_equal(checked, [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]], strict=True)


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        (np.array([0, 2]), ValueError, r"expected labels 0 \.\. 1, found 0 \.\. 2"),
        (np.array([-1, 0]), ValueError, r"found -1 \.\. 0"),
        (np.array([0.0, 1.0]), TypeError, "expected integer labels"),
        (np.array([0, 1, 1]), ValueError, r"expected shape \(2,\), got \(3,\)"),
        (np.array([[0, 1]]), ValueError, "expected shape"),
        (np.array([True, False]), TypeError, "expected integer labels"),
    ],
)
def test_labels_that_do_not_fit_are_refused(labels: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        NET.checked_targets(labels, 2)


@pytest.mark.parametrize("loss", ["binary_cross_entropy", "mse", "sum_of_squares"])
@pytest.mark.parametrize(
    ("targets", "error", "message"),
    [
        (np.zeros(2), ValueError, r"expected shape \(2, 2\)"),
        (np.zeros((2, 3)), ValueError, r"expected shape \(2, 2\)"),
        (np.array([[0.0, NAN], [0.0, 0.0]]), ValueError, "NaN or Inf"),
        (np.zeros((2, 2), complex), TypeError, "expected real numbers"),
    ],
)
def test_targets_that_do_not_fit_are_refused(
    loss: LossName, targets: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Architecture((3, 2), loss=loss).checked_targets(targets, 2)


def weights_with(layer: int, part: int, array: Any) -> list[tuple[Any, Any]]:
    weights: list[list[Any]] = [list(pair) for pair in Parameters(NET).weights()]
    weights[layer][part] = array
    return [(pair[0], pair[1]) for pair in weights]


@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        (weights_with(0, 0, np.full((3, 4), NAN)), ValueError, "W1: expected finite"),
        (weights_with(1, 1, np.array([INF, 0.0])), ValueError, "b2: expected finite"),
        (weights_with(0, 0, np.zeros((4, 3))), ValueError, r"W1: expected shape \(3, 4\), got \(4, 3\)"),
        (weights_with(1, 1, np.zeros((1, 2))), ValueError, r"b2: expected shape \(2,\)"),
        (weights_with(1, 0, np.zeros((4, 2), complex)), TypeError, "W2: expected real numbers"),
        (weights_with(0, 0, np.zeros((3, 4)))[:1], ValueError, "expected 2 layers, got 1"),
    ],
)
def test_weights_that_do_not_fit_are_refused(weights: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        NET.checked_weights(weights)
