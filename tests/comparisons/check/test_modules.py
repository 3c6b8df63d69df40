"""check_module: right backward passes pass, wrong ones fail by name, and what cannot be checked is said."""

import subprocess
import sys
from typing import Any

import pytest
import torch
from torch import nn

from backproof import check_module
from backproof.comparisons.verdicts.outcome import Outcome


def sine(factor: float) -> type[torch.autograd.Function]:
    """sin, whose derivative is wrong by this factor."""

    class Sine(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
            ctx.save_for_backward(x)
            return x.sin()

        @staticmethod
        def backward(ctx: Any, upstream: torch.Tensor) -> torch.Tensor:
            return upstream * ctx.saved_tensors[0].cos() * factor

    return Sine


class WrongBias(nn.Module):
    """A linear layer; autograd never hears of its bias."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x @ self.linear.weight.T + self.linear.bias.detach()


class Cancelling(torch.autograd.Function):
    """The identity, its derivative wrong, but not where all upstream gradients agree."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, upstream: torch.Tensor) -> torch.Tensor:
        return upstream + 0.1 * (upstream - upstream.flip(0))


@pytest.fixture
def x() -> torch.Tensor:
    return torch.randn(4, 3, generator=torch.Generator().manual_seed(0))


def test_a_right_module_passes_in_every_parameter_and_input(x: torch.Tensor) -> None:
    module = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    found = check_module(module, x, max_entries=4)
    assert list(found) == ["0.weight", "0.bias", "2.weight", "2.bias", "input 0"]
    assert {verdict.outcome for verdict in found.values()} == {Outcome.PASS}


@pytest.mark.parametrize(
    ("factor", "outcome"), [(1.0, Outcome.PASS), (1.0 + 1e-6, Outcome.FAIL), (-1.0, Outcome.FAIL)]
)
def test_a_function_is_right_or_wrong(x: torch.Tensor, factor: float, outcome: str) -> None:
    assert check_module(sine(factor), x, max_entries=3)["input 0"].outcome == outcome


def test_only_the_wrong_tensor_fails_and_is_named(x: torch.Tensor) -> None:
    found = check_module(WrongBias(), x)
    assert {name: verdict.outcome for name, verdict in found.items()} == {
        "linear.weight": Outcome.PASS,
        "linear.bias": Outcome.FAIL,
        "input 0": Outcome.PASS,
    }
    assert found["linear.bias"].worst.startswith("linear.bias[")


def test_errors_of_both_signs_do_not_cancel(x: torch.Tensor) -> None:
    assert check_module(Cancelling, x, max_entries=3)["input 0"].outcome == Outcome.FAIL


def test_a_kink_is_inconclusive() -> None:
    assert check_module(torch.relu, torch.zeros(2))["input 0"].outcome == Outcome.INCONCLUSIVE


def test_a_function_of_several_tensors_is_checked_in_each(x: torch.Tensor) -> None:
    found = check_module(lambda a, b: (a * b, a.sum()), x, x.double() + 1, max_entries=2)
    assert [verdict.outcome for verdict in found.values()] == [Outcome.PASS, Outcome.PASS]


def test_the_module_is_left_as_it_was(x: torch.Tensor) -> None:
    module = nn.Linear(3, 2)
    before = module.weight.detach().clone()
    check_module(module, x, max_entries=2)
    torch.testing.assert_close(module.weight.detach(), before, rtol=0, atol=0)


def test_a_random_module_is_refused_with_the_remedy(x: torch.Tensor) -> None:
    with pytest.raises(ValueError, match=r"module\.eval\(\)"):
        check_module(nn.Dropout(), x)


def test_nothing_to_check_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing to check"):
        check_module(torch.abs, torch.tensor([1, 2]))


def test_a_module_without_floating_point_output_is_refused(x: torch.Tensor) -> None:
    with pytest.raises(TypeError, match="expected it to return floating-point tensors"):
        check_module(torch.argmax, x)


def test_check_gradient_is_had_without_torch() -> None:
    code = "import sys; from backproof import check_gradient; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
