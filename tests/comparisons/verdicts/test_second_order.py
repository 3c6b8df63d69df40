"""check_autodiff(order=2): the backward pass differentiated, forward mode beside reverse mode, symmetry."""

from typing import Any

import jax
import jax.numpy as jnp
import pytest
import torch
from torch import nn
from torch.autograd.function import once_differentiable

from backproof import check_autodiff
from backproof.comparisons.verdicts.outcome import Outcome


@pytest.fixture
def x() -> torch.Tensor:
    return torch.randn(4, 3, generator=torch.Generator().manual_seed(0))


class Cube(torch.autograd.Function):
    """x^3; its backward pass forgets that it depends on x."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx: Any, upstream: torch.Tensor) -> torch.Tensor:
        (x,) = ctx.saved_tensors
        slope: torch.Tensor = 3 * x.detach() ** 2
        return upstream * slope


class Once(torch.autograd.Function):
    """x^2, to be differentiated once."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x)
        return x**2

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: torch.Tensor) -> torch.Tensor:
        (x,) = ctx.saved_tensors
        slope: torch.Tensor = 2 * x
        return upstream * slope


class WrongForwardMode(torch.autograd.Function):
    """2 x, whose rule for forward mode says 3."""

    @staticmethod
    def forward(x: torch.Tensor) -> torch.Tensor:
        return 2 * x

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        pass

    @staticmethod
    def backward(ctx: Any, upstream: torch.Tensor) -> torch.Tensor:
        return 2 * upstream

    @staticmethod
    def jvp(ctx: Any, tangent: torch.Tensor) -> torch.Tensor:
        return 3 * tangent


@pytest.mark.parametrize("module", [nn.Tanh(), nn.Linear(3, 2), nn.BatchNorm1d(3)], ids=type)
def test_right_second_derivatives_pass(module: nn.Module, x: torch.Tensor) -> None:
    found = check_autodiff(module, x, order=2)
    assert found.outcome == Outcome.PASS
    names = ["input[0] (forward mode)", "input[0] (second order)", "input[0] (second order, float32)"]
    assert set(names) <= set(found)


def test_a_bias_before_batch_norm_has_no_gradient_and_fails_nothing(x: torch.Tensor) -> None:
    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
    found = check_autodiff(network, x, order=2)
    assert found["0.bias"].outcome == Outcome.PASS
    assert found.outcome == Outcome.PASS, found.reason


def test_a_backward_pass_that_forgets_what_it_depends_on_fails_at_second_order_alone(x: torch.Tensor) -> None:
    assert check_autodiff(Cube, x).outcome == Outcome.PASS
    found = check_autodiff(Cube, x, order=2)
    assert found["input[0]"].outcome == Outcome.PASS
    assert found["input[0] (second order)"].outcome == Outcome.FAIL


def test_a_second_derivative_that_is_refused_is_not_passed(x: torch.Tensor) -> None:
    found = check_autodiff(Once, x, order=2)
    assert found.outcome == Outcome.INCONCLUSIVE
    assert "not offered" in found["second order"].reason


def test_a_wrong_rule_for_forward_mode_fails(x: torch.Tensor) -> None:
    found = check_autodiff(WrongForwardMode, x, order=2)
    assert found["input[0]"].outcome == Outcome.PASS
    assert found["input[0] (forward mode)"].outcome == Outcome.FAIL


def test_where_there_is_no_forward_mode_that_is_said_and_fails_nothing() -> None:
    @jax.custom_vjp
    def sine(x: Any) -> Any:
        return jnp.sin(x)

    sine.defvjp(lambda x: (jnp.sin(x), x), lambda x, upstream: (upstream * jnp.cos(x),))
    found = check_autodiff(sine, jnp.arange(3.0), order=2)
    assert found.outcome == Outcome.PASS
    assert "forward mode: not offered" in found.reason
