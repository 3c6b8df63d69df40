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


def test_at_a_kink_autograd_gives_a_valid_subgradient() -> None:
    found = check_module(torch.relu, torch.zeros(2))
    assert found.outcome == Outcome.PASS
    assert "a valid subgradient" in found.reason


class OutsideTheKink(torch.autograd.Function):
    """relu, whose slope at zero is taken to be 2."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx: Any, upstream: torch.Tensor) -> torch.Tensor:
        (x,) = ctx.saved_tensors
        slopes: torch.Tensor = (x > 0) + 2.0 * (x == 0)
        return upstream * slopes


def test_at_a_kink_what_lies_outside_the_one_sided_slopes_fails() -> None:
    assert check_module(OutsideTheKink, torch.zeros(2)).outcome == Outcome.FAIL


class WrongState(nn.Module):
    """Hands back a state in a nest of its own, with a wrong derivative."""

    def forward(self, x: torch.Tensor) -> dict[str, Any]:
        return {"out": 3 * x, "state": (None, [sine(-3.5).apply(x)])}


def test_outputs_are_looked_at_however_they_are_nested(x: torch.Tensor) -> None:
    assert check_module(WrongState(), x).outcome == Outcome.FAIL
    assert check_module(nn.LSTM(3, 2), x).outcome == Outcome.PASS


class SinglePrecisionInside(torch.autograd.Function):
    """tanh(x @ w), computed in float32 whatever it is given; its derivative is wrong by a factor."""

    factor = 1.0

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x, w)
        return torch.tanh(x.float() @ w.float())

    @staticmethod
    def backward(ctx: Any, upstream: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x, w = (tensor.float() for tensor in ctx.saved_tensors)
        d = SinglePrecisionInside.factor * upstream.float() * (1 - torch.tanh(x @ w) ** 2)
        return (d @ w.T).double(), (x.T @ d).double()


@pytest.mark.parametrize("cast", [False, True])
@pytest.mark.parametrize("factor", [1.0, 1.01, -1.0])
def test_a_kernel_in_single_precision_is_judged_by_its_own_noise(
    factor: float, cast: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SinglePrecisionInside, "factor", factor)
    generator = torch.Generator().manual_seed(0)
    tensors = torch.randn(5, 4, generator=generator), torch.randn(4, 3, generator=generator)

    def module(x: torch.Tensor, w: torch.Tensor) -> Any:
        y = SinglePrecisionInside.apply(x, w)
        return y.double() if cast else y

    outcome = check_module(module, *tensors).outcome
    assert (outcome == Outcome.FAIL) is (factor != 1.0)


class OnlySinglePrecision(nn.Module):
    """A kernel that refuses float64."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.dtype != torch.float32:
            raise RuntimeError("expected scalar type Float but found Double")
        return x.sin()


def test_a_module_that_takes_no_float64_is_judged_as_it_is(x: torch.Tensor) -> None:
    assert check_module(OnlySinglePrecision(), x).outcome != Outcome.FAIL


class EmbeddingThatOverwrites(torch.autograd.Function):
    """Rows that are asked for twice get the gradient of the last one only."""

    @staticmethod
    def forward(ctx: Any, w: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(rows)
        ctx.shape = w.shape
        return w[rows]

    @staticmethod
    def backward(ctx: Any, upstream: torch.Tensor) -> tuple[torch.Tensor, None]:
        found = torch.zeros(ctx.shape, dtype=upstream.dtype)
        found[ctx.saved_tensors[0]] = upstream
        return found, None


@pytest.mark.parametrize("seed", range(3))
def test_sixteen_wrong_entries_of_sixteen_thousand_are_found(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randperm(1000, generator=generator)[:50]
    rows[7] = rows[3]
    found = check_module(EmbeddingThatOverwrites, torch.randn(1000, 16, generator=generator), rows, seed=seed)
    assert found.outcome == Outcome.FAIL
    assert found.worst.startswith(f"input 0[{int(rows[3])}, ")


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
