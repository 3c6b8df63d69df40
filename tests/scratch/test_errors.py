"""Bad input is refused by one sentence that begins with the argument's name."""

from typing import Any

import numpy as np
import pytest

from backproof.scratch.errors import (
    InputError,
    InputTypeError,
    expect,
    expect_number,
    expect_one_of,
    expect_range,
    expect_shape,
)


def test_what_holds_is_let_through() -> None:
    expect(True, "never said")
    expect_one_of("loss", "mse", ["mse"])
    expect_shape("x", np.ones((2, 3)), (2, 3))
    expect_number("rate", 0.0, 0.0, 1.0)
    expect_range("rows", "indices", np.array([0, 4]), 5)


def test_a_bad_value_is_an_input_error_and_so_a_value_error() -> None:
    with pytest.raises(ValueError, match=r"^x: wrong") as caught:
        expect(False, "x: wrong")
    assert isinstance(caught.value, InputError)


def test_a_bad_type_is_both_an_input_error_and_a_type_error() -> None:
    assert issubclass(InputTypeError, InputError)
    assert issubclass(InputTypeError, TypeError)


def test_an_unknown_name_is_told_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"^loss: expected one of mse, hinge; got 'mae'"):
        expect_one_of("loss", "mae", ["mse", "hinge"])


def test_a_wrong_shape_is_told_both() -> None:
    with pytest.raises(InputError, match=r"^x: expected shape \(2, 3\), got \(3, 2\)$"):
        expect_shape("x", np.ones((3, 2)), (2, 3))


@pytest.mark.parametrize("value", [-0.1, 1.0, float("nan"), float("inf"), -float("inf")])
def test_a_number_outside_its_interval_is_refused(value: float) -> None:
    with pytest.raises(InputError, match=r"^rate: expected a number in \[0, 1\), got"):
        expect_number("rate", value, 0.0, 1.0)


@pytest.mark.parametrize("value", [True, "0.1", None, 1j])
def test_what_is_no_number_is_refused_as_a_wrong_type(value: Any) -> None:
    with pytest.raises(InputTypeError, match=r"^rate: expected a number, got"):
        expect_number("rate", value, 0.0, 1.0)


@pytest.mark.parametrize("indices", [[-1, 2], [0, 5]])
def test_indices_outside_their_range_are_told_what_was_found(indices: list[int]) -> None:
    found = f"found {min(indices)} .. {max(indices)}"
    with pytest.raises(InputError, match=rf"^rows: expected indices 0 \.\. 4, {found}$"):
        expect_range("rows", "indices", np.array(indices), 5)
