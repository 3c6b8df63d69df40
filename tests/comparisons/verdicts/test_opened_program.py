"""Whose function it is, what its arguments are called, and whether it is in double precision."""

import functools
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from torch import nn

from backproof.comparisons.verdicts.opened_program import framework_of, in_double, is_double, names_of
from backproof.scratch.errors import InputError, InputTypeError


class Square(torch.autograd.Function):
    """A class, that is called by its `apply`."""


@dataclass
class Batch:
    """An object of somebody's own, which holds its tensors one level down."""

    x: Any
    count: int = 3


def plain(x: Any, y: Any = None, *, scale: float = 1.0) -> Any:
    return x


@pytest.mark.parametrize(
    ("f", "args", "framework"),
    [
        (Square, (), "torch"),
        (nn.Linear(2, 1), (), "torch"),
        (functools.partial(nn.Linear(2, 1)), (), "torch"),
        (plain, (torch.ones(2),), "torch"),
        (plain, ([1.0, {"deep": torch.ones(2)}],), "torch"),
        (plain, (Batch(torch.ones(2)),), "torch"),
        (jax.jit(plain), (), "jax"),
        (plain, (jnp.ones(2),), "jax"),
        (lambda: jnp.ones(2), (), "jax"),
        (lambda x: torch.as_tensor(x), (np.ones(2),), "torch"),
    ],
)
def test_a_function_belongs_to_whoever_made_it_its_arguments_or_what_it_returns(
    f: Any, args: tuple[Any, ...], framework: str
) -> None:
    assert framework_of(f, args) == framework


def test_a_function_is_called_only_where_nothing_else_tells() -> None:
    def never(x: Any) -> Any:
        raise AssertionError("called")

    assert framework_of(never, (torch.ones(1),)) == "torch"
    with pytest.raises(InputTypeError, match="args: expected torch, JAX or TensorFlow tensors, got ndarray"):
        framework_of(lambda *args: 1.0, (np.ones(2), [np.ones(3)]))
    with pytest.raises(InputTypeError, match="got none"):
        framework_of(lambda: 1.0, ())
    with pytest.raises(InputTypeError, match="f: expected a function, module or layer, got int"):
        framework_of(3, (2.0,))


@pytest.mark.parametrize(
    ("f", "n", "names"),
    [
        (plain, 1, ["x"]),
        (plain, 2, ["x", "y"]),
        (functools.wraps(plain)(lambda *args: plain(*args)), 2, ["x", "y"]),
        (SimpleNamespace(forward=plain).forward, 2, ["x", "y"]),
        (lambda *args: args, 2, ["input[0]", "input[1]"]),
        (nn.Linear(2, 1), 1, ["input[0]"]),
        (Square, 1, ["input[0]"]),
    ],
)
def test_arguments_go_by_the_parameters_of_a_plain_function_and_else_by_their_number(
    f: Any, n: int, names: list[str]
) -> None:
    assert names_of(f, (0.0,) * n) == names


def a_program(*dtypes: str) -> Any:
    cells = {str(i): SimpleNamespace(dtype=dtype) for i, dtype in enumerate(dtypes)}
    return SimpleNamespace(cells=cells)


def test_a_program_is_in_double_precision_where_all_of_its_tensors_are() -> None:
    assert is_double(a_program("torch.float64", "float64"))
    assert not is_double(a_program("torch.float64", "torch.float32"))
    assert is_double(a_program())


@pytest.mark.parametrize("error", [RuntimeError, TypeError, NotImplementedError, ValueError])
def test_a_kernel_that_refuses_double_precision_is_no_error_of_the_input(error: type[Exception]) -> None:
    asked: list[str | None] = []

    def opened(dtype: str | None) -> Any:
        asked.append(dtype)
        raise error("not implemented for 'Double'")

    assert in_double(opened) is None
    assert asked == ["float64"]


def test_a_wrong_input_is_refused_also_in_double_precision() -> None:
    def opened(dtype: str | None) -> Any:
        raise InputError("args: no tensor")

    with pytest.raises(InputError, match="no tensor"):
        in_double(opened)
