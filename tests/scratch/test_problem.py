"""A `Problem` is checked once, when it is made, and is then what the whole project passes around."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given

from backproof.scratch.architecture import Architecture, Bias, LossName, Weight, Weights
from backproof.scratch.errors import InputError, InputTypeError
from backproof.scratch.network import Network
from backproof.scratch.parameters import Parameters
from backproof.scratch.problem import Problem
from tests.support.strategies import Case, cases

SMALL = Architecture((2, 3))
WEIGHTS: list[tuple[Weight, Bias]] = [(np.arange(6.0).reshape(2, 3), np.arange(3.0))]
X = np.array([[1.0, 2.0], [3.0, 4.0]])
LABELS = np.array([0, 2])


def test_what_already_fits_is_kept_without_a_copy() -> None:
    problem = Problem(SMALL, WEIGHTS, X, LABELS)
    assert problem.x is X
    assert problem.weights[0][0] is WEIGHTS[0][0]


def test_lists_integers_and_other_layouts_become_arrays_of_the_dtype() -> None:
    whole = [[1, 2], [3, 4]]
    problem = Problem(Architecture((2, 3), dtype="float32"), WEIGHTS, whole, LABELS)  # type: ignore[arg-type] # what a user may give
    arrays = [problem.x, *problem.weights[0]]
    assert {array.dtype for array in arrays} == {np.dtype("float32")}
    assert problem.x.flags.c_contiguous


@pytest.mark.parametrize(
    ("loss", "given", "dtype"),
    [("cross_entropy", [0, 2], "intp"), ("mse", [[1, 2, 3], [4, 5, 6]], "float32")],
)
def test_targets_too_become_arrays(loss: LossName, given: list[int], dtype: str) -> None:
    problem = Problem(Architecture((2, 3), loss=loss, dtype="float32"), WEIGHTS, X, given)  # type: ignore[arg-type] # what a user may give
    assert problem.targets.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(problem.targets, given)


def test_its_fields_cannot_be_replaced() -> None:
    with pytest.raises(FrozenInstanceError):
        Problem(SMALL, WEIGHTS, X, LABELS).x = X[:1]  # type: ignore[misc] # the mistake to be refused


@pytest.mark.parametrize(
    ("weights", "x", "labels", "message"),
    [
        (WEIGHTS * 2, X, LABELS, "weights: expected 1 layers, got 2"),
        ([(np.ones((3, 2)), np.ones(3))], X, LABELS, "W1: expected shape"),
        (WEIGHTS, X[:, :1], LABELS, "x: expected shape"),
        (WEIGHTS, X[:0], LABELS[:0], "x: expected shape"),
        (WEIGHTS, X * np.nan, LABELS, "x: expected finite"),
        (WEIGHTS, X, LABELS[:1], "targets: expected shape"),
        (WEIGHTS, X, LABELS + 1, "targets: expected labels 0 .. 2"),
    ],
)
def test_what_does_not_fit_is_refused_by_the_name_of_the_argument(
    weights: Weights, x: np.ndarray, labels: np.ndarray, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        Problem(SMALL, weights, x, labels)


def test_labels_that_are_no_integers_are_refused_as_a_wrong_type() -> None:
    with pytest.raises(InputTypeError, match="integer labels"):
        Problem(SMALL, WEIGHTS, X, LABELS.astype(float))


@given(case=cases(dtypes=("float32", "float64")))
def test_its_flat_vector_is_that_of_parameters_at_the_same_weights(case: Case) -> None:
    flat = case.problem.flat()
    np.testing.assert_array_equal(flat, case.flat)
    assert not np.shares_memory(flat, case.flat)


@given(case=cases(dtypes=("float32",)))
def test_widened_to_float64_it_holds_the_same_numbers(case: Case) -> None:
    wide = case.problem.astype("float64")
    assert wide.architecture.dtype == "float64"
    np.testing.assert_array_equal(wide.flat(), case.flat.astype(np.float64))
    np.testing.assert_array_equal(wide.x, case.x.astype(np.float64))
    np.testing.assert_array_equal(wide.targets, case.targets)


def test_rows_keep_the_network_and_choose_examples_in_the_order_given() -> None:
    chosen = Problem(SMALL, WEIGHTS, X, LABELS).rows([1, 0, 1])
    np.testing.assert_array_equal(chosen.x, X[[1, 0, 1]])
    np.testing.assert_array_equal(chosen.targets, LABELS[[1, 0, 1]])
    assert chosen.batch_size == 3


@given(case=cases())
def test_its_network_gives_the_same_loss_and_owns_its_weights(case: Case) -> None:
    problem = case.problem
    network = Network.at(problem)
    expected = Network(case.architecture, Parameters(case.architecture, case.flat.copy()))
    assert network.loss(problem.x, problem.targets) == expected.loss(case.x, case.targets)
    assert not np.shares_memory(network.parameters.flat, problem.weights[0][0])
