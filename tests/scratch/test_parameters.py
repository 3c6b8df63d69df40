"""One flat vector with views: whatever is written through one is seen through the other."""

import numpy as np
import pytest
from hypothesis import given

from backproof.scratch.architecture import Architecture
from backproof.scratch.parameters import Parameters
from tests.support.strategies import Case, architectures, cases


@given(architectures())
def test_the_layers_are_views_of_the_flat_vector(architecture: Architecture) -> None:
    parameters = Parameters(architecture)
    for number, pair in enumerate(parameters.layers, start=1):
        for array in pair:
            array[...] = number
    expected = [np.full(w.size + b.size, n) for n, (w, b) in enumerate(parameters.layers, start=1)]
    np.testing.assert_array_equal(parameters.flat, np.concatenate(expected))


@given(architectures())
def test_the_layers_have_the_shapes_of_the_architecture(architecture: Architecture) -> None:
    shapes = [(weight.shape, bias.shape) for weight, bias in Parameters(architecture).layers]
    assert shapes == [((m, n), (n,)) for m, n in architecture.layer_shapes]


@given(cases())
def test_weights_come_back_as_they_were_given(case: Case) -> None:
    again = Parameters.from_weights(case.architecture, case.weights)
    np.testing.assert_array_equal(again.flat, case.flat, strict=True)


@given(cases())
def test_what_weights_returns_belongs_to_the_caller(case: Case) -> None:
    parameters = Parameters.from_weights(case.architecture, case.weights)
    for weight, bias in parameters.weights():
        weight[...] = 99.0
        bias[...] = 99.0
    np.testing.assert_array_equal(parameters.flat, case.flat)


@given(cases())
def test_a_copy_shares_nothing(case: Case) -> None:
    parameters = Parameters.from_weights(case.architecture, case.weights)
    parameters.astype(parameters.flat.dtype).flat[...] = 99.0
    np.testing.assert_array_equal(parameters.flat, case.flat)


def test_a_given_vector_is_used_without_a_copy() -> None:
    flat = np.zeros(8)
    Parameters(Architecture((3, 2)), flat).layers[0][0][0, 0] = 5.0
    assert flat[0] == 5.0


def test_a_vector_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match=r"flat: expected shape \(8,\), got \(7,\)"):
        Parameters(Architecture((3, 2)), np.zeros(7))


@pytest.mark.parametrize("dtype", [np.complex128, np.longdouble, np.float32])
def test_other_dtypes_keep_the_numbers(dtype: type) -> None:
    parameters = Parameters(Architecture((3, 2)), np.arange(8.0))
    converted = parameters.astype(dtype)
    np.testing.assert_array_equal(converted.flat, np.arange(8).astype(dtype), strict=True)
